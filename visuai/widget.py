"""The widget: the viewer in a notebook. It needs anywidget: ``pip install visuai[notebook]``."""

from __future__ import annotations

from typing import Any

from visuai import viewer
from visuai.errors import VisuaiError
from visuai.topology import Topology
from visuai.wire import packed, wire

try:
    import anywidget
    import traitlets
except ImportError as error:
    raise VisuaiError(
        f"A widget needs anywidget, which does not import: {error}. Install it with "
        "pip install 'visuai[notebook]', then restart the notebook's kernel."
    ) from error


class TopologyWidget(anywidget.AnyWidget):
    """A network, or two to compare, in the viewer. Made by `visuai.Topology.widget`.

    Attributes:
        wire: What is shown, as `visuai.wire.packed` gives it.
        height: Height in pixels.
        theme: ``auto``, ``light`` or ``dark``.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    wire = traitlets.Bytes().tag(sync=True)
    height = traitlets.Int(600, min=100, max=10_000).tag(sync=True)
    theme = traitlets.Enum(["auto", "light", "dark"], "auto").tag(sync=True)

    def __init__(self, topology: Topology, other: Topology | None = None, **options: Any) -> None:
        """Packs what is to be shown; the topologies may change or go afterwards.

        Raises:
            VisuaiError: If the viewer is not built, a topology does not hold together, or
                ``height`` or ``theme`` is not what it can be.
        """
        try:
            super().__init__(
                _esm=viewer.read(viewer.SCRIPT).decode("utf-8"),
                _css=viewer.read(viewer.STYLE).decode("utf-8"),
                wire=packed(wire(topology, other)),
                **options,
            )
        except traitlets.TraitError as error:
            raise VisuaiError(
                f"{error} Expected a height in pixels, 100 to 10,000, and a theme that is 'auto', "
                "'light' or 'dark'."
            ) from error
