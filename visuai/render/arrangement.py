"""A drawing laid out with the text that stands on it: captions, headings, shapes beside lines."""

from __future__ import annotations

from collections.abc import Mapping

from visuai.render.box import Spacing
from visuai.render.caption import Caption, Heading, header_of
from visuai.render.fold import Drawn
from visuai.render.layout import Layout, lay_out
from visuai.render.options import Direction
from visuai.render.strokes import note_texts, room_of


def arranged(
    drawing: Drawn,
    words: Mapping[str, Caption],
    heads: dict[str, Heading],
    *,
    direction: Direction,
    shapes: bool,
    wrap: bool = True,
) -> Layout:
    """Lays out what is drawn, with room for its text.

    Args:
        drawing: What is drawn; not changed.
        words: Captions of the nodes.
        heads: Headings of the open scopes.
        direction: Whether data flows down or to the right.
        shapes: Whether shapes stand beside the lines.
        wrap: Whether long chains are wrapped into columns, or rows where data flows to the right.
    """
    # To the right, the shape of a value stands above its line, between two ranks or at a turn.
    across = Spacing(
        rank=76 if shapes else 34, turn=64 if shapes else 17, tallest=1600, aspect=1 / 1.6
    )
    return lay_out(
        drawing.topology,
        lambda key: (words[key].width, words[key].height),
        header_of(heads),
        direction=direction,
        spacing=across if direction == "LR" else None,
        wrap=wrap,
        room=room_of(note_texts(drawing)) if shapes else None,
    )
