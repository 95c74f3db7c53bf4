/**
 * From picture to screen on the graphics card, without jitter.
 *
 * A picture can be millions of pixels tall, more than float32 resolves. Coordinates are sent as
 * integers (32nds of a pixel), the eye is subtracted from them as an integer, and only what is
 * left, which is small for everything on the screen, becomes a float.
 */

import { Matrix4 } from "three";

/** Steps in a pixel; int32 then reaches 67 million pixels. */
export const STEPS = 32;

const LARGEST = 2_147_483_647;

/** A coordinate as it is sent. */
export function stepped(value: number): number {
  return Math.max(-LARGEST, Math.min(LARGEST, Math.round(value * STEPS)));
}

/** Uniforms that all materials share, by reference. */
export interface Space {
  /** Where one looks, in steps, and the rest in pixels. */
  readonly eye: { value: Int32Array };
  readonly eyeRest: { value: Float32Array };
  /** Pixels away from the eye (x right, y down, z towards the viewer) to the screen. */
  readonly project: { value: Matrix4 };
  /** Device pixels per picture pixel, and per CSS pixel. */
  readonly fine: { value: number };
  readonly ratio: { value: number };
  /** How far boxes have moved from their old to their new place, 0 to 1. */
  readonly moved: { value: number };
  /** How far heights have changed from the old to the new ones, 0 to 1. */
  readonly raised: { value: number };
  /** 1 if anything has a height. */
  readonly tall: { value: number };
  readonly ground: { value: Float32Array };
  readonly accent: { value: Float32Array };
  readonly wire: { value: Float32Array };
}

/** Uniforms before anything is shown. */
export function makeSpace(): Space {
  return {
    eye: { value: new Int32Array(2) },
    eyeRest: { value: new Float32Array(2) },
    project: { value: new Matrix4() },
    fine: { value: 1 },
    ratio: { value: 1 },
    moved: { value: 1 },
    raised: { value: 1 },
    tall: { value: 0 },
    ground: { value: new Float32Array(3) },
    accent: { value: new Float32Array(3) },
    wire: { value: new Float32Array(3) },
  };
}

/** Moves the eye. */
export function setEye(space: Space, x: number, y: number): void {
  const eye = space.eye.value;
  eye[0] = stepped(x);
  eye[1] = stepped(y);
  space.eyeRest.value[0] = x - eye[0] / STEPS;
  space.eyeRest.value[1] = y - eye[1] / STEPS;
}

/** Writes a colour `0xrrggbb` as three numbers from 0 to 1. */
export function setColour(target: Float32Array, colour: number): void {
  target[0] = ((colour >> 16) & 255) / 255;
  target[1] = ((colour >> 8) & 255) / 255;
  target[2] = (colour & 255) / 255;
}

/** What vertex shaders begin with. */
export const SPACE_GLSL = /* glsl */ `
precision highp float;
precision highp int;
uniform ivec2 eye;
uniform vec2 eyeRest;
uniform mat4 project;
uniform float fine;
uniform float ratio;
uniform float moved;
uniform float raised;
uniform float tall;
vec2 fromEye(ivec2 point) {
  return vec2(point - eye) / ${STEPS}.0 - eyeRest;
}
`;

/** What fragment shaders begin with. */
export const PAINT_GLSL = /* glsl */ `
precision highp float;
precision highp int;
uniform float fine;
uniform float ratio;
uniform vec3 ground;
uniform vec3 accent;
uniform vec3 wire;
out vec4 colour;
vec4 over(vec4 top, vec4 under) {
  return top + under * (1.0 - top.a);
}
vec4 ink(vec3 rgb, float alpha) {
  return vec4(rgb * alpha, alpha);
}
float roundBox(vec2 p, vec2 extent, float radius) {
  vec2 q = abs(p) - extent + radius;
  return length(max(q, 0.0)) + min(max(q.x, q.y), 0.0) - radius;
}
`;
