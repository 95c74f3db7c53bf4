"""Statistics of one quantity of several subjects, over the same columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visuai.record.columns import Columns
from visuai.record.series import Series

Cells = dict[str, NDArray[Any]]
"""Fields of `visuai.record.columns.Columns` by name, subjects × columns."""

Array = NDArray[np.float64]

_SHARES = {
    "mean": ("total", "count"),
    "mean_abs": ("magnitude", "count"),
    "rms": ("square", "count"),
    "norm": ("square", "records"),
    "zero_share": ("zeros", "count"),
    "count": ("count", "records"),
}
"""What is divided by what; the roots of two of them are taken."""

_CELLS = 20_000

_EXTREMES = {"low": "minimum", "high": "maximum"}


class Statistics(Mapping[str, Series]):
    """The series of some subjects, without bins; each is made when it is asked for.

    It is a view: good in the snapshot of the run that it was asked for in. Its columns are the
    same for all subjects, and a series leaves out those without a record.

    Rules of diagnoses see it as arrays: `of` and `row` give, over all columns, one of ``mean``,
    ``mean_abs``, ``rms`` and ``norm`` of the elements, ``zero_share``, ``count`` (elements of
    one record), ``low`` and ``high`` (the smallest and the largest element). It is NaN where
    there is no record, or one with elements that are not finite.

    Attributes:
        first: First step of each column, int64, ascending.
        last: Last step of each column.
    """

    def __init__(
        self,
        quantity: str,
        rows: Mapping[str, int],
        first: NDArray[np.int64],
        last: NDArray[np.int64],
        cells: Cells,
    ) -> None:
        """Takes arrays as they are.

        Args:
            quantity: What it is of.
            rows: Row of each subject, by FQN.
            first: First step of each column.
            last: Last step of each column.
            cells: The fields.
        """
        self.first = first
        self.last = last
        self._quantity = quantity
        self._rows = rows
        self._cells = cells

    def recorded(self, names: Iterable[str]) -> Statistics:
        """Gives the same of some subjects only: those that have a record, in the order given."""
        rows = {
            name: self._rows[name]
            for name in names
            if self._field("records", self._rows[name]).any()
        }
        return Statistics(self._quantity, rows, self.first, self.last, self._cells)

    def steps(self) -> NDArray[np.int64]:
        """Gives the first steps of the columns in which any of the subjects has a record."""
        some = np.zeros(len(self.first), dtype=np.bool_)
        for row in self._rows.values():
            some |= self._field("records", row) > 0
        return self.first[some]

    def nonfinite(self) -> dict[str, tuple[int, int]]:
        """Gives, of subjects with elements that are not finite, the first column's steps."""
        found: dict[str, tuple[int, int]] = {}
        for name, row in self._rows.items():
            columns = np.flatnonzero(self._field("nonfinite", row))
            if len(columns):
                found[name] = int(self.first[columns[0]]), int(self.last[columns[0]])
        return found

    def of(self, names: Sequence[str], statistic: str) -> Array:
        """Gives one statistic of some subjects, float64, subjects × columns."""
        values = np.full((len(names), len(self.first)), np.nan)
        places = [place for place, name in enumerate(names) if name in self._rows]
        rows = [self._rows[names[place]] for place in places]
        # Some rows at a time: all of a field at once would be a copy of it.
        some = max(1, _CELLS // max(1, len(self.first)))
        for at in range(0, len(rows), some):
            values[places[at : at + some]] = self._values(rows[at : at + some], statistic)
        return values

    def row(self, name: str, statistic: str) -> Array:
        """Gives one statistic of one subject, NaN if it has none."""
        return self.of((name,), statistic)[0]

    def __getitem__(self, name: str) -> Series:
        row = self._rows[name]
        fields: dict[str, Any] = {each: self._field(each, row) for each in self._cells}
        for each in ("minimum", "maximum"):
            fields[each] = fields[each].astype(np.float64)
        fields["records"] = fields["records"].astype(np.int64)
        bins = np.zeros((len(self.first), 2, 0), dtype=np.float32)
        columns = Columns(**fields, first=self.first, last=self.last, low=0, bins=bins)
        return Series(name, self._quantity, columns.select(columns.records > 0))

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def _field(self, field: str, rows: int | list[int]) -> NDArray[Any]:
        return self._cells[field][rows]

    def _values(self, rows: list[int], statistic: str) -> Array:
        known = (self._field("nonfinite", rows) == 0) & (self._field("records", rows) > 0)
        if statistic in _EXTREMES:
            return np.where(known, self._field(_EXTREMES[statistic], rows), np.nan)
        above, below = (self._field(field, rows) for field in _SHARES[statistic])
        values = np.full(above.shape, np.nan)
        np.divide(above, below, out=values, where=known & (below > 0))
        return np.sqrt(values, out=values) if statistic in ("rms", "norm") else values
