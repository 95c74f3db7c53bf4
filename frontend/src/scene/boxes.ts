/** Boxes on the graphics card: all open scopes in one draw call, all others in another. */

import {
  CustomBlending,
  DoubleSide,
  DynamicDrawUsage,
  GLSL3,
  InstancedBufferAttribute,
  type InstancedBufferGeometry,
  InstancedInterleavedBuffer,
  InterleavedBufferAttribute,
  IntType,
  Mesh,
  OneFactor,
  OneMinusSrcAlphaFactor,
  RawShaderMaterial,
} from "three";
import { HEADER } from "../layout/picture";
import { prism, square } from "./bodies";
import type { Places } from "./motion";
import { PAINT_GLSL, SPACE_GLSL, type Space, stepped } from "./space";

/** Bits of a box's state. */
export const OPEN = 1;
export const SELECTED = 2;
export const HOVERED = 4;
export const DIMMED = 8;

const vertexShader = /* glsl */ `
${SPACE_GLSL}
#ifdef SOLID
in vec4 corner; // which corner (x, y), and direction of its arc (z, w)
in vec2 face;   // 1 on top or 0 below, 1 for the top face or 0 for a side
out float side;
#else
in vec2 corner;
#endif
in ivec4 placeFrom;
in ivec4 placeTo;
in vec4 fill;
in vec4 line;
in vec4 head;
in uvec4 state;
in vec4 heights;
out vec2 at;
flat out vec2 extent;
flat out vec4 fillColour;
flat out vec4 lineColour;
flat out vec4 headColour;
flat out uvec4 states;
flat out float presence;

void main() {
  vec2 middle = mix(
    fromEye(placeFrom.xy) + vec2(placeFrom.zw) / 64.0,
    fromEye(placeTo.xy) + vec2(placeTo.zw) / 64.0, moved);
  extent = mix(vec2(placeFrom.zw), vec2(placeTo.zw), moved) / 64.0;
  float z = mix(heights.y, heights.w, raised);
  presence = state.w == 1u ? moved : state.w == 2u ? 1.0 - moved : 1.0;
  fillColour = fill;
  lineColour = line;
  headColour = head;
  states = state;
#ifdef SOLID
  float radius = min(7.0, min(extent.x, extent.y));
  at = corner.xy * (extent - radius) + corner.zw * radius;
  z = face.x > 0.5 ? z : mix(heights.x, heights.z, raised);
  side = face.y > 0.5 ? 0.0 : 0.10 + 0.12 * abs(corner.z) + 0.10 * max(corner.w, 0.0);
#else
  // Room for the ring of a selected box and for the sheets under one that is repeated.
  float ring = (state.x & ${SELECTED}u) != 0u ? 7.0 : 1.0;
  vec2 room = vec2(ring * ratio / fine + (state.y > 1u ? 7.0 : 0.0));
  at = corner * (extent + room);
#endif
  gl_Position = project * vec4(middle + at, z, 1.0);
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
#ifdef SOLID
  float d0 = roundBox(at, extent, min(7.0, least));
  float scale = 1.0 / max(length(vec2(dFdx(d0), dFdy(d0))), 1e-6);
  float thick = (selected ? 3.0 : hovered ? 2.0 : 1.2) * ratio;
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
    vec3 mark = states.z == 1u ? vec3(0.0, 0.62, 0.45) : states.z == 2u ? vec3(0.84, 0.37, 0.0)
      : vec3(0.0, 0.45, 0.70);
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
  readonly flat: Mesh<InstancedBufferGeometry, RawShaderMaterial>;
  readonly solid: Mesh<InstancedBufferGeometry, RawShaderMaterial>;
  readonly places: InstancedInterleavedBuffer;
  readonly fill: InstancedBufferAttribute;
  readonly line: InstancedBufferAttribute;
  readonly head: InstancedBufferAttribute;
  readonly state: InstancedBufferAttribute;
  readonly heights: InstancedBufferAttribute;
}

/** Materials of boxes: as paper, and as bodies. */
export interface BoxMaterials {
  readonly flat: RawShaderMaterial;
  readonly solid: RawShaderMaterial;
}

/** Makes the two materials; they live as long as the stage. */
export function boxMaterials(space: Space): BoxMaterials {
  const common = {
    glslVersion: GLSL3,
    vertexShader,
    fragmentShader,
    uniforms: { ...space },
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

/** Makes room for `count` boxes. */
export function makeBoxSet(materials: BoxMaterials, count: number, order: number): BoxSet {
  const room = Math.max(count, 1);
  const places = new InstancedInterleavedBuffer(new Int32Array(8 * room), 8, 1);
  const bytes = (normalized: boolean) => {
    const attribute = new InstancedBufferAttribute(new Uint8Array(4 * room), 4, normalized);
    attribute.setUsage(DynamicDrawUsage);
    return attribute;
  };
  const state = bytes(false);
  state.gpuType = IntType;
  const heights = new InstancedBufferAttribute(new Float32Array(4 * room), 4);
  const fill = bytes(true);
  const line = bytes(true);
  const head = bytes(true);
  const meshOf = (geometry: InstancedBufferGeometry, material: RawShaderMaterial) => {
    geometry.setAttribute("placeFrom", new InterleavedBufferAttribute(places, 4, 0));
    geometry.setAttribute("placeTo", new InterleavedBufferAttribute(places, 4, 4));
    geometry.setAttribute("fill", fill);
    geometry.setAttribute("line", line);
    geometry.setAttribute("head", head);
    geometry.setAttribute("state", state);
    geometry.setAttribute("heights", heights);
    geometry.instanceCount = count;
    const mesh = new Mesh(geometry, material);
    mesh.frustumCulled = false;
    mesh.renderOrder = order;
    return mesh;
  };
  return {
    flat: meshOf(square(), materials.flat),
    solid: meshOf(prism(), materials.solid),
    places,
    fill,
    line,
    head,
    state,
    heights,
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
  const array = set.places.array as Int32Array;
  for (let k = 0; k < 4; k++) {
    array[8 * at + k] = stepped(from[4 * i + k]);
    array[8 * at + 4 + k] = stepped(to[4 * j + k]);
  }
}

/** Writes a colour `0xrrggbb` and how opaque it is, 0 to 255. */
export function writeColour(
  attribute: InstancedBufferAttribute,
  at: number,
  colour: number,
  alpha: number,
): void {
  const array = attribute.array as Uint8Array;
  array[4 * at] = (colour >> 16) & 255;
  array[4 * at + 1] = (colour >> 8) & 255;
  array[4 * at + 2] = colour & 255;
  array[4 * at + 3] = alpha;
}

// Attributes of which all has yet to be sent: a part must not then be sent instead.
const whole = new WeakSet<InstancedBufferAttribute>();

/** Says that all of an attribute changed, or only `count` numbers of it from `start` on. */
export function touched(attribute: InstancedBufferAttribute, start?: number, count = 4): void {
  if (start === undefined) {
    attribute.clearUpdateRanges();
    whole.add(attribute);
    attribute.onUpload(() => whole.delete(attribute));
  } else if (!whole.has(attribute)) attribute.addUpdateRange(start, count);
  attribute.needsUpdate = true;
}

/** Frees a set; its materials stay. */
export function disposeBoxSet(set: BoxSet): void {
  set.flat.geometry.dispose();
  set.solid.geometry.dispose();
}
