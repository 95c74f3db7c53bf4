"""Text is readable on every fill, and every category has a colour of its own."""

from __future__ import annotations

import pytest

from visuai.ops import CATEGORIES
from visuai.render.palette import Theme, palette


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it, from 0 to 1."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast(theme: Theme) -> None:
    colours = palette(theme)
    for ground in [
        colours.ground,
        *colours.scopes,
        *(paint.fill for paint in colours.paints.values()),
    ]:
        assert contrast(colours.text, ground) >= 7
        assert contrast(colours.faint, ground) >= 4.5


def test_every_category_has_a_colour() -> None:
    colours = palette("light")
    assert set(colours.paints) == set(CATEGORIES) == set(colours.hues)
    assert len(set(colours.hues.values())) == len(CATEGORIES)
