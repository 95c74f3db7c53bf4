"""What stands on a node and over a scope in a drawing, and how much room it takes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from visuai.render.box import Header
from visuai.render.fold import Drawn
from visuai.render.label import (
    count,
    is_scope_node,
    local_name,
    num_parameters,
    op_label,
    plain,
    shorten,
    text_width,
    type_name,
)

TITLE = 12.0
"""Font size of a node's first line, in pixels."""
DETAIL = 9.5
"""Font size of its second line, and of the heading of a scope."""
SMALL = 10.5
"""Font size of an op that holds no parameters."""

_PAIR = re.compile(r"(kernel_size|stride)=\(?(\d+)(?:, (\d+))?(?:, (\d+))?\)?")
_WIDEST = 30


class Caption(NamedTuple):
    """Text of a node, and its size in pixels."""

    title: str
    detail: str
    width: float
    height: float
    small: bool


def captions(drawing: Drawn) -> dict[str, Caption]:
    """Gives the caption of each node, by id."""
    return {key: _caption(drawing, key) for key in drawing.topology.graph}


def _caption(drawing: Drawn, key: str) -> Caption:
    topology = drawing.topology
    attributes = topology.graph.nodes[key]
    title = shorten(op_label(attributes), _WIDEST)
    kind = attributes["op_kind"]
    if kind in ("placeholder", "output", "get_attr"):
        name = plain(key) if kind != "get_attr" else plain(attributes["fqn"] or key)
        detail = "" if name == title or kind == "output" else shorten(name, _WIDEST)
        if kind == "placeholder":
            title, detail = detail or title, ""
        width = max(text_width(title, SMALL), text_width(detail, DETAIL)) + 22
        return Caption(title, detail, max(width, 40), 34 if detail else 22, True)
    parameters = num_parameters(topology, attributes["parameters"])
    closed = is_scope_node(attributes)
    if not parameters and not closed:
        size = 20.0
        return Caption(title, "", max(text_width(title, SMALL) + 16, 34), size, True)
    words = [
        shorten(local_name(key, attributes["scope"]), _WIDEST)
        if attributes["fqn"] or closed
        else "",
        _window(str(attributes["attributes"].get("config", ""))),
        count(parameters) if parameters else "",
    ]
    detail = " · ".join(word for word in words if word)
    width = max(text_width(title, TITLE) * 1.06, text_width(detail, DETAIL)) + 20
    return Caption(title, detail, max(width, 64), 38, False)


def _window(config: str) -> str:
    """Spells kernel and stride of a convolution: ``7×7/2``."""
    found = {
        match[1]: [part for part in match.groups()[1:] if part] for match in _PAIR.finditer(config)
    }
    if "kernel_size" not in found:
        return ""
    kernel = "×".join(found["kernel_size"])
    steps = found.get("stride", ["1"])
    step = steps[0] if len(set(steps)) == 1 else "×".join(steps)
    return kernel if step == "1" else f"{kernel}/{step}"


class Heading(NamedTuple):
    """Heading of an open scope: class and repeats at the left, name at the right."""

    title: str
    badge: str
    name: str

    def line(self) -> str:
        """Gives it as one text."""
        return " ".join(word for word in self if word)


def headings(drawing: Drawn) -> dict[str, Heading]:
    """Gives the heading of each open scope, by id, the root left out."""
    found: dict[str, Heading] = {}
    for key, scope in drawing.topology.scopes.items():
        if key:
            repeat = drawing.repeats.get(key, 1)
            name = shorten(local_name(key, scope.parent or ""), 24)
            title = shorten(type_name(scope.type), 24)
            if not title:
                title, name = name, ""
            found[key] = Heading(title, f"×{repeat}" if repeat > 1 else "", name)
    return found


def header_of(headings: dict[str, Heading]) -> Callable[[str], Header]:
    """Gives the room that a scope's heading needs."""

    def header(key: str) -> Header:
        title, badge, name = headings[key]
        left = text_width(title, DETAIL) * 1.08
        if badge:
            left += text_width(badge, DETAIL) * 1.08 + 14
        return Header(left, text_width(name, DETAIL), 18)

    return header
