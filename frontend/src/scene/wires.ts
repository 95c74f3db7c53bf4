/** Wires on the graphics card: ribbons in one draw call, arrow heads in another. */

import {
  BufferAttribute,
  CustomBlending,
  DoubleSide,
  GLSL3,
  InstancedBufferAttribute,
  InstancedBufferGeometry,
  InstancedInterleavedBuffer,
  InterleavedBufferAttribute,
  IntType,
  Mesh,
  OneFactor,
  OneMinusSrcAlphaFactor,
  RawShaderMaterial,
} from "three";
import { PAINT_GLSL, SPACE_GLSL, type Space, stepped } from "./space";

/** How a wire looks: as usual, dimmed, at the box under the pointer, at the selected box. */
export const PLAIN = 0;
export const FADED = 1;
export const TOUCHED = 2;

/** Bits that say where a piece is in its wire. */
const FIRST = 1;
const LAST = 2;
const GAP = 4;

const shared = /* glsl */ `
flat out float strength;
flat out uint looks;
out float across;
flat out float reach;
float presenceOf(uint presence) {
  return presence == 1u ? moved * moved : presence == 2u ? 1.0 - moved : 1.0;
}
// Half the width in device pixels; thinner than a pixel becomes fainter instead.
float halfWidth(uint code, uint look) {
  float wide = (1.0 + float(code) / 255.0 * 3.2) * clamp(fine / ratio, 0.0, 1.6) * ratio;
  if (look == ${TOUCHED}u) wide = max(wide, 1.6 * ratio) * 1.25;
  float shown = max(wide, 0.9 * ratio);
  strength = clamp(wide / shown, look == ${TOUCHED}u ? 0.9 : 0.28, 1.0);
  return 0.5 * shown;
}
`;

const ribbonVertex = /* glsl */ `
${SPACE_GLSL}
in vec2 corner; // 0 to 1 along, -1 or 1 across
in ivec4 before;
in ivec4 begin;
in ivec4 end;
in ivec4 after;
in uvec4 style; // look, bits, width, presence
in vec2 height;
${shared}
vec2 at(ivec4 point) {
  return mix(fromEye(point.xy), fromEye(point.zw), moved);
}
void main() {
  looks = style.x;
  float wide = halfWidth(style.z, style.x);
  strength *= presenceOf(style.w);
  if ((style.y & ${GAP}u) != 0u) {
    gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
    across = 0.0;
    reach = 1.0;
    return;
  }
  vec2 a = at(begin);
  vec2 b = at(end);
  vec2 ab = b - a;
  float length2 = dot(ab, ab);
  ab = length2 > 1e-8 ? ab * inversesqrt(length2) : vec2(0.0, 1.0);
  bool first = corner.x < 0.5;
  vec2 other = first ? a - at(before) : at(after) - b;
  bool free = (style.y & (first ? ${FIRST}u : ${LAST}u)) != 0u;
  float o2 = dot(other, other);
  vec2 way = free || o2 < 1e-8 ? ab : ab + other * inversesqrt(o2);
  way = dot(way, way) > 0.05 ? normalize(way) : ab;
  vec2 normal = vec2(-way.y, way.x) / max(dot(way, ab), 0.5);
  reach = wide;
  across = corner.y * (wide + 1.0);
  vec2 place = mix(a, b, corner.x) + normal * across / fine;
  gl_Position = project * vec4(place, mix(height.x, height.y, raised), 1.0);
}
`;

