import { describe, expect, test } from "vitest";
import type { Picture } from "../src/layout/picture";
import type { Paint } from "../src/scene/stage";
import { toSvg } from "../src/scene/svg";
import { LEGEND } from "../src/scene/svg_legend";

const picture: Picture = {
  width: 240,
  height: 300,
  boxes: {
    item: Int32Array.from([2, 0, 1]),
    x: Float64Array.from([0, 20, 20]),
    y: Float64Array.from([0, 40, 120]),
    width: Float32Array.from([200, 120, 120]),
    height: Float32Array.from([190, 44, 24]),
    depth: Int32Array.from([1, 2, 2]),
    open: Uint8Array.from([1, 0, 0]),
    repeat: Int32Array.from([1, 12, 1]),
  },
  wires: {
    source: Int32Array.from([0]),
    target: Int32Array.from([1]),
    edge: Int32Array.from([0]),
    values: Int32Array.from([1]),
    bytes: Float64Array.from([1e6]),
    start: Int32Array.from([0, 2]),
    x: Float64Array.from([80, 90]),
    y: Float64Array.from([84, 120]),
  },
  boxOf: Int32Array.from([1, 2, 0]),
};
const paint: Paint = {
  fill: () => 0x112233,
  line: () => 0x445566,
  lit: null,
  selected: null,
  hovered: null,
  colours: {
    ground: 0xffffff,
    text: 0x111111,
    faint: 0x555555,
    wire: 0x777777,
    scopes: [0xfafafa],
    scopeLine: 0xcccccc,
    accent: 0x0000ff,
  },
};
const write = (title: string, detail: string, part: Partial<Paint> = {}) =>
  toSvg(picture, () => ({ title, detail }), { ...paint, ...part }, { wireLabel: () => title });

/** Checks that tags nest and that nothing is left open, without a browser. */
function wellFormed(svg: string): void {
  const around: string[] = [];
  for (const [, close, name, self] of svg.matchAll(/<(\/?)([A-Za-z]+)[^<>]*?(\/?)>/g)) {
    if (close === "/") expect(around.pop()).toBe(name);
    else if (self !== "/") around.push(name);
  }
  expect(around).toEqual([]);
}

describe("SVG", () => {
  test("says boxes, wires, texts and times", () => {
    const svg = write("Conv2d", "1×64");
    wellFormed(svg);
    expect(svg).toContain(">Conv2d</text>");
    expect(svg).toContain(">×12</text>");
    expect(svg).toContain('d="M96 100C96 114.5 106 114.5 106 129V136"');
    expect(svg).toContain("#112233");
  });

  test("hostile names are text", () => {
    for (const name of [
      "<script>alert(1)</script>",
      "</text><image href=x onerror=alert(1)>",
      `"'&<>`,
      "]]>",
      "a\u0000b\u001bc\nd",
      "\u202eevil",
      "\ud800",
      "x".repeat(10_000),
    ]) {
      const svg = write(name, name);
      wellFormed(svg);
      expect(svg).not.toContain("<script");
      expect(svg).not.toContain("<image");
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these may not be in XML
      expect(svg).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u202a-\u202e\ud800](?![\udc00-\udfff])/);
      expect(svg.length).toBeLessThan(30_000);
    }
  });

  test("what is selected and what is dimmed differ", () => {
    expect(write("a", "", { selected: 1 })).toContain("#0000ff");
    expect(write("a", "", { lit: new Set([0]) })).not.toEqual(write("a", ""));
  });

  test("marks of a comparison are not colour alone", () => {
    const svg = write("a", "", { mark: (box) => (box === 1 ? 2 : 0) });
    expect(svg).toContain(">−</text>");
  });

  test("a part holds only what is in it", () => {
    const part = { x: 0, y: 110, width: 240, height: 100 };
    const svg = toSvg(picture, (item) => ({ title: `n${item}`, detail: "" }), paint, { part });
    wellFormed(svg);
    expect(svg).not.toContain(">n0</text>");
    expect(svg).toContain(">n1</text>");
    expect(svg).toContain('width="240" height="100"');
  });

  test("says below the picture what the colours of a ramp mean", () => {
    const legend = {
      title: "Gradient: norm, step 7",
      log: true,
      stops: [0x440154, 0x26828e, 0xfde725],
      ticks: [
        { place: 0, text: "1e-7" },
        { place: 0.01, text: "2e-7" },
        { place: 1, text: "1" },
      ],
      none: 0xeeeeee,
      broken: null,
    };
    const plain = toSvg(picture, () => ({ title: "a", detail: "" }), paint);
    const svg = toSvg(picture, () => ({ title: "a", detail: "" }), paint, { legend });
    wellFormed(svg);
    const size = (text: string) =>
      /width="(\d+)" height="(\d+)"/.exec(text)?.slice(1).map(Number) ?? [];
    expect(size(svg)[0]).toBeGreaterThan(LEGEND.width);
    expect(size(svg)[1]).toBeGreaterThanOrEqual(size(plain)[1] + LEGEND.height);
    expect(svg).toContain(">Gradient: norm, step 7</text>");
    expect(svg).toContain('<stop offset="0.5" stop-color="#26828e"/>');
    expect(svg).toContain(">1e-7</text>");
    expect(svg).not.toContain(">2e-7</text>"); // It would run into the one before.
    expect(svg).toContain(">logarithmic</text>");
    expect(svg).not.toContain("not finite");
    const broken = toSvg(picture, () => ({ title: "a", detail: "" }), paint, {
      legend: { ...legend, broken: 0xd7263d },
    });
    expect(broken).toContain(">not finite</text>");
    expect(broken).toContain("#d7263d");
  });
});
