/** Boxes on the graphics card: all open scopes in one draw call, all others in another. */

import {
  BufferGeometry,
  CustomBlending,
  DoubleSide,
  GLSL3,
  Mesh,
  OneFactor,
  OneMinusSrcAlphaFactor,
  RawShaderMaterial,
} from "three";
import { HEADER } from "../layout/picture";
import type { Places } from "./motion";
import { PAINT_GLSL, SPACE_GLSL, type Space, STEPS, stepped } from "./space";
import {
  byteTable,
  disposeSquares,
  floatTable,
  intTable,
  squares,
  TABLE_GLSL,
  type Table,
} from "./table";

/** Bits of a box's state. */
export const OPEN = 1;
export const SELECTED = 2;
export const HOVERED = 4;
export const DIMMED = 8;

/** Rows of a box in the table of looks. */
export const FILL = 0;
export const LINE = 1;
export const HEAD = 2;
export const STATE = 3;

/** How much of the corners of bodies is cut off, as GLSL. */
const CUT = "3.5";

const vertexShader = /* glsl */ `
${SPACE_GLSL}
${TABLE_GLSL}
uniform isampler2D places;  // three rows for each box: from, to, insets
uniform usampler2D looks;   // four rows: fill, line, header, state
uniform sampler2D heightsOf;
#ifdef SOLID
out float side;
#endif
out vec2 at;
flat out vec2 extent;
flat out vec4 fillColour;
flat out vec4 lineColour;
flat out vec4 headColour;
flat out uvec4 states;
flat out float presence;

void main() {
#ifdef SOLID
  // A body is an octagon on top (three squares) and eight walls, six vertices each.
  int box = gl_VertexID / 66;
  int part = (gl_VertexID / 6) % 11;
  int k = gl_VertexID % 6;
  int turn = k < 3 ? k : k == 3 ? 0 : k - 2;
#else
  int box = gl_VertexID >> 2;
  int turn = gl_VertexID & 3;
#endif
  ivec4 placeFrom = texelFetch(places, row(3 * box), 0);
  ivec4 placeTo = texelFetch(places, row(3 * box + 1), 0);
  uvec4 state = texelFetch(looks, row(4 * box + 3), 0);
  vec4 heights = tall > 0.5 ? texelFetch(heightsOf, row(box), 0) : vec4(0.0);
  vec2 middle = mix(
    fromEye(placeFrom.xy) + vec2(placeFrom.zw) / 64.0,
    fromEye(placeTo.xy) + vec2(placeTo.zw) / 64.0, moved);
  extent = mix(vec2(placeFrom.zw), vec2(placeTo.zw), moved) / 64.0;
  float z = mix(heights.y, heights.w, raised);
  presence = state.w == 1u ? moved : state.w == 2u ? 1.0 - moved : 1.0;
  fillColour = vec4(texelFetch(looks, row(4 * box), 0)) / 255.0;
  lineColour = vec4(texelFetch(looks, row(4 * box + 1), 0)) / 255.0;
  headColour = vec4(texelFetch(looks, row(4 * box + 2), 0)) / 255.0;
  states = state;
#ifdef SOLID
  float cut = min(${CUT}, 0.5 * min(extent.x, extent.y));
  // Corners of the octagon, numbered around from the right end of the upper edge.
  int rim;
  bool up = true;
  side = 0.0;
  if (part < 3) {
    rim = part == 0 ? turn : part == 1 ? (turn == 0 ? 0 : turn == 1 ? 3 : turn == 2 ? 4 : 7)
      : turn + 4;
  } else {
    rim = (part - 3 + ((turn == 1 || turn == 2) ? 1 : 0)) & 7;
    up = turn < 2;
    float facing = (float(part - 3) + 0.5) * 0.785398 - 0.392699;
    side = 0.16 + 0.10 * abs(sin(facing + 0.6)) + 0.06 * cos(facing);
  }
  // Corner pairs lie at the four corners of the box; each is cut to two.
  float sx = (rim == 0 || rim == 1 || rim == 2 || rim == 3) ? 1.0 : -1.0;
  float sy = (rim == 2 || rim == 3 || rim == 4 || rim == 5) ? 1.0 : -1.0;
  bool flat_ = rim == 0 || rim == 3 || rim == 4 || rim == 7;
  at = vec2(sx * (extent.x - (flat_ ? cut : 0.0)), sy * (extent.y - (flat_ ? 0.0 : cut)));
  z = up ? z : mix(heights.x, heights.z, raised);
#else
  // Room for the ring of a selected box and for the sheets under one that is repeated.
  float ring = (state.x & ${SELECTED}u) != 0u ? 7.0 : 1.0;
  vec2 room = vec2(ring * ratio / fine + (state.y > 1u ? 7.0 : 0.0));
  vec2 corner = vec2((turn == 1 || turn == 2) ? 1.0 : -1.0, turn >= 2 ? 1.0 : -1.0);
  at = corner * (extent + room);
#endif
  gl_Position = project * vec4(middle + at, z, 1.0);
#ifndef SOLID
  // Of scopes that lie in each other closer than one can see, one in a few pixels is drawn.
  vec2 insets = vec2(texelFetch(places, row(3 * box + 2), 0).xy) * fine / (${STEPS}.0 * 4.0);
  bool told = (state.x & ${SELECTED | HOVERED}u) != 0u;
  if (insets.x >= 0.0 && !told && floor(insets.x) == floor(insets.y)) {
    gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
  }
#endif
}
`;

