/**
 * Gathers boxes, or short chains of them, that stand side by side between the same neighbours,
 * such as a thousand experts, into one box for the layout; inside, they stand in rows as on a
 * sheet of paper.
 */

import { BESIDE, GAP, type Sheet, type Task } from "./sheet";

/** Chains side by side are gathered if there are as many as this and they are as wide as that. */
const MANY = 6;
const WIDE = 1200;
/** Chains that nothing leads to or from are gathered if there are as many as this. */
const ALONE = 3;
/** Longer chains are laid out as what they are. */
const LONG = 12;
/** Space above the first and below the last row, where wires part and meet. */
const ROOM = GAP + 14;

/** Boxes one below the other. */
type Chain = readonly number[];

/** A group in rows; positions are relative to the left top corner of the box that stands for it. */
interface Group {
  readonly members: readonly number[];
  readonly width: number;
  readonly height: number;
  /** Where wires enter and leave, and where those from the rows run down. */
  readonly axis: number;
  readonly side: number;
  /** Places of the members, and heights at which the row of each begins and ends. */
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly rowTop: readonly number[];
  readonly rowBottom: readonly number[];
}

/** Lays out a task with its groups gathered; `arrange` lays out what is left. */
export function inGroups(task: Task, arrange: (task: Task) => Sheet): Sheet {
  const groups = groupsOf(task);
  if (groups.length === 0) return arrange(task);
  const lesser = lesserTask(task, groups);
  return expanded(task, groups, lesser, arrange(lesser.task));
}

function groupsOf(task: Task): Group[] {
  const before: number[][] = Array.from({ length: task.boxes }, () => []);
  const after: number[][] = Array.from({ length: task.boxes }, () => []);
  for (let link = 0; link < task.from.length; link++) {
    const from = task.from[link] - task.inPorts;
    const to = task.to[link] - task.inPorts;
    if (to >= 0 && to < task.boxes) before[to].push(from);
    if (from >= 0 && from < task.boxes) after[from].push(to);
  }
  const alike = new Map<string, Chain[]>();
  for (const chain of chainsOf(task, before, after)) {
    const above = before[chain[0]];
    const below = after[chain[chain.length - 1]];
    if (above.length > 4 || below.length > 4 || chain.length > LONG) continue;
    const key = `${unique(above)}|${unique(below)}`;
    const others = alike.get(key);
    if (others === undefined) alike.set(key, [chain]);
    else others.push(chain);
  }
  const groups: Group[] = [];
  for (const chains of alike.values()) {
    const fed = before[chains[0][0]].length > 0;
    const feeds = after[chains[0][chains[0].length - 1]].length > 0;
    if (chains.length < (fed || feeds ? MANY : ALONE)) continue;
    const wide = chains.reduce((sum, chain) => sum + sizeOf(task, chain).width + BESIDE, 0);
    if ((fed || feeds) && wide < WIDE) continue;
    groups.push(inRows(task, chains, fed, feeds));
  }
  return groups;
}

/** Chains of boxes of which each leads only to the next, which nothing else leads to. */
function chainsOf(task: Task, before: readonly number[][], after: readonly number[][]): Chain[] {
  const only = (list: readonly number[]): number =>
    list.length > 0 && list.every((each) => each === list[0]) ? list[0] : -1;
  const next = new Int32Array(task.boxes).fill(-1);
  const follows = new Uint8Array(task.boxes);
  for (let box = 0; box < task.boxes; box++) {
    const below = only(after[box]);
    if (below < 0 || below >= task.boxes || below === box || only(before[below]) !== box) continue;
    next[box] = below;
    follows[below] = 1;
  }
  const chains: Chain[] = [];
  for (let box = 0; box < task.boxes; box++) {
    if (follows[box] === 1) continue;
    const chain = [box];
    for (let below = next[box]; below >= 0; below = next[below]) chain.push(below);
    chains.push(chain);
  }
  return chains;
}

function unique(list: readonly number[]): string {
  return list.length <= 1 ? list.join() : [...new Set(list)].sort((a, b) => a - b).join();
}

/** Size of a chain, and how far from its left its boxes are entered. */
function sizeOf(task: Task, chain: Chain) {
  let left = 0;
  let right = 0;
  let height = -GAP;
  for (const box of chain) {
    left = Math.max(left, task.inAxis[box]);
    right = Math.max(right, task.width[box] - task.inAxis[box]);
    height += task.height[box] + GAP;
  }
  return { width: left + right, axis: left, height };
}