const headVertex = /* glsl */ `
${SPACE_GLSL}
in vec2 corner;
in ivec4 tail;
in ivec4 tip;
in uvec4 style;
in vec2 height;
${shared}
out vec2 inHead;
void main() {
  looks = style.x;
  float wide = halfWidth(style.z, style.x);
  strength *= presenceOf(style.w);
  vec2 b = mix(fromEye(tip.xy), fromEye(tip.zw), moved);
  vec2 a = mix(fromEye(tail.xy), fromEye(tail.zw), moved);
  vec2 way = b - a;
  way = dot(way, way) > 1e-8 ? normalize(way) : vec2(0.0, 1.0);
  float size = max(wide * 2.0 + 3.0 * ratio, 0.0) * clamp(fine / ratio * 1.4, 0.0, 1.2);
  strength *= smoothstep(1.6, 3.4, size / ratio);
  reach = size;
  across = 0.0;
  inHead = vec2(corner.y * (size * 0.62 + 1.0), (corner.x * 1.0) * (size * 1.3 + 1.0) - 0.5);
  vec2 place = b - way * inHead.y / fine + vec2(-way.y, way.x) * inHead.x / fine;
  gl_Position = project * vec4(place, mix(height.x, height.y, raised), 1.0);
  if (strength < 0.01 || (style.y & ${GAP}u) != 0u) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
}
`;

const fragmentShader = /* glsl */ `
${PAINT_GLSL}
flat in float strength;
flat in uint looks;
in float across;
flat in float reach;
#ifdef HEAD
in vec2 inHead;
#endif
void main() {
  vec3 rgb = looks == ${TOUCHED}u ? accent : looks == ${FADED}u ? mix(wire, ground, 0.78) : wire;
#ifdef HEAD
  float slant = (inHead.y * 0.4770 - abs(inHead.x)) * 0.9026;
  float alpha = clamp(0.5 + slant, 0.0, 1.0) * clamp(0.5 + reach * 1.3 - inHead.y, 0.0, 1.0);
#else
  float alpha = clamp(0.5 + reach - abs(across), 0.0, 1.0);
#endif
  colour = ink(rgb, alpha * strength);
  if (colour.a < 0.004) discard;
}
`;

/** Wires on the card, and what is written when their look changes. */
export interface WireSet {
  readonly ribbons: Mesh<InstancedBufferGeometry, RawShaderMaterial>;
  readonly heads: Mesh<InstancedBufferGeometry, RawShaderMaterial>;
  readonly style: InstancedBufferAttribute;
  readonly headStyle: InstancedBufferAttribute;
  readonly height: InstancedBufferAttribute;
  readonly headHeight: InstancedBufferAttribute;
}

/** What is to be drawn: points of all wires, where they were, and how each wire looks. */
export interface WireData {
  readonly start: Int32Array;
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly fromX: Float64Array;
  readonly fromY: Float64Array;
  /** 0 to 255 by wire. */
  readonly width: Uint8Array;
  readonly presence: Uint8Array;
  /** 1 for wires that end in an arrow head. */
  readonly arrow: Uint8Array;
}

/** Materials of ribbons and arrow heads. */
export interface WireMaterials {
  readonly ribbon: RawShaderMaterial;
  readonly head: RawShaderMaterial;
}

/** Makes the two materials; they live as long as the stage. */
export function wireMaterials(space: Space): WireMaterials {
  const common = {
    glslVersion: GLSL3,
    fragmentShader,
    uniforms: { ...space },
    transparent: true,
    blending: CustomBlending,
    blendSrc: OneFactor,
    blendDst: OneMinusSrcAlphaFactor,
    premultipliedAlpha: true,
    side: DoubleSide,
    depthTest: false,
    depthWrite: false,
  } as const;
  return {
    ribbon: new RawShaderMaterial({ ...common, vertexShader: ribbonVertex }),
    head: new RawShaderMaterial({ ...common, vertexShader: headVertex, defines: { HEAD: "" } }),
  };
}

/** Thickness code of a wire, 0 to 255, by the logarithm of what flows: 256 B thin, 1 GB thick. */
export function thickness(bytes: number): number {
  if (!(bytes > 0)) return 24;
  return Math.round(255 * Math.min(Math.max((Math.log2(bytes) - 8) / 22, 0), 1));
}