const fragmentShader = /* glsl */ `
${PAINT_GLSL}
in vec2 at;
flat in vec2 extent;
flat in vec4 fillColour;
flat in vec4 lineColour;
flat in vec4 headColour;
flat in uvec4 states;
flat in float presence;
#ifdef SOLID
in float side;
#endif

// A sheet of paper with a line around it; d is the distance to its edge in device pixels.
vec4 sheet(float d, float small, vec4 fill, vec4 line, float thick) {
  float inside = clamp(0.5 - d, 0.0, 1.0);
  float edge = clamp(0.5 + d + thick, 0.0, 1.0) * line.a * small;
  float alpha = max(fill.a, edge);
  return ink(mix(fill.rgb, line.rgb, edge), alpha * inside);
}

void main() {
  bool open = (states.x & ${OPEN}u) != 0u;
  bool selected = (states.x & ${SELECTED}u) != 0u;
  bool hovered = (states.x & ${HOVERED}u) != 0u;
  bool dimmed = (states.x & ${DIMMED}u) != 0u;
  float least = min(extent.x, extent.y);
  float radius = open ? min(10.0, least) : least < 13.5 ? least : 7.0;
  vec4 fill = fillColour;
  vec4 line = lineColour;
  vec4 head = headColour;
  if (dimmed) {
    fill.rgb = mix(fill.rgb, ground, open ? 0.5 : 0.8);
    line.rgb = mix(line.rgb, ground, 0.72);
    head.rgb = mix(head.rgb, ground, 0.7);
  }
  if (hovered) line = vec4(mix(line.rgb, accent, 0.85), 1.0);
  if (selected) line = vec4(accent, 1.0);
  vec3 mark = states.z == 1u ? vec3(0.0, 0.62, 0.45) : states.z == 2u ? vec3(0.84, 0.37, 0.0)
    : vec3(0.0, 0.45, 0.70);
#ifdef SOLID
  if (states.z > 0u) line = vec4(mark, 1.0);
  float d0 = roundBox(at, extent, min(7.0, least));
  float scale = 1.0 / max(length(vec2(dFdx(d0), dFdy(d0))), 1e-6);
  float thick = (selected || states.z > 0u ? 3.0 : hovered ? 2.0 : 1.2) * ratio;
  if (side > 0.0) {
    vec3 base = mix(fill.rgb, line.rgb, open ? 0.25 : 0.45);
    colour = ink(mix(base, vec3(0.0), side), presence);
    return;
  }
  float edge = clamp(0.5 + d0 * scale + thick, 0.0, 1.0) * line.a;
  vec3 top = fill.rgb;
  if (open && at.y < ${HEADER}.0 - extent.y) top = mix(top, head.rgb, head.a);
  colour = ink(mix(top, line.rgb, edge), presence);
#else
  // Boxes below a pixel are drawn a pixel wide and fainter, so that they do not flicker.
  vec2 shown = max(extent, vec2(0.5 / fine));
  float cover = clamp((extent.x / shown.x) * (extent.y / shown.y), 0.15, 1.0);
  float d = roundBox(at, shown, radius) * fine;
  float small = smoothstep(2.0, 9.0, 2.0 * least * fine);
  float thick = (selected ? 2.0 : hovered ? 2.0 : 1.15) * ratio;
  if (selected || hovered) small = 1.0;
  colour = sheet(d, small, fill, line, thick);
  if (open) {
    float below = (at.y + extent.y - ${HEADER}.0) * fine;
    float band = clamp(0.5 - below, 0.0, 1.0) * clamp(0.5 - d - thick * small, 0.0, 1.0);
    colour = over(ink(head.rgb, head.a * band), colour);
    float rule = clamp(1.0 - abs(below), 0.0, 1.0) * clamp(0.5 - d, 0.0, 1.0);
    colour = over(ink(line.rgb, 0.5 * line.a * rule * small), colour);
  }
  if (states.y > 1u) {
    float step1 = roundBox(at - vec2(3.5), shown, radius) * fine;
    float step2 = roundBox(at - vec2(7.0), shown, radius) * fine;
    vec4 under = sheet(step1, small, vec4(mix(fill.rgb, ground, 0.25), 1.0), line, thick);
    if (states.y > 2u) {
      under = over(under, sheet(step2, small, vec4(mix(fill.rgb, ground, 0.5), 1.0), line, thick));
    }
    colour = over(colour, under);
  }
  if (states.z > 0u) {
    float strip = clamp(0.5 - (at.x + extent.x - (open ? 4.0 : 6.0)) * fine, 0.0, 1.0);
    // Removed ones are hatched, so that colour is not all that tells.
    if (states.z == 2u) strip *= step(0.5, fract((at.x + at.y) / 5.0));
    colour = over(ink(mark, strip * clamp(0.5 - d, 0.0, 1.0)), colour);
    float rim = clamp(1.0 * ratio - abs(d + 1.0), 0.0, 1.0);
    colour = over(ink(mark, rim), colour);
  }
  if (selected) {
    float ring = clamp(2.2 * ratio - abs(d - 3.2 * ratio), 0.0, 1.0);
    colour = over(colour, ink(accent, 0.45 * ring));
  }
  colour *= cover * presence;
#endif
  if (colour.a < 0.004) discard;
}
`;

