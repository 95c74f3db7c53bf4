"""Turns records, a step each, into chunks, a series each: so that a series is read at once."""

from __future__ import annotations

import sqlite3

import numpy as np

from visuai.record.codec import decode, encode
from visuai.record.columns import Columns, concatenate, merge
from visuai.record.reader import CHUNK, FACTOR

_INSERT = "INSERT INTO chunk (series, level, first, last, data) VALUES (?, ?, ?, ?, ?)"


def pending(connection: sqlite3.Connection) -> int:
    """Gives the number of records that are in no chunk yet."""
    (count,) = connection.execute("SELECT count(*) FROM record").fetchone()
    return int(count)


def transpose(connection: sqlite3.Connection, most: int = CHUNK) -> bool:
    """Moves the oldest records into one chunk for each series; to be called in a transaction.

    Records of one step stay together. All chunks made have the same first and last step, so
    that each level covers the same steps for every series.

    Args:
        connection: The run.
        most: How many records to move.

    Returns:
        Whether there were any.
    """
    rows = connection.execute(
        "SELECT id, step, payload FROM record ORDER BY id LIMIT ?", (most,)
    ).fetchall()
    if not rows:
        return False
    rows += connection.execute(
        "SELECT id, step, payload FROM record WHERE id > ? AND step <= ? ORDER BY id",
        (rows[-1][0], max(step for _, step, _ in rows)),
    ).fetchall()
    first, last = min(step for _, step, _ in rows), max(step for _, step, _ in rows)
    decoded = [decode(payload) for _, _, payload in rows]
    joined = concatenate([columns for columns, _ in decoded])
    keys = np.concatenate([keys for _, keys in decoded])
    order = np.argsort(keys, kind="stable")
    sorted_keys = keys[order]
    starts = np.flatnonzero(np.diff(sorted_keys, prepend=-1))
    for start, stop in zip(starts, [*starts[1:], len(order)], strict=True):
        chunk = joined.select(order[start:stop])
        connection.execute(
            _INSERT, (int(sorted_keys[start]), 0, first, last, encode(chunk, level=6))
        )
    connection.executemany("DELETE FROM record WHERE id = ?", [(number,) for number, _, _ in rows])
    _raise_levels(connection)
    return True


def _raise_levels(connection: sqlite3.Connection) -> None:
    """Merges chunks of a level, when enough are together, into chunks of the next one."""
    level = 0
    while True:
        (covered,) = connection.execute(
            "SELECT coalesce(max(last), -1) FROM chunk WHERE level = ?", (level + 1,)
        ).fetchone()
        ranges = connection.execute(
            "SELECT DISTINCT first, last FROM chunk WHERE level = ? AND first > ? ORDER BY first",
            (level, covered),
        ).fetchall()
        if len(ranges) < FACTOR:
            return
        first, last = ranges[0][0], ranges[FACTOR - 1][1]
        numbers = connection.execute(
            "SELECT DISTINCT series FROM chunk WHERE level = ? AND first BETWEEN ? AND ?",
            (level, first, last),
        ).fetchall()
        for (series,) in numbers:
            blobs = connection.execute(
                "SELECT data FROM chunk "
                "WHERE series = ? AND level = ? AND first BETWEEN ? AND ? ORDER BY first",
                (series, level, first, last),
            )
            merged = _merge_by_factor([decode(data)[0] for (data,) in blobs])
            connection.execute(_INSERT, (series, level + 1, first, last, encode(merged, level=6)))
        level += 1


def _merge_by_factor(parts: list[Columns]) -> Columns:
    joined = concatenate(parts)
    return merge(joined, np.arange(0, len(joined), FACTOR))


def truncate(connection: sqlite3.Connection, step: int) -> None:
    """Drops everything from a step on; to be called in a transaction.

    Merged chunks that reach it are dropped whole: the finer ones below them are still there.
    """
    connection.execute("DELETE FROM step WHERE step >= ?", (step,))
    connection.execute("DELETE FROM scalar WHERE step >= ?", (step,))
    connection.execute("DELETE FROM record WHERE step >= ?", (step,))
    connection.execute("DELETE FROM chunk WHERE level > 0 AND last >= ?", (step,))
    connection.execute("DELETE FROM chunk WHERE first >= ?", (step,))
    rows = connection.execute(
        "SELECT id, series, first, data FROM chunk WHERE level = 0 AND last >= ?", (step,)
    ).fetchall()
    for number, series, first, data in rows:
        columns = decode(data)[0]
        connection.execute("DELETE FROM chunk WHERE id = ?", (number,))
        kept = columns.select(columns.last < step)
        if len(kept):
            connection.execute(_INSERT, (series, 0, first, step - 1, encode(kept, level=6)))
