"""Puts a model and the random generators back as they were before a capture."""

from __future__ import annotations

import random
import sys
from collections import OrderedDict, deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
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
def unchanged(root: nn.Module | None) -> Generator[None]:
    """Puts back, on leaving, what a forward may have changed; see `keep`.

    Args:
        root: The model; None if there is none.
    """
    restore = keep(root)
    try:
        yield
    finally:
        restore()


def _copy(module: nn.Module) -> list[tuple[str, Any, Any]]:
    """Gives, for each attribute, its name, its value, and a copy if it is a container."""
    return [
        (name, value, value.copy() if type(value) in _CONTAINERS and value else None)
        for name, value in module.__dict__.items()
    ]


def _restore(module: nn.Module, state: list[tuple[str, Any, Any]]) -> None:
    current = module.__dict__
    if len(current) != len(state) or any(
        current.get(name, module) is not value for name, value, _ in state
    ):
        current.clear()
        current.update((name, value) for name, value, _ in state)
    for _, value, copy in state:
        if copy is not None:
            if not _same(value, copy):
                value.clear()
                if isinstance(value, (dict, set)):
                    value.update(copy)  # pyright: ignore[reportUnknownMemberType]
                else:
                    value.extend(copy)
        elif type(value) in _CONTAINERS and value:
            value.clear()


def _same(value: Any, copy: Any) -> bool:
    """Tells whether a container still holds the same objects in the same order."""
    if len(value) != len(copy):
        return False
    if isinstance(value, dict):
        return all(
            a is b and value[a] is copy[b]
            for a, b in zip(value, copy, strict=True)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        )
    if isinstance(value, set):
        return value == copy
    return all(a is b for a, b in zip(value, copy, strict=True))


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
