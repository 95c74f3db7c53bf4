"""Reads series out of a run's file: chunks first, then the records that are in none yet."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from visuai.record.codec import decode
from visuai.record.columns import Columns, concatenate, downsample

CHUNK = 64
"""Columns in a chunk."""

FACTOR = 16
"""Columns of one level that are one column of the next; chunks that are merged together."""

_LAST = 2**62


@dataclass
class Tail:
    """Records that are in no chunk yet, decoded once and kept while they are there."""

    decoded: dict[int, tuple[Columns, NDArray[np.int64]]] = field(
        default_factory=dict[int, tuple[Columns, NDArray[np.int64]]]
    )

    def read(self, connection: sqlite3.Connection) -> list[tuple[Columns, NDArray[np.int64]]]:
        """Gives the rows of each such record with the series that each row is of, in order."""
        numbers = [number for (number,) in connection.execute("SELECT id FROM record ORDER BY id")]
        kept = {number: self.decoded[number] for number in numbers if number in self.decoded}
        for number in numbers:
            if number not in kept:
                (payload,) = connection.execute(
                    "SELECT payload FROM record WHERE id = ?", (number,)
                ).fetchone()
                kept[number] = decode(payload)
        self.decoded = kept
        return [kept[number] for number in numbers]


def present(connection: sqlite3.Connection, tail: Tail) -> set[int]:
    """Gives the numbers of all series that have a record; to be called in a read transaction.

    Args:
        connection: The run.
        tail: Records decoded before.

    Raises:
        FormatError: If the file is damaged.
    """
    # From one series to the next along the index: there may be a thousand chunks of each.
    found = connection.execute(
        "WITH RECURSIVE each(number) AS (SELECT min(series) FROM chunk UNION ALL "
        "SELECT (SELECT min(series) FROM chunk WHERE series > number) FROM each "
        "WHERE number IS NOT NULL) SELECT number FROM each WHERE number IS NOT NULL"
    ).fetchall()
    numbers = {int(number) for (number,) in found}
    keys = [each for _, each in tail.read(connection)]
    if keys:
        numbers.update(np.unique(np.concatenate(keys)).tolist())
    return numbers


def read_series(
    connection: sqlite3.Connection,
    tail: Tail,
    series: int,
    *,
    start: int = 0,
    stop: int | None = None,
    columns: int | None = None,
    bins: bool = True,
) -> Columns:
    """Reads one series; to be called in a read transaction.

    Args:
        connection: The run.
        tail: Records decoded before.
        series: Number of the series.
        start: First step wanted.
        stop: One past the last step wanted, None for no end.
        columns: Most columns wanted, None for every record.
        bins: Whether to read the bins too: they are most of a chunk.

    Raises:
        FormatError: If the file is damaged.
    """
    end = _LAST if stop is None else stop
    rows: list[tuple[int, int, int, int]] = connection.execute(
        "SELECT level, first, last, id FROM chunk "
        "WHERE series = ? AND last >= ? AND first < ? ORDER BY level DESC, first",
        (series, start, end),
    ).fetchall()
    parts: list[Columns] = []
    for number in _chosen(rows, columns):
        (data,) = connection.execute("SELECT data FROM chunk WHERE id = ?", (number,)).fetchone()
        parts.append(decode(data, bins=bins)[0])
    for recorded, keys in tail.read(connection):
        own = keys == series
        if own.any():
            rows_of_it = recorded.select(own)
            parts.append(rows_of_it if bins else rows_of_it.without_bins())
    joined = concatenate(parts)
    wanted = (joined.last >= start) & (joined.first < end)
    if not wanted.all():
        joined = joined.select(wanted)
    return joined if columns is None else downsample(joined, columns)


def read_step(
    connection: sqlite3.Connection, tail: Tail, step: int
) -> list[tuple[Columns, NDArray[np.int64]]]:
    """Reads every series at one step; to be called in a read transaction.

    Args:
        connection: The run.
        tail: Records decoded before.
        step: A step that was recorded.

    Returns:
        Rows and, for each, the number of its series.

    Raises:
        FormatError: If the file is damaged.
    """
    found = [
        (columns.select(here), keys[here])
        for columns, keys in tail.read(connection)
        if (here := columns.first == step).any()
    ]
    (first,) = connection.execute(
        "SELECT max(first) FROM chunk WHERE level = 0 AND first <= ?", (step,)
    ).fetchone()
    if first is not None:
        rows = connection.execute(
            "SELECT series, data FROM chunk WHERE level = 0 AND first = ?", (first,)
        )
        for series, data in rows:
            columns, _ = decode(data)
            here = columns.first == step
            if here.any():
                found.append(
                    (columns.select(here), np.full(int(here.sum()), series, dtype=np.int64))
                )
    return found


def _chosen(rows: list[tuple[int, int, int, int]], columns: int | None) -> list[int]:
    """Chooses chunks that cover all steps once: coarse ones, if they give enough columns.

    Every level covers all steps from the first up to where it ends, and a finer one ends later.
    """
    coarsest = rows[0][0] if rows and columns is not None else 0
    chosen: list[int] = []
    for limit in range(coarsest, -1, -1):
        chosen, covered = [], -1
        for level, first, last, number in rows:
            if level <= limit and first > covered:
                chosen.append(number)
                covered = last
        if columns is None or len(chosen) * CHUNK >= columns:
            break
    return chosen
