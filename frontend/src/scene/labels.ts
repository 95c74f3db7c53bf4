/** Labels on the graphics card: one draw call, written anew for each frame that differs. */

import {
  type BufferGeometry,
  CustomBlending,
  DoubleSide,
  GLSL3,
  Mesh,
  OneFactor,
  OneMinusSrcAlphaFactor,
  RawShaderMaterial,
} from "three";
import type { Atlas, Glyphs } from "./atlas";
import { PAINT_GLSL, SPACE_GLSL, type Space } from "./space";
import { disposeSquares, floatTable, squares, TABLE_GLSL } from "./table";

/** Labels in one frame at most. */
const MOST_LABELS = 1400;

const vertexShader = /* glsl */ `
${SPACE_GLSL}
${TABLE_GLSL}
// Five rows for each label:
//   left, top, width, height in picture pixels from the eye;
//   left, top, width, height in the atlas; ink; plate;
//   height, room around the text in texels, sign (1 opens, 2 closes), half the plate's height.
uniform sampler2D labels;
out vec2 at;
flat out vec4 source;
flat out vec4 inkColour;
flat out vec4 plateColour;
flat out float room;
flat out float sign_;
flat out float half_;
void main() {
  int i = 5 * (gl_VertexID >> 2);
  int turn = gl_VertexID & 3;
  vec2 unit = vec2((turn == 1 || turn == 2) ? 1.0 : 0.0, turn >= 2 ? 1.0 : 0.0);
  vec4 place = texelFetch(labels, row(i), 0);
  vec4 texels = texelFetch(labels, row(i + 1), 0);
  vec4 ink = texelFetch(labels, row(i + 2), 0);
  vec4 plate = texelFetch(labels, row(i + 3), 0);
  vec4 extra = texelFetch(labels, row(i + 4), 0);
  room = extra.y;
  sign_ = extra.z;
  half_ = extra.w;
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
flat in float half_;
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
  if (half_ > 0.0) extent.y = min(extent.y, half_);
  float d = roundBox(at - 0.5 * source.zw, extent, min(4.0 * ratio, min(extent.x, extent.y)));
  vec4 under = ink(plateColour.rgb, plateColour.a * clamp(0.5 - d, 0.0, 1.0));
  colour = over(ink(inkColour.rgb, inkColour.a * text), under);
  if (colour.a < 0.004) discard;
}
`;

/** The labels of a frame. */
export interface LabelSet {
  readonly mesh: Mesh<BufferGeometry, RawShaderMaterial>;
  readonly clear: () => void;
  /** Adds a text; false if there is no room for more. */
  readonly add: (label: Label) => boolean;
  readonly send: () => void;
  readonly dispose: () => void;
}

/** Colours of a text and of the plate behind it, and how far that reaches. */
export interface Look {
  readonly ink: number;
  readonly inkAlpha: number;
  readonly plate: number;
  readonly plateAlpha: number;
  /** Room around the text that the plate fills, in texels. */
  readonly room: number;
  /** Half the height of the plate in texels, where it is lower than the text and its room. */
  readonly half?: number;
}

/** A text to be drawn: its left top corner and scale (picture pixels per texel). */
export interface Label extends Look {
  readonly glyphs: Glyphs;
  readonly x: number;
  readonly y: number;
  readonly scale: number;
  readonly z: number;
  /** 0 for a text; 1 and 2 for the signs that open and close a scope, `room` is their radius. */
  readonly sign: 0 | 1 | 2;
}

/** Makes the mesh of all labels. */
export function makeLabels(space: Space, atlas: Atlas): LabelSet {
  const geometry = squares(MOST_LABELS);
  const table = floatTable(5 * MOST_LABELS);
  const material = new RawShaderMaterial({
    glslVersion: GLSL3,
    vertexShader,
    fragmentShader,
    uniforms: {
      ...space,
      atlas: { value: atlas.texture },
      atlasSize: { value: atlas.size },
      labels: { value: table.texture },
    },
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
      const { array } = table;
      const at = 20 * count;
      array[at] = label.x - room * scale;
      array[at + 1] = label.y - room * scale;
      array[at + 2] = (glyphs.width + 2 * room) * scale;
      array[at + 3] = (glyphs.height + 2 * room) * scale;
      array[at + 4] = glyphs.x;
      array[at + 5] = glyphs.y;
      array[at + 6] = glyphs.width;
      array[at + 7] = glyphs.height;
      writeColour(array, at + 8, label.ink, label.inkAlpha);
      writeColour(array, at + 12, label.plate, label.plateAlpha);
      array[at + 16] = label.z;
      array[at + 17] = room;
      array[at + 18] = label.sign;
      array[at + 19] = label.half ?? 0;
      count++;
      return true;
    },
    send: () => {
      geometry.setDrawRange(0, 6 * count);
      mesh.visible = count > 0;
      if (count > 0) table.touch(0, 5 * count);
    },
    dispose: () => {
      disposeSquares(geometry);
      table.texture.dispose();
      material.dispose();
    },
  };
}

function writeColour(array: Float32Array, at: number, colour: number, alpha: number): void {
  array[at] = ((colour >> 16) & 255) / 255;
  array[at + 1] = ((colour >> 8) & 255) / 255;
  array[at + 2] = (colour & 255) / 255;
  array[at + 3] = alpha;
}
