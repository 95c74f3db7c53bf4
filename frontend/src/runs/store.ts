/** The state of a run that is shown: what is known of it, which step and measure one looks at. */

import { createStore, type StoreApi } from "zustand/vanilla";
import type { Diagnosis, RunAbout, RunEntry, ScalarLine } from "./answers";
import { type RunSource, runSource } from "./ask";
import { columnOf, type Matrix, NOTHING } from "./matrix";
import { type Measure, measuresOf } from "./measures";
import type { BoxValues } from "./stand_in";

/** Loss and other numbers of a run, by name. */
export type Lines = Readonly<Record<string, ScalarLine>>;

/** Everything that is shown of a run. */
export interface RunState {
  readonly about: RunAbout | null;
  readonly measures: readonly Measure[];
  readonly measure: Measure | null;
  /** The measure of all subjects over all steps. */
  readonly matrix: Matrix;
  /** The measure that `matrix` is of: the chosen one comes a moment later. */
  readonly matrixOf: Measure | null;
  readonly lines: Lines;
  readonly diagnoses: readonly Diagnosis[] | null;
  /** The step one looks at; null at the end, wherever that is by now. */
  readonly step: number | null;
  readonly playing: boolean;
  readonly live: boolean;
  /** Whether the boxes have the colours of the measure. */
  readonly coloured: boolean;
  /** What the boxes show just now; null if they have other colours. */
  readonly boxes: BoxValues | null;
  /** The subject that is pointed at, in the overview or elsewhere. */
  readonly pointed: string | null;
  /** Other runs whose lines lie over those of this one. */
  readonly others: ReadonlyMap<string, { readonly entry: RunEntry; readonly lines: Lines }>;
  /** Grows with each piece of news, so that what was asked for is asked for again. */
  readonly edition: number;
  readonly trouble: string;
}

/** A run, and what can be done with it. */
export interface RunStore {
  readonly id: string;
  readonly source: RunSource;
  readonly store: StoreApi<RunState>;
  /** Starts to read and to follow; gives what ends that. */
  readonly start: () => () => void;
  readonly measureBy: (id: string) => void;
  /** Goes to the column of the overview; the last one sticks to the end. */
  readonly toColumn: (column: number) => void;
  readonly toStep: (step: number) => void;
  readonly move: (columns: number) => void;
  readonly play: (playing: boolean) => void;
  readonly colour: (coloured: boolean) => void;
  /** Tells what the boxes show. */
  readonly show: (boxes: BoxValues | null) => void;
  readonly point: (subject: string | null) => void;
  /** Lays the lines of another run over this one's, or takes them away. */
  readonly overlay: (entry: RunEntry) => void;
}

/** Where a link says that one looks. */
export interface RunLink {
  readonly step: number | null;
  readonly measure: string | null;
}

const FRAME = 90; // Milliseconds for each column when playing.
/** Records after which a run has all of its quantities. */
const SETTLED = 30;
/** Shortest times between two askings, in milliseconds: diagnoses cost more than numbers do. */
const EVERY = { numbers: 900, diagnoses: 4000 } as const;

