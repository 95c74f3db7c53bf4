"""Writes a topology to a file or to standard output, in the form that its name asks for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from visuai import plugins
from visuai.cli.streams import pour
from visuai.errors import RenderError, VisuaiError
from visuai.topology import Topology

SUFFIXES: dict[str, str] = {
    ".html": "html",
    ".svg": "svg",
    ".dot": "dot",
    ".gv": "dot",
    ".mmd": "mermaid",
    ".md": "mermaid",
    ".txt": "text",
}
"""Suffix of the output file to the renderer that it stands for."""


def check(path: Path | None, renderer: str | None) -> None:
    """Finds out what would keep a drawing from being written, before the network is built.

    Args:
        path: The file; None for standard output.
        renderer: Name of a renderer; None to go by the suffix of ``path``.

    Raises:
        RenderError: If the suffix stands for no renderer, or there is no such folder.
        PluginError: If the renderer is unknown.
    """
    if renderer is not None:
        plugins.load(plugins.RENDERERS, renderer)
    elif path is not None and not path.name.endswith((".json", ".json.gz")):
        _by_suffix(path)
    if path is not None and not path.parent.is_dir():
        raise RenderError(f"Cannot write {str(path)!r}: there is no folder {str(path.parent)!r}.")


def write(
    topology: Topology,
    path: Path | None,
    renderer: str | None,
    depth: int | None,
    options: dict[str, Any],
) -> str:
    """Writes a topology, and gives one line on what was written.

    Args:
        topology: What to write.
        path: The file; None for standard output.
        renderer: Name of a renderer; None to go by the suffix of ``path`` (``.json`` and
            ``.json.gz`` save the topology itself), or ``text`` without a path.
        depth: Deepest level of modules to show; None for the renderer's own choice.
        options: The renderer's options.

    Raises:
        RenderError: If the suffix stands for no renderer, or the file cannot be written.
        PluginError: If the renderer is unknown.
    """
    if renderer is None and path is not None and path.name.endswith((".json", ".json.gz")):
        if options:
            raise RenderError("A saved topology takes no --option; name a --renderer.")
        try:
            (topology if depth is None else topology.view(depth=depth)).save(path)
        except OSError as error:
            raise RenderError(f"Cannot write {str(path)!r}: {error.strerror}.") from error
        return f"{path} (topology, {path.stat().st_size:,} bytes)"
    name = renderer or ("text" if path is None else _by_suffix(path))
    if depth is not None:
        options = {"depth": depth, **options}
    drawn = _render(topology, name, options)
    data = drawn.encode("utf-8") if isinstance(drawn, str) else drawn
    if path is None:
        pour(data if data.endswith(b"\n") else data + b"\n")
        return f"standard output ({name})"
    try:
        path.write_bytes(data)
    except OSError as error:
        raise RenderError(f"Cannot write {str(path)!r}: {error.strerror}.") from error
    return f"{path} ({name}, {len(data):,} bytes)"


def _render(topology: Topology, name: str, options: dict[str, Any]) -> str | bytes:
    try:
        return topology.render(name, **options)
    except VisuaiError:
        raise
    except TypeError as error:
        # What a wrong option name or value comes to in a plain function call.
        raise RenderError(
            f"Renderer {name!r} with options {json.dumps(options)}: {error}."
        ) from error


def _by_suffix(path: Path) -> str:
    name = SUFFIXES.get(path.suffix.lower())
    if name is None:
        raise RenderError(
            f"The suffix of {str(path)!r} stands for no renderer; known are "
            f"{', '.join(SUFFIXES)}, .json and .json.gz (a picture is .svg). Or name one with "
            "--renderer: "
            f"{', '.join(plugins.names(plugins.RENDERERS))}."
        )
    return name
