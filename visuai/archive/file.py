"""Files of saved topologies: gzip or plain JSON, read with limits."""

from __future__ import annotations

import gzip
import json
import zlib
from os import PathLike, fspath
from pathlib import Path
from typing import Any, cast

from visuai.archive.reader import from_dict
from visuai.archive.writer import to_dict
from visuai.errors import FormatError
from visuai.topology import Topology

MAX_BYTES = 512 * 2**20
"""Most bytes of JSON that are read; a network of a million nodes has about a fifth of it."""

MAX_CONTAINERS = 16_000_000
"""Most lists and objects in it: small in a file, large in memory."""

MAX_VALUES = 128_000_000
"""Most values in it."""

_GZIP = b"\x1f\x8b"


def save(topology: Topology, path: str | PathLike[str]) -> None:
    """Writes a topology to a file; see `Topology.save`."""
    plain = fspath(path).endswith(".json")
    Path(path).write_bytes(save_bytes(topology, compress=not plain))


def load(path: str | PathLike[str]) -> Topology:
    """Reads a topology from a file; see `Topology.load`."""
    with open(path, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    try:
        return load_bytes(data)
    except FormatError as error:
        raise FormatError(f"{fspath(path)}: {error}") from error


def save_bytes(topology: Topology, *, compress: bool = True) -> bytes:
    """Writes a topology as bytes: the same for the same topology.

    Args:
        topology: The topology.
        compress: Whether to compress, as gzip does.

    Raises:
        FormatError: If the topology does not hold together or JSON cannot say it.
    """
    try:
        text = json.dumps(to_dict(topology), separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise FormatError(
            f"JSON cannot say what an attribute in topology {topology.name[:80]!r} holds: {error}. "
            "Node and edge attributes are text, numbers, true, false, none, lists and dicts."
        ) from error
    data = text.encode("ascii")
    return gzip.compress(data, 9, mtime=0) if compress else data


def load_bytes(data: bytes) -> Topology:
    """Reads what `save_bytes` wrote, and checks it.

    Raises:
        FormatError: If it is no saved topology, damaged, of another version, or too large.
    """
    text = _decompress(data) if data.startswith(_GZIP) else data
    if len(text) > MAX_BYTES:
        raise _too_large(f"more than {MAX_BYTES:,} bytes of JSON")
    if text.count(b"[") + text.count(b"{") > MAX_CONTAINERS:
        raise _too_large(f"more than {MAX_CONTAINERS:,} lists and objects")
    if text.count(b",") > MAX_VALUES:
        raise _too_large(f"more than {MAX_VALUES:,} values")
    try:
        document: Any = json.loads(text)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        raise FormatError(
            f"Not a saved topology, or damaged: no JSON ({type(error).__name__}: "
            f"{str(error)[:200]}). Save it again with Topology.save."
        ) from error
    if not isinstance(document, dict):
        raise FormatError(
            f"Not a saved topology: its JSON is a {type(document).__name__}, expected an object."
        )
    return from_dict(cast("dict[str, Any]", document))


def _decompress(data: bytes) -> bytes:
    stream = zlib.decompressobj(wbits=31)
    try:
        text = stream.decompress(data, MAX_BYTES + 1)
    except zlib.error as error:
        raise FormatError(f"Damaged file: gzip cannot read it: {error}.") from error
    if len(text) > MAX_BYTES:
        raise _too_large(f"more than {MAX_BYTES:,} bytes of JSON")
    if not stream.eof:
        raise FormatError("Damaged file: it ends before its compressed data does.")
    if stream.unused_data:
        raise FormatError("Damaged file: there is more behind the end of its compressed data.")
    return text


def _too_large(what: str) -> FormatError:
    return FormatError(f"Too large to be a saved topology: {what}.")
