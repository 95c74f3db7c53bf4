"""Sizes in a serialised graph: numbers, or expressions of symbols, which stay text."""

from __future__ import annotations

import re
from typing import Any

from visuai.errors import FormatError

_PLAIN = (
    (re.compile(r"Symbol\('(\w+)'[^()]*\)"), r"\1"),
    (re.compile(r"Integer\((-?\d+)\)"), r"\1"),
)
_FLAT = re.compile(r"(Mul|Add)\(([^(),]+(?:, [^(),]+)*)\)")


def read_size(size: dict[str, Any]) -> int | str:
    """Reads one size of a tensor.

    Raises:
        FormatError: If it is no 64-bit integer.
    """
    if "as_int" in size:
        value = size["as_int"]
        if type(value) is not int or not -(1 << 63) <= value < 1 << 63:
            raise FormatError(f"a size is {str(value)[:100]!r}, expected a 64-bit integer.")
        return value
    return readable(str(size["as_expr"]["expr_str"])[:1000])


def readable(expression: str) -> str:
    """Writes a serialised symbolic size as one would: text in, text out, nothing evaluated.

    Examples:
        >>> readable("Mul(Integer(4), Symbol('s77', positive=True, integer=True))")
        '4*s77'
    """
    for pattern, replacement in _PLAIN:
        expression = pattern.sub(replacement, expression)
    for _ in range(8):
        shorter = _FLAT.sub(
            lambda m: m[2].replace(", ", "*" if m[1] == "Mul" else " + "), expression
        )
        if shorter == expression:
            break
        expression = shorter
    return expression
