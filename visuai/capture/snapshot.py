"""Puts a model and the random generators back as they were before a capture."""

from __future__ import annotations

import random
import sys
from collections import OrderedDict, deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from operator import is_
from typing import Any

import torch
from torch import nn

from visuai.capture.describe import walk

_CONTAINERS = frozenset((dict, OrderedDict, list, set, deque))


def keep(root: nn.Module | None) -> Callable[[], None]:
    """Notes what a forward may change, and gives the function that puts it back.

    That is: the attributes of each module (also what the lists, dicts and sets among them
    hold), with that its mode, hooks and registered tensors, and the states of the random
    generators of Python, NumPy and torch. Values of tensors are not kept: captures work on
    stand-ins.

    Args:
        root: The model; None if there is none.
    """
    kept: list[tuple[nn.Module, dict[str, Any]]] = []
    filled: list[tuple[Any, Any]] = []
    empty: list[Any] = []  # Most: a dozen dictionaries of hooks in each module.
    for _, module, _ in () if root is None else walk(root):
        attributes = module.__dict__.copy()
        kept.append((module, attributes))
        for value in attributes.values():
            if type(value) in _CONTAINERS:
                if value:
                    filled.append((value, value.copy()))
                else:
                    empty.append(value)
    generators = _generators()

    def restore() -> None:
        _restore_generators(*generators)
        for module, attributes in kept:
            current = module.__dict__
            # By names as they are equal, by values only as they are the same: both at C's speed.
            if list(current) != list(attributes) or not _are_same(current, attributes):
                current.clear()
                current.update(attributes)
        for container, copy in filled:
            _put_back(container, copy)
        if any(empty):
            for container in empty:
                container.clear()

    return restore


@contextmanager
def unchanged(root: nn.Module | None) -> Generator[Callable[[], None]]:
    """Puts back, on leaving, what a forward may have changed; see `keep`.

    Args:
        root: The model; None if there is none.

    Yields:
        What does so ahead of that.
    """
    restore = keep(root)
    try:
        yield restore
    finally:
        restore()


def _put_back(container: Any, copy: Any) -> None:
    if _same(container, copy):
        return
    container.clear()
    if isinstance(container, (dict, set)):
        container.update(copy)  # pyright: ignore[reportUnknownMemberType]
    else:
        container.extend(copy)


def _same(value: Any, copy: Any) -> bool:
    """Tells whether a container still holds the same objects in the same order."""
    if type(value) is set:
        return value == copy  # pyright: ignore[reportUnknownVariableType]
    if len(value) != len(copy) or not all(map(is_, value, copy)):
        return False
    return not isinstance(value, dict) or _are_same(value, copy)  # pyright: ignore[reportUnknownArgumentType]


def _are_same(value: dict[Any, Any], copy: dict[Any, Any]) -> bool:
    return all(map(is_, value.values(), copy.values()))


def _generators() -> tuple[Any, ...]:
    # Nobody drew from NumPy's before the first import of it, which NumPy itself puts off.
    numpy_random = sys.modules.get("numpy.random")
    return (
        random.getstate(),
        numpy_random.get_state() if numpy_random is not None else None,
        torch.random.get_rng_state(),
        torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None,
    )


def _restore_generators(python: Any, numpy_state: Any, cpu: Any, cuda: Any) -> None:
    random.setstate(python)
    if numpy_state is not None:
        sys.modules["numpy.random"].set_state(numpy_state)
    torch.random.set_rng_state(cpu)
    if cuda is not None:
        torch.cuda.set_rng_state_all(cuda)
