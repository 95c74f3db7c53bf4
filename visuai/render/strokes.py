"""Lines, arrow heads and shapes beside lines, as SVG and canvases take them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from visuai.render.fold import Drawn
from visuai.render.label import shape, shorten
from visuai.render.layout import Layout, Step
from visuai.render.options import Direction
from visuai.render.wiring import Value


def number(value: float) -> str:
    """Spells a number with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def path_data(steps: list[Step]) -> str:
    """Writes a path in the path language of SVG.

    Examples:
        >>> path_data([(0.0, 0.0), (0.0, 5.0), (0.0, 9.0, 4.0, 9.0, 4.0, 13.0)])
        'M0 0L0 5C0 9 4 9 4 13'
    """
    return "".join(
        ("C" if len(step) == 6 else "L" if index else "M") + " ".join(number(part) for part in step)
        for index, step in enumerate(steps)
    )


def arrow_data(x: float, y: float, direction: Direction) -> str:
    """Writes an arrow head whose tip is at a point."""
    if direction == "LR":
        return f"M{number(x)} {number(y)}l-6-2.8v5.6z"
    return f"M{number(x)} {number(y)}l-2.8-6h5.6z"


class Note(NamedTuple):
    """A short text beside a line, by its base line; ``end`` if it ends at ``x``."""

    x: float
    y: float
    text: str
    end: bool


def notes(drawing: Drawn, layout: Layout, direction: Direction) -> Iterator[Note]:
    """Gives the shapes of the values that there is room for."""
    shapes: dict[Value, str] = {}
    for source, _, data in drawing.topology.graph.edges(data=True):
        shapes[source, int(data.get("source_output", 0))] = shape(data)
    values: dict[str, int] = {}
    for tag in layout.tags:
        values[tag.value[0]] = values.get(tag.value[0], 0) + 1
    for tag in layout.tags:
        text = shorten(shapes.get(tag.value, ""), 24)
        if not text or values[tag.value[0]] > 1:  # no room between the lines of a split
            continue
        if direction == "LR":
            yield Note(tag.x + 4, tag.y - 3.5, text, False)
        else:
            yield Note(tag.x + (-5 if tag.left else 5), tag.y + 11.5, text, tag.left)
