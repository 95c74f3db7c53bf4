"""The file of a run, written: one transaction for each recorded step."""

from __future__ import annotations

import os
import sqlite3
import time
import uuid
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import SupportsFloat

import numpy as np
from numpy.typing import NDArray

from visuai.errors import VisuaiError
from visuai.record import schema
from visuai.record.codec import encode
from visuai.record.columns import Columns
from visuai.record.compaction import pending, transpose, truncate
from visuai.record.filesystem import is_network
from visuai.record.scalars import Event
from visuai.record.subject import Subject


class LostOwnership(VisuaiError):  # noqa: N818 - it tells what happened, as StopIteration does
    """Another process has resumed this run: this one must not write to it any more."""


@dataclass(frozen=True)
class Record:
    """What one step brought.

    Attributes:
        step: The step.
        time: When, in seconds since 1970.
        columns: One row for each series.
        keys: The number of the series that each row is of.
        skipped: Whether a gradient scaler skipped the step, as a gradient was not finite.
    """

    step: int
    time: float
    columns: Columns
    keys: NDArray[np.int64]
    skipped: bool = False


@dataclass(frozen=True)
class Batch:
    """What is written in one transaction; all of it or nothing."""

    records: tuple[Record, ...] = ()
    scalars: tuple[tuple[str, int, SupportsFloat], ...] = ()
    events: tuple[Event, ...] = ()
    subjects: tuple[tuple[int, Subject], ...] = ()
    documents: tuple[tuple[str, bytes], ...] = ()


