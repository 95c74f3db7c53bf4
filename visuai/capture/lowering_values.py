"""What an exported graph tells of the values in it."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import fx

from visuai.program import Spec

Path = tuple[Any, ...]
"""Where an input comes from: 0 (positional) or 1 (keyword), the argument, keys inside of it."""


def value_of(node: fx.Node) -> Any:
    """Gives what is known of a node's value, with a `Spec` in place of each tensor."""
    return to_specs(node.meta.get("val"))


def to_specs(value: Any) -> Any:
    """Copies a tree of tensors with a `Spec` in place of each; sizes by name become strings."""
    if isinstance(value, Spec):
        return value
    if isinstance(value, torch.Tensor):
        shape = tuple(size if type(size) is int else str(size) for size in value.shape)
        return Spec(shape, str(value.dtype).removeprefix("torch."))
    if isinstance(value, (tuple, list)):
        return tuple(to_specs(item) for item in cast("list[Any]", value))
    if isinstance(value, dict):
        return {key: to_specs(item) for key, item in cast("dict[Any, Any]", value).items()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def assembled(parts: list[tuple[Path, Any]]) -> dict[Any, Any]:
    """Builds the value of an argument from those of the tensors inside of it."""
    tree: dict[Any, Any] = {}
    for path, value in parts:
        inner = tree
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        inner[path[-1]] = value
    return tree


def has_tensor(value: Any) -> bool:
    """Tells whether a value of specs is a tensor or holds one."""
    return isinstance(value, Spec) or (
        isinstance(value, tuple) and any(map(has_tensor, cast("tuple[Any, ...]", value)))
    )
