/** Labels on the graphics card: one draw call, written anew for each frame that differs. */

import {
  CustomBlending,
  DoubleSide,
  DynamicDrawUsage,
  GLSL3,
  InstancedBufferAttribute,
  type InstancedBufferGeometry,
  Mesh,
  OneFactor,
  OneMinusSrcAlphaFactor,
  RawShaderMaterial,
} from "three";
import type { Atlas, Glyphs } from "./atlas";
import { square } from "./bodies";
import { PAINT_GLSL, SPACE_GLSL, type Space } from "./space";

/** Labels in one frame at most. */
export const MOST_LABELS = 1400;

const vertexShader = /* glsl */ `
${SPACE_GLSL}
in vec2 corner;
in vec4 place;  // left, top, width, height in picture pixels from the eye
in vec4 texels; // left, top, width, height in the atlas
in vec4 ink;
in vec4 plate;
in vec3 extra;  // height, room around the text in texels, sign: 1 opens, 2 closes
out vec2 at;
flat out vec4 source;
flat out vec4 inkColour;
flat out vec4 plateColour;
flat out float room;
flat out float sign_;
void main() {
  vec2 unit = 0.5 + 0.5 * corner;
  room = extra.y;
  sign_ = extra.z;
  source = texels;
  inkColour = ink;
  plateColour = plate;
  at = unit * (texels.zw + 2.0 * room) - room;
  gl_Position = project * vec4(place.xy + unit * place.zw, extra.x, 1.0);
}
`;

const fragmentShader = /* glsl */ `
${PAINT_GLSL}
uniform sampler2D atlas;
uniform float atlasSize;
in vec2 at;
flat in vec4 source;
flat in vec4 inkColour;
flat in vec4 plateColour;
flat in float room;
flat in float sign_;
void main() {
  float inside = step(0.0, at.x) * step(0.0, at.y) * step(at.x, source.z) * step(at.y, source.w);
  float text = inside * texture(atlas, (source.xy + at) / atlasSize).r;
  vec2 extent = 0.5 * source.zw + room;
  if (sign_ > 0.5) {
    // A coin with a plus or a minus.
    float far = length(at) - room + 1.0;
    float thick = 0.095 * room + 0.25;
    float arm = 0.5 * room;
    float cross = roundBox(at, vec2(arm, thick), 0.0);
    if (sign_ < 1.5) cross = min(cross, roundBox(at, vec2(thick, arm), 0.0));
    float rim = clamp(0.5 + far + 1.1 * ratio, 0.0, 1.0) * 0.75;
    float stroke = max(clamp(0.5 - cross, 0.0, 1.0), rim);
    colour = ink(mix(plateColour.rgb, inkColour.rgb, stroke), plateColour.a * clamp(0.5 - far, 0.0, 1.0));
    if (colour.a < 0.004) discard;
    return;
  }
  float d = roundBox(at - 0.5 * source.zw, extent, min(4.0 * ratio, min(extent.x, extent.y)));
  vec4 under = ink(plateColour.rgb, plateColour.a * clamp(0.5 - d, 0.0, 1.0));
  colour = over(ink(inkColour.rgb, inkColour.a * text), under);
  if (colour.a < 0.004) discard;
}
`;

/** The labels of a frame. */
export interface LabelSet {
  readonly mesh: Mesh<InstancedBufferGeometry, RawShaderMaterial>;
  readonly clear: () => void;
  /** Adds a text; false if there is no room for more. */
  readonly add: (label: Label) => boolean;
  readonly send: () => void;
  readonly dispose: () => void;
}

/** A text to be drawn: its left top corner and scale (picture pixels per texel). */
export interface Label {
  readonly glyphs: Glyphs;
  readonly x: number;
  readonly y: number;
  readonly scale: number;
  readonly z: number;
  readonly ink: number;
  readonly inkAlpha: number;
  readonly plate: number;
  readonly plateAlpha: number;
  /** Room around the text that the plate fills, in texels. */
  readonly room: number;
  /** 0 for a text; 1 and 2 for the signs that open and close a scope, `room` is their radius. */
  readonly sign: 0 | 1 | 2;
}

/** Makes the mesh of all labels. */
export function makeLabels(space: Space, atlas: Atlas): LabelSet {
  const geometry = square();
  const dynamic = (array: Float32Array | Uint8Array, size: number, normalized: boolean) => {
    const attribute = new InstancedBufferAttribute(array, size, normalized);
    attribute.setUsage(DynamicDrawUsage);
    return attribute;
  };
  const place = dynamic(new Float32Array(4 * MOST_LABELS), 4, false);
  const texels = dynamic(new Float32Array(4 * MOST_LABELS), 4, false);
  const ink = dynamic(new Uint8Array(4 * MOST_LABELS), 4, true);
  const plate = dynamic(new Uint8Array(4 * MOST_LABELS), 4, true);
  const extra = dynamic(new Float32Array(3 * MOST_LABELS), 3, false);
  const attributes = { place, texels, ink, plate, extra };
  for (const [name, attribute] of Object.entries(attributes)) {
    geometry.setAttribute(name, attribute);
  }
  const material = new RawShaderMaterial({
    glslVersion: GLSL3,
    vertexShader,
    fragmentShader,
    uniforms: { ...space, atlas: { value: atlas.texture }, atlasSize: { value: atlas.size } },
    transparent: true,
    depthTest: false,
    depthWrite: false,
    blending: CustomBlending,
    blendSrc: OneFactor,
    blendDst: OneMinusSrcAlphaFactor,
    premultipliedAlpha: true,
    side: DoubleSide,
  });
  const mesh = new Mesh(geometry, material);
  mesh.frustumCulled = false;
  mesh.renderOrder = 10;
  let count = 0;
  return {
    mesh,
    clear: () => {
      count = 0;
    },
    add: (label) => {
      if (count >= MOST_LABELS) return false;
      const { glyphs, room, scale } = label;
      place.setXYZW(
        count,
        label.x - room * scale,
        label.y - room * scale,
        (glyphs.width + 2 * room) * scale,
        (glyphs.height + 2 * room) * scale,
      );
      texels.setXYZW(count, glyphs.x, glyphs.y, glyphs.width, glyphs.height);
      writeBytes(ink.array as Uint8Array, count, label.ink, label.inkAlpha);
      writeBytes(plate.array as Uint8Array, count, label.plate, label.plateAlpha);
      extra.setXYZ(count, label.z, room, label.sign);
      count++;
      return true;
    },
    send: () => {
      geometry.instanceCount = count;
      mesh.visible = count > 0;
      for (const attribute of Object.values(attributes)) {
        attribute.clearUpdateRanges();
        attribute.addUpdateRange(0, Math.max(count, 1) * attribute.itemSize);
        attribute.needsUpdate = true;
      }
    },
    dispose: () => {
      geometry.dispose();
      material.dispose();
    },
  };
}

function writeBytes(array: Uint8Array, at: number, colour: number, alpha: number): void {
  array[4 * at] = (colour >> 16) & 255;
  array[4 * at + 1] = (colour >> 8) & 255;
  array[4 * at + 2] = colour & 255;
  array[4 * at + 3] = Math.round(alpha * 255);
}
