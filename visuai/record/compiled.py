"""Whether tensors are measured by the compiled kernel, and which of them.

The kernel needs numba, which is optional. It is loaded when a recording starts, as that takes up
to some seconds: no step of training is to wait for it. All that is not for the kernel, and
everything where numba is not there or does not work, is measured by way of numpy and torch.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from visuai.record.bins import SAMPLE
from visuai.record.measured import Measured
from visuai.record.sample import places_by_tile

WORTH = 1_000_000
"""Elements of a network from which on the kernel is worth the time that it takes to load."""

_Kernel = Callable[..., None]

_kernel: _Kernel | None = None
_tried = False


def prepare(parameters: Iterable[torch.Tensor]) -> str:
    """Loads the kernel if it can be had and these parameters are worth it; never raises.

    Args:
        parameters: What is going to be measured.

    Returns:
        What will measure it: ``numba`` or ``numpy``.
    """
    global _kernel, _tried
    with suppress(Exception):  # Parameters may be of anybody's making.
        if not _tried and sum(map(_elements_here, parameters)) >= WORTH:
            _tried, _kernel = True, load()
    return "numpy" if _kernel is None else "numba"


def load() -> _Kernel | None:
    """Gives the kernel; None if there is no numba, or none that works. Never raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # What is compiled is kept beside this package, or in the user's folder of caches; numba
        # refuses to do so where it can write to neither.
        for cache in (True, False):
            try:
                from visuai.record.kernel import compile_kernel

                kernel = compile_kernel(cache=cache)
                if _works(kernel):
                    return kernel
            except Exception:
                continue
    return None


def measure_compiled(
    tensors: Sequence[torch.Tensor],
    minus: Sequence[torch.Tensor] | None,
    keep: Sequence[torch.Tensor | None] | None,
    factor: float,
    result: Measured,
) -> Sequence[int]:
    """Measures those of some tensors that the kernel is for, as `measure` does.

    Args:
        tensors: The tensors.
        minus: What to subtract from each.
        keep: Where to copy each.
        factor: What to multiply each element by.
        result: Where to put what is measured.

    Returns:
        Which tensors are left to measure.
    """
    if _kernel is None:
        return range(len(tensors))
    return _run(_kernel, tensors, minus, keep, factor, result)


def _run(
    kernel: _Kernel,
    tensors: Sequence[torch.Tensor],
    minus: Sequence[torch.Tensor] | None,
    keep: Sequence[torch.Tensor | None] | None,
    factor: float,
    result: Measured,
) -> list[int]:
    rest: list[int] = []
    # Nothing is read of a tensor of size 0, so those that are left stay as they are.
    addresses = np.zeros((5, len(tensors)), dtype=np.int64)
    read, subtracted, written, samples, sizes = addresses
    plans: list[NDArray[np.int64]] = []  # Kept alive until the kernel has read them.
    for index, tensor in enumerate(tensors):
        less = None if minus is None else minus[index]
        copy = None if keep is None else keep[index]
        size = tensor.numel()
        if not all(each is None or _is_plain(each, size) for each in (tensor, less, copy)):
            rest.append(index)
            continue
        sizes[index] = size
        read[index] = tensor.data_ptr()
        if less is not None:
            subtracted[index] = less.data_ptr()
        if copy is not None:
            written[index] = copy.data_ptr()
        if size > SAMPLE:
            (places,) = places_by_tile(size, size)
            plans.append(places)
            samples[index] = places.ctypes.data
    extremes: Any = np.full((2, len(tensors)), np.nan, dtype=np.float32)
    kernel(
        *addresses,
        SAMPLE,
        np.float32(factor),
        result.zeros,
        result.nonfinite,
        result.moments[:3],
        extremes.view(np.int32),
        result.bins,
    )
    result.moments[3:] = extremes
    return rest


def _elements_here(parameter: torch.Tensor) -> int:
    lazy = isinstance(parameter, nn.UninitializedParameter)
    return 0 if lazy or parameter.device.type != "cpu" else parameter.numel()


def _is_plain(tensor: torch.Tensor, size: int) -> bool:
    """Tells whether a tensor is so many float32, one after the other, in memory of the host."""
    return bool(
        type(tensor) is torch.Tensor
        and tensor.dtype == torch.float32
        and tensor.device.type == "cpu"
        and tensor.numel() == size
        and tensor.is_contiguous()
        # Storage may have been freed under a tensor that has not been told.
        and 4 * (tensor.storage_offset() + size) <= tensor.untyped_storage().nbytes()
    )


def _works(kernel: _Kernel) -> bool:
    """Tries a kernel on a tensor that one can see through."""
    values = torch.tensor([0.5, -2.0, 0.0, torch.inf], device="cpu", dtype=torch.float32)
    result = Measured.empty([4])
    _run(kernel, [values], None, None, 1.0, result)
    return (
        result.moments[:, 0].tolist() == [-1.5, 2.5, 4.25, -2.0, 0.5]
        and result.zeros[0] == result.nonfinite[0] == 1
        and result.bins.sum() == 2
    )
