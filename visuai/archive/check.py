"""Checks of single values: each gives the value as it is to be held, or raises TypeError."""

from __future__ import annotations

from typing import Any, cast

from visuai.archive.column import Check
from visuai.errors import FormatError
from visuai.ir import OP_KINDS
from visuai.report import Report

_LIMIT = 2**63


def report(document: Any) -> Report:
    """The account of how a topology came about, all of it checked."""
    held = Report.from_dict(document)
    text(held.route)
    texts(held.failures)
    for note in held.notes:
        text(note)
    for record in held.passes:
        text(record.name)
        count(record.nodes)
        count(record.edges)
        for removed, number in record.removed.items():
            text(removed)
            count(number)
        if type(record.seconds) not in (int, float):
            raise TypeError("seconds of a pass is not a number")
    return held


def identifiers(values: Any, what: str) -> list[str]:
    """A list of ids, each there once.

    Args:
        values: The list as read.
        what: What they are ids of, for the message.

    Raises:
        FormatError: If one is there twice.
    """
    names = [text(value) for value in items(values)]
    if len(set(names)) != len(names):
        raise FormatError(f"Two {what} have the same id.")
    return names


def text(value: Any) -> str:
    """Text, as a plain ``str``."""
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {str(value)[:40]!r}")
    return str(value)  # a subclass, such as the version of torch, becomes plain


def text_or_none(value: Any) -> str | None:
    """Text or null."""
    return None if value is None else text(value)


def count(value: Any) -> int:
    """An integer from 0 that fits into 63 bits."""
    if type(value) is not int or not 0 <= value < _LIMIT:
        raise TypeError(f"expected an integer from 0, got {str(value)[:40]!r}")
    return value


def count_or_none(value: Any) -> int | None:
    """A count or null."""
    return None if value is None else count(value)


def flops(value: Any) -> int | None:
    """A number of operations, which may be larger than other counts, or null."""
    if value is None or (type(value) is int and 0 <= value < _LIMIT**2):
        return value
    raise TypeError(f"expected a number of operations, got {str(value)[:40]!r}")


def boolean(value: Any) -> bool:
    """True or false, and not a number that passes for one."""
    if type(value) is not bool:
        raise TypeError(f"expected true or false, got {str(value)[:40]!r}")
    return value


def items(value: Any) -> list[Any]:
    """A list of anything."""
    if type(value) is not list:
        raise TypeError(f"expected a list, got {str(value)[:40]!r}")
    return cast("list[Any]", value)


def texts(value: Any) -> dict[str, str]:
    """An object whose values are text."""
    if type(value) is not dict:
        raise TypeError(f"expected an object, got {str(value)[:40]!r}")
    return {text(key): text(one) for key, one in cast("dict[str, Any]", value).items()}


def texts_of(table: Any) -> list[str]:
    """The texts of a table of names."""
    return [text(name) for name in table]


def text_list(value: Any) -> list[str]:
    """A list of text."""
    return [text(item) for item in items(value)]


def shape(value: Any) -> list[int | str]:
    """The sizes of a tensor: counts, or names of sizes that are not known."""
    return [size if type(size) is str else count(size) for size in items(value)]


def spec(value: Any) -> tuple[str, list[int | str]]:
    """The dtype and the shape of a tensor, from one list."""
    dtype, *sizes = items(value)
    return text(dtype), shape(sizes)


def op_kind(value: Any) -> str:
    """The kind of a node; see `visuai.ir.OP_KINDS`."""
    if value not in OP_KINDS:
        raise ValueError(f"expected one of {sorted(OP_KINDS)}, got {str(value)[:40]!r}")
    return value


def parameter_kind(value: Any) -> str:
    """The kind of a tensor that a network holds."""
    if value not in ("parameter", "buffer", "constant"):
        raise ValueError(f"expected parameter, buffer or constant, got {str(value)[:40]!r}")
    return value


def source(value: Any) -> list[Any] | None:
    """File and line, or null."""
    if value is None:
        return None
    file, line = items(value)
    return [text(file), count(line)]


def attributes(value: Any) -> dict[str, Any]:
    """The attributes of a node: scalars, floats that JSON lacks spelled as words."""
    if type(value) is not dict:
        raise TypeError(f"expected an object, got {str(value)[:40]!r}")
    held: dict[str, Any] = {}
    for name, scalar in cast("dict[str, Any]", value).items():
        match scalar:
            case {"float": ("inf" | "-inf" | "nan") as word}:
                held[name] = float(word)
            case None | str() | bool() | int() | float():
                held[name] = scalar
            case _:
                raise TypeError(f"expected a scalar, got {str(scalar)[:40]!r}")
    return held


def anything(value: Any) -> Any:
    """Any value, as it is."""
    return value


NODE: dict[str, Check] = {
    "op_kind": op_kind,
    "op": text,
    "target": text,
    "fqn": text,
    "call": count_or_none,
    "category": text,
    "source": source,
    "flops": flops,
}
EXTRA: dict[str, Check] = {
    "scope_node": boolean,
    "scope_call": count_or_none,
    "nodes": count,
    "repeat": count,
    "values": count,
    "pruned": text_list,
}
PARAMETER: dict[str, Check] = {
    "shape": shape,
    "dtype": text,
    "bytes": count,
    "requires_grad": boolean,
    "kind": parameter_kind,
    "alias_of": text_or_none,
}
