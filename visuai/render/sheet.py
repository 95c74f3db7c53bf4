"""Lays out the inside of one scope: its nodes, its inner boxes, and the lines between them.

Everything here flows down the page; `visuai.render.layout` turns it for left to right.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from math import log
from typing import NamedTuple

from visuai.render.columns import place
from visuai.render.lanes import Lanes
from visuai.render.ranks import Ranks, rank
from visuai.render.wiring import End, Value, Wiring

_PORT_WIDTH = 8.0
_TAG_WIDTH = 56.0


class Box(NamedTuple):
    """A rectangle by its top left corner, in pixels."""

    x: float
    y: float
    width: float
    height: float


class Header(NamedTuple):
    """Room for the heading of a scope, in pixels: a text at either end of a line."""

    left: float
    right: float
    height: float


@dataclass(frozen=True, slots=True)
class Spacing:
    """Distances, in pixels.

    Attributes:
        rank: Between ranks.
        item: Between items of a rank.
        lane: Between a line that passes and everything else.
        pad: Between the border of a scope and what is inside.
        column: Between columns of a wrapped chain.
        tallest: Height up to which a chain is not wrapped.
        aspect: Width to height to aim at when wrapping.
    """

    rank: float = 26
    item: float = 22
    lane: float = 9
    pad: float = 12
    column: float = 40
    tallest: float = 980
    aspect: float = 1.3


@dataclass(slots=True)
class Sheet:
    """The inside of a scope, laid out from its own top left corner.

    Attributes:
        width: Width, in pixels.
        height: Height, in pixels.
        nodes: Boxes of the nodes directly inside.
        scopes: Boxes of the scopes directly inside.
        wires: (value, node that the piece ends in or None, path).
        tags: (value, x, y, is the room on the left).
        entries: Where a value enters through the upper border, by value.
        exits: Where a value leaves through the lower border, by value.
    """

    width: float = 0
    height: float = 0
    nodes: dict[str, Box] = field(default_factory=dict[str, Box])
    scopes: dict[str, Box] = field(default_factory=dict[str, Box])
    wires: list[tuple[Value, str | None, list[tuple[float, ...]]]] = field(
        default_factory=list[tuple[Value, "str | None", list[tuple[float, ...]]]]
    )
    tags: list[tuple[Value, float, float, bool]] = field(
        default_factory=list[tuple[Value, float, float, bool]]
    )
    entries: dict[Value, float] = field(default_factory=dict[Value, float])
    exits: dict[Value, float] = field(default_factory=dict[Value, float])


class _Piece(NamedTuple):
    value: Value
    source: int
    target: int
    inputs: int  # number of inputs that read it


class _Page:
    """Ranks, columns and centres of the items of one scope, while it is laid out."""

    def __init__(
        self,
        ends: list[End],
        sizes: list[tuple[float, float]],
        pieces: list[_Piece],
        ranks: Ranks,
        sheets: dict[str, Sheet],
        head: float,
        spacing: Spacing,
        wrap: bool,
    ) -> None:
        self.ends, self.sizes, self.pieces, self.ranks = ends, sizes, pieces, ranks
        self.spacing = spacing
        self.turns: list[tuple[tuple[float, float], int]] = []
        self.forward = [p for p in pieces if ranks.start[p.target] > ranks.end[p.source]]
        self.centres = place(
            ranks,
            [width for width, _ in sizes],
            self._straight(sheets),
            spacing.item,
        )
        self.gaps = self._gaps()
        self.heights = self._rank_heights(head)
        self.reach = self._reaches()
        self.breaks = self._breaks() if wrap else []
        self.column = [0] * ranks.count
        for row in range(1, ranks.count):
            self.column[row] = self.column[row - 1] + (row - 1 in self.breaks)
        self.tracks: dict[int, list[Value]] = {row: [] for row in self.breaks}
        for value, (first, last) in self.reach.items():
            for row in self.breaks:
                if first <= row < last:
                    self.tracks[row].append(value)
        self.top, self.bottom, self.height = self._lines(head)
        self.lanes = self._lanes()
        self.shift, self.width = self._shifts()

    def _straight(self, sheets: dict[str, Sheet]) -> dict[tuple[int, int], float]:
        """How far apart the centres of two items are where the line between them is straight."""
        shifts: dict[tuple[int, int], float] = {}
        for piece in self.pieces:
            pair = (piece.source, piece.target)
            if pair not in shifts:
                shift = 0.0
                for item, sign in zip(pair, (1, -1), strict=True):
                    kind, key, _ = self.ends[item]
                    if kind == "scope":
                        sheet = sheets[key]
                        ports = sheet.exits if sign == 1 else sheet.entries
                        shift += sign * (ports[piece.value] - sheet.width / 2)
                shifts[pair] = shift
        return shifts

    def _rank_heights(self, head: float) -> list[float]:
        ranks, sizes = self.ranks, self.sizes
        heights = [0.0] * ranks.count
        for item, (_, height) in enumerate(sizes):
            if ranks.start[item] == ranks.end[item]:
                row = ranks.start[item]
                heights[row] = max(heights[row], height)
        for item, (_, height) in enumerate(sizes):
            first, last = ranks.start[item], ranks.end[item]
            if last > first:
                have = sum(heights[first : last + 1]) + sum(self.gaps[first:last])
                heights[last] += max(0.0, height - have)
        if self.ends and any(end[0] == "in" for end in self.ends):
            heights[0] = max(heights[0], head)
        return heights

    def _gaps(self) -> list[float]:
        """Space below each rank; less of it beside the border of the scope."""
        gaps = [self.spacing.rank] * self.ranks.count
        kinds = {end[0] for end in self.ends}
        if "in" in kinds:
            gaps[0] *= 0.6
        if "out" in kinds and self.ranks.count > 1:
            gaps[-2] *= 0.65
        return gaps

    def _reaches(self) -> dict[Value, tuple[int, int]]:
        """First and last rank between which a value is on its way."""
        reach: dict[Value, tuple[int, int]] = {}
        for piece in self.forward:
            first, last = self.ranks.end[piece.source], self.ranks.start[piece.target]
            known = reach.get(piece.value)
            reach[piece.value] = (first, max(last, known[1]) if known else last)
        return reach

    def _breaks(self) -> list[int]:
        """Ranks after which the chain goes on in a new column, where few values cross."""
        space = self.spacing
        total = sum(self.heights) + sum(self.gaps)
        if total <= space.tallest or self.ranks.count < 4:
            return []
        halves = [width / 2 for width, _ in self.sizes]
        width = max(x + half for x, half in zip(self.centres, halves, strict=True)) - min(
            x - half for x, half in zip(self.centres, halves, strict=True)
        )
        # Skips that go over to another column are hard to follow: only a very long chain may.
        open_rows = self._open_rows(1 if total < 5 * space.tallest else 4)
        best: tuple[float, list[int]] = (abs(log(width / total / space.aspect)), [])
        for number in range(2, 13):
            breaks, tallest = self._even(open_rows, total, number)
            shape = (len(breaks) + 1) * (width + space.column) / tallest
            cost = abs(log(shape / space.aspect))
            if cost < best[0] - 0.2 and tallest < 0.65 * total:
                best = (cost, breaks)
        return best[1]

    def _open_rows(self, most: int) -> list[bool]:
        """Tells for each rank whether a column may end after it."""
        rows = self.ranks.count
        steps = [0] * (rows + 1)
        for first, last in self.reach.values():
            steps[first] += 1
            steps[last] -= 1
        tall = [0] * (rows + 1)
        for first, last in zip(self.ranks.start, self.ranks.end, strict=True):
            tall[first] += 1
            tall[last] -= 1
        crossings = list(accumulate(steps))
        spans = list(accumulate(tall))
        last = rows - 2 if any(end[0] == "out" for end in self.ends) else rows - 1
        return [row < last and crossings[row] <= most and not spans[row] for row in range(rows)]

    def _even(self, open_rows: list[bool], total: float, number: int) -> tuple[list[int], float]:
        """Splits into at most ``number`` columns such that the tallest is as low as can be."""
        low, high = total / number, total
        found: tuple[list[int], float] = ([], total)
        for _ in range(12):
            limit = (low + high) / 2
            split = self._greedy(open_rows, limit)
            if split is not None and len(split[0]) < number:
                found, high = split, limit
            else:
                low = limit
        return found

    def _greedy(self, open_rows: list[bool], limit: float) -> tuple[list[int], float] | None:
        """Fills columns up to a height; None if a piece between two open rows is taller."""
        breaks: list[int] = []
        column = piece = tallest = 0.0
        last_open = -1
        for row, (height, gap) in enumerate(zip(self.heights, self.gaps, strict=True)):
            piece += height + gap
            if column + piece > limit:
                if last_open < 0 or (breaks and breaks[-1] == last_open):
                    return None
                breaks.append(last_open)
                tallest = max(tallest, column)
                column = 0.0
                if piece > limit:
                    return None
            if open_rows[row]:
                column += piece
                piece = 0.0
                last_open = row
        return breaks, max(tallest, column + piece)

    def _lines(self, head: float) -> tuple[list[float], list[float], float]:
        """Upper and lower line of each rank, and the height of it all."""
        space = self.spacing
        has_entry = any(end[0] == "in" for end in self.ends)
        has_exit = any(end[0] == "out" for end in self.ends)
        crossing = max((len(values) for values in self.tracks.values()), default=0)
        y = 0.0 if has_entry else head + space.pad
        first = head + self.gaps[0] if has_entry else y
        top: list[float] = []
        bottom: list[float] = []
        lowest = 0.0
        for row, height in enumerate(self.heights):
            if row and row - 1 in self.tracks:
                y = first + 18 + 5 * crossing
            top.append(y)
            bottom.append(y + height)
            room = 18 + 5 * crossing if row in self.tracks else 0.0
            lowest = max(lowest, y + height + room)
            y += height + self.gaps[row]
        total = lowest if has_exit else lowest + space.pad
        if has_exit:
            total = max(lowest, top[-1])
            top[-1] = bottom[-1] = total
        return top, bottom, total

    def _lanes(self) -> dict[Value, dict[int, float]]:
        """For each value that passes ranks, its x in the column (by number) that it passes."""
        ranks = self.ranks
        lanes = Lanes(ranks.count, self.spacing.lane)
        for item, (width, _) in enumerate(self.sizes):
            for row in range(ranks.start[item], ranks.end[item] + 1):
                lanes.block(row, self.centres[item] - width / 2, self.centres[item] + width / 2)
        far: dict[Value, tuple[int, int]] = {}
        for piece in self.forward:
            if ranks.start[piece.target] > ranks.end[piece.source] + 1:
                known = far.get(piece.value)
                if known is None or ranks.start[piece.target] > ranks.start[known[1]]:
                    far[piece.value] = (piece.source, piece.target)
        chosen: dict[Value, dict[int, float]] = {}
        for value, (source, target) in sorted(
            far.items(), key=lambda entry: ranks.start[entry[1][1]] - ranks.end[entry[1][0]]
        ):
            chosen[value] = {}
            row, last = ranks.end[source] + 1, ranks.start[target] - 1
            while row <= last:
                stop = row
                while stop < last and self.column[stop + 1] == self.column[row]:
                    stop += 1
                chosen[value][self.column[row]] = lanes.find(
                    row, stop, self.centres[source], self.centres[target]
                )
                row = stop + 1
        return chosen

    def _shifts(self) -> tuple[list[float], float]:
        """How far each column moves to the right, and the width of it all."""
        number = self.column[-1] + 1 if self.column else 1
        left = [float("inf")] * number
        right = [float("-inf")] * number
        for item, (width, _) in enumerate(self.sizes):
            column = self.column[self.ranks.start[item]]
            left[column] = min(left[column], self.centres[item] - width / 2)
            right[column] = max(right[column], self.centres[item] + width / 2)
        for ways in self.lanes.values():
            for column, x in ways.items():
                left[column] = min(left[column], x - self.spacing.lane / 2)
                right[column] = max(right[column], x + self.spacing.lane / 2)
        shift: list[float] = []
        x = self.spacing.pad
        for column in range(number):
            if left[column] > right[column]:
                left[column] = right[column] = 0.0
            shift.append(x - left[column])
            x += right[column] - left[column] + self.spacing.column
        self.right_edges = [edge + shift[column] for column, edge in enumerate(right)]
        return shift, x - self.spacing.column + self.spacing.pad

    def x_of(self, item: int) -> float:
        return self.centres[item] + self.shift[self.column[self.ranks.start[item]]]

    def y_of(self, item: int) -> float:
        first, last = self.ranks.start[item], self.ranks.end[item]
        if last > first:
            return self.top[first]
        room = self.bottom[first] - self.top[first] - self.sizes[item][1]
        return self.top[first] + (room / 2 if self.ends[item][0] in ("node", "scope") else 0)

    def step_down(
        self, value: Value, row: int, x: float, target_x: float
    ) -> list[tuple[float, ...]]:
        """Goes from the lower line of a rank at x to the upper line of the next."""
        y, target_y = self.bottom[row], self.top[row + 1]
        if row not in self.tracks:
            if abs(x - target_x) < 0.5:
                return [(x, target_y)]
            self.turns.append(((min(x, target_x), max(x, target_x)), row))
            middle = (y + target_y) / 2
            return [(x, middle, target_x, middle, target_x, target_y)]
        track = self.tracks[row].index(value)
        low = y + 17 + 5 * track
        high = target_y - 10 - 5 * track
        gutter = self.right_edges[self.column[row]] + self.spacing.column / 2
        gutter += 5 * (track - (len(self.tracks[row]) - 1) / 2)
        r = 6.0
        side = r if target_x > gutter else -r
        return [
            (x, low - r),
            (x, low, x, low, x + r, low),
            (gutter - r, low),
            (gutter, low, gutter, low, gutter, low - r),
            (gutter, high + r),
            (gutter, high, gutter, high, gutter + side, high),
            (target_x - side, high),
            (target_x, high, target_x, high, target_x, high + r),
            (target_x, target_y),
        ]


def draw_sheet(
    members: list[tuple[bool, str]],
    wiring: Wiring,
    sizes: dict[str, tuple[float, float]],
    sheets: dict[str, Sheet],
    *,
    inputs: set[str],
    header: Header | None,
    across: bool,
    spacing: Spacing,
    wrap: bool,
) -> Sheet:
    """Lays out one scope whose inner scopes are laid out already.

    Args:
        members: (is a scope, id) of what lies directly inside, in execution order.
        wiring: The pieces of edges inside.
        sizes: Width and height of nodes.
        sheets: The inner scopes.
        inputs: Nodes that are inputs of the network; they stay at the top.
        header: Room for the heading; None for the root, which has none.
        across: Whether the result will be turned, so that the heading is at the side.
        spacing: Distances.
        wrap: Whether a long chain is wrapped into columns.
    """
    ends: list[End] = [("scope" if is_scope else "node", key, 0) for is_scope, key in members]
    number = {end: index for index, end in enumerate(ends)}
    pieces: list[_Piece] = []
    for (value, source, target), reads in wiring.pieces.items():
        for end in (source, target):
            if end not in number:
                number[end] = len(ends)
                ends.append(end)
        inputs_read = len(set(reads)) if target[0] == "node" else 1
        pieces.append(_Piece(value, number[source], number[target], inputs_read))
    item_sizes: list[tuple[float, float]] = []
    for kind, key, _ in ends:
        if kind == "node":
            item_sizes.append(sizes[key])
        elif kind == "scope":
            item_sizes.append((sheets[key].width, sheets[key].height))
        else:
            item_sizes.append((_PORT_WIDTH, 0.0))
    fed = {piece.target for piece in pieces if piece.target != piece.source}
    ranks = rank(
        len(ends),
        {(piece.source, piece.target) for piece in pieces},
        top={index for index, end in enumerate(ends) if end[0] == "in"},
        bottom={index for index, end in enumerate(ends) if end[0] == "out"},
        floating={
            index
            for index, (kind, key, _) in enumerate(ends)
            if kind in ("node", "scope") and index not in fed and key not in inputs
        },
    )
    head = header.height if header and not across else 0.0
    page = _Page(ends, item_sizes, pieces, ranks, sheets, head, spacing, wrap)
    sheet = Sheet(page.width, page.height)
    offset = 0.0
    if header and across:
        offset = header.height
        sheet.width += offset
        sheet.height = max(sheet.height, header.left + header.right + 3 * spacing.pad)
    elif header:
        ports = [page.x_of(index) for index, end in enumerate(ends) if end[0] == "in"]
        side = spacing.pad * 0.7
        if ports:
            offset = max(0.0, side + header.left + 8 - min(ports))
            sheet.width = max(sheet.width + offset, max(ports) + offset + 8 + header.right + side)
        else:
            sheet.width = max(sheet.width, header.left + header.right + 3 * side)
            offset = (sheet.width - page.width) / 2
    if offset:
        page.shift = [shift + offset for shift in page.shift]
        page.right_edges = [edge + offset for edge in page.right_edges]
    if ranks.count and header and across and any(end[0] == "out" for end in ends):
        page.top[-1] = page.bottom[-1] = sheet.height
    _fill(sheet, page, sheets)
    return sheet


def _fill(sheet: Sheet, page: _Page, sheets: dict[str, Sheet]) -> None:
    """Writes boxes, ports, wires and tags of a finished page."""
    for index, (kind, key, output) in enumerate(page.ends):
        x = page.x_of(index)
        width, height = page.sizes[index]
        if kind == "in":
            sheet.entries[key, output] = x
        elif kind == "out":
            sheet.exits[key, output] = x
        else:
            box = Box(x - width / 2, page.y_of(index), width, height)
            (sheet.nodes if kind == "node" else sheet.scopes)[key] = box
    leaving = _leaving_points(page, sheets)
    arriving = _arriving_points(page, sheets)
    deepest: dict[Value, int] = {
        value: last for value, (_, last) in page.reach.items() if value in page.lanes
    }
    trunk_done: set[Value] = set()
    tagged: dict[Value, tuple[float, float, int]] = {}
    start, end = page.ranks.start, page.ranks.end
    # The longest piece of each value draws the trunk; the others branch off.
    for piece in sorted(page.pieces, key=lambda p: -start[p.target]):
        value = piece.value
        x, y = leaving[value, piece.source]
        target = page.ends[piece.target]
        for target_x, target_y in arriving[piece]:
            into = target[1] if target[0] == "node" else None
            if start[piece.target] <= end[piece.source]:
                sheet.wires.append((value, into, _way_back(sheet, page, x, y, target_x, target_y)))
                continue
            path: list[tuple[float, ...]] = [(x, y)]
            row, way_x = end[piece.source], x
            last = start[piece.target] - 1
            lanes = page.lanes.get(value, {})
            if last > row and value in trunk_done:
                way_x = lanes[page.column[last]] + page.shift[page.column[last]]
                path = [(way_x, page.bottom[last])]
                row = last
            elif last > row:
                if last + 1 == deepest[value]:
                    trunk_done.add(value)
                path.append((x, page.bottom[row]))
                while row < last:
                    lane_x = lanes[page.column[row + 1]] + page.shift[page.column[row + 1]]
                    path.extend(page.step_down(value, row, way_x, lane_x))
                    row, way_x = row + 1, lane_x
                    while row < last and row not in page.tracks:
                        row += 1
                    path.append((way_x, page.bottom[row]))
            else:
                path.append((x, page.bottom[row]))
            path.extend(page.step_down(value, row, way_x, target_x))
            path.append((target_x, target_y))
            sheet.wires.append((value, into, _straightened(path)))
        if page.ends[piece.source][0] == "node" and value not in tagged:
            tagged[value] = (x, y, end[piece.source])
    _tag(sheet, page, tagged)


def _tag(sheet: Sheet, page: _Page, tagged: dict[Value, tuple[float, float, int]]) -> None:
    """Puts each tag on the side of its line where fewer lines turn."""
    turns: dict[int, list[tuple[float, float]]] = {}
    for (left, right), row in page.turns:
        turns.setdefault(row, []).append((left, right))
    for value, (x, y, row) in tagged.items():
        crowd = [0, 0]
        for left, right in turns.get(row, ()):
            crowd[0] += left < x - 3 and right > x - _TAG_WIDTH
            crowd[1] += right > x + 3 and left < x + _TAG_WIDTH
        sheet.tags.append((value, x, y, crowd[1] > crowd[0]))


def _leaving_points(
    page: _Page, sheets: dict[str, Sheet]
) -> dict[tuple[Value, int], tuple[float, float]]:
    """Where each value leaves the item that it comes from."""
    outputs: dict[int, list[Value]] = {}
    for piece in page.pieces:
        values = outputs.setdefault(piece.source, [])
        if piece.value not in values:
            values.append(piece.value)
    points: dict[tuple[Value, int], tuple[float, float]] = {}
    for item, values in outputs.items():
        kind, key, _ = page.ends[item]
        x, y = page.x_of(item), page.y_of(item)
        width, height = page.sizes[item]
        if kind == "in":
            points[values[0], item] = (x, y)
        elif kind == "scope":
            for value in values:
                points[value, item] = (x - width / 2 + sheets[key].exits[value], y + height)
        else:
            values.sort(key=lambda value: value[1])
            step = min(14.0, width / (len(values) + 1))
            for index, value in enumerate(values):
                points[value, item] = (x + step * (index - (len(values) - 1) / 2), y + height)
    return points


def _arriving_points(
    page: _Page, sheets: dict[str, Sheet]
) -> dict[_Piece, list[tuple[float, float]]]:
    """Where each piece arrives; those from the left on the left, straight ones in the middle."""
    arriving: dict[_Piece, list[tuple[float, float]]] = {}
    to_nodes: dict[int, list[tuple[float, _Piece]]] = {}
    for piece in page.pieces:
        kind, key, _ = page.ends[piece.target]
        x, y = page.x_of(piece.target), page.y_of(piece.target)
        if kind == "scope":
            left = x - page.sizes[piece.target][0] / 2
            arriving[piece] = [(left + sheets[key].entries[piece.value], y)]
        elif kind == "out":
            arriving[piece] = [(x, y)]
        else:
            row = page.ranks.start[piece.target] - 1
            far = row > page.ranks.end[piece.source]
            lane = page.lanes.get(piece.value, {}).get(page.column[row]) if far else None
            came = page.centres[piece.source] if lane is None else lane
            to_nodes.setdefault(piece.target, []).append((came, piece))
    for item, came in to_nodes.items():
        x, y = page.x_of(item), page.y_of(item)
        came.sort(key=lambda entry: entry[0])
        slots = [(where, piece) for where, piece in came for _ in range(piece.inputs)]
        straight = [i for i, (where, _) in enumerate(slots) if abs(where - page.centres[item]) < 2]
        middle = straight[0] if len(straight) == 1 else (len(slots) - 1) / 2
        reach = max(middle, len(slots) - 1 - middle, 1)
        step = min(9.0, page.sizes[item][0] * 0.42 / reach)
        for index, (_, piece) in enumerate(slots):
            arriving.setdefault(piece, []).append((x + step * (index - middle), y))
    return arriving


def _way_back(
    sheet: Sheet, page: _Page, x: float, y: float, target_x: float, target_y: float
) -> list[tuple[float, ...]]:
    """Leads a value up the page, outside of everything: only cycles need it."""
    sheet.width += 2 * page.spacing.lane
    side = sheet.width - page.spacing.lane
    turn = page.spacing.rank * 0.6
    return [
        (x, y),
        (x, y + turn, side, y + turn, side, y),
        (side, target_y),
        (side, target_y - turn, target_x, target_y - turn, target_x, target_y),
    ]


def _straightened(path: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    """Joins straight steps along one vertical, and drops those of no length."""
    clean: list[tuple[float, ...]] = [path[0]]
    for step in path[1:]:
        x, y = clean[-1][-2:]
        if len(step) == 2 and abs(step[0] - x) < 0.01:
            if abs(step[1] - y) < 0.01:
                continue
            if len(clean) > 1 and len(clean[-1]) == 2 and abs(clean[-2][-2] - x) < 0.01:
                clean[-1] = step
                continue
        clean.append(step)
    return clean
