"""What a notebook shows of a topology: the viewer, or a picture at a level that fits a page."""

from __future__ import annotations

from typing import Any, cast

from visuai import notebook
from visuai.errors import VisuaiError
from visuai.render.fold import fold
from visuai.render.svg import render as render_svg
from visuai.render.text import render as render_text
from visuai.topology import Topology

_MOST_NODES = 60
_DEEPEST = 12


def mimebundle(topology: Topology) -> dict[str, Any] | tuple[dict[str, Any], dict[str, Any]]:
    """Gives a topology by MIME type: as a widget where one can be shown, as SVG and as text.

    A front end shows the richest that it knows, so the picture is what is seen where widgets
    are not: on a page that hosts notebooks, or in a notebook that was made a document. Its
    level is the deepest that shows at most 60 nodes, at least the first.

    Returns:
        The data, and with a widget also the metadata that some front ends need.

    Examples:
        >>> import torch, visuai
        >>> topology = visuai.build(torch.nn.Linear(4, 2), torch.zeros(1, 4))
        >>> sorted(topology._repr_mimebundle_())
        ['image/svg+xml', 'text/plain']
    """
    level = readable(topology)
    pictures = {"image/svg+xml": render_svg(level), "text/plain": render_text(level)}
    widget = _widget(topology)
    if widget is None:
        return pictures
    found = widget._repr_mimebundle_()
    if isinstance(found, dict):  # as some versions have it
        return {**cast("dict[str, Any]", found), **pictures}
    data, metadata = found
    return {**data, **pictures}, metadata


class Picture:
    """A topology as a picture, for a front end that asks for one form only."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology

    def _mime_(self) -> tuple[str, str]:
        return "image/svg+xml", render_svg(readable(self._topology))


def displayed(topology: Topology) -> Any:
    """Gives what marimo is to show in place of a topology: a widget, or a picture."""
    return _widget(topology) or Picture(topology)


def readable(topology: Topology) -> Topology:
    """Gives the deepest level that fits a page."""
    best = topology.view(depth=1)
    for depth in range(2, _DEEPEST):
        level = topology.view(depth=depth)
        if fold(level).topology.graph.number_of_nodes() > _MOST_NODES:
            break
        best = level
        if len(level.scopes) == len(topology.scopes):
            break
    return best


def _widget(topology: Topology) -> Any:
    """Gives a widget; None where none can be shown, or the viewer is not built."""
    if not notebook.shows_widgets():
        return None
    try:
        return topology.widget()
    except VisuaiError:
        return None