/** Stands chains in rows, with an aisle in the middle through which wires come to each row. */
function inRows(task: Task, chains: readonly Chain[], fed: boolean, feeds: boolean): Group {
  const gap = (fed ? GAP : 0) + (feeds ? GAP : 0) + (fed || feeds ? 8 : BESIDE);
  const sizes = chains.map((chain) => sizeOf(task, chain));
  const area = sizes.reduce((sum, size) => sum + (size.width + BESIDE) * (size.height + gap), 0);
  const aim = Math.max(Math.sqrt(area * task.aspect), WIDE / 3);
  const rows: number[][] = [];
  let wide = Number.POSITIVE_INFINITY;
  for (let at = 0; at < chains.length; at++) {
    const add = sizes[at].width + BESIDE;
    if (wide + add > aim) {
      rows.push([]);
      wide = 0;
    }
    rows[rows.length - 1].push(at);
    wide += add;
  }
  const members: number[] = [];
  const x: number[] = [];
  const y: number[] = [];
  const rowTop: number[] = [];
  const rowBottom: number[] = [];
  let left = 0;
  let right = 0;
  let top = fed ? ROOM : 0;
  for (const row of rows) {
    const all = row.reduce((sum, at) => sum + sizes[at].width + BESIDE, 0);
    const tall = row.reduce((most, at) => Math.max(most, sizes[at].height), 0);
    // The aisle goes between the two chains nearest to the middle.
    let before = 0;
    let split = 0;
    while (split < row.length - 1 && before + sizes[row[split]].width / 2 < all / 2) {
      before += sizes[row[split++]].width + BESIDE;
    }
    const aisle = rows.length > 1 ? BESIDE : 0;
    let across = rows.length > 1 ? -before - aisle / 2 : -all / 2 + BESIDE / 2;
    row.forEach((at, place) => {
      if (place === split) across += aisle;
      let down = top;
      for (const box of chains[at]) {
        members.push(box);
        x.push(across + sizes[at].axis - task.inAxis[box]);
        y.push(down);
        rowTop.push(top);
        rowBottom.push(top + tall);
        down += task.height[box] + GAP;
      }
      left = Math.min(left, across);
      across += sizes[at].width;
      right = Math.max(right, across);
      across += BESIDE;
    });
    top += tall + gap;
  }
  const side = right + (rows.length > 1 && feeds ? BESIDE : 0);
  return {
    members,
    width: side - left,
    height: top - gap + (feeds ? ROOM : 0),
    axis: -left,
    side: side - left,
    x: x.map((at) => at - left),
    y,
    rowTop,
    rowBottom,
  };
}

/** A task in which each group is one box, and where its boxes and links are found in it. */
interface Lesser {
  readonly task: Task;
  /** The box that stands for each box, the group that it is in (-1 for none), its place there. */
  readonly box: Int32Array;
  readonly group: Int32Array;
  readonly place: Int32Array;
  readonly link: Int32Array;
}

function lesserTask(task: Task, groups: readonly Group[]): Lesser {
  const group = new Int32Array(task.boxes).fill(-1);
  const place = new Int32Array(task.boxes);
  groups.forEach(({ members }, number) => {
    members.forEach((member, at) => {
      group[member] = number;
      place[member] = at;
    });
  });
  const box = new Int32Array(task.boxes);
  const shown: number[] = [];
  const boxOfGroup = new Int32Array(groups.length).fill(-1);
  for (let at = 0; at < task.boxes; at++) {
    const known = group[at] >= 0 ? boxOfGroup[group[at]] : -1;
    box[at] = known >= 0 ? known : shown.length;
    if (known >= 0) continue;
    if (group[at] >= 0) boxOfGroup[group[at]] = shown.length;
    shown.push(at);
  }
  const vertex = (old: number): number => {
    if (old < task.inPorts) return old;
    if (old < task.inPorts + task.boxes) return task.inPorts + box[old - task.inPorts];
    return old - task.boxes + shown.length;
  };
  const groupAt = (old: number): number => {
    const at = old - task.inPorts;
    return at >= 0 && at < task.boxes ? group[at] : -1;
  };
  const known = new Map<string, number>();
  const link = new Int32Array(task.from.length);
  const kept: number[] = [];
  for (let old = 0; old < task.from.length; old++) {
    const leaves = groupAt(task.from[old]);
    const enters = groupAt(task.to[old]);
    if (leaves >= 0 && leaves === enters) {
      link[old] = -1;
      continue;
    }
    if (leaves < 0 && enters < 0) {
      link[old] = kept.length;
      kept.push(old);
      continue;
    }
    const from = leaves >= 0 ? `g${leaves}` : `${task.from[old]}@${task.fromAt[old]}`;
    const to = enters >= 0 ? `g${enters}` : `${task.to[old]}@${task.toAt[old]}`;
    const name = `${from}>${to}`;
    const found = known.get(name);
    link[old] = found ?? kept.length;
    if (found !== undefined) continue;
    known.set(name, kept.length);
    kept.push(old);
  }
  const number = (of: number): Group | null => (group[of] >= 0 ? groups[group[of]] : null);
  const pick = (value: (old: number) => number) => Float64Array.from(shown, value);
  return {
    task: {
      ...task,
      boxes: shown.length,
      width: pick((old) => number(old)?.width ?? task.width[old]),
      height: pick((old) => number(old)?.height ?? task.height[old]),
      inAxis: pick((old) => number(old)?.axis ?? task.inAxis[old]),
      outAxis: pick((old) => number(old)?.axis ?? task.outAxis[old]),
      from: Int32Array.from(kept, (old) => vertex(task.from[old])),
      to: Int32Array.from(kept, (old) => vertex(task.to[old])),
      fromAt: Float64Array.from(kept, (old) => {
        const at = groupAt(task.from[old]);
        return at >= 0 ? groups[at].axis : task.fromAt[old];
      }),
      toAt: Float64Array.from(kept, (old) => {
        const at = groupAt(task.to[old]);
        return at >= 0 ? groups[at].axis : task.toAt[old];
      }),
    },
    box,
    group,
    place,
    link,
  };
}

