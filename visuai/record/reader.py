"""Reads series out of a run's file: chunks first, then the records that are in none yet."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visuai.record.codec import decode
from visuai.record.columns import (
    Columns,
    concatenate,
    downsample,
    empty,
    merge,
    shares,
    starts_of,
)
from visuai.record.schema import QUANTITIES
from visuai.record.tail import Tail

CHUNK = 64
"""Columns in a chunk."""

FACTOR = 16
"""Columns of one level that are one column of the next; chunks that are merged together."""

_LAST = 2**62

_BATCH = 16


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
    keys = [each.keys for each in tail.read(connection)]
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
    merging = bins and columns is not None
    parts: list[Columns] = []
    for number in _chosen(rows, columns):
        (data,) = connection.execute("SELECT data FROM chunk WHERE id = ?", (number,)).fetchone()
        part = _within(decode(data, bins=bins)[0], start, end)
        parts.append(_narrow(part) if merging else part)
    for recent in tail.read(connection):
        parts += [_within(row, start, end) for row in recent.of(series, bins=bins)]
    if columns is None:
        return concatenate(parts)
    return _merged(parts, columns) if bins else downsample(concatenate(parts), columns)


def _narrow(columns: Columns) -> Columns:
    """Gives columns as they are in the file, with bins of half the size: they are integers."""
    bins: Any = columns.bins.astype(np.uint16)
    return replace(columns, bins=bins)


def _merged(parts: list[Columns], most: int) -> Columns:
    """Joins columns, and merges them so that no more than so many remain.

    It does so in batches, and takes each off the list: all bins of a long run side by side
    take a lot of memory.
    """
    numbers = shares([part.records for part in parts], most)
    merged, kept = [empty()], [np.zeros(0, dtype=np.int64)]
    while parts:
        batch = np.concatenate(numbers[:_BATCH])
        starts = starts_of(batch)
        merged.append(merge(concatenate(parts[:_BATCH]), starts))
        kept.append(batch[starts])
        del parts[:_BATCH], numbers[:_BATCH]
    joined = concatenate(merged)
    merged.clear()
    # A column may have begun in one batch and go on in the next.
    return merge(joined, starts_of(np.concatenate(kept)))


def _within(columns: Columns, start: int, end: int) -> Columns:
    wanted = (columns.last >= start) & (columns.first < end)
    return columns if wanted.all() else columns.select(wanted)


def read_step(
    connection: sqlite3.Connection, tail: Tail, step: int, quantity: int
) -> list[tuple[Columns, int]]:
    """Reads every series of a quantity at one step; to be called in a read transaction.

    Args:
        connection: The run.
        tail: Records decoded before.
        step: A step that was recorded.
        quantity: Place of the quantity in `visuai.record.schema.QUANTITIES`.

    Returns:
        Rows, each with the number of its series.

    Raises:
        FormatError: If the file is damaged.
    """
    found = [row for recent in tail.read(connection) for row in recent.at(step, quantity)]
    (first,) = connection.execute(
        "SELECT max(first) FROM chunk WHERE level = 0 AND first <= ?", (step,)
    ).fetchone()
    if first is not None:
        rows = connection.execute(
            "SELECT series, data FROM chunk WHERE level = 0 AND first = ? AND series % ? = ?",
            (first, len(QUANTITIES), quantity),
        )
        for series, data in rows:
            columns, _ = decode(data)
            here = columns.first == step
            if here.any():
                found.append((columns.select(here), int(series)))
    return found


def read_all(
    connection: sqlite3.Connection, tail: Tail, quantity: int, *, records: int = 1
) -> Generator[tuple[Columns, NDArray[np.int64]]]:
    """Reads every series of a quantity without bins; to be called in a read transaction.

    Args:
        connection: The run.
        tail: Records decoded before.
        quantity: Place of the quantity in `visuai.record.schema.QUANTITIES`.
        records: Most records merged into a column; the last one is always by itself.

    Yields:
        Columns, with the number of the series of each. Those of one series are in order.

    Raises:
        FormatError: If the file is damaged.
    """
    level = 0
    while FACTOR ** (level + 1) <= records:
        level += 1
    for series in sorted(present(connection, tail)):
        if series % len(QUANTITIES) != quantity:
            continue
        rows = connection.execute(
            "SELECT level, first, last, id FROM chunk WHERE series = ? AND (level = 0 "
            "OR level <= ? AND last < (SELECT max(step) FROM step)) ORDER BY level DESC, first",
            (series, level),
        ).fetchall()
        parts: list[Columns] = []
        for number in _covering(rows):
            found = connection.execute("SELECT data FROM chunk WHERE id = ?", (number,))
            parts.append(decode(found.fetchone()[0], bins=False)[0])
        columns = concatenate(parts)
        yield columns, np.full(len(columns), series, dtype=np.int64)
    yield from _recent(connection, tail, quantity, 0)


def read_since(
    connection: sqlite3.Connection, tail: Tail, quantity: int, start: int
) -> Generator[tuple[Columns, NDArray[np.int64]]]:
    """Reads every series of a quantity, record by record, from a step on; see `read_all`."""
    # All chunks of a level begin at the same steps, and one of them may reach beyond the start.
    (first,) = connection.execute(
        "SELECT max(first) FROM chunk WHERE level = 0 AND first <= ?", (start,)
    ).fetchone()
    rows = connection.execute(
        "SELECT series, data FROM chunk WHERE level = 0 AND first >= ? AND last >= ? "
        "AND series % ? = ? ORDER BY first",
        (start if first is None else first, start, len(QUANTITIES), quantity),
    )
    for series, data in rows:
        columns, _ = decode(data, bins=False)
        columns = columns.select(columns.last >= start)
        yield columns, np.full(len(columns), series, dtype=np.int64)
    yield from _recent(connection, tail, quantity, start)


def _recent(
    connection: sqlite3.Connection, tail: Tail, quantity: int, start: int
) -> Generator[tuple[Columns, NDArray[np.int64]]]:
    for recent in tail.read(connection):
        own = (recent.keys % len(QUANTITIES) == quantity) & (recent.columns.last >= start)
        if own.any():
            yield recent.columns.select(own), recent.keys[own]


def _chosen(rows: list[tuple[int, int, int, int]], columns: int | None) -> list[int]:
    """Chooses chunks that cover all steps once: coarse ones, if they give enough columns."""
    coarsest = rows[0][0] if rows and columns is not None else 0
    chosen: list[int] = []
    for limit in range(coarsest, -1, -1):
        chosen = _covering([row for row in rows if row[0] <= limit])
        if columns is None or len(chosen) * CHUNK >= columns:
            break
    return chosen


def _covering(rows: list[tuple[int, int, int, int]]) -> list[int]:
    """Chooses chunks that cover all steps once, the coarsest there are.

    Every level covers all steps from the first up to where it ends, and a finer one ends later.

    Args:
        rows: Level, first and last step, and number of each, coarsest first, then by step.
    """
    chosen: list[int] = []
    covered = -1
    for _, first, last, number in rows:
        if first > covered:
            chosen.append(number)
            covered = last
    return chosen
