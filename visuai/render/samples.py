"""Turns the curves of a layout into points, for renderers that only know straight lines."""

from __future__ import annotations

from visuai.render.layout import Step

_PIECES = 8


def points(path: list[Step]) -> list[tuple[float, float]]:
    """Gives points along a path; a curve becomes eight straight pieces.

    Examples:
        >>> points([(0.0, 0.0), (0.0, 5.0)])
        [(0.0, 0.0), (0.0, 5.0)]
    """
    x, y = path[0]
    found = [(x, y)]
    for step in path[1:]:
        if len(step) == 6:
            x1, y1, x2, y2, x3, y3 = step
            for piece in range(1, _PIECES):
                t = piece / _PIECES
                s = 1 - t
                a, b, c, d = s * s * s, 3 * s * s * t, 3 * s * t * t, t * t * t
                found.append((a * x + b * x1 + c * x2 + d * x3, a * y + b * y1 + c * y2 + d * y3))
            x, y = x3, y3
        else:
            x, y = step[0], step[1]
        found.append((x, y))
    return found
