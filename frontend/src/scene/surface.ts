/** The canvas with its WebGL context, materials and texts: what a frame is drawn with. */

import { ColorManagement, PerspectiveCamera, Scene, WebGLRenderer } from "three";
import { type Atlas, makeAtlas } from "./atlas";
import { boxMaterials } from "./boxes";
import { type Rect, type Screen, viewOf } from "./camera";
import { type Before, type Drawing, makeDrawing } from "./drawing";
import type { Sight } from "./eyes";
import { makeLabels } from "./labels";
import { seen } from "./lettering";
import type { Scenery } from "./motion";
import { scopeAround } from "./nest";
import type { Notes } from "./notes";
import { project } from "./orbit";
import { pngOf, tiled } from "./png";
import { makeSpace, type Space, setColour, setEye } from "./space";
import type { Colours, Paint } from "./stage";
import type { Texts } from "./texts";
import { wireMaterials } from "./wires";
import { write } from "./writing";

/** Milliseconds a frame may take to draw texts that are new. */
const WRITING = 2.5;
/** Side of the largest tile of an image. */
const TILE = 2048;

/** What a frame shows. */
export interface View {
  readonly drawing: Drawing;
  readonly texts: Texts;
  readonly notes: Notes;
  readonly paint: Paint;
  readonly sight: Sight;
  /** Height of a box's top just now. */
  readonly top: (box: number) => number;
}

/** A canvas that can be drawn on. */
export interface Surface {
  readonly canvas: HTMLCanvasElement;
  readonly space: Space;
  readonly atlas: Atlas;
  readonly setSize: (screen: Screen, ratio: number) => void;
  readonly setColours: (colours: Colours) => void;
  /** Puts a picture on the card, in place of the one before. */
  readonly place: (scenery: Scenery, before: Before | null, old: Drawing | null) => Drawing;
  readonly setSolid: (drawing: Drawing | null, solid: boolean) => void;
  /** Draws a frame; returns the number of draw calls. */
  readonly draw: (view: View | null) => number;
  readonly toPng: (view: View, whole: boolean, scale: number) => Promise<Blob>;
  readonly dispose: () => void;
}

