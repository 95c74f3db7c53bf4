"""What a notebook shows of a topology: a picture at a level that fits a page, and a tree."""

from __future__ import annotations

from typing import Any

from visuai.render.fold import fold
from visuai.render.svg import render as render_svg
from visuai.render.text import render as render_text
from visuai.topology import Topology

_MOST_NODES = 60
_DEEPEST = 12


def mimebundle(topology: Topology) -> dict[str, Any]:
    """Gives a topology as SVG and as plain text, by MIME type.

    The level is the deepest that shows at most 60 nodes, at least the first.

    Examples:
        >>> import torch, visuai
        >>> topology = visuai.build(torch.nn.Linear(4, 2), torch.zeros(1, 4))
        >>> sorted(topology._repr_mimebundle_())
        ['image/svg+xml', 'text/plain']
    """
    level = readable(topology)
    return {"image/svg+xml": render_svg(level), "text/plain": render_text(level)}


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
