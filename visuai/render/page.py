"""Ranks, columns and lanes of one scope, while it is laid out."""

from __future__ import annotations

from itertools import accumulate
from math import log
from typing import NamedTuple

from visuai.render.box import Spacing
from visuai.render.columns import place
from visuai.render.lanes import Lanes
from visuai.render.ranks import Ranks
from visuai.render.wiring import End, Value

_MANY = 3  # entries of a scope, from which on it is held by its exit
_STUB = 0.25  # of the tallest column: one that is shorter than this is not worth a turn
_ASIDE = 60.0  # pixels, from the item that a value comes from or goes to

Ports = dict[int, tuple[float, dict[Value, float], dict[Value, float]]]
"""For an item that is a scope: its width, and where values enter and leave it."""


class Piece(NamedTuple):
    """The way of one value from the item that gives it to one that reads it."""

    value: Value
    source: int
    target: int
    inputs: int  # number of inputs that read it


class Page:
    """Ranks, columns and centres of the items of one scope, while it is laid out."""

    def __init__(
        self,
        ends: list[End],
        sizes: list[tuple[float, float]],
        pieces: list[Piece],
        ranks: Ranks,
        ports: Ports,
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
            self._straight(ports),
            [spacing.port if kind in ("in", "out") else spacing.item for kind, _, _ in ends],
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
        self.lanes = self._lanes(ports)
        self.shift, self.width = self._shifts()

    def _straight(self, ports: Ports) -> dict[tuple[int, int], float]:
        """How far apart the centres of two items are where the line between them is straight."""
        between: dict[tuple[int, int], list[Piece]] = {}
        for piece in self.pieces:
            between.setdefault((piece.source, piece.target), []).append(piece)
        shifts: dict[tuple[int, int], float] = {}
        for (source, target), pieces in between.items():
            shift = 0.0
            if source in ports:
                width, _, exits = ports[source]
                left = [exits[piece.value] for piece in pieces]
                # What joins many values, such as `cat`, stands in the middle below them. Of
                # those between two scopes the one made last is the spine.
                joined = target not in ports and len(left) >= _MANY
                main = left[-1] if target in ports else left[0]
                shift += (sum(left) / len(left) if joined else main) - width / 2
            if target in ports:
                width, entries, exits = ports[target]
                shift -= _upright(pieces[-1].value, entries, exits) - width / 2
            if self.ranks.start[target] > self.ranks.end[source] + 1:
                # Values that pass ranks do so on the right: they cross the border there too,
                # and so do not cross the spine. A scope's own ports are aside already.
                kinds = self.ends[source][0], self.ends[target][0]
                if kinds == ("node", "out"):
                    shift += _ASIDE
                elif kinds == ("in", "node"):
                    shift -= _ASIDE
            shifts[source, target] = shift
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
            breaks, tallest = self._without_stubs(breaks, tallest)
            shape = (len(breaks) + 1) * (width + space.column) / tallest
            cost = abs(log(shape / space.aspect))
            if cost < best[0] - 0.2 and tallest < 0.65 * total:
                best = (cost, breaks)
        return best[1]

    def _without_stubs(self, breaks: list[int], tallest: float) -> tuple[list[int], float]:
        """Has a short last column go on below the one before it."""
        if not breaks:
            return breaks, tallest
        lines = [a + b for a, b in zip(self.heights, self.gaps, strict=True)]
        before = sum(lines[breaks[-2] + 1 if len(breaks) > 1 else 0 : breaks[-1] + 1])
        last = sum(lines[breaks[-1] + 1 :])
        if last > _STUB * tallest:
            return breaks, tallest
        return breaks[:-1], max(tallest, before + last)

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
        # Ports stay with what they lead to.
        kinds = {end[0] for end in self.ends}
        first = 1 if "in" in kinds else 0
        last = rows - 2 if "out" in kinds else rows - 1
        return [
            first <= row < last and crossings[row] <= most and not spans[row] for row in range(rows)
        ]

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
            room = space.turn + 1 + 5 * crossing if row in self.tracks else 0.0
            lowest = max(lowest, y + height + room)
            y += height + self.gaps[row]
        total = lowest if has_exit else lowest + space.pad
        if has_exit:
            total = max(lowest, top[-1])
            top[-1] = bottom[-1] = total
        return top, bottom, total

    def _lanes(self, ports: Ports) -> dict[Value, dict[int, float]]:
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
        ways: list[tuple[int, float, float, Value, int, int]] = []
        for value, (source, target) in far.items():
            leaves, arrives = self.centres[source], self.centres[target]
            if source in ports:
                width, _, exits = ports[source]
                leaves += exits[value] - width / 2
            if target in ports:
                width, entries, _ = ports[target]
                arrives += entries[value] - width / 2
            length = ranks.start[target] - ranks.end[source]
            ways.append((length, leaves, arrives, value, source, target))
        chosen: dict[Value, dict[int, float]] = {}
        for _, leaves, arrives, value, source, target in sorted(ways):
            chosen[value] = {}
            row, last = ranks.end[source] + 1, ranks.start[target] - 1
            while row <= last:
                stop = row
                while stop < last and self.column[stop + 1] == self.column[row]:
                    stop += 1
                chosen[value][self.column[row]] = lanes.find(row, stop, leaves, arrives)
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
        """The horizontal centre of an item, once its column has its place."""
        return self.centres[item] + self.shift[self.column[self.ranks.start[item]]]

    def y_of(self, item: int) -> float:
        """The upper edge of an item; a box of one rank is centred in it."""
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
        low = y + self.spacing.turn + 5 * track
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


def _upright(value: Value, entries: dict[Value, float], exits: dict[Value, float]) -> float:
    """Gives where a scope is to be held so that data goes straight down through it.

    One of many values that are concatenated inside comes in beside where the result goes out: a
    chain of such scopes, each held by the way in, would be a staircase.
    """
    entry = entries[value]
    if len(entries) < _MANY:
        return entry
    middle = (min(entries.values()) + max(entries.values())) / 2
    return min(exits.values(), key=lambda x: abs(x - entry), default=middle)
