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

_CONTAINERS = (dict, OrderedDict, list, set, deque)


def keep(root: nn.Module | None) -> Callable[[], None]:
    """Notes what a forward may change, and gives the function that puts it back.

    That is: the attributes of each module (also what the lists, dicts and sets among them
    hold), with that its mode, hooks and registered tensors, and the states of the random
    generators of Python, NumPy and torch. Values of tensors are not kept: captures work on
    stand-ins.

    Args:
        root: The model; None if there is none.
    """
    kept = [] if root is None else [(module, _copy(module)) for _, module, _ in walk(root)]
    generators = _generators()

    def restore() -> None:
        _restore_generators(*generators)
        for module, state in kept:
            _restore(module, state)

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


_State = tuple[dict[str, Any], list[Any], list[Any]]


def _copy(module: nn.Module) -> _State:
    """Gives the attributes of a module, the containers among them, and a copy of each."""
    attributes = module.__dict__.copy()
    containers = [value for value in attributes.values() if type(value) in _CONTAINERS]
    return attributes, containers, [each.copy() if each else None for each in containers]


def _restore(module: nn.Module, state: _State) -> None:
    attributes, containers, copies = state
    current = module.__dict__
    if not _same_dict(current, attributes):
        current.clear()
        current.update(attributes)
    for container, copy in zip(containers, copies, strict=True):
        if copy is None:
            if container:
                container.clear()
        elif not _same(container, copy):
            container.clear()
            if isinstance(container, (dict, set)):
                container.update(copy)  # pyright: ignore[reportUnknownMemberType]
            else:
                container.extend(copy)


def _same(value: Any, copy: Any) -> bool:
    """Tells whether a container still holds the same objects in the same order."""
    if isinstance(value, dict):
        return _same_dict(value, copy)  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(value, set):
        return value == copy
    return len(value) == len(copy) and all(map(is_, value, copy))


def _same_dict(value: dict[Any, Any], copy: dict[Any, Any]) -> bool:
    return (
        len(value) == len(copy)
        and all(map(is_, value.values(), copy.values()))
        and all(map(is_, value, copy))
    )


def _generators() -> tuple[Any, ...]:
    numpy = sys.modules.get("numpy")
    return (
        random.getstate(),
        numpy.random.get_state() if numpy is not None else None,
        torch.random.get_rng_state(),
        torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None,
    )


def _restore_generators(python: Any, numpy_state: Any, cpu: Any, cuda: Any) -> None:
    random.setstate(python)
    if numpy_state is not None:
        sys.modules["numpy"].random.set_state(numpy_state)
    torch.random.set_rng_state(cpu)
    if cuda is not None:
        torch.cuda.set_rng_state_all(cuda)