class Store:
    """A run's file, open for writing by this process alone.

    Attributes:
        path: Its file.
        journal: SQLite's journal mode: ``wal``, or ``delete`` on a network file system, where
            a write-ahead log cannot be shared.
    """

    def __init__(self, path: Path, journal: str | None = None) -> None:
        """Opens a file that `create_run` made, and takes it over from whoever wrote it before.

        Args:
            path: The file.
            journal: A journal mode, None to choose by the file system.

        Raises:
            FormatError: If it is no recorded run.
            sqlite3.Error: If it cannot be opened or written.
        """
        self.path = path
        self._owner = uuid.uuid4().hex
        self._connection = schema.connect(path, readonly=False)
        try:
            schema.check(self._connection, path)
            wanted = journal or ("delete" if is_network(path) else "wal")
            (self.journal,) = self._connection.execute(f"PRAGMA journal_mode = {wanted}").fetchone()
            self._connection.execute("PRAGMA synchronous = NORMAL")
            with self._transaction():
                self._set("owner", self._owner)
        except BaseException:
            self._connection.close()
            raise

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, for `visuai.record.compaction`."""
        return self._connection

    def write(self, batch: Batch) -> None:
        """Writes all of a batch, or, if it raises, nothing of it.

        Raises:
            LostOwnership: If another process has taken the file over.
            sqlite3.Error: If the file is locked, the disk is full, and so on.
        """
        payloads = [(record.step, encode(record.columns, record.keys)) for record in batch.records]
        skipped = "the gradient scaler skipped the step: a gradient was not finite"
        events = [
            *batch.events,
            *(
                Event(record.step, record.time, "skipped", skipped)
                for record in batch.records
                if record.skipped
            ),
        ]
        scalars = [(name, step, float(value)) for name, step, value in batch.scalars]
        with self._transaction() as connection:
            self._make_sure_of_ownership()
            connection.executemany(
                "INSERT OR REPLACE INTO subject VALUES (?, ?)",
                [(number, subject.to_json()) for number, subject in batch.subjects],
            )
            connection.executemany("INSERT OR REPLACE INTO document VALUES (?, ?)", batch.documents)
            connection.executemany(
                "INSERT OR IGNORE INTO step VALUES (?, ?)",
                [(record.step, record.time) for record in batch.records],
            )
            connection.executemany("INSERT INTO record (step, payload) VALUES (?, ?)", payloads)
            connection.executemany("INSERT OR REPLACE INTO scalar VALUES (?, ?, ?)", scalars)
            connection.executemany(
                "INSERT INTO event (step, time, kind, detail) VALUES (?, ?, ?, ?)",
                [(event.step, event.time, event.kind, event.detail) for event in events],
            )

    @contextmanager
    def compacting(self) -> Generator[sqlite3.Connection]:
        """One transaction in which records may be moved into chunks."""
        with self._transaction() as connection:
            self._make_sure_of_ownership()
            yield connection

    def pack(self) -> None:
        """Moves all records into chunks.

        Raises:
            sqlite3.Error: If the file cannot be written.
        """
        while pending(self._connection):
            with self.compacting() as connection:
                transpose(connection)

    def subjects(self) -> dict[int, Subject]:
        """The subjects there are, by number."""
        rows = self._connection.execute("SELECT id, details FROM subject ORDER BY id").fetchall()
        return {int(number): Subject.from_json(details) for number, details in rows}

    def last_step(self) -> int:
        """The last step recorded, as a record or as a scalar; -1 if there is none."""
        (last,) = self._connection.execute(
            "SELECT max((SELECT coalesce(max(step), -1) FROM step), "
            "(SELECT coalesce(max(step), -1) FROM scalar))"
        ).fetchone()
        return int(last)

    def rewind(self, step: int) -> None:
        """Drops everything from a step on: a run that is resumed there does it anew.

        Raises:
            sqlite3.Error: If the file cannot be written.
        """
        with self._transaction() as connection:
            truncate(connection, step)

    def close(self) -> None:
        """Gives freed space back and closes the file."""
        try:
            self._connection.execute("PRAGMA incremental_vacuum").fetchall()
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.Error:
            pass  # Only tidying; what was written is safe.
        finally:
            self._connection.close()

    def _set(self, key: str, value: str) -> None:
        self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def _make_sure_of_ownership(self) -> None:
        row = self._connection.execute("SELECT value FROM meta WHERE key = 'owner'").fetchone()
        if row != (self._owner,):
            raise LostOwnership(
                f"Another process has resumed the run {self.path}. This one records no further."
            )

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise


def create_run(folder: Path, meta: Mapping[str, str]) -> Path:
    """Makes the file of a new run in a folder. No other process gets the same one.

    Args:
        folder: Where to; made if it is not there.
        meta: What is known of the run.

    Returns:
        The file: ``run-<date>-<time>-<n>.sqlite``.

    Raises:
        OSError: If it cannot be made.
        sqlite3.Error: If it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".new-{uuid.uuid4().hex}"
    try:
        _fill(draft, meta.items())
        stamp = time.strftime("%Y%m%d-%H%M%S")
        for number in range(1, 1_000_000):
            path = folder / f"run-{stamp}-{number}.sqlite"
            if _claim(draft, path):
                return path
    finally:
        draft.unlink(missing_ok=True)
    raise FileExistsError(f"{folder} has a million runs of {stamp}.")


def _fill(draft: Path, meta: Iterable[tuple[str, str]]) -> None:
    connection = sqlite3.connect(draft, isolation_level=None)
    try:
        # A chunk has some kilobytes: on pages of the usual 4096 a third would be empty.
        connection.execute("PRAGMA page_size = 16384")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("BEGIN IMMEDIATE")
        schema.create(connection)
        connection.executemany("INSERT INTO meta VALUES (?, ?)", meta)
        connection.execute("COMMIT")
    finally:
        connection.close()


def _claim(draft: Path, path: Path) -> bool:
    """Gives a complete file its name, unless that name is taken."""
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    except OSError:  # No hard links on this file system.
        if path.exists():
            return False
        try:
            os.close(os.open(path.with_suffix(".claim"), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        draft.rename(path)
        path.with_suffix(".claim").unlink(missing_ok=True)
    return True
