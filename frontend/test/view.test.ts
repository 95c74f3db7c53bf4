import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Item } from "../src/graph/network";
import type { Picture } from "../src/layout/picture";
import { showing } from "../src/shell/lit";
import { decodeLink, encodeLink } from "../src/view/link";
import {
  countVisible,
  deepest,
  depthOf,
  eachVisible,
  firstOpening,
  isScope,
  opened,
  shownBy,
  toDepth,
} from "../src/view/opening";
import { createView, placeOf } from "../src/view/store";
import { type Sketch, sketched } from "./view_network";

const network = sketched([
  "x",
  ["stem", ["conv", "norm"]],
  ["stage*3", [["part", ["conv", "relu"]], "add"]],
  ["head", ["pool", "linear"]],
  "output",
]);
const find = (id: string) => network.find(id) as Item;
const none = new Set<Item>();

/** Any nesting of modules, with runs. */
const sketch: fc.Arbitrary<readonly Sketch[]> = fc.letrec<{ list: Sketch[]; one: Sketch }>(
  (tie) => ({
    list: fc.array(tie("one"), { maxLength: 5 }),
    one: fc.oneof(
      { maxDepth: 4 },
      fc.constant("op"),
      fc.tuple(fc.constantFrom("a", "b*2", "c*3"), tie("list")),
    ),
  }),
).list;

/** Names such as other people's models have, all distinct. */
function renamed(list: readonly Sketch[]): readonly Sketch[] {
  return list.map((one, at) =>
    typeof one === "string"
      ? `${one}${at}`
      : [one[0].replace(/^./, (c) => `${c}~&'=é\u202e${at}`), renamed(one[1])],
  );
}

describe("openings", () => {
  it("opens to a depth", () => {
    expect([...toDepth(network, 1)]).toEqual([network.root]);
    expect(deepest(network)).toBe(3);
    expect(toDepth(network, 2).has(find("stage0"))).toBe(true);
    expect(toDepth(network, 2).has(find("stage0.part"))).toBe(false);
    for (let depth = 1; depth <= 3; depth += 1)
      expect(depthOf(network, toDepth(network, depth))).toBe(depth);
  });

  it("sees a run as one, unless it is unfolded", () => {
    const seen = (unfolded: Set<Item>) => {
      const ids: string[] = [];
      eachVisible(network, { open: toDepth(network, 1), unfolded }, (item) => {
        ids.push(network.ids[item]);
        return undefined;
      });
      return ids;
    };
    expect(seen(new Set())).toEqual(["", "x", "stem", "stage0", "head", "output"]);
    expect(seen(new Set([find("stage0")]))).toEqual([
      "",
      "x",
      "stem",
      "stage0",
      "stage1",
      "stage2",
      "head",
      "output",
    ]);
  });

  it("tells what stands for a hidden item", () => {
    const shown = (id: string, depth: number, unfolded = none) =>
      network.ids[shownBy(network, { open: toDepth(network, depth), unfolded }, find(id))];
    expect(shown("stem.conv", 1)).toBe("stem");
    expect(shown("stem.conv", 2)).toBe("stem.conv");
    expect(shown("stage2.part.conv", 3)).toBe("stage0.part.conv");
    expect(shown("stage2.part.conv", 2)).toBe("stage0.part");
    expect(shown("stage2.part.conv", 1)).toBe("stage0");
    expect(shown("stage2.part.conv", 2, new Set([find("stage0")]))).toBe("stage2.part");
  });

  it("starts with as much as can be read", () => {
    expect(firstOpening(network, 5).size).toBe(1);
    expect(depthOf(network, firstOpening(network, 12))).toBe(2);
    expect(depthOf(network, firstOpening(network, 100))).toBe(3);
  });

  it("makes any item visible, whatever is open", () => {
    fc.assert(
      fc.property(sketch, fc.array(fc.nat(200)), fc.nat(1000), (list, picks, pick) => {
        const any = sketched(list);
        const open = new Set([any.root, ...picks.map((at) => any.nodes + (at % any.scopes))]);
        const item = pick % any.ids.length;
        const after = opened(any, { open, unfolded: none }, item);
        expect(shownBy(any, after, item)).toBe(item);
        for (const one of open) expect(after.open.has(one)).toBe(true);
      }),
    );
  });

  it("agrees with itself on what is visible", () => {
    fc.assert(
      fc.property(sketch, fc.array(fc.nat(200)), (list, picks) => {
        const any = sketched(list);
        const openings = {
          open: new Set([any.root, ...picks.map((at) => any.nodes + (at % any.scopes))]),
          unfolded: none,
        };
        const seen = new Set<Item>();
        eachVisible(any, openings, (item) => {
          seen.add(item);
          return undefined;
        });
        for (let item = 0; item < any.ids.length; item += 1) {
          expect(seen.has(shownBy(any, openings, item))).toBe(true);
          expect(shownBy(any, openings, item) === item).toBe(seen.has(item));
        }
        expect(countVisible(any, openings, 1e9)).toBe(seen.size - 1);
      }),
    );
  });
});

