"""`show`: a network on the screen, from wherever Python runs."""

from __future__ import annotations

import sys
from functools import partial

from visuai import notebook, viewer
from visuai.serve.app import app
from visuai.serve.server import Background, start
from visuai.serve.shelf import Built
from visuai.topology import Topology


def show(
    topology: Topology,
    other: Topology | None = None,
    *,
    port: int | None = None,
    block: bool | None = None,
) -> Background | None:
    """Shows a network; see `visuai.Topology.show`."""
    if notebook.shows_widgets():
        notebook.display(topology.widget(other))
        return None
    shown = [topology] if other is None else [topology, other]
    mount = viewer.mount(compare=None if other is None else "1")
    shelf = Built(shown)
    first = [listed["id"] for listed in shelf.entries()]
    make = partial(app, shelf, title=topology.name, mount=mount, first=first)
    server = start(make, port)
    print(f"Visuai is at {server.url}", file=sys.stderr)
    if _in_script() if block is None else block:
        try:
            server.wait()
        except KeyboardInterrupt:
            server.stop()
    return server


def _in_script() -> bool:
    """Tells whether Python ends with the last line, and the server with it."""
    return not (hasattr(sys, "ps1") or sys.flags.interactive or notebook.running())
