"""A track: what one quantity of everything did, kept in memory and carried on as a run grows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from visuai.record.columns import Columns, concatenate, downsample
from visuai.record.run import Run
from visuai.record.series import Series

_CELLS = 100_000
_MOST, _FEWEST = 500, 64
_ONE_BY_ONE = 12
"""So many new steps are read step by step; more, series by series."""


class Track:
    """The statistics, not the bins, of one quantity of everything.

    A long run has from 500 to 1000 columns here, one with many parameters fewer: up to 200,000
    in all, which is 18 MB. An overview has fewer pixels.

    A run that is watched is asked twice a second: only what is new is read from its file.
    """

    def __init__(self, run: Run, quantity: str) -> None:
        self._run = run
        self._quantity = quantity
        self._state: tuple[int, int, int] | None = None
        self._columns: dict[str, Columns] = {}

    @property
    def cells(self) -> int:
        """Columns in memory, of all subjects together."""
        return sum(map(len, self._columns.values()))

    def series(self, subjects: Iterable[str], state: tuple[int, int, int]) -> dict[str, Series]:
        """Gives the series of subjects without their bins, those that are empty left out.

        To be called in a snapshot of the run, so that all of them end with the same step.

        Args:
            subjects: FQNs of what is recorded.
            state: `visuai.record.glance.Glance.state` of the run in it.

        Raises:
            FormatError: If the file is damaged.
        """
        names = list(subjects)
        if state != self._state or not self._columns.keys() >= set(names):
            self._carry_on(names, state)
        return {
            name: Series(name, self._quantity, self._columns[name])
            for name in names
            if len(self._columns[name])
        }

    def _carry_on(self, names: list[str], state: tuple[int, int, int]) -> None:
        most = min(max(_CELLS // max(len(names), 1), _FEWEST), _MOST)
        before = self._state
        if before is None or state[2] != before[2] or state[1] < before[1]:
            self._columns = {}
        known = {name: self._columns[name] for name in names if name in self._columns}
        made = {name: self._read(name, columns=most) for name in names if name not in known}
        if known and before is not None:
            # From the last step on: more may have been recorded of it since.
            for name, parts in self._since(list(known), before[1]).items():
                joined = _join(known[name], parts)
                known[name] = joined if len(joined) <= 2 * most else downsample(joined, most)
        read = {**made, **known}
        self._columns = {name: read[name] for name in names}
        self._state = state

    def _since(self, names: list[str], step: int) -> dict[str, list[Columns]]:
        steps = self._run.steps
        new = steps[np.searchsorted(steps, step) :].tolist()
        if len(new) > _ONE_BY_ONE:
            return {name: [self._read(name, start=step)] for name in names}
        found: dict[str, list[Columns]] = {name: [] for name in names}
        for each in new:
            for name, series in self._run.at(each, self._quantity).items():
                if name in found:
                    found[name].append(series.columns.without_bins())
        return found

    def _read(self, name: str, *, start: int = 0, columns: int | None = None) -> Columns:
        return self._run.series(
            name, self._quantity, start=start, columns=columns, bins=False
        ).columns


def _join(known: Columns, new: list[Columns]) -> Columns:
    """Puts new columns behind known ones; of a step that is in both, the new one is right."""
    added = concatenate(new)
    if len(known) and len(added) and known.first[-1] == known.last[-1] == added.first[0]:
        known = known.select(slice(0, -1))
    if len(known):
        added = added.select(added.first > known.last[-1])
    return concatenate([known, added]) if len(added) else known
