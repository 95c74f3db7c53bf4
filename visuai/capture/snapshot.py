"""Puts a model, its inputs and the random generators back as they were before a capture."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from operator import is_
from typing import Any

from torch import nn

from visuai.capture.belongings import keep_belongings, restore_items
from visuai.capture.describe import modules_of
from visuai.capture.generators import states

_CONTAINERS = frozenset((dict, OrderedDict, list, set, deque))


def keep(root: nn.Module | None, *others: Any) -> Callable[[], None]:
    """Notes what a forward may change, and gives the function that puts it back.

    That is: the attributes of each module (also what the lists, dicts and sets among them
    hold), with that its mode, hooks and registered tensors; what objects among the inputs hold;
    and the states of the random generators (see `visuai.capture.generators.states`). Values of
    tensors are not kept: captures work on stand-ins.

    Args:
        root: The model; None if there is none.
        others: A function that is called in place of the model, and inputs.
    """
    modules = [] if root is None else modules_of(root)
    kept: list[tuple[nn.Module, dict[str, Any]]] = []
    filled: list[tuple[Any, Any]] = []
    empty: list[Any] = []  # Most: a dozen dictionaries of hooks in each module.
    for module in modules:
        attributes = module.__dict__.copy()
        kept.append((module, attributes))
        for value in attributes.values():
            if type(value) in _CONTAINERS:
                if value:
                    filled.append((value, value.copy()))
                else:
                    empty.append(value)
    generators = states([*modules, *filter(callable, others)])
    put_others_back = keep_belongings(others)

    def restore() -> None:
        for put_back in generators:
            put_back()
        for module, attributes in kept:
            current = module.__dict__
            # By names as they are equal, by values only as they are the same: both at C's speed.
            if list(current) != list(attributes) or not _are_same(current, attributes):
                current.clear()
                current.update(attributes)
        for container, copy in filled:
            restore_items(container, copy)
        if any(empty):
            for container in empty:
                container.clear()
        put_others_back()

    return restore


@contextmanager
def unchanged(root: nn.Module | None, *others: Any) -> Generator[Callable[[], None]]:
    """Puts back, on leaving, what a forward may have changed; see `keep`.

    Args:
        root: The model; None if there is none.
        others: A function that is called in place of the model, and inputs.

    Yields:
        What does so ahead of that.
    """
    restore = keep(root, *others)
    try:
        yield restore
    finally:
        restore()


def _are_same(value: dict[Any, Any], copy: dict[Any, Any]) -> bool:
    return all(map(is_, value.values(), copy.values()))