/** Puts the boxes of groups, and the wires to and from them, into the sheet. */
function expanded(task: Task, groups: readonly Group[], lesser: Lesser, sheet: Sheet): Sheet {
  const x = new Float64Array(task.boxes);
  const y = new Float64Array(task.boxes);
  for (let box = 0; box < task.boxes; box++) {
    const group = lesser.group[box] >= 0 ? groups[lesser.group[box]] : null;
    x[box] = sheet.x[lesser.box[box]] + (group?.x[lesser.place[box]] ?? 0);
    y[box] = sheet.y[lesser.box[box]] + (group?.y[lesser.place[box]] ?? 0);
  }
  const start = new Int32Array(task.from.length + 1);
  const px: number[] = [];
  const py: number[] = [];
  for (let link = 0; link < task.from.length; link++) {
    start[link] = px.length;
    const from = task.from[link] - task.inPorts;
    const to = task.to[link] - task.inPorts;
    const add = (box: number, points: readonly (readonly [number, number])[]): void => {
      for (const [across, down] of points) {
        px.push(sheet.x[lesser.box[box]] + across);
        py.push(sheet.y[lesser.box[box]] + down);
      }
    };
    const leaves = from >= 0 && from < task.boxes ? lesser.group[from] : -1;
    const enters = to >= 0 && to < task.boxes ? lesser.group[to] : -1;
    const own = (box: number, fixed: number, axis: number) =>
      groups[lesser.group[box]].x[lesser.place[box]] + (Number.isNaN(fixed) ? axis : fixed);
    const outer = lesser.link[link];
    if (outer < 0) {
      // From one box of a chain to the next.
      const place = lesser.place[from];
      const bottom = groups[leaves].y[place] + task.height[from];
      add(from, [
        [own(from, task.fromAt[link], task.outAxis[from]), bottom],
        [own(to, task.toAt[link], task.inAxis[to]), groups[enters].y[lesser.place[to]]],
      ]);
      continue;
    }
    if (leaves >= 0) {
      const at = own(from, task.fromAt[link], task.outAxis[from]);
      add(from, outOf(groups[leaves], lesser.place[from], at, task.height[from]));
    }
    for (let point = sheet.start[outer]; point < sheet.start[outer + 1]; point++) {
      const repeated = point === sheet.start[outer] && leaves >= 0;
      if (repeated || (point === sheet.start[outer + 1] - 1 && enters >= 0)) continue;
      px.push(sheet.px[point]);
      py.push(sheet.py[point]);
    }
    if (enters >= 0) {
      const at = own(to, task.toAt[link], task.inAxis[to]);
      add(to, into(groups[enters], lesser.place[to], at));
    }
  }
  start[task.from.length] = px.length;
  return { ...sheet, x, y, start, px: Float64Array.from(px), py: Float64Array.from(py) };
}

/** From the middle of a group's top, down the aisle, to the top of a member. */
function into(group: Group, member: number, at: number): (readonly [number, number])[] {
  const top = group.rowTop[member];
  return [
    [group.axis, 0],
    [group.axis, Math.max(0, top - GAP)],
    [at, top],
  ];
}

/** From the bottom of a member, down beside the rows, to the middle of a group's bottom. */
function outOf(
  group: Group,
  member: number,
  at: number,
  tall: number,
): (readonly [number, number])[] {
  const row = group.rowBottom[member];
  const points: (readonly [number, number])[] = [[at, group.y[member] + tall]];
  if (points[0][1] < row) points.push([at, row]);
  if (row < group.height - ROOM - 1) {
    points.push([group.side, row + GAP], [group.side, group.height - ROOM + 4]);
  }
  points.push([group.axis, group.height]);
  return points;
}
