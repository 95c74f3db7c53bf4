"""Sizes and distances in a drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Box(NamedTuple):
    """A rectangle by its top left corner, in pixels."""

    x: float
    y: float
    width: float
    height: float


class Header(NamedTuple):
    """Room for the heading of a scope, in pixels: a text at either end of a line."""

    left: float
    right: float
    height: float


@dataclass(frozen=True, slots=True)
class Spacing:
    """Distances, in pixels.

    Attributes:
        rank: Between ranks.
        item: Between items of a rank.
        port: Between the places where lines cross the border of a scope.
        lane: Between a line that passes and everything else.
        pad: Between the border of a scope and what is inside.
        turn: From the last item of a column to the line that goes on to the next.
        column: Between columns of a wrapped chain.
        tallest: Height up to which a chain is not wrapped.
        aspect: Width to height to aim at when wrapping.
    """

    rank: float = 26
    item: float = 22
    port: float = 5
    lane: float = 9
    pad: float = 12
    turn: float = 17
    column: float = 40
    tallest: float = 980
    aspect: float = 1.3
