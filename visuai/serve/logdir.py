"""A log directory: the topologies that were saved in it."""

from __future__ import annotations

import gzip
import os
import re
import zlib
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock

from visuai.errors import VisuaiError
from visuai.serve.shelf import entry
from visuai.topology import Topology
from visuai.wire import WireEntry

SUFFIXES = (".json.gz", ".json")

_MOST_FILES = 10_000
_OPENING = re.compile(rb'\s*\{\s*"schema"\s*:\s*"visuai/topology@')
_PEEKED = 4096


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    name: str
    stamp: tuple[int, int]


class LogDir:
    """The topologies saved in a folder and the folders in it.

    Ids are made from the places of the files, so that a link still leads to the same file
    after the server was started anew. A file that was written again counts as new. One that is
    damaged is listed with its error; a JSON file of something else is left out. Links to
    elsewhere are not followed.
    """

    def __init__(self, folder: Path) -> None:
        """Takes a folder; it may be empty so far.

        Raises:
            VisuaiError: If there is no such folder.
        """
        if not folder.is_dir():
            raise VisuaiError(
                f"There is no folder {str(folder)!r} (looked in {Path.cwd()}). A log directory "
                "is where Visu(model, ..., logdir=LOGDIR) records, or visuai build -o "
                "LOGDIR/net.json.gz saves; it is made when the first is written."
            )
        self._folder = folder
        self._known: dict[str, tuple[_File, WireEntry]] = {}
        self._lock = Lock()

    def entries(self) -> list[WireEntry]:
        """Lists the topologies by name; a file is read when it is first listed."""
        with self._lock:
            known: dict[str, tuple[_File, WireEntry]] = {}
            for file in _files(self._folder):
                key = _key(file.name)
                before = self._known.get(key)
                if before is not None and before[0] == file:
                    known[key] = before
                elif _is_topology(file.path):
                    known[key] = (file, _entry(key, file))
            self._known = known
            return [listed for _, listed in known.values()]

    def stamp(self, key: str) -> Hashable:
        """Gives when the file was written and its size; None if there is none of that id."""
        path = self._path(key)
        try:
            found = None if path is None else path.stat()
        except OSError:
            return None
        return None if found is None else (found.st_mtime_ns, found.st_size)

    def topology(self, key: str) -> Topology:
        """Reads a topology; see `Shelf.topology`."""
        path = self._path(key)
        if path is None:
            raise LookupError(key)
        try:
            return Topology.load(path)
        except FileNotFoundError as error:
            raise LookupError(key) from error
        except OSError as error:
            raise VisuaiError(f"{path.name} cannot be read: {error.strerror}.") from error

    def _path(self, key: str) -> Path | None:
        if key not in self._known:
            self.entries()  # a link may come before the list
        found = self._known.get(key)
        return None if found is None else found[0].path


def _files(folder: Path) -> Iterator[_File]:
    """Gives the files that could be topologies, sorted by place, at most 10,000."""
    found: list[_File] = []
    for place, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for name in sorted(names):
            if not name.endswith(SUFFIXES) or name.startswith("."):
                continue
            path = Path(place, name)
            if path.is_symlink() or not path.is_file():
                continue
            try:
                about = path.stat()
            except OSError:
                continue
            short = path.relative_to(folder).as_posix()
            short = short.removesuffix(".gz").removesuffix(".json")
            found.append(_File(path, short, (about.st_mtime_ns, about.st_size)))
            if len(found) == _MOST_FILES:
                return iter(found)
    return iter(found)


def _key(name: str) -> str:
    return sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _is_topology(path: Path) -> bool:
    """Tells a saved topology, maybe damaged, from JSON of something else by how it begins."""
    try:
        with open(path, "rb") as file:
            start = file.read(_PEEKED)
            if path.suffix == ".gz":
                file.seek(0)
                with gzip.open(file) as text:
                    start = text.read(_PEEKED)
    except (OSError, EOFError, zlib.error):
        return True
    return bool(_OPENING.match(start)) or (path.suffix == ".gz" and not start)


def _entry(key: str, file: _File) -> WireEntry:
    try:
        return entry(key, file.name, Topology.load(file.path))
    except (VisuaiError, OSError) as error:
        text = str(error).replace(str(file.path), file.path.name)
        return {"id": key, "name": file.name, "parameters": None, "nodes": None, "error": text}