/** Makes the ribbons and arrow heads of wires. */
export function makeWireSet(materials: WireMaterials, data: WireData, order: number): WireSet {
  const count = data.start.length - 1;
  const points = data.x.length;
  // One point more at either end, since each piece also looks at the points beside it.
  const stream = new Int32Array(4 * (points + 3));
  const style = new Uint8Array(4 * Math.max(points, 1));
  const tips = new Int32Array(8 * Math.max(count, 1));
  const headStyle = new Uint8Array(4 * Math.max(count, 1));
  for (let i = 0; i < points; i++) {
    const at = 4 * (i + 1);
    stream[at] = stepped(data.fromX[i]);
    stream[at + 1] = stepped(data.fromY[i]);
    stream[at + 2] = stepped(data.x[i]);
    stream[at + 3] = stepped(data.y[i]);
  }
  for (let wire = 0; wire < count; wire++) {
    const first = data.start[wire];
    const last = data.start[wire + 1] - 1;
    for (let i = first; i <= last; i++) {
      style[4 * i + 1] =
        (i === first ? FIRST : 0) | (i === last - 1 ? LAST : 0) | (i === last ? GAP : 0);
      style[4 * i + 2] = data.width[wire];
      style[4 * i + 3] = data.presence[wire];
    }
    headStyle[4 * wire + 1] = data.arrow[wire] === 1 && last > first ? 0 : GAP;
    headStyle[4 * wire + 2] = data.width[wire];
    headStyle[4 * wire + 3] = data.presence[wire];
    for (let k = 0; k < 4; k++) {
      tips[8 * wire + k] = stream[4 * last + k];
      tips[8 * wire + 4 + k] = stream[4 * (last + 1) + k];
    }
  }
  const buffer = new InstancedInterleavedBuffer(stream, 4, 1);
  const ribbon = new InstancedBufferGeometry();
  const corners = new Float32Array([0, -1, 0, 1, 1, 1, 1, -1]);
  ribbon.setAttribute("corner", new BufferAttribute(corners, 2));
  ribbon.setIndex([0, 1, 2, 0, 2, 3]);
  ["before", "begin", "end", "after"].forEach((name, i) => {
    ribbon.setAttribute(name, new InterleavedBufferAttribute(buffer, 4, 4 * i));
  });
  ribbon.instanceCount = points;
  const head = new InstancedBufferGeometry();
  head.setAttribute("corner", new BufferAttribute(corners, 2));
  head.setIndex([0, 1, 2, 0, 2, 3]);
  const tipBuffer = new InstancedInterleavedBuffer(tips, 8, 1);
  head.setAttribute("tail", new InterleavedBufferAttribute(tipBuffer, 4, 0));
  head.setAttribute("tip", new InterleavedBufferAttribute(tipBuffer, 4, 4));
  head.instanceCount = count;
  const set: WireSet = {
    ribbons: new Mesh(ribbon, materials.ribbon),
    heads: new Mesh(head, materials.head),
    style: styles(style),
    headStyle: styles(headStyle),
    height: new InstancedBufferAttribute(new Float32Array(2 * Math.max(points, 1)), 2),
    headHeight: new InstancedBufferAttribute(new Float32Array(2 * Math.max(count, 1)), 2),
  };
  ribbon.setAttribute("style", set.style);
  ribbon.setAttribute("height", set.height);
  head.setAttribute("style", set.headStyle);
  head.setAttribute("height", set.headHeight);
  for (const mesh of [set.ribbons, set.heads]) {
    mesh.frustumCulled = false;
    mesh.renderOrder = order;
  }
  return set;
}

/** Changes the look of one wire; returns false if it has that look already. */
export function setLook(set: WireSet, start: Int32Array, wire: number, look: number): boolean {
  const heads = set.headStyle.array as Uint8Array;
  if (heads[4 * wire] === look) return false;
  heads[4 * wire] = look;
  const style = set.style.array as Uint8Array;
  for (let i = start[wire]; i < start[wire + 1]; i++) style[4 * i] = look;
  return true;
}

/** Frees the buffers; the materials stay. */
export function disposeWireSet(set: WireSet): void {
  set.ribbons.geometry.dispose();
  set.heads.geometry.dispose();
}

function styles(array: Uint8Array): InstancedBufferAttribute {
  const attribute = new InstancedBufferAttribute(array, 4, false);
  attribute.gpuType = IntType;
  return attribute;
}
