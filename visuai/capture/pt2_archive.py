"""The zip archive that ``torch.export.save`` writes: finds the JSON in it, and only that."""

from __future__ import annotations

import json
import re
import zipfile
from typing import Any, cast

from visuai.errors import FormatError

MAX_JSON_BYTES = 1 << 30
"""Largest graph that is read, in bytes; a graph of a million nodes takes about this much."""
_MAX_RATIO = 300  # JSON of graphs compresses about 20 to 1

_GRAPH = re.compile(r"(?:.*/)?(?:models/[^/]+\.json|serialized_exported_program\.json)")
_TORCHSCRIPT = re.compile(r"(?:[^/]+/)?code/.*\.py")


def graph_document(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    """Reads the JSON document of the exported program.

    Args:
        archive: The open archive.
        name: How to call it in messages.

    Raises:
        FormatError: If it holds no exported graph, or an absurdly large one.
    """
    entries = archive.namelist()
    graphs = [entry for entry in entries if _GRAPH.fullmatch(entry)]
    if not graphs:
        if any(_TORCHSCRIPT.fullmatch(entry) for entry in entries):
            raise FormatError(
                f"{name} is a TorchScript archive. If you trust it, load it with "
                "torch.jit.load and pass the module."
            )
        if any(entry.endswith("data.pkl") for entry in entries):
            raise FormatError(
                f"{name} was written by torch.save: it is a pickle, which can run any code and "
                "holds no graph. If you trust it, load it yourself and pass the module."
            )
        raise FormatError(
            f"{name} is a zip archive without an exported graph (models/*.json). Expected what "
            "torch.export.save writes; compiled packages (AOTInductor) hold no graph."
        )
    chosen = next((entry for entry in graphs if entry.endswith("models/model.json")), graphs[0])
    document = json.loads(_entry(archive, chosen))
    if not isinstance(document, dict):
        raise FormatError(f"{name}: {chosen!r} is not a JSON object.")
    return cast("dict[str, Any]", document)


def _entry(archive: zipfile.ZipFile, entry: str) -> bytes:
    """Reads an entry, but no more than it may be: its stated size can lie."""
    info = archive.getinfo(entry)
    limit = min(MAX_JSON_BYTES, max(info.compress_size * _MAX_RATIO, 1 << 16))
    with archive.open(info) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise FormatError(
            f"{entry[:100]!r} inflates from {info.compress_size} to more than {limit} bytes, "
            "which no exported graph does."
        )
    return data


def tensor_files(archive: zipfile.ZipFile) -> dict[str, str]:
    """Gives FQN to the file that holds its tensor; two of one file are one tensor."""
    files: dict[str, str] = {}
    for entry in archive.namelist():
        if entry.endswith(("_weights_config.json", "_constants_config.json")):
            config = json.loads(_entry(archive, entry)).get("config", {})
            for fqn, payload in config.items():
                files[str(fqn)] = f"{entry}:{payload['path_name']}"
    return files
