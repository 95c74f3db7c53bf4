"""The tail of a run: the records that are in no chunk yet, kept while a run is being read."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import numpy as np

from visuai.record.codec import decode
from visuai.record.columns import Columns
from visuai.record.schema import QUANTITIES


class Recent:
    """The rows of one record that is in no chunk yet, in a fraction of the memory.

    Of each row only the bins from its first that is not empty to its last are kept, as the
    integers that they are: those of all rows together reach over far more magnitudes.

    Attributes:
        keys: The number of the series that each row is of.
        columns: The rows without their bins.
    """

    def __init__(self, payload: object) -> None:
        """Decodes a record.

        Raises:
            FormatError: If it is damaged.
        """
        full, self.keys = decode(payload)
        self.columns = full.without_bins()
        rows, width = len(full), int(full.bins.shape[2])
        self._low = full.low
        self._starts = self._ends = self._places = np.zeros(rows, dtype=np.int64)
        self._counts = np.zeros(0, dtype=np.uint16)
        if width:
            either: Any = full.bins
            used: Any = either.any(axis=1)
            empty = ~used.any(axis=1)
            self._starts = np.where(empty, 0, used.argmax(axis=1))
            self._ends = np.where(empty, 0, width - used[:, ::-1].argmax(axis=1))
            place = np.arange(width)
            kept: Any = (place >= self._starts[:, None]) & (place < self._ends[:, None])
            widths = 2 * (self._ends - self._starts)
            self._places = np.cumsum(widths) - widths
            self._counts = full.bins[np.repeat(kept[:, None], 2, axis=1)].astype(np.uint16)

    def of(self, series: int, *, bins: bool) -> list[Columns]:
        """Gives the rows of one series, each by itself."""
        found: list[Columns] = []
        for row in np.flatnonzero(self.keys == series).tolist():
            columns = self.columns.select(slice(row, row + 1))
            found.append(self._with_bins(columns, row) if bins else columns)
        return found

    def at(self, step: int, quantity: int) -> Generator[tuple[Columns, int]]:
        """Gives the rows of a quantity at a step, each by itself with the number of its series."""
        here = (self.columns.first == step) & (self.keys % len(QUANTITIES) == quantity)
        for row in np.flatnonzero(here).tolist():
            columns = self.columns.select(slice(row, row + 1))
            yield self._with_bins(columns, row), int(self.keys[row])

    def _with_bins(self, columns: Columns, row: int) -> Columns:
        start, width = int(self._starts[row]), int(self._ends[row] - self._starts[row])
        place = int(self._places[row])
        counts: Any = self._counts[place : place + 2 * width].astype(np.float32)
        return replace(columns, low=self._low + start, bins=counts.reshape(1, 2, width))


class Tail:
    """Records that are in no chunk yet, decoded once and kept while they are there."""

    def __init__(self) -> None:
        self._decoded: dict[int, Recent] = {}

    def read(self, connection: sqlite3.Connection) -> list[Recent]:
        """Gives each such record, in order."""
        numbers = [number for (number,) in connection.execute("SELECT id FROM record ORDER BY id")]
        kept = {number: self._decoded[number] for number in numbers if number in self._decoded}
        for number in numbers:
            if number not in kept:
                (payload,) = connection.execute(
                    "SELECT payload FROM record WHERE id = ?", (number,)
                ).fetchone()
                kept[number] = Recent(payload)
        self._decoded = kept
        return [kept[number] for number in numbers]
