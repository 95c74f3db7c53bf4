"""A glance at a run: what a list says of it.

It costs a millisecond or so, however long the run is: a log directory may hold thousands.
"""

from __future__ import annotations

import math
import os
import platform
import sqlite3
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_JUST_NOW, _LATELY, _DAY = 10.0, 120.0, 86_400.0


@dataclass(frozen=True)
class Glance:
    """What is to be said of a run at once.

    Attributes:
        model: The name that was given to the model.
        started: When it started, in seconds since 1970; None if it is not known.
        first_step: First step recorded, None if none is.
        last_step: Last step recorded, None if none is.
        records: Steps recorded.
        has_network: Whether the network was captured.
        closed: Whether the recording was ended on purpose.
        parts: Records written so far: of one step several if several optimizers train.
        resumed: How often the run was resumed: what had been read may then be gone.
        written: When something was written last, in seconds since 1970.
        process: Number of the process that started it, None if it is not known.
        host: Name of the machine that it started on.
    """

    model: str
    started: float | None
    first_step: int | None
    last_step: int | None
    records: int
    has_network: bool
    closed: bool
    parts: int
    resumed: int
    written: float
    process: int | None
    host: str

    @property
    def state(self) -> tuple[int, int, int]:
        """Changes whenever a step, or a part of one, was recorded, or taken back."""
        return self.parts, -1 if self.last_step is None else self.last_step, self.resumed

    def is_live(self, now: float | None = None) -> bool:
        """Tells whether it is still being recorded, as far as can be told from outside.

        A run that did not end says so by its process, on the machine that records it; where
        that process cannot be looked at, by having been written to within two minutes.
        """
        if self.closed:
            return False
        silent = (time.time() if now is None else now) - self.written
        # Also where the process is not found: it may be one in a container.
        if silent < _JUST_NOW:
            return True
        if self.resumed or self.process is None or self.host != platform.node():
            return silent < _LATELY
        running = _runs(self.process)
        return silent < _LATELY if running is None else running and silent < _DAY


def glance(connection: sqlite3.Connection, path: Path) -> Glance:
    """Looks at a run; to be called in a read transaction.

    Args:
        connection: The run.
        path: Its file.
    """
    meta = {
        str(key): str(value)
        for key, value in connection.execute("SELECT key, value FROM meta").fetchall()
    }
    first, last, records = connection.execute(
        "SELECT (SELECT min(step) FROM step), (SELECT max(step) FROM step), count(*) FROM step"
    ).fetchone()
    (has_network,) = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM document WHERE name = 'topology')"
    ).fetchone()
    ended = connection.execute(
        "SELECT kind, time FROM event WHERE kind IN ('start', 'resume', 'close') "
        "ORDER BY id DESC LIMIT 1"
    ).fetchone()
    (resumed,) = connection.execute("SELECT count(*) FROM event WHERE kind = 'resume'").fetchone()
    (latest,) = connection.execute(
        "SELECT time FROM step ORDER BY step DESC LIMIT 1"
    ).fetchone() or (None,)
    (parts,) = connection.execute(
        "SELECT seq FROM sqlite_sequence WHERE name = 'record'"
    ).fetchone() or (0,)
    started = _number(meta.get("started"))
    times = [started, _number(latest), _number(ended and ended[1]), _log_time(path)]
    process = meta.get("process", "")
    return Glance(
        model=meta.get("name", ""),
        started=started,
        first_step=None if first is None else int(first),
        last_step=None if last is None else int(last),
        records=int(records),
        has_network=bool(has_network),
        closed=ended is not None and ended[0] == "close",
        parts=int(parts),
        resumed=int(resumed),
        written=max((each for each in times if each is not None), default=0.0),
        process=int(process) if process.isascii() and process.isdigit() else None,
        host=meta.get("host", ""),
    )


def _log_time(path: Path) -> float | None:
    """Gives when the write-ahead log was written; one that a mere reader made is empty."""
    try:
        log = os.stat(f"{path}-wal")
    except OSError:
        return None
    return log.st_mtime if log.st_size else None


def _number(value: object) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _runs(process: int) -> bool | None:
    """Tells whether a process is there; None where asking would end it, as on Windows."""
    if sys.platform == "win32" or not 0 < process < 2**31:
        return None
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # it is somebody else's
    return True
