"""The random generators that a forward can draw from, and their states."""

from __future__ import annotations

import random
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import FunctionType, MethodType
from typing import Any, cast

import torch
from torch import nn


def states(models: Iterable[Any]) -> list[Callable[[], None]]:
    """Notes the states of random generators, and gives what puts each back.

    These are the ones that Python, NumPy and torch share, and those that are held by a module,
    by itself or in a list or dict of its own, or by name in a file that a forward is written in.

    Args:
        models: Modules, and functions.
    """
    kept = _shared_states()
    seen: set[int] = set()
    for generator in _held(models):
        if id(generator) not in seen:
            seen.add(id(generator))
            put_back = _state_of(generator)
            if put_back is not None:
                kept.append(put_back)
    return kept


def is_generator(value: object) -> bool:
    """Tells whether a value is a random generator."""
    return issubclass(type(value), _kinds())


def _shared_states() -> list[Callable[[], None]]:
    python, cpu = random.getstate(), torch.random.get_rng_state()
    kept = [lambda: random.setstate(python), lambda: torch.random.set_rng_state(cpu)]
    # Nobody drew from NumPy's before the first import of it, which NumPy itself puts off.
    shared: Any = sys.modules.get("numpy.random")
    if shared is not None:
        numpy_state = shared.get_state()
        kept.append(lambda: shared.set_state(numpy_state))
    if torch.cuda.is_initialized():
        cuda = torch.cuda.get_rng_state_all()
        kept.append(lambda: torch.cuda.set_rng_state_all(cuda))
    return kept


def _held(models: Iterable[Any]) -> Iterator[Any]:
    """Gives the generators that modules hold, and the files that their forwards are from."""
    kinds = _kinds()
    forwards: dict[type, Any] = {}
    for model in models:
        kind = cast("type[Any]", type(model))
        if not isinstance(model, nn.Module):
            forwards[kind] = model
        elif not kind.__module__.startswith("torch."):  # Those draw from the shared ones.
            forwards[kind] = kind.forward
            for name, value in model.__dict__.items():
                if type(value) in _PLAIN or name in _REGISTERED:
                    continue
                if issubclass(type(value), kinds):
                    yield value
                elif type(value) is list or type(value) is dict:
                    parts = value.values() if isinstance(value, dict) else value  # pyright: ignore[reportUnknownVariableType]
                    yield from (part for part in parts if issubclass(type(part), kinds))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    files: dict[int, dict[str, Any]] = {}
    for forward in forwards.values():
        function = _as_written(forward)
        if function is None:
            continue
        files[id(function.__globals__)] = function.__globals__
        for cell in function.__closure__ or ():
            with suppress(ValueError):  # It may not be set yet.
                if issubclass(type(cell.cell_contents), kinds):
                    yield cell.cell_contents
    for names in files.values():
        yield from (value for value in list(names.values()) if issubclass(type(value), kinds))


_PLAIN = frozenset((bool, int, float, str, type(None), OrderedDict, set))
_REGISTERED = frozenset(("_parameters", "_buffers", "_modules"))


def _as_written(forward: Any) -> FunctionType | None:
    """Gives the function that a method, or what decorates it, was made of."""
    while isinstance(forward, (FunctionType, MethodType)):
        inner = getattr(forward, "__func__", None) or getattr(forward, "__wrapped__", None)
        if inner is None:
            return cast("FunctionType", forward)
        forward = inner
    return None


def _kinds() -> tuple[type, ...]:
    """Gives the classes of generators. Ask `issubclass`: torch's answers `isinstance` in Python."""
    numpy_random: Any = sys.modules.get("numpy.random")
    if numpy_random is None:
        return torch.Generator, random.Random
    kinds = numpy_random.Generator, numpy_random.RandomState, numpy_random.BitGenerator
    return torch.Generator, random.Random, *kinds


def _state_of(generator: Any) -> Callable[[], None] | None:
    """Notes the state of a generator; None if it has none."""
    if isinstance(generator, random.Random):
        try:
            python = generator.getstate()
        except NotImplementedError:  # The system's, which cannot be put back.
            return None
        return lambda: generator.setstate(python)
    state: Any
    if hasattr(generator, "get_state"):
        state = generator.get_state()
        return lambda: generator.set_state(state)
    source = getattr(generator, "bit_generator", generator)
    state = source.state

    def put_back() -> None:
        source.state = state

    return put_back
