"""The tables of a run's SQLite file, and how such a file is opened.

A run may come from a stranger. So nothing in it is executed or unpickled, its schema must be
word for word the one below (no views, triggers or expressions of others), and what is read is
checked where it is decoded.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from visuai.errors import FormatError

APPLICATION_ID = 0x56495355
"""``VISU``, in the header of the file."""

VERSION = 1

QUANTITIES = ("weight", "gradient", "update", "activation", "activity")
"""What is recorded of a subject. ``activation`` is what a module gives, ``activity`` the largest
magnitude of each of its units (channels) in one batch: zero where a unit is dead."""

TABLES = {
    "meta": "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "document": "CREATE TABLE document (name TEXT PRIMARY KEY, data BLOB NOT NULL)",
    "subject": "CREATE TABLE subject (id INTEGER PRIMARY KEY, details TEXT NOT NULL)",
    "step": "CREATE TABLE step (step INTEGER PRIMARY KEY, time REAL NOT NULL)",
    "record": (
        "CREATE TABLE record (id INTEGER PRIMARY KEY AUTOINCREMENT, "
        "step INTEGER NOT NULL, payload BLOB NOT NULL)"
    ),
    "chunk": (
        "CREATE TABLE chunk (id INTEGER PRIMARY KEY, series INTEGER NOT NULL, "
        "level INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, "
        "data BLOB NOT NULL)"
    ),
    "chunk_place": "CREATE UNIQUE INDEX chunk_place ON chunk (series, level, first, last)",
    "chunk_step": "CREATE INDEX chunk_step ON chunk (level, first)",
    "scalar": (
        "CREATE TABLE scalar (name TEXT NOT NULL, step INTEGER NOT NULL, value REAL, "
        "PRIMARY KEY (name, step)) WITHOUT ROWID"
    ),
    "event": (
        "CREATE TABLE event (id INTEGER PRIMARY KEY, step INTEGER NOT NULL, time REAL NOT NULL, "
        "kind TEXT NOT NULL, detail TEXT NOT NULL)"
    ),
}


def series_id(subject: int, quantity: str) -> int:
    """Gives the number of a series."""
    return subject * len(QUANTITIES) + QUANTITIES.index(quantity)


def series_of(number: int) -> tuple[int, str]:
    """Gives the subject and the quantity that a series' number stands for."""
    subject, quantity = divmod(number, len(QUANTITIES))
    return subject, QUANTITIES[quantity]


def connect(path: Path, *, readonly: bool, immutable: bool = False) -> sqlite3.Connection:
    """Opens a file, without trusting what is in it.

    Args:
        path: The file.
        readonly: Whether nothing will be written to it.
        immutable: Whether nobody else writes it either, so that it needs no locks.

    Raises:
        FileNotFoundError: If there is no such file.
        sqlite3.Error: If SQLite cannot open it.
    """
    if not path.is_file():
        raise FileNotFoundError(f"There is no recorded run at {path}.")
    uri = (
        f"{path.absolute().as_uri()}?mode={'ro' if readonly else 'rw'}{'&immutable=1' * immutable}"
    )
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, timeout=5.0, check_same_thread=False
    )
    connection.text_factory = _text
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


def _text(data: bytes) -> str:
    """Gives text as it is, and something also where it is none."""
    return data.decode("utf-8", "replace")


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Makes sure that a file is a recorded run of this version and nothing else.

    Raises:
        FormatError: If it is not.
    """
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION_ID:
            raise FormatError(f"{path} is an SQLite file, but not a run recorded by Visuai.")
        if version != VERSION:
            raise FormatError(
                f"{path} is a run of version {version}; this Visuai reads version {VERSION}. "
                "Update Visuai."
            )
        found = dict(
            connection.execute(
                # Names that start so are SQLite's own, nobody can make them.
                "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
            ).fetchall()
        )
    except (sqlite3.DatabaseError, TypeError, ValueError) as error:
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            raise
        raise FormatError(f"{path} is no recorded run, or damaged: {error}.") from error
    if found != TABLES:
        raise FormatError(
            f"{path} is no recorded run: its tables are not those that Visuai makes "
            f"(it has {sorted(map(str, found))[:12]}, expected {sorted(TABLES)})."
        )


def create(connection: sqlite3.Connection) -> None:
    """Makes the tables in an empty file; to be called in a transaction."""
    for statement in TABLES.values():
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
