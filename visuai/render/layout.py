"""Lays a topology out: nodes in ranks, open scopes as boxes around them, edges as curves.

Each scope is laid out by itself, innermost first, and then is one item of the scope around it;
so boxes never overlap, and the time is near linear in what is drawn. Within a scope: ranks by
longest path (`visuai.render.ranks`), columns by least squares (`visuai.render.columns`), ways
around for values that skip ranks (`visuai.render.lanes`). A long chain is wrapped into columns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from visuai.render.box import Box, Header, Spacing
from visuai.render.nesting import nesting, walk
from visuai.render.options import Direction
from visuai.render.sheet import Sheet, draw_sheet
from visuai.render.wiring import Value, wire
from visuai.topology import Topology

Step = tuple[float, ...]
"""Two numbers: a point to go straight to (the first: to start at); six: a cubic curve."""


@dataclass(slots=True)
class Wire:
    """One drawn piece of an edge.

    Attributes:
        value: The value that flows.
        target: The node that it ends in, with an arrow head; None for a piece that ends at the
            border of a scope.
        path: How it runs.
    """

    value: Value
    target: str | None
    path: list[Step]


@dataclass(slots=True)
class Tag:
    """Where there is room for the shape of a value: beside the start of its line.

    Attributes:
        value: The value.
        x: Where its line starts.
        y: Where its line starts.
        left: Whether the room is on the left of the line.
    """

    value: Value
    x: float
    y: float
    left: bool


@dataclass(slots=True)
class Layout:
    """Where everything goes, in pixels from the top left corner.

    Attributes:
        width: Width of it all.
        height: Height of it all.
        nodes: Boxes by node id.
        scopes: Boxes by scope id, the root left out, outer before inner.
        wires: Pieces of edges.
        tags: Places for shapes.
    """

    width: float
    height: float
    nodes: dict[str, Box] = field(default_factory=dict[str, Box])
    scopes: dict[str, Box] = field(default_factory=dict[str, Box])
    wires: list[Wire] = field(default_factory=list[Wire])
    tags: list[Tag] = field(default_factory=list[Tag])


def lay_out(
    topology: Topology,
    size: Callable[[str], tuple[float, float]],
    header: Callable[[str], Header],
    *,
    direction: Direction = "TB",
    spacing: Spacing | None = None,
    wrap: bool = True,
    room: Callable[[Value], float] | None = None,
) -> Layout:
    """Lays a topology out.

    Args:
        topology: What to draw; not changed.
        size: Width and height of a node, in pixels.
        header: Room that the heading of an open scope needs.
        direction: Whether data flows down or to the right.
        spacing: Distances.
        wrap: Whether long chains are wrapped into columns.
        room: Width of the text beside the start of a value's line, in pixels; None for no text.
    """
    spacing = spacing or Spacing()
    across = direction == "LR"
    tree = nesting(topology)
    wirings = wire(topology, tree)
    sizes: dict[str, tuple[float, float]] = {}
    for key in topology.graph:
        width, height = size(key)
        sizes[key] = (height, width) if across else (width, height)
    sheets: dict[str, Sheet] = {}
    kinds = topology.graph.nodes
    listed = walk(tree)
    for is_scope, scope in reversed(listed):
        if is_scope:
            sheets[scope] = draw_sheet(
                tree.members[scope],
                wirings[scope],
                sizes,
                sheets,
                inputs={key for key in tree.nodes[scope] if kinds[key]["op_kind"] == "placeholder"},
                header=header(scope) if scope else None,
                across=across,
                spacing=spacing,
                wrap=wrap,
                room=room,
            )

    layout = Layout(sheets[""].width, sheets[""].height)
    corners = {"": (0.0, 0.0)}
    for is_scope, key in listed:
        if not is_scope:
            continue
        left, top = corners[key]
        sheet = sheets[key]
        for node, box in sheet.nodes.items():
            layout.nodes[node] = _moved(box, left, top)
        for scope, box in sheet.scopes.items():
            corners[scope] = (left + box.x, top + box.y)
            layout.scopes[scope] = _moved(box, left, top)
        for value, target, path in sheet.wires:
            layout.wires.append(Wire(value, target, [_shifted(step, left, top) for step in path]))
        for value, x, y, on_left in sheet.tags:
            layout.tags.append(Tag(value, x + left, y + top, on_left))
    # Parents come before children in `listed`, thus outer boxes before inner ones.
    return _transposed(layout) if across else layout


def _moved(box: Box, left: float, top: float) -> Box:
    return Box(box.x + left, box.y + top, box.width, box.height)


def _shifted(step: Step, left: float, top: float) -> Step:
    return tuple(part + (top if index % 2 else left) for index, part in enumerate(step))


def _transposed(layout: Layout) -> Layout:
    """Swaps x and y."""

    def turned(box: Box) -> Box:
        return Box(box.y, box.x, box.height, box.width)

    return Layout(
        layout.height,
        layout.width,
        {key: turned(box) for key, box in layout.nodes.items()},
        {key: turned(box) for key, box in layout.scopes.items()},
        [
            Wire(
                wire.value,
                wire.target,
                [
                    tuple(part for i in range(0, len(step), 2) for part in (step[i + 1], step[i]))
                    for step in wire.path
                ],
            )
            for wire in layout.wires
        ],
        [Tag(tag.value, tag.y, tag.x, tag.left) for tag in layout.tags],
    )
