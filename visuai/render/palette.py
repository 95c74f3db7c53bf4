"""Colours by category: told apart with any colour vision, on light and on dark ground.

The hues are those of Okabe and Ito, "Color Universal Design" (2008), each as a tint for the
fill and a shade for the line, so that black (or white) text stays readable on every fill.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Theme = Literal["light", "dark"]


class Paint(NamedTuple):
    """Fill and line of one category, as ``#rrggbb``."""

    fill: str
    line: str


class Palette(NamedTuple):
    """Everything that has a colour.

    Attributes:
        ground: Behind everything.
        text: Main text.
        faint: Second text, shapes.
        wire: Edges.
        scopes: Fill of open scopes, by depth, repeating.
        scope_line: Border of open scopes.
        hues: One saturated colour for each category, for legends and 3-d.
        paints: Fill and line of each category.
    """

    ground: str
    text: str
    faint: str
    wire: str
    scopes: tuple[str, ...]
    scope_line: str
    hues: dict[str, str]
    paints: dict[str, Paint]


_HUES = {
    "io": "#4d4d4d",
    "conv": "#0072b2",
    "linear": "#56b4e9",
    "attention": "#d55e00",
    "recurrent": "#8f5a9e",
    "embedding": "#cc79a7",
    "norm": "#e8d52c",
    "activation": "#e69f00",
    "pool": "#009e73",
    "dropout": "#b3b3b3",
    "arithmetic": "#7a7a7a",
    "reduce": "#6bbf9f",
    "shape": "#c8c8c8",
    "loss": "#a3231f",
    "constant": "#a08560",
    "module": "#8296b0",
    "other": "#9d9d9d",
}


def _mix(colour: str, other: str, share: float) -> str:
    """Mixes ``share`` of ``other`` into ``colour``."""
    parts = [
        round(int(colour[i : i + 2], 16) * (1 - share) + int(other[i : i + 2], 16) * share)
        for i in (1, 3, 5)
    ]
    return "#" + "".join(f"{part:02x}" for part in parts)


def _paints(ground: str, tint: float, shade_with: str, shade: float) -> dict[str, Paint]:
    return {
        name: Paint(_mix(hue, ground, tint), _mix(hue, shade_with, shade))
        for name, hue in _HUES.items()
    }


_PALETTES: dict[Theme, Palette] = {
    "light": Palette(
        ground="#ffffff",
        text="#1b1f24",
        faint="#474f59",
        wire="#5f6873",
        scopes=("#f6f8fa", "#ebeff3"),
        scope_line="#aab4c0",
        hues=_HUES,
        paints=_paints("#ffffff", 0.72, "#000000", 0.22),
    ),
    "dark": Palette(
        ground="#14171b",
        text="#eef1f4",
        faint="#c3cbd3",
        wire="#98a2ad",
        scopes=("#1c2026", "#252a32"),
        scope_line="#58636f",
        hues=_HUES,
        paints=_paints("#14171b", 0.7, "#ffffff", 0.15),
    ),
}


def palette(theme: Theme) -> Palette:
    """Gives the colours of a theme."""
    return _PALETTES[theme]
