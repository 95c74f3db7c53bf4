"""Calls under ``torch.vmap``: the function sees one sample, and all of them are computed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch._C._functorch import (
    get_unwrapped,
    is_batchedtensor,  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
    is_functorch_wrapped_tensor,
    maybe_current_level,  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
    maybe_get_bdim,  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
)


def is_transformed() -> bool:
    """Tells whether a transform of ``torch.func`` is at work, as ``vmap`` or ``grad``."""
    return maybe_current_level() is not None


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a call under ``torch.vmap`` sees, for counting its FLOPs.

    Attributes:
        samples: Number of samples that it is computed for.
        inputs: Shape of one sample of each tensor among its arguments, in order.
        outputs: Likewise of those that it gives.
    """

    samples: int
    inputs: list[tuple[int, ...]]
    outputs: list[tuple[int, ...]]


def mapped_call(operands: Any, result: Any) -> Mapped | None:
    """Gives what a call sees of its operands and its result; None if nothing is mapped over."""
    outputs = list(_tensors(result))
    samples = max((prod(mapped_sizes(tensor)) for tensor in outputs), default=1)
    if samples == 1:
        return None
    inputs = [tuple(tensor.shape) for tensor in _tensors(operands)]
    return Mapped(samples, inputs, [tuple(tensor.shape) for tensor in outputs])


def mapped_sizes(tensor: torch.Tensor) -> tuple[int, ...]:
    """Gives the sizes that ``torch.vmap`` keeps from the function, the outermost one first."""
    sizes: tuple[int, ...] = ()
    while is_functorch_wrapped_tensor(tensor):  # Under vmap, or under grad.
        inside = get_unwrapped(tensor)
        if is_batchedtensor(tensor):
            sizes = (inside.shape[maybe_get_bdim(tensor)], *sizes)
        tensor = inside
    return sizes


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for part in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _tensors(part)
    elif isinstance(value, dict):
        yield from _tensors([*value.values()])  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
