"""The runs of a log directory: listed anew each time, opened when asked for."""

from __future__ import annotations

import os
import sqlite3
from collections import OrderedDict
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from pathlib import Path
from threading import Lock
from typing import TypedDict

from visuai.errors import VisuaiError
from visuai.record.folder import find_runs
from visuai.record.glance import Glance
from visuai.record.run import Run
from visuai.serve.opened import Opened

MOST_OPEN = 16

MOST_CELLS = 2_000_000
"""Cells of statistics kept of all runs together, 60 bytes each; beyond, those of the runs that
were asked for longest ago go."""

Stamp = tuple[int, ...]


class RunEntry(TypedDict):
    """A run as the server lists it; one that cannot be read says why in ``error``."""

    id: str
    model: str
    name: str
    started: float | None
    first_step: int | None
    last_step: int | None
    records: int
    live: bool
    has_network: bool
    error: str | None


@dataclass
class _Lease:
    opened: Opened
    file: Stamp
    users: int = 0
    dropped: bool = False


class Runs:
    """The runs recorded in a folder, and in the folders in it.

    Ids are made from the places of the files, as those of `visuai.serve.logdir.LogDir`. Links
    to elsewhere are not followed. Up to 16 runs that nobody is reading are kept open.
    """

    def __init__(self, folder: Path | None) -> None:
        """Takes a log directory; None for no runs at all."""
        self._folder = folder
        self._paths: dict[str, Path] = {}
        self._known: dict[str, tuple[Stamp, Glance]] = {}
        self._leases: OrderedDict[str, _Lease] = OrderedDict()
        self._numbers = count()
        self._lock = Lock()
        self._listing = Lock()

    def entries(self) -> list[RunEntry]:
        """Lists the runs, the newest first; only those that may have changed are looked at."""
        with self._listing:
            paths = self._find()
            self._known = {key: seen for key, seen in self._known.items() if key in paths}
            return [self._entry(key, path) for key, path in reversed(paths.items())]

    @contextmanager
    def reading(self, key: str) -> Generator[Opened]:
        """Gives a run, open as long as the block lasts.

        Args:
            key: Its id.

        Raises:
            LookupError: If there is none of that id.
            VisuaiError: If it cannot be read.
        """
        path = self._paths.get(key) or self._find().get(key)  # a link may come before the list
        if path is None:
            raise LookupError(key)
        lease: _Lease | None = None
        try:
            lease = self._take(key, path)
            yield lease.opened
        except FileNotFoundError as error:
            raise LookupError(key) from error
        except sqlite3.Error as error:
            raise VisuaiError(f"{path.name} cannot be read now: {error}.") from error
        except VisuaiError as error:
            raise VisuaiError(_without_place(str(error), path)) from error
        finally:
            if lease is not None:
                self._give_back(lease)

    def close(self) -> None:
        """Closes all runs that nobody is reading."""
        with self._lock:
            for lease in self._leases.values():
                self._drop(lease)
            self._leases.clear()

    def _find(self) -> dict[str, Path]:
        """Finds the runs that there are now, by id, oldest first."""
        folder = self._folder
        found: list[Path] = [] if folder is None else find_runs(folder)
        paths = {
            _key(path, folder): path
            for path in found
            if folder is not None and not (path.is_symlink() or path.parent.is_symlink())
        }
        self._paths = paths
        return paths

    def _entry(self, key: str, path: Path) -> RunEntry:
        try:
            seen = self._glance(key, path)
        except (VisuaiError, OSError, sqlite3.Error) as error:
            return _listed(key, path, None, _without_place(str(error), path))
        return _listed(key, path, seen)

    def _glance(self, key: str, path: Path) -> Glance:
        stamp = _stamp(path)
        known = self._known.get(key)
        # One that is not closed is looked at each time: it may be written to this very moment.
        if known is not None and known[0] == stamp and known[1].closed:
            return known[1]
        with Run(path) as run:
            seen = run.glance()
        self._known[key] = stamp, seen
        return seen

    def _take(self, key: str, path: Path) -> _Lease:
        with self._lock:
            about = path.stat()
            file = (about.st_dev, about.st_ino)
            lease = self._leases.pop(key, None)
            if lease is not None and lease.file != file:
                self._drop(lease)  # another file has taken its place
                lease = None
            if lease is None:
                lease = _Lease(Opened(path, next(self._numbers)), file)
            lease.users += 1
            self._leases[key] = lease
            idle = [each for each, other in self._leases.items() if not other.users]
            for each in idle[: max(0, len(self._leases) - MOST_OPEN)]:
                self._drop(self._leases.pop(each))
            cells = sum(each.opened.cells for each in self._leases.values())
            for each in self._leases.values():
                if cells > MOST_CELLS and not each.users:
                    cells -= each.opened.cells
                    each.opened.forget()
            return lease

    def _give_back(self, lease: _Lease) -> None:
        with self._lock:
            lease.users -= 1
            if lease.dropped and not lease.users:
                lease.opened.close()

    def _drop(self, lease: _Lease) -> None:
        lease.dropped = True
        if not lease.users:
            lease.opened.close()


def _without_place(text: str, path: Path) -> str:
    """Takes the folder out of a message that names a file: the page need not know it."""
    return text.replace(str(path.absolute()), path.name).replace(str(path), path.name)


def _listed(key: str, path: Path, seen: Glance | None, error: str | None = None) -> RunEntry:
    return {
        "id": key,
        "model": seen.model if seen is not None else path.parent.name,
        "name": path.stem,
        "started": None if seen is None else seen.started,
        "first_step": None if seen is None else seen.first_step,
        "last_step": None if seen is None else seen.last_step,
        "records": 0 if seen is None else seen.records,
        "live": seen is not None and seen.is_live(),
        "has_network": seen is not None and seen.has_network,
        "error": error,
    }


def _stamp(path: Path) -> Stamp:
    """Gives when a run was written, and its size, those of its write-ahead log included."""
    about = os.stat(path)
    stamp = (about.st_ino, about.st_mtime_ns, about.st_size)
    try:
        log = os.stat(f"{path}-wal")
    except OSError:
        return stamp
    return (*stamp, log.st_mtime_ns, log.st_size) if log.st_size else stamp


def _key(path: Path, folder: Path | None) -> str:
    name = path.relative_to(folder or path).as_posix()
    return sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]
