/** Layout off the main thread, or on it where workers are refused. */

import { layOut } from "./layout";
import { emptyMemo } from "./memo";
import type { Answer, Question } from "./message";
import type { LayoutService, Opening, Outline, Picture } from "./picture";
import { survey } from "./survey";
import LayoutWorker from "./worker?worker&inline";

/** A newer request came in before this one was done. */
export class Overtaken extends Error {
  constructor() {
    super("a newer layout was asked for");
    this.name = "Overtaken";
  }
}

/** What is waited for: at most one request is with the worker, and one stands in line. */
interface Request {
  readonly number: number;
  readonly opening: Opening;
  readonly resolve: (picture: Picture) => void;
  readonly reject: (error: Error) => void;
}

/** Starts a layout service for a network. */
export function createLayout(outline: Outline): LayoutService {
  return inWorker(outline) ?? onThisThread(outline);
}

function inWorker(outline: Outline): LayoutService | null {
  const worker = startWorker();
  if (worker === null) return null;
  let instead: LayoutService | null = null;
  let number = 0;
  let running: Request | null = null;
  let waiting: Request | null = null;
  const ask = (question: Question): void => worker.postMessage(question);
  const run = (request: Request): void => {
    running = request;
    ask({ kind: "opening", number: request.number, opening: request.opening });
  };
  worker.addEventListener("message", ({ data }: MessageEvent<Answer>) => {
    if (running === null || data.number !== running.number) return;
    const done = running;
    running = null;
    const next = waiting;
    waiting = null;
    if (next !== null) {
      done.reject(new Overtaken());
      run(next);
    } else if (data.picture !== null) done.resolve(data.picture);
    else done.reject(new Error(`layout failed: ${data.trouble}`));
  });
  // A page may forbid workers only when they start: then all is done here.
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    if (instead !== null) return;
    worker.terminate();
    instead = onThisThread(outline);
    for (const request of [running, waiting]) {
      if (request !== null) instead.layOut(request.opening).then(request.resolve, request.reject);
    }
  });
  ask({ kind: "outline", outline });
  return {
    layOut: (opening) => {
      if (instead !== null) return instead.layOut(opening);
      return new Promise((resolve, reject) => {
        const request = { number: ++number, opening, resolve, reject };
        if (running === null) run(request);
        else {
          waiting?.reject(new Overtaken());
          waiting = request;
        }
      });
    },
    dispose: () => {
      worker.terminate();
      instead?.dispose();
      running?.reject(new Overtaken());
      waiting?.reject(new Overtaken());
      running = waiting = null;
    },
  };
}

function startWorker(): Worker | null {
  try {
    return typeof Worker === "undefined" ? null : new LayoutWorker();
  } catch {
    return null;
  }
}

/** The same service without a worker; it waits a moment, so that newer requests overtake. */
export function onThisThread(outline: Outline): LayoutService {
  const memo = emptyMemo();
  const known = survey(outline);
  let newest = 0;
  return {
    layOut: async (opening) => {
      const number = ++newest;
      await new Promise((resume) => setTimeout(resume, 0));
      if (number !== newest) throw new Overtaken();
      return layOut(known, opening, memo);
    },
    dispose: () => {
      newest = Number.POSITIVE_INFINITY;
    },
  };
}