describe("store", () => {
  it("walks back and forward, and forgets what was undone", () => {
    const { store, actions } = createView(network, { open: toDepth(network, 1) });
    actions.toggle(find("stem"));
    actions.select(find("x"));
    expect(store.getState().past).toHaveLength(2);
    actions.back();
    expect(store.getState().selected).toBeNull();
    expect(store.getState().open.has(find("stem"))).toBe(true);
    actions.back();
    actions.back();
    expect([...store.getState().open]).toEqual([network.root]);
    actions.forward();
    expect(store.getState().open.has(find("stem"))).toBe(true);
    actions.toggle(find("head"));
    expect(store.getState().future).toHaveLength(0);
  });

  it("goes several steps at once, and not farther than there are", () => {
    const { store, actions } = createView(network, { open: toDepth(network, 1) });
    const items = ["x", "stem", "head"].map(find);
    for (const item of items) actions.select(item);
    expect(actions.travel(-3)).toBe(true);
    expect(store.getState()).toMatchObject({ selected: null, at: 0 });
    expect(actions.travel(2)).toBe(true);
    expect(store.getState()).toMatchObject({ selected: items[1], at: 2 });
    expect(actions.travel(2)).toBe(false);
    expect(actions.travel(-3)).toBe(false);
    expect(actions.travel(0)).toBe(true);
    actions.forward();
    expect(store.getState()).toMatchObject({ selected: items[2], at: 3, steps: 3 });
  });

  it("comes back to where the camera was", () => {
    const { store, actions } = createView(network, { open: toDepth(network, 1) });
    const cameras = [1, 2, 3].map((x) => ({ x, y: 0, zoom: 1 }));
    let now = cameras[0];
    actions.lookFrom(() => now);
    actions.select(find("x"));
    now = cameras[1];
    actions.reveal(find("head"));
    now = cameras[2];
    actions.back();
    expect(store.getState().flight?.camera).toEqual(cameras[1]);
    actions.back();
    expect(store.getState().flight?.camera).toEqual(cameras[0]);
    actions.travel(2);
    expect(store.getState().flight?.camera).toEqual(cameras[2]);
  });

  it("counts a walk from box to box as one step", () => {
    const { store, actions } = createView(network, { open: toDepth(network, 1) });
    for (const id of ["x", "stem", "head"]) actions.walk(find(id));
    expect(store.getState()).toMatchObject({ selected: find("head"), at: 1 });
    actions.toggle(find("stem"));
    actions.walk(find("x"));
    expect(store.getState().past).toHaveLength(3);
    actions.travel(-3);
    expect(store.getState().selected).toBeNull();
  });

  it("starts its history anew with a place that is remembered elsewhere", () => {
    const { store, actions } = createView(network, { open: toDepth(network, 1) });
    actions.select(find("x"));
    const camera = { x: 5, y: 6, zoom: 2 };
    actions.restore({ selected: find("head") }, camera);
    expect(store.getState()).toMatchObject({ selected: find("head"), past: [], at: 0 });
    expect(store.getState().flight?.camera).toEqual(camera);
  });

  it("does nothing that is not one: no step in history for what changes nothing", () => {
    const { store, actions } = createView(network, { open: toDepth(network, 1) });
    actions.toggle(find("x"));
    actions.toggle(network.root);
    actions.closeAll();
    actions.select(null);
    actions.unfold(find("stem"));
    actions.clear();
    expect(store.getState().past).toHaveLength(0);
  });

  it("reveals what lies in a folded run", () => {
    const { store, actions } = createView(network, { open: toDepth(network, 1) });
    actions.reveal(find("stage2.part.relu"));
    const now = store.getState();
    expect(now.selected).toBe(find("stage2.part.relu"));
    expect(now.unfolded.has(find("stage0"))).toBe(true);
    expect(shownBy(network, now, find("stage2.part.relu"))).toBe(find("stage2.part.relu"));
    expect(now.flight?.items).toEqual([find("stage2.part.relu")]);
    expect(now.past).toHaveLength(1);
  });

  it("opens and closes all of a class", () => {
    const { store, actions } = createView(network, { open: toDepth(network, 1) });
    actions.openKind(find("stage1"));
    for (const id of ["stage0", "stage1", "stage2"])
      expect(store.getState().open.has(find(id))).toBe(true);
    expect(store.getState().open.has(find("stem"))).toBe(false);
    actions.openKind(find("stage2"));
    expect([...store.getState().open]).toEqual([network.root]);
  });

  it("takes the next item that is selected as the end of a path", () => {
    const { store, actions } = createView(network);
    actions.path(find("x"));
    actions.select(find("output"));
    expect(store.getState().trace).toEqual({ kind: "path", from: find("x"), to: find("output") });
    expect(store.getState().pathFrom).toBeNull();
    actions.clear();
    expect(store.getState().trace).toBeNull();
    expect(store.getState().selected).toBe(find("output"));
    actions.clear();
    expect(store.getState().selected).toBeNull();
  });
});