/** Makes the store of a run. */
export function createRun(api: string, id: string, link: RunLink): RunStore {
  const source = runSource(api, id);
  const store = createStore<RunState>(() => ({
    about: null,
    measures: [],
    measure: null,
    matrix: NOTHING,
    matrixOf: null,
    lines: {},
    diagnoses: null,
    step: link.step,
    playing: false,
    live: false,
    coloured: true,
    boxes: null,
    pointed: null,
    others: new Map(),
    edition: 0,
    trouble: "",
  }));
  let running = false;

  async function tried(what: () => Promise<Partial<RunState>>): Promise<void> {
    try {
      const found = await what();
      if (running) store.setState({ ...found, trouble: "" });
    } catch (error) {
      if (running) store.setState({ trouble: (error as Error).message });
    }
  }

  async function readAbout(): Promise<void> {
    await tried(async () => {
      const about = await source.about();
      const measures = measuresOf(about);
      const { measure } = store.getState();
      const wanted = measure?.id ?? link.measure;
      const chosen = measures.find((one) => one.id === wanted) ?? measures[0] ?? null;
      return { about, measures, measure: chosen, live: about.live };
    });
  }

  async function readMatrix(): Promise<void> {
    const { measure } = store.getState();
    if (!measure) return;
    await tried(async () => {
      const matrix = await source.overview(measure);
      // Another measure may have been chosen while this one was on its way.
      return store.getState().measure === measure ? { matrix, matrixOf: measure } : {};
    });
  }

  const readLines = () => tried(async () => ({ lines: await source.scalars() }));
  const readDiagnoses = () => tried(async () => ({ diagnoses: await source.diagnoses() }));

  async function readOthers(): Promise<void> {
    for (const [key, { entry }] of store.getState().others) {
      if (!entry.live) continue;
      await tried(async () => {
        const lines = await runSource(api, key).scalars();
        const others = new Map(store.getState().others);
        if (others.has(key)) others.set(key, { entry, lines });
        return { others };
      });
    }
  }

  function start(): () => void {
    running = true;
    const numbers = paced(EVERY.numbers, async () => {
      const { about } = store.getState();
      // What is recorded of a tensor shows in its first few records.
      if (!about || about.records < SETTLED) await readAbout();
      await Promise.all([readMatrix(), readLines(), readOthers()]);
      store.setState(({ edition }) => ({ edition: edition + 1 }));
    });
    const diagnosing = paced(EVERY.diagnoses, readDiagnoses);
    let seen = "";
    let end = () => {};
    const first = async () => {
      await readAbout();
      if (!running) return;
      numbers.ask();
      diagnosing.ask();
      end = source.follow((news) => {
        const changed = `${news.records} ${news.last_step} ${news.live}`;
        store.setState({ live: news.live });
        if (changed === seen) return;
        const old = seen === "" && news.records === store.getState().about?.records;
        seen = changed;
        if (old) return;
        numbers.ask();
        diagnosing.ask();
      });
    };
    first();
    const timer = setInterval(tick, FRAME);
    return () => {
      running = false;
      clearInterval(timer);
      numbers.stop();
      diagnosing.stop();
      end();
    };
  }

  function tick(): void {
    const { playing, matrix, step } = store.getState();
    if (!playing) return;
    const last = matrix.steps.length - 1;
    const column = step === null ? last : columnOf(matrix.steps, step);
    if (column >= last) store.setState({ playing: store.getState().live, step: null });
    else toColumn(column + 1);
  }

  function toColumn(column: number): void {
    const { steps } = store.getState().matrix;
    const last = steps.length - 1;
    const to = Math.max(0, Math.min(column, last));
    store.setState({ step: to >= last ? null : (steps[to] ?? null) });
  }

  return {
    id,
    source,
    store,
    start,
    measureBy: (name) => {
      const measure = store.getState().measures.find((one) => one.id === name);
      if (!measure) return;
      store.setState({ measure, coloured: true });
      readMatrix();
    },
    toColumn,
    toStep: (step) => toColumn(columnOf(store.getState().matrix.steps, step)),
    move: (columns) => {
      store.setState({ playing: false });
      toColumn(columnNow(store.getState()) + columns);
    },
    play: (playing) => {
      const { matrix } = store.getState();
      const atEnd = columnNow(store.getState()) >= matrix.steps.length - 1;
      if (playing && atEnd) store.setState({ step: matrix.steps[0] ?? null });
      store.setState({ playing });
    },
    colour: (coloured) => store.setState({ coloured }),
    show: (boxes) => store.setState({ boxes }),
    point: (pointed) => {
      if (store.getState().pointed !== pointed) store.setState({ pointed });
    },
    overlay: (entry) => {
      const others = new Map(store.getState().others);
      if (others.delete(entry.id)) {
        store.setState({ others });
        return;
      }
      tried(async () => {
        const lines = await runSource(api, entry.id).scalars();
        return { others: new Map(store.getState().others).set(entry.id, { entry, lines }) };
      });
    },
  };
}

/** The column of the overview that one looks at, -1 while there is none. */
export function columnNow({ matrix, step }: RunState): number {
  const last = matrix.steps.length - 1;
  return step === null ? last : Math.min(last, columnOf(matrix.steps, step));
}

/** The step that one looks at, null while there is none. */
export function stepNow(state: RunState): number | null {
  return state.matrix.steps[columnNow(state)] ?? null;
}

/** Runs something when asked, at most once in a time, and never twice at once. */
export function paced(every: number, act: () => Promise<void>) {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let acting = false;
  let asked = false;
  let stopped = false;
  let before = Number.NEGATIVE_INFINITY;
  function ask(): void {
    if (stopped) return;
    if (acting) {
      asked = true;
      return;
    }
    if (timer !== undefined) return;
    timer = setTimeout(run, Math.max(0, before + every - performance.now()));
  }
  async function run(): Promise<void> {
    timer = undefined;
    before = performance.now();
    acting = true;
    asked = false;
    await act();
    acting = false;
    if (asked) ask();
  }
  return {
    ask,
    stop: () => {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