/** Boxes of one kind (open or closed) on the card. */
export interface BoxSet {
  readonly flat: Mesh<BufferGeometry, RawShaderMaterial>;
  readonly solid: Mesh<BufferGeometry, RawShaderMaterial>;
  readonly places: Table<Int32Array>;
  readonly looks: Table<Uint8Array>;
  readonly heights: Table<Float32Array>;
  /** Draws the first `count` boxes only. */
  readonly setCount: (count: number) => void;
  /** Leaves out the sheets before one, which hides them. */
  readonly setFirst: (first: number) => void;
  readonly dispose: () => void;
}

/** Materials of boxes of one kind: as paper, and as bodies. */
export interface BoxMaterials {
  readonly flat: RawShaderMaterial;
  readonly solid: RawShaderMaterial;
}

/** Makes the materials of one kind of boxes; they live as long as the stage. */
export function boxMaterials(space: Space): BoxMaterials {
  const tables = { places: { value: null }, looks: { value: null }, heightsOf: { value: null } };
  const common = {
    glslVersion: GLSL3,
    vertexShader,
    fragmentShader,
    uniforms: { ...space, ...tables },
    transparent: true,
    blending: CustomBlending,
    blendSrc: OneFactor,
    blendDst: OneMinusSrcAlphaFactor,
    premultipliedAlpha: true,
    side: DoubleSide,
  } as const;
  return {
    flat: new RawShaderMaterial({ ...common, depthTest: false, depthWrite: false }),
    solid: new RawShaderMaterial({ ...common, defines: { SOLID: "" } }),
  };
}

/** Makes room for `count` boxes; one set at a time has the materials. */
export function makeBoxSet(materials: BoxMaterials, count: number, order: number): BoxSet {
  const places = intTable(3 * count);
  const looks = byteTable(4 * count);
  // Heights take room only once there are some.
  const heights = floatTable(1);
  for (const material of [materials.flat, materials.solid]) {
    material.uniforms.places.value = places.texture;
    material.uniforms.looks.value = looks.texture;
    material.uniforms.heightsOf.value = heights.texture;
    material.uniformsNeedUpdate = true;
  }
  const bodies = new BufferGeometry();
  const meshOf = (geometry: BufferGeometry, material: RawShaderMaterial) => {
    const mesh = new Mesh(geometry, material);
    mesh.frustumCulled = false;
    mesh.renderOrder = order;
    return mesh;
  };
  const flat = meshOf(squares(count), materials.flat);
  const solid = meshOf(bodies, materials.solid);
  let shown = count;
  const setFirst = (first: number) => {
    flat.geometry.setDrawRange(6 * first, 6 * (shown - first));
  };
  const setCount = (most: number) => {
    shown = most;
    setFirst(0);
    bodies.setDrawRange(0, 66 * shown);
  };
  setCount(count);
  return {
    flat,
    solid,
    places,
    looks,
    heights,
    setCount,
    setFirst,
    dispose: () => {
      disposeSquares(flat.geometry);
      bodies.dispose();
      for (const table of [places, looks, heights]) table.texture.dispose();
    },
  };
}

/** Writes where box `at` of a set comes from and goes to; `i` and `j` number rows of the places. */
export function writePlace(
  set: BoxSet,
  at: number,
  from: Places,
  i: number,
  to: Places,
  j: number,
): void {
  const { array } = set.places;
  const isStill = from === to && i === j;
  for (let k = 0; k < 4; k++) {
    const end = stepped(to[4 * j + k]);
    array[12 * at + 4 + k] = end;
    array[12 * at + k] = isStill ? end : stepped(from[4 * i + k]);
  }
}

/** Writes how far in box `at` lies, and how far the scope around it; -1 if it is always drawn. */
export function writeInsets(set: BoxSet, at: number, around: number, own: number): void {
  set.places.array[12 * at + 8] = around < 0 ? -1 : stepped(around);
  set.places.array[12 * at + 9] = stepped(own);
}

/** Writes a colour `0xrrggbb` of box `at`, and how opaque it is, 0 to 255. */
export function writeColour(
  set: BoxSet,
  at: number,
  part: number,
  colour: number,
  alpha: number,
): void {
  const { array } = set.looks;
  const i = 16 * at + 4 * part;
  array[i] = (colour >> 16) & 255;
  array[i + 1] = (colour >> 8) & 255;
  array[i + 2] = colour & 255;
  array[i + 3] = alpha;
}
