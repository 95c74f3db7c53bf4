"""Values in a TorchScript graph as it is read: modules, functions, and containers of values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import torch

UNKNOWN = object()
"""Stands for what is not known before the network is run."""


class Module(NamedTuple):
    """Stands for a module in the environment: the jit's own handle, and its FQN."""

    handle: Any
    fqn: str


class Function(NamedTuple):
    """Stands for a scripted function, of which the graph tells the short name only."""

    name: str


def leaves(values: Any) -> Iterator[Any]:
    """Gives what lists, tuples and dicts hold, at any depth, in order."""
    stack = [values]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            stack.extend(cast("dict[Any, Any]", value).values())
        elif isinstance(value, (tuple, list)) and not isinstance(value, (Module, Function)):
            stack.extend(reversed(cast("list[Any]", value)))
        else:
            yield value


def plain(value: Any) -> Any:
    """Takes out of arguments what no fx graph can hold."""
    if isinstance(value, (Module, Function)):
        return None
    if isinstance(value, tuple):
        return tuple(plain(item) for item in cast("tuple[Any, ...]", value))
    if isinstance(value, list):
        return [plain(item) for item in cast("list[Any]", value)]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in cast("dict[Any, Any]", value).items()}
    if isinstance(value, torch.ScriptObject):
        return None
    return value
