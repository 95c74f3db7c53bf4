"""Lines, arrow heads and shapes beside lines, as SVG and canvases take them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from visuai.render.box import Box
from visuai.render.fold import Drawn
from visuai.render.label import edge_text, shorten, text_width
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


NOTE_SIZE = 8.5
"""Size of the letters of a note, in pixels."""


def note_texts(drawing: Drawn) -> dict[Value, str]:
    """Gives the shape of each value, spelt to fit beside its line."""
    texts: dict[Value, str] = {}
    for source, _, data in drawing.topology.graph.edges(data=True):
        texts[source, int(data.get("source_output", 0))] = shorten(edge_text(data), 24)
    return texts


def room_of(texts: dict[Value, str]) -> Callable[[Value], float]:
    """Gives the function that tells a layout how wide each note is."""
    return lambda value: text_width(texts.get(value, ""), NOTE_SIZE)


def notes(drawing: Drawn, layout: Layout, direction: Direction) -> Iterator[Note]:
    """Gives the shapes of the values that there is room for: no note lies on another or a node."""
    texts = note_texts(drawing)
    grid = _Grid()
    for box in layout.nodes.values():
        grid.take(box)
    bundles = {
        (source, int(data.get("source_output", 0)))
        for source, _, data in drawing.topology.graph.edges(data=True)
        if "bundle" in data
    }
    values: dict[str, int] = {}
    for tag in layout.tags:
        values[tag.value[0]] = values.get(tag.value[0], 0) + 1
    for tag in layout.tags:
        text = texts.get(tag.value, "")
        crowded = values[tag.value[0]] > 1  # no room between the lines of a split
        if not text or (crowded and tag.value not in bundles):
            continue
        if direction == "LR":
            places = [Note(tag.x + 4, tag.y - 3.5, text, False)]
        else:
            places = [
                Note(tag.x + (-5 if left else 5), tag.y + 11.5, text, left)
                for left in (tag.left, not tag.left)
            ]
        for note in places:
            width = text_width(text, NOTE_SIZE)
            left = note.x - width if note.end else note.x
            box = Box(left, note.y - NOTE_SIZE * 0.8, width, NOTE_SIZE)
            if grid.is_free(box):
                grid.take(box)
                yield note
                break


class _Grid:
    """What is taken of a page, in cells, so that a look costs the same however much there is."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], list[Box]] = {}

    def take(self, box: Box) -> None:
        for cell in _cells(box):
            self._cells.setdefault(cell, []).append(box)

    def is_free(self, box: Box) -> bool:
        return not any(
            box.x < other.x + other.width
            and other.x < box.x + box.width
            and box.y < other.y + other.height
            and other.y < box.y + box.height
            for cell in _cells(box)
            for other in self._cells.get(cell, ())
        )


def _cells(box: Box) -> Iterator[tuple[int, int]]:
    for column in range(int(box.x // 64), int((box.x + box.width) // 64) + 1):
        for row in range(int(box.y // 32), int((box.y + box.height) // 32) + 1):
            yield column, row
