/** Wires on the graphics card: ribbons in one draw call, arrow heads in another. */

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

/** How a wire looks: as usual, dimmed, at the box under the pointer, at the selected box. */
export const PLAIN = 0;
export const FADED = 1;
export const TOUCHED = 2;

/** How much thicker than one pixel a wire gets. */
const THICKEST = 3.2;

/** Bits that say where a piece is in its wire. */
const FIRST = 1;
const LAST = 2;
const GAP = 4;
const HEADED = 8;

const shared = /* glsl */ `
${TABLE_GLSL}
uniform isampler2D points;
uniform usampler2D styles; // look, bits, width, presence
uniform sampler2D heightsOf;
flat out float strength;
flat out uint looks;
out float across;
flat out float reach;
float presenceOf(uint presence) {
  return presence == 1u ? moved * moved : presence == 2u ? 1.0 - moved : 1.0;
}
// Half the width in device pixels; thinner than a pixel becomes fainter instead.
float halfWidth(uint code, uint look) {
  float wide = (1.0 + float(code) / 255.0 * ${THICKEST}) * clamp(fine / ratio, 0.0, 1.6) * ratio;
  if (look == ${TOUCHED}u) wide = max(wide, 1.6 * ratio) * 1.25;
  float shown = max(wide, 0.9 * ratio);
  strength = clamp(wide / shown, look == ${TOUCHED}u ? 0.9 : 0.28, 1.0);
  return 0.5 * shown;
}
// What both begin with: the corner of the square, and how its wire looks.
vec2 corner;
uvec4 style;
vec4 height;
float wide;
void begin(int i) {
  int turn = gl_VertexID & 3;
  corner = vec2(turn >= 2 ? 1.0 : 0.0, (turn == 1 || turn == 2) ? 1.0 : -1.0);
  style = texelFetch(styles, row(i), 0);
  height = tall > 0.5 ? texelFetch(heightsOf, row(i), 0) : vec4(0.0);
  looks = style.x;
  wide = halfWidth(style.z, style.x);
  strength *= presenceOf(style.w);
}
float headSize(float wide) {
  return (wide * 2.0 + 3.0 * ratio) * clamp(fine / ratio * 1.4, 0.0, 1.2);
}
`;

const ribbonVertex = /* glsl */ `
${SPACE_GLSL}
${shared}
vec2 at(int i) {
  ivec4 point = texelFetch(points, row(i), 0);
  return mix(fromEye(point.xy), fromEye(point.zw), moved);
}
void main() {
  int i = gl_VertexID >> 2;
  begin(i);
  if ((style.y & ${GAP}u) != 0u) {
    gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
    across = 0.0;
    reach = 1.0;
    return;
  }
  vec2 a = at(i);
  vec2 b = at(i + 1);
  vec2 ab = b - a;
  float length2 = dot(ab, ab);
  ab = length2 > 1e-8 ? ab * inversesqrt(length2) : vec2(0.0, 1.0);
  bool first = corner.x < 0.5;
  bool free = (style.y & (first ? ${FIRST}u : ${LAST}u)) != 0u;
  vec2 other = free ? ab : first ? a - at(i - 1) : at(i + 2) - b;
  float o2 = dot(other, other);
  vec2 way = o2 < 1e-8 ? ab : ab + other * inversesqrt(o2);
  way = dot(way, way) > 0.05 ? normalize(way) : ab;
  vec2 normal = vec2(-way.y, way.x) / max(dot(way, ab), 0.5);
  reach = wide;
  across = corner.y * (wide + 1.0);
  vec2 place = mix(a, b, corner.x) + normal * across / fine;
  // The line ends within its arrow head, so that the head stays pointed.
  if ((style.y & ${HEADED}u) != 0u && !first) {
    place -= ab * min(headSize(wide) * 0.8 / fine, 0.9 * sqrt(length2));
  }
  gl_Position = project * vec4(place, mix(height.x, height.y, raised), 1.0);
}
`;

