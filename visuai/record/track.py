"""Tracks: what each quantity of everything did, kept in memory and carried on as a run grows."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from visuai.record.grid import Grid
from visuai.record.statistics import Statistics

if TYPE_CHECKING:
    from visuai.record.columns import Columns
    from visuai.record.run import Run

_CELLS, _MOST_COLUMNS, _FEWEST_COLUMNS = 300_000, 2000, 64

State = tuple[int, int, int]


class Tracks:
    """The statistics, not the bins, of all quantities of a run that were asked for.

    Each has up to 2000 columns, those of a run with many parameters fewer: as many as make
    300,000 cells of 60 bytes. Of a run that is being recorded only what is new is read, and the
    memory that this takes soon stays the same, however long the run gets.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._tracks: dict[str, _Track] = {}

    @property
    def cells(self) -> int:
        """Cells in memory."""
        return sum(track.cells for track in list(self._tracks.values()))

    def of(self, quantity: str) -> Statistics:
        """Gives the statistics of a quantity, as far as the run has come.

        To be called, and what it gives to be used, in a snapshot of the run: there all
        quantities have the same columns, and no other thread carries them on.

        Args:
            quantity: One of `visuai.record.schema.QUANTITIES`.

        Raises:
            FormatError: If the file is damaged.
        """
        with self._run.snapshot():
            parameters = self._run.parameters
            names = self._run.modules if quantity.startswith("activ") else parameters
            width = _CELLS // max(len(parameters), 1) // 2 * 2
            width = min(_MOST_COLUMNS, max(_FEWEST_COLUMNS, width))
            track = self._tracks.get(quantity)
            if track is None or track.width != width or not track.has(names):
                track = self._tracks[quantity] = _Track(self._run, quantity, tuple(names), width)
            return track.statistics(self._run.glance().state)


class _Track:
    """One quantity of everything."""

    def __init__(self, run: Run, quantity: str, names: tuple[str, ...], width: int) -> None:
        self.width = width
        self._run = run
        self._quantity = quantity
        self._names = names
        self._state: State | None = None
        self._grid = Grid(quantity, names, width, 0)

    @property
    def cells(self) -> int:
        return len(self._names) * self.width

    def has(self, names: Collection[str]) -> bool:
        return self._grid.rows.keys() >= set(names)

    def statistics(self, state: State) -> Statistics:
        """Gives what there is; to be called in a snapshot with that state of the run."""
        if state != self._state:
            before, self._state = self._state, None  # should it fail, all is read anew
            self._carry_on(before, state)
            self._state = state
        return self._grid.statistics()

    def _carry_on(self, before: State | None, state: State) -> None:
        grid = self._grid
        # Of the last step more may have been recorded since, so it is read again.
        start = before[1] if before and before[2] == state[2] and before[1] <= state[1] else 0
        steps = self._run.steps_from(start)
        if start > 0 and len(steps) <= grid.records:
            grid.forget()
            grid.extend(steps[steps > start])
        else:  # as much is new as there is, or what was read is gone
            start, steps = 0, self._run.steps if start else steps
            self._grid = grid = Grid(self._quantity, self._names, self.width, len(steps))
            grid.extend(steps)
        if not len(steps):
            return
        last: list[tuple[Columns, NDArray[np.int64]]] = []
        for columns, rows in self._run.pieces(
            self._quantity, grid.rows, start=start, records=grid.each
        ):
            at_last = columns.last >= steps[-1]
            if at_last.any():
                last.append((columns.select(at_last), rows[at_last]))
                columns, rows = columns.select(~at_last), rows[~at_last]
            if len(rows):
                grid.add(columns, rows)
        grid.remember()
        for columns, rows in last:
            grid.add(columns, rows)
