"""What objects hold: attributes and items, noted so that they can be put back."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from operator import is_
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, cast

import torch
from torch import nn

from visuai.capture.generators import is_generator

_MOST = 10_000
"""Objects that are looked into; a batch has fewer."""

_FIXED = (
    *(bool, int, float, complex, str, bytes, type(None), torch.Tensor, nn.Module, type),
    *(ModuleType, FunctionType, BuiltinFunctionType, MethodType, torch.dtype, torch.device),
)
"""What has nothing to put back, or is looked after by itself."""

_UNSET = object()

_CONTAINERS: tuple[type[Any], ...] = (OrderedDict, dict, list, set, deque)


def keep_belongings(values: Iterable[Any]) -> Callable[[], None]:
    """Notes what some values hold, and what that holds, and gives what puts it back.

    Objects have their attributes put back, and containers their items: the same objects under
    the same names. Tensors are not looked into, nor are modules.

    Args:
        values: Any values, such as the inputs of a model.
    """
    kept: list[tuple[Any, Any]] = []
    slots: list[tuple[Any, str, Any]] = []
    alive: list[Any] = []  # So that no other object gets the id of one that was met.
    met: set[int] = set()
    waiting: list[Any] = list(values)
    while waiting and len(met) < _MOST:
        value = waiting.pop()
        if isinstance(value, _FIXED) or id(value) in met or is_generator(value):
            continue
        met.add(id(value))
        alive.append(value)
        kind = cast("type[Any]", type(value))
        if issubclass(kind, tuple):
            waiting += value
        elif issubclass(kind, _CONTAINERS):
            kept.append((value, _items(value)))
            waiting += value.values() if issubclass(kind, dict) else value
        attributes = _attributes(value)
        if attributes is not None:
            kept.append((attributes, attributes.copy()))
            waiting += attributes.values()
        for name in _slots(type(value)):
            held = getattr(value, name, _UNSET)
            slots.append((value, name, held))
            waiting.append(held)

    def put_back() -> None:
        for container, items in kept:
            restore_items(container, items)
        for holder, name, held in slots:
            if getattr(holder, name, _UNSET) is held:
                continue
            if held is _UNSET:
                object.__delattr__(holder, name)
            else:
                object.__setattr__(holder, name, held)

    return put_back


def restore_items(container: Any, items: Any) -> None:
    """Has a container hold what it held, unless it still does.

    Args:
        container: A dict, list, set or deque, also of a class that is made of one.
        items: A dict, set or list of what it held.
    """
    if _same(container, items):
        return
    kind = next(each for each in _CONTAINERS if isinstance(container, each))
    kind.clear(container)  # Not its own: what a class does besides has been done once already.
    if isinstance(container, dict):
        for key, item in items.items():
            kind.__setitem__(container, key, item)
    elif isinstance(container, set):
        kind.update(container, items)
    else:
        kind.extend(container, items)


def _items(container: Any) -> Any:
    kind = cast("type[Any]", type(container))
    if issubclass(kind, OrderedDict):
        return dict(cast("Any", OrderedDict).items(container))
    if issubclass(kind, dict):
        return cast("Any", dict).copy(container)
    return set(container) if issubclass(kind, set) else list(container)


def _same(container: Any, items: Any) -> bool:
    """Tells whether a container still holds the same objects in the same order."""
    if isinstance(container, set):
        return container == items  # pyright: ignore[reportUnknownVariableType]
    if len(container) != len(items) or not all(map(is_, container, items)):
        return False
    return not isinstance(container, dict) or all(
        map(is_, container.values(), items.values())  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
    )


def _attributes(value: Any) -> dict[str, Any] | None:
    try:
        attributes = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return None
    return attributes if type(attributes) is dict else None  # pyright: ignore[reportUnknownVariableType]


def _slots(kind: Any) -> list[str]:
    """Gives the names of the slots of a class and of those that it is made of."""
    names: list[str] = []
    for each in kind.__mro__:
        own = each.__dict__.get("__slots__", ())
        names += (own,) if isinstance(own, str) else tuple(own)
    return [name for name in names if name not in ("__dict__", "__weakref__")]