const headVertex = /* glsl */ `
${SPACE_GLSL}
${shared}
out vec2 inHead;
void main() {
  int i = gl_VertexID >> 2;
  begin(i);
  ivec4 tail = texelFetch(points, row(2 * i), 0);
  ivec4 tip = texelFetch(points, row(2 * i + 1), 0);
  vec2 b = mix(fromEye(tip.xy), fromEye(tip.zw), moved);
  vec2 a = mix(fromEye(tail.xy), fromEye(tail.zw), moved);
  vec2 way = b - a;
  way = dot(way, way) > 1e-8 ? normalize(way) : vec2(0.0, 1.0);
  float size = headSize(wide);
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
  readonly ribbons: Mesh<BufferGeometry, RawShaderMaterial>;
  readonly heads: Mesh<BufferGeometry, RawShaderMaterial>;
  /** By point, and by wire. */
  readonly style: Table<Uint8Array>;
  readonly headStyle: Table<Uint8Array>;
  /** Sets the height of each wire, before and after a change. */
  readonly raise: (start: Int32Array, low: Float32Array, high: Float32Array) => void;
  readonly dispose: () => void;
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
  const uniforms = () => ({
    ...space,
    points: { value: null },
    styles: { value: null },
    heightsOf: { value: null },
  });
  const common = {
    glslVersion: GLSL3,
    fragmentShader,
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
    ribbon: new RawShaderMaterial({
      ...common,
      uniforms: uniforms(),
      vertexShader: ribbonVertex,
    }),
    head: new RawShaderMaterial({
      ...common,
      uniforms: uniforms(),
      vertexShader: headVertex,
      defines: { HEAD: "" },
    }),
  };
}

/** Thickness code of a wire, 0 to 255, by the logarithm of what flows: 256 B thin, 1 GB thick. */
export function thickness(bytes: number): number {
  if (!(bytes > 0)) return 24;
  return Math.round(255 * Math.min(Math.max((Math.log2(bytes) - 8) / 22, 0), 1));
}

/** Width of a wire in pixels at zoom 1. */
export function bytesWidth(bytes: number): number {
  return 1 + (thickness(bytes) / 255) * THICKEST;
}

/** Makes the ribbons and arrow heads of wires; one set at a time has the materials. */
export function makeWireSet(materials: WireMaterials, data: WireData, order: number): WireSet {
  const count = data.start.length - 1;
  const total = data.x.length;
  const points = intTable(total);
  const style = byteTable(total);
  const tips = intTable(2 * count);
  const headStyle = byteTable(count);
  const isStill = data.fromX === data.x;
  for (let i = 0; i < total; i++) {
    const x = stepped(data.x[i]);
    const y = stepped(data.y[i]);
    points.array[4 * i] = isStill ? x : stepped(data.fromX[i]);
    points.array[4 * i + 1] = isStill ? y : stepped(data.fromY[i]);
    points.array[4 * i + 2] = x;
    points.array[4 * i + 3] = y;
  }
  for (let wire = 0; wire < count; wire++) {
    const first = data.start[wire];
    const last = data.start[wire + 1] - 1;
    const headed = data.arrow[wire] === 1 && last > first;
    for (let i = first; i <= last; i++) {
      style.array[4 * i + 1] =
        (i === first ? FIRST : 0) |
        (i === last - 1 ? LAST | (headed ? HEADED : 0) : 0) |
        (i === last ? GAP : 0);
      style.array[4 * i + 2] = data.width[wire];
      style.array[4 * i + 3] = data.presence[wire];
    }
    headStyle.array[4 * wire + 1] = headed ? 0 : GAP;
    headStyle.array[4 * wire + 2] = data.width[wire];
    headStyle.array[4 * wire + 3] = data.presence[wire];
    if (!headed) continue;
    // Curves arrive upright, though their last piece may not.
    const up = data.y[last] >= data.y[last - 1] ? -10 * STEPS : 10 * STEPS;
    for (let k = 0; k < 4; k++) {
      tips.array[8 * wire + k] = points.array[4 * last + k] + (k % 2 === 1 ? up : 0);
      tips.array[8 * wire + 4 + k] = points.array[4 * last + k];
    }
  }
  // Heights take room only once there are some.
  const height = floatTable(1);
  const headHeight = floatTable(1);
  const meshOf = (
    squaresIn: number,
    material: RawShaderMaterial,
    tables: {
      points: Table<Int32Array>;
      styles: Table<Uint8Array>;
      heightsOf: Table<Float32Array>;
    },
  ) => {
    for (const [name, table] of Object.entries(tables)) {
      material.uniforms[name].value = table.texture;
    }
    material.uniformsNeedUpdate = true;
    const mesh = new Mesh(squares(squaresIn), material);
    mesh.frustumCulled = false;
    mesh.renderOrder = order;
    return mesh;
  };
  const ribbonTables = { points, styles: style, heightsOf: height };
  const headTables = { points: tips, styles: headStyle, heightsOf: headHeight };
  const ribbons = meshOf(total, materials.ribbon, ribbonTables);
  const heads = meshOf(count, materials.head, headTables);
  return {
    ribbons,
    heads,
    style,
    headStyle,
    raise: (start, low, high) => {
      if (height.array.length < 4 * total) {
        height.resize(total);
        headHeight.resize(count);
      }
      for (let wire = 0; wire < count; wire++) {
        for (let i = start[wire]; i < start[wire + 1]; i++) {
          height.array[4 * i] = low[wire];
          height.array[4 * i + 1] = high[wire];
        }
        headHeight.array[4 * wire] = low[wire];
        headHeight.array[4 * wire + 1] = high[wire];
      }
      height.touch();
      headHeight.touch();
    },
    dispose: () => {
      disposeSquares(ribbons.geometry);
      disposeSquares(heads.geometry);
      for (const table of [points, style, tips, headStyle, height, headHeight]) {
        table.texture.dispose();
      }
    },
  };
}

/** Changes the look of one wire; returns false if it has that look already. */
export function setLook(set: WireSet, start: Int32Array, wire: number, look: number): boolean {
  const heads = set.headStyle.array;
  if (heads[4 * wire] === look) return false;
  heads[4 * wire] = look;
  for (let i = start[wire]; i < start[wire + 1]; i++) set.style.array[4 * i] = look;
  return true;
}
