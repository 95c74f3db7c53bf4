"""The sample of a large tensor that its histogram is of, and the histogram itself."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from visuai.record.bins import BINS, FINITE, SAMPLE, bin_of, by_sign
from visuai.record.flat import as_tensor

_REMEMBERED = 512
_PLANS: dict[tuple[int, int], list[NDArray[np.int64]]] = {}


def sample_places(size: int) -> NDArray[np.int64]:
    """Chooses the elements of a tensor's sample, ascending.

    The choice depends on the size alone, so a histogram changes only if the tensor does. It
    has random numbers of its own: none that training would see are used.

    Args:
        size: Elements of the tensor.
    """
    if size <= SAMPLE:
        return np.arange(size)
    jitter = np.random.default_rng(size).random(SAMPLE)
    chosen = ((np.arange(SAMPLE) + jitter) * (size / SAMPLE)).astype(np.int64)
    return np.minimum(chosen, size - 1)


def places_by_tile(size: int, length: int) -> list[NDArray[np.int64]]:
    """Gives the places of a sample within each tile; kept, as sizes come with every record.

    Args:
        size: Elements of the tensor.
        length: Elements of a tile.
    """
    key = size, length
    if key not in _PLANS:
        if len(_PLANS) >= _REMEMBERED:
            _PLANS.clear()
        chosen = sample_places(size)
        edges = np.searchsorted(chosen, np.arange(0, size + length, length))
        _PLANS[key] = [
            chosen[start:stop] - number * length
            for number, (start, stop) in enumerate(pairwise(edges))
        ]
    return _PLANS[key]


def take(numbers: NDArray[Any], places: NDArray[np.int64], sample: NDArray[np.float32]) -> None:
    """Writes the numbers at some places to a part of a sample."""
    if numbers.dtype == np.float32:
        numbers.take(places, out=sample, mode="wrap")  # The quickest way: they all are in range.
    else:
        sample[:] = _narrow(numbers.take(places))


def _narrow(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Gives float64 as float32 of the nearest bin: neither infinite nor zero by narrowing."""
    limits = np.finfo(np.float32)
    magnitude = np.minimum(np.maximum(np.abs(values), limits.tiny), limits.max)
    narrow: NDArray[np.float32] = np.where(values == 0, 0.0, np.copysign(magnitude, values)).astype(
        np.float32
    )
    narrow[~np.isfinite(values)] = np.nan
    return narrow


def count_bins(
    sample: NDArray[np.float32], lengths: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """Counts numbers into their bins, leaving out zeros and what is not finite.

    Args:
        sample: Numbers of one tensor, or of several, one after the other.
        lengths: How many there are of each tensor; None for one tensor.

    Returns:
        Counts, tensors × `BINS`.
    """
    keys: Any = bin_of(sample)
    rows = 1 if lengths is None else len(lengths)
    if lengths is not None:
        keys += np.repeat(np.arange(rows, dtype=np.uint32) * np.uint32(BINS), lengths)
    # Unlike numpy's this counts small integers as they are, without a copy of twice the size.
    counted = torch.bincount(as_tensor(keys.view(np.int32)), minlength=rows * BINS)
    bins: Any = counted.numpy()
    signed = by_sign(bins.reshape(rows, BINS))
    signed[:, :, FINITE:] = 0
    if signed[:, :, 0].any():
        # Zeros share their bins with the smallest denormal numbers, which are hardly ever there.
        signed[:, :, 0] = 0
        tiny = np.flatnonzero((sample != 0) & (np.abs(sample) < 2.0**-127))
        np.add.at(bins, keys[tiny], 1)
    return bins.reshape(rows, BINS)
