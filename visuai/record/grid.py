"""A grid: the statistics of one quantity of everything, in memory that stays the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visuai.record.columns import Columns, merge, starts_of
from visuai.record.statistics import Cells, Statistics

_FIELDS: dict[str, tuple[type[Any], Callable[..., Any], float]] = {
    "records": (np.int32, np.add, 0),
    "count": (np.int64, np.add, 0),
    "zeros": (np.int64, np.add, 0),
    "nonfinite": (np.int64, np.add, 0),
    "total": (np.float64, np.add, 0),
    "magnitude": (np.float64, np.add, 0),
    "square": (np.float64, np.add, 0),
    # In single precision, as in the file.
    "minimum": (np.float32, np.fmin, np.nan),
    "maximum": (np.float32, np.fmax, np.nan),
}
"""Of each field its type, how two are merged, and what stands for none."""


class Grid:
    """Statistics by subject (rows) and step (columns), the same columns for all subjects.

    A column stands for a record or, once there are more records than columns, for two, four,
    eight, ... of them: counted from the first record of the run, so that the same records give
    the same columns whether they came at once or one by one. Each time there are too many,
    neighbours are merged, in place.

    Attributes:
        rows: The row of each subject, by FQN.
        width: Most columns.
        each: Records that a column stands for.
        records: Records so far.
    """

    def __init__(self, quantity: str, names: Sequence[str], width: int, records: int) -> None:
        """Makes an empty one.

        Args:
            quantity: What it is of.
            names: FQNs of the subjects.
            width: Most columns, even.
            records: How many records it will hold at once, as far as is known.
        """
        self._quantity = quantity
        self.rows = {name: row for row, name in enumerate(names)}
        self.width = width
        self.each = 1
        while self.each * width < records:
            self.each *= 2
        self.records = 0
        self._first, self._last = np.zeros((2, width), dtype=np.int64)
        # What is zero takes memory once something else is written there.
        self._cells: Cells = {
            name: np.zeros((len(names), width), dtype=kind)
            if none == 0
            else np.full((len(names), width), none, dtype=kind)
            for name, (kind, _, none) in _FIELDS.items()
        }
        self._before: Cells = {}

    @property
    def columns(self) -> int:
        """Columns that are in use."""
        return -(-self.records // self.each)

    def extend(self, steps: NDArray[np.int64]) -> None:
        """Makes room for the records of further steps, which `add` brings.

        Args:
            steps: Steps, ascending, behind those that there are.
        """
        if not len(steps):
            return
        while self.records + len(steps) > self.width * self.each:
            self._halve()
        places = np.arange(self.records, self.records + len(steps)) // self.each
        used, begins = np.unique(places, return_index=True)
        new = used >= self.columns
        self._first[used[new]] = steps[begins[new]]
        self._last[used] = steps[np.append(begins[1:], len(steps)) - 1]
        self.records += len(steps)

    def add(self, columns: Columns, rows: NDArray[np.int64]) -> None:
        """Adds what was recorded, each where its first step belongs.

        Args:
            columns: Columns of any subjects, without bins.
            rows: The row of each.
        """
        steps = self._first[: self.columns]
        places = np.maximum(np.searchsorted(steps, columns.first, side="right") - 1, 0)
        cells = rows * self.width + places
        if (np.diff(cells) < 0).any():
            order = np.argsort(cells, kind="stable")
            columns, cells = columns.select(order), cells[order]
        starts = starts_of(cells)
        columns, cells = merge(columns, starts), cells[starts]
        at = np.divmod(cells, self.width)
        for name, (_, merged, _) in _FIELDS.items():
            field = self._cells[name]
            field[at] = merged(field[at], getattr(columns, name))

    def remember(self) -> None:
        """Remembers the last column as it is, for `forget`."""
        last = self.columns - 1
        self._before = {name: np.array(field[:, last]) for name, field in self._cells.items()}

    def forget(self) -> None:
        """Takes what was added to the last column since `remember` out of it again."""
        for name, values in self._before.items():
            self._cells[name][:, self.columns - 1] = values

    def statistics(self) -> Statistics:
        """Gives what is in it, as long as nothing is added."""
        used = self.columns
        cells = {name: field[:, :used] for name, field in self._cells.items()}
        first, last = self._first[:used], self._last[:used]
        return Statistics(self._quantity, self.rows, first, last, cells)

    def _halve(self) -> None:
        half = self.width // 2
        for name, (_, merged, none) in _FIELDS.items():
            field = self._cells[name]
            merged(field[:, ::2], field[:, 1::2], out=field[:, :half])
            field[:, half:] = none
        self._first[:half] = self._first[::2]
        self._last[:half] = np.maximum(self._last[::2], self._last[1::2])
        self._first[half:] = self._last[half:] = 0
        self.each *= 2
