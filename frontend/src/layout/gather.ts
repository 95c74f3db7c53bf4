/**
 * Gathers boxes that stand side by side between the same neighbours, such as a thousand experts,
 * into one box for the layout; inside, they stand in rows as on a sheet of paper.
 */

import { BESIDE, GAP, type Sheet, type Task } from "./sheet";

/** Boxes side by side are gathered if there are as many as this and they are as wide as that. */
const MANY = 6;
const WIDE = 1200;
/** Boxes that nothing leads to or from are gathered if there are as many as this. */
const ALONE = 3;
/** Space above the first and below the last row, where wires part and meet. */
const ROOM = GAP + 14;

/** A group in rows; positions are relative to the left top corner of the box that stands for it. */
interface Group {
  readonly members: readonly number[];
  readonly width: number;
  readonly height: number;
  /** Where wires enter and leave, and where those from the rows run down. */
  readonly axis: number;
  readonly side: number;
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** Heights at which the row of each member begins and ends. */
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
  const alike = new Map<string, number[]>();
  for (let box = 0; box < task.boxes; box++) {
    if (before[box].length > 4 || after[box].length > 4) continue;
    const key = `${unique(before[box])}|${unique(after[box])}`;
    const others = alike.get(key);
    if (others === undefined) alike.set(key, [box]);
    else others.push(box);
  }
  const groups: Group[] = [];
  for (const members of alike.values()) {
    const [first] = members;
    const alone = before[first].length + after[first].length === 0;
    if (members.length < (alone ? ALONE : MANY)) continue;
    const wide = members.reduce((sum, box) => sum + task.width[box] + BESIDE, 0);
    if (!alone && wide < WIDE) continue;
    groups.push(inRows(task, members, before[first].length > 0, after[first].length > 0));
  }
  return groups;
}

function unique(list: readonly number[]): string {
  return list.length <= 1 ? list.join() : [...new Set(list)].sort((a, b) => a - b).join();
}

/** Stands boxes in rows, with an aisle in the middle through which wires come to each row. */
function inRows(task: Task, members: readonly number[], fed: boolean, feeds: boolean): Group {
  const gap = (fed ? GAP : 0) + (feeds ? GAP : 0) + (fed || feeds ? 8 : BESIDE);
  const area = members.reduce(
    (sum, box) => sum + (task.width[box] + BESIDE) * (task.height[box] + gap),
    0,
  );
  const aim = Math.max(Math.sqrt(area * task.aspect), WIDE / 3);
  const rows: number[][] = [];
  let wide = Number.POSITIVE_INFINITY;
  for (let at = 0; at < members.length; at++) {
    const add = task.width[members[at]] + BESIDE;
    if (wide + add > aim) {
      rows.push([]);
      wide = 0;
    }
    rows[rows.length - 1].push(at);
    wide += add;
  }
  const x: number[] = new Array(members.length);
  const y: number[] = new Array(members.length);
  const rowTop: number[] = new Array(members.length);
  const rowBottom: number[] = new Array(members.length);
  let left = 0;
  let right = 0;
  let down = fed ? ROOM : 0;
  for (const row of rows) {
    const all = row.reduce((sum, at) => sum + task.width[members[at]] + BESIDE, 0);
    const tall = row.reduce((most, at) => Math.max(most, task.height[members[at]]), 0);
    // The aisle goes between the two boxes nearest to the middle.
    let before = 0;
    let split = 0;
    while (split < row.length - 1 && before + task.width[members[row[split]]] / 2 < all / 2) {
      before += task.width[members[row[split++]]] + BESIDE;
    }
    const aisle = rows.length > 1 ? BESIDE : 0;
    let across = rows.length > 1 ? -before - aisle / 2 : -all / 2 + BESIDE / 2;
    row.forEach((at, place) => {
      if (place === split) across += aisle;
      x[at] = across;
      y[at] = down;
      rowTop[at] = down;
      rowBottom[at] = down + tall;
      left = Math.min(left, across);
      across += task.width[members[at]];
      right = Math.max(right, across);
      across += BESIDE;
    });
    down += tall + gap;
  }
  const side = right + (rows.length > 1 && feeds ? BESIDE : 0);
  return {
    members,
    width: side - left,
    height: down - gap + (feeds ? ROOM : 0),
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
  for (let at = 0; at < task.boxes; at++) {
    const first = group[at] >= 0 ? groups[group[at]].members[0] : at;
    if (first === at) {
      box[at] = shown.length;
      shown.push(at);
    } else box[at] = box[first];
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
    if (leaves >= 0) {
      const at = own(from, task.fromAt[link], task.outAxis[from]);
      add(from, outOf(groups[leaves], lesser.place[from], at, task.height[from]));
    }
    const outer = lesser.link[link];
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
