// Reads a scene from standard input with THREE.ObjectLoader and tells what came out, as JSON.
import { readFileSync } from "node:fs";
import * as THREE from "three";

const json = JSON.parse(readFileSync(0, "utf8"));
const warnings = [];
for (const level of ["warn", "error"]) console[level] = (...words) => warnings.push(words.join(" "));

const scene = new THREE.ObjectLoader().parse(json);
scene.updateMatrixWorld(true);

const nodes = {};
const groups = {};
let meshes = 0;
let instanced = 0;
const size = (matrix) => new THREE.Vector3().setFromMatrixScale(matrix).toArray();
const place = (matrix) => new THREE.Vector3().setFromMatrixPosition(matrix).toArray();
scene.traverse((object) => {
  if (object.isGroup) {
    const around = object.parent.isGroup ? object.parent.userData.scope : "";
    groups[object.userData.scope] = { parent: around, children: object.children.length };
  }
  if (object.isInstancedMesh) {
    instanced += 1;
    object.userData.nodes.forEach((data, index) => {
      const matrix = new THREE.Matrix4();
      object.getMatrixAt(index, matrix);
      matrix.premultiply(object.matrixWorld);
      nodes[data.node] = { place: place(matrix), size: size(matrix), instance: true, data };
    });
    if (object.count !== object.userData.nodes.length) warnings.push("instances without data");
  } else if (object.isMesh && object.userData.node !== undefined) {
    meshes += 1;
    const around = object.parent.isGroup ? object.parent.userData.scope : "";
    nodes[object.userData.node] = {
      place: place(object.matrixWorld),
      size: size(object.matrixWorld),
      instance: false,
      parent: around,
      colour: object.material.color.getHexString(),
      data: object.userData,
    };
  }
});
const edges = scene.getObjectByName("edges");
const positions = edges.geometry.getAttribute("position");
const box = new THREE.Box3().setFromObject(scene);

process.stdout.write(
  JSON.stringify({
    revision: THREE.REVISION,
    type: scene.type,
    name: scene.name,
    warnings,
    nodes,
    groups,
    meshes,
    instanced,
    edges: edges.userData.edges,
    vertices: positions.count,
    finite: Array.from(positions.array).every(Number.isFinite) && Number.isFinite(box.max.z),
    segments: edges.isLineSegments,
    cameras: scene.getObjectsByProperty("isPerspectiveCamera", true).length,
    again: JSON.stringify(new THREE.ObjectLoader().parse(scene.toJSON()).toJSON()).length > 0,
  }),
);
