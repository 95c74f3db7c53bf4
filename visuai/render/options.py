"""Checks the options of a renderer against its signature."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import wraps
from inspect import signature
from typing import (
    Any,
    Literal,
    ParamSpec,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from visuai.errors import RenderError
from visuai.topology import Topology

Direction = Literal["TB", "LR"]
"""Which way data flows: top to bottom, or left to right."""

_WORDS: dict[Any, str] = {
    int: "a whole number from 0",
    float: "a number above 0",
    bool: "True or False",
    str: "a text",
    Topology: "a topology",
}

_P = ParamSpec("_P")
_R = TypeVar("_R")


def checked(render: Callable[_P, _R]) -> Callable[_P, _R]:
    """Makes a renderer refuse unknown and ill-typed options with a `RenderError`.

    The renderer's own keyword arguments, with their annotations, are the specification.
    A list or tuple of strings is taken where a set of strings is due.
    """
    name = (render.__module__ or "").rpartition(".")[2].replace("_", "-")

    parameters = signature(render).parameters.items()
    untyped = cast("Callable[..., _R]", render)

    def options() -> dict[str, Any]:
        hints = get_type_hints(render)
        return {key: hints[key] for key, value in parameters if value.kind is value.KEYWORD_ONLY}

    @wraps(render)
    def checking(topology: object, /, **values: Any) -> _R:
        if not isinstance(topology, Topology):
            raise RenderError(
                f"Renderer {name!r} takes a Topology, got {type(topology).__name__}. "
                "Make one with visuai.build(model)."
            )
        known = options()
        for key, value in values.items():
            hint = known.get(key)
            if hint is None:
                near = get_close_matches(key, known, 1)
                guess = f" Did you mean {near[0]!r}?" if near else ""
                raise RenderError(
                    f"Renderer {name!r} has no option {key!r}.{guess} "
                    f"Its options are: {', '.join(known)}."
                )
            if isinstance(value, list | tuple | frozenset) and set[str] in _kinds(hint):
                value = values[key] = _as_set(cast("Iterable[Any]", value))
            if not any(_fits(value, kind) for kind in _kinds(hint)):
                raise RenderError(
                    f"Option {key!r} of renderer {name!r} is {value!r:.200}; "
                    f"expected {_spell(hint)}."
                )
        return untyped(topology, **values)

    return cast("Callable[_P, _R]", checking)


def _as_set(values: Iterable[Any]) -> Any:
    members = list(values)
    return set(members) if all(isinstance(member, str) for member in members) else members


def _kinds(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _fits(value: Any, kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return isinstance(value, str) and value in get_args(kind)
    if get_origin(kind) is set:
        return isinstance(value, set) and all(
            isinstance(member, str) for member in cast("set[object]", value)
        )
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    return isinstance(value, kind)


def _spell(hint: Any) -> str:
    words: list[str] = []
    for kind in _kinds(hint):
        if get_origin(kind) is Literal:
            words.extend(repr(choice) for choice in get_args(kind))
        elif get_origin(kind) is set:
            words.append("a set of scope ids")
        elif kind is types.NoneType:
            words.append("None")
        else:
            words.append(_WORDS.get(kind, "something else"))
    return " or ".join(words)
