"""Columns: one attribute of many rows, each distinct value written once.

A column is one of ``{"all": value}``, ``{"rows": [value, ...]}`` and
``{"of": [value, ...], "at": [index, ...]}``, where index -1 stands for a row without the
attribute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import NoneType
from typing import Any, cast

from visuai.errors import FormatError

MISSING: Any = object()
"""Stands for the attribute in a row that lacks it."""

_PLAIN: frozenset[type] = frozenset((str, int, bool, NoneType, object))

Check = Callable[[Any], Any]
"""Gives the value as it is to be held, or raises FormatError, TypeError or ValueError."""


def encode(rows: Sequence[Any]) -> dict[str, Any]:
    """Writes a column.

    Args:
        rows: JSON-able values, or `MISSING`.
    """
    return _encoded(rows, _keys(rows))


def encode_lists(rows: Sequence[tuple[str | int | None, ...]]) -> dict[str, Any]:
    """Writes a column of lists, given as tuples.

    Args:
        rows: Text, integers (no true or false among them), and None.
    """
    column = _encoded(rows, rows)
    if "all" in column:
        return {"all": list(column["all"])}
    for name in ("rows", "of"):
        if name in column:
            column[name] = list(map(list, column[name]))
    return column


def _encoded(rows: Sequence[Any], keys: Sequence[Any]) -> dict[str, Any]:
    """Writes a column whose rows are the same where their keys are."""
    number: dict[Any, int] = {}
    table: list[Any] = []
    for key, value in dict(zip(keys, rows, strict=True)).items():
        if value is MISSING:
            number[key] = -1
        else:
            number[key] = len(table)
            table.append(value)
    at = [number[key] for key in keys]
    if len(table) == 1 and -1 not in at:
        return {"all": table[0]}
    if 2 * len(table) > len(rows) and -1 not in at:
        return {"rows": list(rows)}
    return {"of": table, "at": at}


def _keys(rows: Sequence[Any]) -> Sequence[Any]:
    """Gives for each row what is the same for the same value, and has a hash."""
    kinds = set(map(type, rows))
    if kinds <= _PLAIN and not kinds >= {bool, int}:
        return rows
    # repr tells 1 from True and 0.0 from -0.0, and needs no hash
    return [row if type(row) is str or row is MISSING else (repr(row),) for row in rows]


def decode(column: Any, count: int, check: Check, name: str) -> list[Any]:
    """Reads a column of ``count`` rows; rows that lack the attribute are `MISSING`.

    Args:
        column: What `encode` gave.
        count: Number of rows that it must have.
        check: Applied to each distinct value.
        name: What to call the column in an error.

    Raises:
        FormatError: If the column has another form, another length, or a bad value.
    """
    table = cast("dict[str, Any]", column) if isinstance(column, dict) else {}
    if "all" in table:
        return _own([_checked(table["all"], check, name)] * count)
    rows: Any = table.get("rows", table.get("at"))
    if not isinstance(rows, list) or len(cast("list[Any]", rows)) != count:
        raise FormatError(f"Column {name[:80]!r} is not a column of {count} rows.")
    if "rows" in table:
        return [_checked(value, check, name) for value in cast("list[Any]", rows)]
    values = [_checked(value, check, name) for value in table["of"]]
    values.append(MISSING)  # what index -1 finds
    return _own([values[at] for at in integers(rows, -1, len(values) - 1, name)])


def _own(rows: list[Any]) -> list[Any]:
    """Gives each row a list or dict of its own, so that a change to one leaves the others."""
    return [row.copy() if type(row) in (list, dict) else row for row in rows]


def integers(values: Any, low: int, high: int, name: str) -> list[int]:
    """Checks that ``values`` is a list of integers from ``low`` to below ``high``.

    Raises:
        FormatError: If it is not.
    """
    if type(values) is not list:
        raise FormatError(f"{name!r} is not a list.")
    numbers = cast("list[int]", values)
    if not set(map(type, numbers)) <= {int}:
        raise FormatError(f"{name!r} holds what is not an integer.")
    if numbers and not (low <= min(numbers) and max(numbers) < high):
        raise FormatError(f"{name!r} holds a number that is not from {low} to {high - 1}.")
    return numbers


def _checked(value: Any, check: Check, name: str) -> Any:
    try:
        return check(value)
    except (TypeError, ValueError, LookupError) as error:
        raise FormatError(f"Column {name[:80]!r} holds a bad value: {str(error)[:200]}") from error
