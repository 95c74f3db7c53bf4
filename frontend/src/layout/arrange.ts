/** Lays out one scope. */

import { feedersOf } from "./beside";
import { inColumns } from "./columns";
import { inGroups } from "./gather";
import { type Lanes, lanesOf, type Ways, waysOf } from "./lanes";
import { closeLevels, type Levels, rowLevels } from "./levels";
import { pack } from "./pack";
import { leftsOf, type Routes, routesOf } from "./route";
import type { Sheet, Task } from "./sheet";

/** Above this many boxes they stand in rows without looking first whether they have to. */
const CLOSE = 160;

/** Lays out what is in a scope, around a trunk that is one straight line. */
export function arrange(task: Task): Sheet {
  return inGroups(task, inLanes);
}

function inLanes(task: Task): Sheet {
  const ways = waysOf(task);
  const lanes = lanesOf(task, ways);
  let made = task.boxes <= CLOSE ? make(task, ways, lanes, closeLevels(task, ways, lanes)) : null;
  if (made === null || crossesBox(task, made)) {
    made = make(task, ways, lanes, rowLevels(task, ways, lanes));
  }
  return inColumns(task, framed(task, made));
}

/** Boxes and wires in place, before they are framed. */
export interface Made {
  readonly levels: Levels;
  /** x at which vertices are entered, and at which the trunk ends. */
  readonly axis: Float64Array;
  readonly end: number;
  readonly left: Float64Array;
  readonly routes: Routes;
}

function make(task: Task, ways: Ways, lanes: Lanes, levels: Levels): Made {
  const feeder = feedersOf(task, ways, lanes, levels);
  const packing = pack(task, ways, lanes, levels, feeder);
  return {
    levels,
    axis: packing.enter,
    end: lanes.tail.length > 0 ? packing.leave[lanes.tail[0]] : 0,
    left: leftsOf(task, packing),
    routes: routesOf(task, ways, lanes, levels, packing, feeder),
  };
}

/** Whether any wire runs through a box that it does not end at. */
function crossesBox(task: Task, made: Made): boolean {
  const { start, x, y } = made.routes;
  for (let link = 0; link < task.from.length; link++) {
    for (let point = start[link]; point < start[link + 1] - 1; point++) {
      const right = Math.max(x[point], x[point + 1]);
      const left = Math.min(x[point], x[point + 1]);
      if (right - left < 1) continue;
      const low = Math.max(y[point], y[point + 1]);
      const high = Math.min(y[point], y[point + 1]);
      for (let box = 0; box < task.boxes; box++) {
        const top = made.levels.top[box + task.inPorts];
        if (top >= low - 1 || top + task.height[box] <= high + 1) continue;
        if (made.left[box] < right - 1 && made.left[box] + task.width[box] > left + 1) return true;
      }
    }
  }
  return false;
}

/** Moves everything so that the sheet begins at (0, 0), with room at its sides. */
function framed(task: Task, made: Made): Sheet {
  const { levels, routes } = made;
  let left = Number.POSITIVE_INFINITY;
  let right = Number.NEGATIVE_INFINITY;
  for (let box = 0; box < task.boxes; box++) {
    left = Math.min(left, made.left[box]);
    right = Math.max(right, made.left[box] + task.width[box]);
  }
  for (const x of routes.x) {
    left = Math.min(left, x);
    right = Math.max(right, x);
  }
  if (left > right) left = right = 0;
  const wide = right - left + 2 * task.pad;
  const width = Math.max(wide, task.least);
  const shift = task.pad - left + (width - wide) / 2;
  const firstOut = task.inPorts + task.boxes;
  const port = (vertex: number) => made.axis[vertex] + shift;
  const trunk = made.axis.length > 0 ? shift : width / 2;
  return {
    width,
    height: levels.height,
    x: made.left.map((x) => x + shift),
    y: levels.top.slice(task.inPorts, firstOut),
    inPort: Float64Array.from({ length: task.inPorts }, (_, at) => port(at)),
    outPort: Float64Array.from({ length: task.outPorts }, (_, at) => port(firstOut + at)),
    inAxis: trunk,
    outAxis: trunk + made.end,
    start: routes.start,
    px: routes.x.map((x) => x + shift),
    py: routes.y,
  };
}
