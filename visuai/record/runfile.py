"""The file of a run, open for reading: also while another process writes it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from visuai.errors import FormatError
from visuai.record import schema

_POINTS_ELSEWHERE = bytes.fromhex("d9d505f920a163d7")
"""Ends a journal that names another file; rolling back may delete that file."""


class RunFile:
    """A run's file, read in transactions. It may be used from several threads, one at a time.

    Attributes:
        path: Where it is.
    """

    def __init__(self, path: Path) -> None:
        """Opens it.

        Raises:
            FileNotFoundError: If there is no such file.
            FormatError: If it is no recorded run, or damaged.
            sqlite3.Error: If it cannot be opened now.
        """
        self.path = path
        self._lock = threading.RLock()
        self._connection = _connect(path)

    @property
    def version(self) -> int:
        """A number that changes when the file has been written to; cheap to ask for."""
        with self._lock:
            (number,) = self._connection.execute("PRAGMA data_version").fetchone()
            return int(number)

    @contextmanager
    def snapshot(self) -> Generator[sqlite3.Connection]:
        """One read transaction: what is read in it fits together, whatever is written meanwhile.

        One within another is the same. Other threads wait until the outermost has ended.

        Raises:
            FormatError: If what is read turns out to be damaged.
            sqlite3.Error: If the file cannot be read now.
        """
        with self._lock:
            outermost = not self._connection.in_transaction
            try:
                if outermost:
                    self._begin()
                yield self._connection
            except sqlite3.DatabaseError as error:
                if isinstance(error, (sqlite3.OperationalError, sqlite3.ProgrammingError)):
                    raise
                raise FormatError(f"{self.path} is damaged: {error}.") from error
            finally:
                if outermost and self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """A snapshot in which what cannot be converted is taken for damage.

        A column may hold what its type does not say: SQLite allows that.

        Raises:
            FormatError: If what is read turns out to be damaged.
            sqlite3.Error: If the file cannot be read now.
        """
        try:
            with self.snapshot() as connection:
                yield connection
        except (TypeError, ValueError, OverflowError) as error:
            raise FormatError(f"{self.path} holds a wrong value: {error}.") from error

    def _begin(self) -> None:
        self._connection.execute("BEGIN")
        # Only the first reading fixes what is seen.
        first = "SELECT 1 FROM meta LIMIT 1"
        try:
            self._connection.execute(first).fetchone()
        except sqlite3.OperationalError:
            if not _roll_back(self.path):
                raise
            self._connection.execute(first).fetchone()

    def close(self) -> None:
        """Closes it. Reading afterwards raises."""
        with self._lock:
            self._connection.close()


def _connect(path: Path) -> sqlite3.Connection:
    """Opens a run read-only; where that needs a file beside it that cannot be made, as it is."""
    _roll_back(path)
    connection = schema.connect(path, readonly=True)
    try:
        if not _is_readable(connection):
            # A finished run on a medium that cannot be written: no -shm file can be made.
            connection.close()
            connection = schema.connect(path, readonly=True, immutable=True)
        schema.check(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _is_readable(connection: sqlite3.Connection) -> bool:
    """Tells whether a file can be read with locks; not so of one that is locked only now."""
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        return "unable to open" not in str(error)
    except (sqlite3.DatabaseError, ValueError):
        pass  # Whoever checks it will say what it is; ValueError if SQLite quotes no text.
    return True


def _roll_back(path: Path) -> bool:
    """Undoes what a killed process has left half done, as a reader that must not write cannot.

    SQLite knows by its locks whether the process still lives: then nothing is undone.

    Returns:
        Whether there was something to look at.
    """
    try:
        with path.with_name(f"{path.name}-journal").open("rb") as journal:
            if journal.read()[-8:] == _POINTS_ELSEWHERE:
                return False
    except OSError:
        return False
    unsaid = suppress(sqlite3.Error, ValueError)  # Whoever opens it next will say it.
    with unsaid, closing(schema.connect(path, readonly=False)) as connection:
        connection.execute("PRAGMA busy_timeout = 0").fetchone()
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    return True