describe("link", () => {
  it("restores a place, whatever the names", () => {
    fc.assert(
      fc.property(sketch, fc.array(fc.nat(200)), fc.nat(1000), (list, picks, pick) => {
        const any = sketched(renamed(list));
        fc.pre(new Set(any.ids).size === any.ids.length);
        const open = new Set([any.root, ...picks.map((at) => any.nodes + (at % any.scopes))]);
        const runs = [...any.repeat.keys()].filter((s) => any.repeat[s] > 1);
        const { store } = createView(any, {
          open,
          unfolded: new Set(runs.slice(0, 2).map((s) => any.nodes + s)),
          selected: pick % any.ids.length,
          trace: { kind: "path", from: pick % any.ids.length, to: any.root },
          colourBy: "flops",
          dimension: "nesting",
        });
        const place = placeOf(store.getState());
        const camera = { x: -12.5, y: 5_400_000.1, zoom: 0.0125 };
        const link = encodeLink(any, place, camera);
        expect(link).toMatch(/^[\x21-\x7e]*$/);
        const read = decodeLink(any, link);
        expect(read.camera).toEqual(camera);
        expect({ unfolded: new Set(), ...read.place }).toEqual(place);
      }),
    );
  });

  it("is short where what is open is a depth", () => {
    const many = sketched([["stage*500", [["part", ["conv"]]]]]);
    const { store } = createView(many, { open: toDepth(many, 2) });
    expect(encodeLink(many, placeOf(store.getState()), null)).toBe("open=2");
    const all = toDepth(many, 2);
    for (let item = many.nodes; item < many.nodes + many.scopes; item += 3) all.add(item);
    expect(encodeLink(many, { ...placeOf(store.getState()), open: all }, null).length).toBeLessThan(
      12_100,
    );
  });

  it("takes garbage for nothing", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), (text) => {
        const { place } = decodeLink(
          network,
          `#open=2~${text}&at=${text}&trace=${text}&camera=${text}&${text}`,
        );
        for (const item of place.open ?? []) expect(isScope(network, item)).toBe(true);
      }),
    );
    expect(
      decodeLink(network, "open=9~nowhere&at=%&trace=path~x&camera=1,2,0&colour=red&as=4d"),
    ).toEqual({
      place: { open: toDepth(network, 3) },
      camera: null,
    });
    expect(decodeLink(network, "camera=1,,2").camera).toBeNull();
  });

  it("finds what is left of a place in another network", () => {
    const other = sketched(["x", ["stem", ["conv"]]]);
    const link = encodeLink(
      network,
      placeOf(createView(network, { open: toDepth(network, 2) }).store.getState()),
      null,
    );
    expect(decodeLink(other, `${link}~head~stem&at=head`).place).toEqual({
      open: toDepth(other, 1),
    });
  });
});

describe("lit", () => {
  it("knows what a picture shows for each item", () => {
    fc.assert(
      fc.property(sketch, fc.array(fc.nat(200)), fc.array(fc.nat(200)), (list, picks, runs) => {
        const any = sketched(list);
        const open = new Set([any.root, ...picks.map((at) => any.nodes + (at % any.scopes))]);
        const unfolded = new Set(
          runs
            .map((at) => any.nodes + (at % any.scopes))
            .filter((scope) => any.repeat[scope - any.nodes] > 1),
        );
        const item: Item[] = [];
        eachVisible(any, { open, unfolded }, (one) => {
          if (one !== any.root) item.push(one);
          return undefined;
        });
        const boxOf = new Int32Array(any.ids.length).fill(-1);
        item.forEach((one, box) => {
          boxOf[one] = box;
        });
        const boxes = { open: Uint8Array.from(item, (one) => (open.has(one) ? 1 : 0)) };
        const shown = showing(any, { boxOf, boxes } as unknown as Picture);
        for (let one = 0; one < any.ids.length; one += 1) {
          expect(shown[one]).toBe(shownBy(any, { open, unfolded }, one));
        }
      }),
    );
  });
});