/** Makes a canvas in a container; throws where there is no WebGL 2. */
export function makeSurface(container: HTMLElement): Surface {
  // Colours are written as they are meant to be seen, so that the page and the canvas agree.
  ColorManagement.enabled = false;
  const canvas = document.createElement("canvas");
  canvas.style.cssText = "display:block;width:100%;height:100%;outline:none";
  const context = canvas.getContext("webgl2", {
    alpha: false,
    antialias: false,
    stencil: false,
    depth: true,
    powerPreference: "high-performance",
  });
  if (context === null) throw new Error("This browser gives no WebGL 2 context.");
  const renderer = new WebGLRenderer({ canvas, context });
  container.append(canvas);
  const space = makeSpace();
  const boxLooks = [boxMaterials(space), boxMaterials(space)] as const;
  const wireLooks = wireMaterials(space);
  const scene = new Scene();
  const eye = new PerspectiveCamera();
  const atlas = makeAtlas(renderer, Math.min(renderer.capabilities.maxTextureSize, atlasSize()));
  const labels = makeLabels(space, atlas);
  scene.add(labels.mesh);
  let current = { screen: { width: 1, height: 1 }, ratio: 1 };

  // Shaders are compiled beside the page while the network is on its way.
  renderer.debug.checkShaderErrors = false;
  const first = makeDrawing(boxLooks, wireLooks, EMPTY, null);
  first.setSolid(false);
  scene.add(first.group);
  renderer.compile(scene, eye);
  scene.remove(first.group);

  const setSize = (screen: Screen, ratio: number) => {
    current = { screen, ratio };
    renderer.setPixelRatio(1);
    renderer.setSize(
      Math.max(1, Math.round(screen.width * ratio)),
      Math.max(1, Math.round(screen.height * ratio)),
      false,
    );
  };

  const draw = (view: View | null, milliseconds: number): number => {
    if (view !== null) {
      const { camera, orbit } = view.sight;
      const { screen, ratio } = current;
      setEye(space, camera.x, camera.y);
      space.fine.value = camera.zoom * ratio;
      space.ratio.value = ratio;
      project(space.project.value, camera, screen, orbit);
      const hides = orbit.amount === 0 && space.moved.value >= 1;
      const { picture, nest } = view.drawing.scenery;
      // Round corners show what is behind, so the edge of the view has to be well inside.
      const rect = viewOf(camera, screen, 12 * camera.zoom + 1);
      view.drawing.drawFrom(hides ? scopeAround(picture, nest, rect) : -1);
      atlas.allow(milliseconds);
      write(labels, atlas, view.texts, view.notes, {
        drawing: view.drawing,
        paint: view.paint,
        camera,
        screen,
        ratio,
        moved: space.moved.value,
        snap: orbit.amount === 0,
        view: seen(camera, screen, orbit.amount),
        top: view.top,
      });
    }
    renderer.render(scene, eye);
    return renderer.info.render.calls;
  };

  return {
    canvas,
    space,
    atlas,
    setSize,
    setColours: (colours) => {
      setColour(space.ground.value, colours.ground);
      setColour(space.accent.value, colours.accent);
      setColour(space.wire.value, colours.wire);
      renderer.setClearColor(colours.ground, 1);
    },
    place: (scenery, before, old) => {
      const drawing = makeDrawing(boxLooks, wireLooks, scenery, before);
      if (old !== null) {
        scene.remove(old.group);
        old.dispose();
      }
      scene.add(drawing.group);
      return drawing;
    },
    setSolid: (drawing, solid) => {
      drawing?.setSolid(solid);
      for (const material of [wireLooks.ribbon, wireLooks.head, labels.mesh.material]) {
        material.depthTest = solid;
      }
    },
    draw: (view) => draw(view, WRITING),
    toPng: (view, whole, scale) => {
      const { screen, ratio } = current;
      const { orbit, camera } = view.sight;
      const flat = orbit.amount === 0;
      const { width, height } = view.drawing.scenery.picture;
      const part: Rect =
        whole && flat
          ? { x: -24, y: -24, width: width + 48, height: height + 48 }
          : viewOf(camera, screen);
      const zoom = whole && flat ? 1 : camera.zoom;
      const most = Math.min(renderer.capabilities.maxTextureSize, TILE);
      // A tilted picture cannot be cut into tiles: it is drawn as fine as it can be at once.
      const fine = flat
        ? ratio * scale
        : Math.min(ratio * scale, (2 * TILE) / Math.max(screen.width, screen.height));
      try {
        const image = tiled(part, zoom, fine, flat ? most : 2 * TILE, (at, size, pixels) => {
          setSize(size, pixels);
          const sight = { camera: at, screen: size, orbit };
          draw({ ...view, sight }, Number.POSITIVE_INFINITY);
          return canvas;
        });
        return pngOf(image);
      } finally {
        setSize(screen, ratio);
        draw(view, WRITING);
      }
    },
    dispose: () => {
      first.dispose();
      labels.dispose();
      atlas.dispose();
      for (const material of [...boxLooks, wireLooks].flatMap((made) => Object.values(made))) {
        material.dispose();
      }
      renderer.dispose();
      renderer.forceContextLoss();
      canvas.remove();
    },
  };
}

/** Texts on fine screens take more room. */
function atlasSize(): number {
  return (globalThis.devicePixelRatio || 1) > 1.2 ? 4096 : 2048;
}

const NONE = new Int32Array(0);
const EMPTY: Scenery = {
  picture: {
    width: 1,
    height: 1,
    boxes: {
      item: NONE,
      x: new Float64Array(0),
      y: new Float64Array(0),
      width: new Float32Array(0),
      height: new Float32Array(0),
      depth: NONE,
      open: new Uint8Array(0),
      repeat: NONE,
    },
    wires: {
      source: NONE,
      target: NONE,
      edge: NONE,
      values: NONE,
      bytes: new Float64Array(0),
      start: new Int32Array(1),
      x: new Float64Array(0),
      y: new Float64Array(0),
    },
    boxOf: NONE,
  },
  nest: { parent: NONE, end: NONE },
  curves: { start: new Int32Array(1), x: new Float64Array(0), y: new Float64Array(0) },
};
