"""Statistics of many tensors in host memory, in as few passes over them as can be.

Small tensors are laid side by side, and each statistic of all of them is one call. Large ones
are read in tiles that fit a core's cache: the first statistic brings a tile in from memory, the
others find it there, and so does the sample for the histogram.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from visuai.record.bins import BINS, FINITE, MAGNITUDES, SAMPLE, bin_of
from visuai.record.columns import Columns

TILE = 131_072
"""Elements of a tile: 512 KiB of float32, half of what a core's own cache often holds."""

# Squares of float32 between these are neither infinite nor lost; others are summed as float64.
_SMALL, _LARGE = 1e-12, 1e15


@dataclass(frozen=True)
class Measured:
    """Statistics of several tensors; moments float64 and counts int64, one entry for each.

    Attributes:
        count: Elements.
        zeros: Elements that are zero.
        nonfinite: Elements that are infinite or not a number.
        moments: Sum, sum of magnitudes, sum of squares, minimum, maximum; 5 × tensors.
        bins: Elements of the sample in each bin, tensors × `BINS`.
    """

    count: NDArray[np.int64]
    zeros: NDArray[np.int64]
    nonfinite: NDArray[np.int64]
    moments: NDArray[np.float64]
    bins: NDArray[np.int64]

    def columns(self, step: int) -> Columns:
        """Gives them as rows of one step."""
        steps = np.full(len(self.count), step, dtype=np.int64)
        total, magnitude, square, minimum, maximum = self.moments
        bins = by_sign(self.bins)
        used = np.flatnonzero(bins.any(axis=(0, 1)))
        low, high = (int(used[0]), int(used[-1]) + 1) if len(used) else (0, 0)
        return Columns(
            first=steps,
            last=steps,
            records=np.ones_like(steps),
            count=self.count,
            zeros=self.zeros,
            nonfinite=self.nonfinite,
            total=total,
            magnitude=magnitude,
            square=square,
            minimum=minimum,
            maximum=maximum,
            low=low,
            bins=bins[:, :, low:high].astype(np.float32),
        )


def measure(
    tensors: Sequence[torch.Tensor],
    *,
    minus: Sequence[torch.Tensor] | None = None,
    keep: Sequence[torch.Tensor | None] | None = None,
    factor: float = 1.0,
) -> Measured:
    """Measures tensors.

    Args:
        tensors: Real tensors in host memory, each of one dimension and contiguous.
        minus: As many, of the same sizes and dtypes: measured is the difference.
        keep: As many, of the same sizes and dtypes: the tensors are copied into them; None for
            those that are not to be copied.
        factor: What to multiply each element by.
    """
    sizes = [tensor.numel() for tensor in tensors]
    lengths = np.minimum(sizes, SAMPLE).astype(np.int64)
    whole = np.array(
        [
            size <= SAMPLE and tensor.dtype != torch.float64
            for size, tensor in zip(sizes, tensors, strict=True)
        ],
        dtype=np.bool_,
    )
    order = np.argsort(~whole, kind="stable")  # Those that are small lie side by side, in front.
    offsets = np.empty_like(lengths)
    offsets[order] = np.cumsum(lengths[order]) - lengths[order]
    sample = np.empty(int(lengths.sum()), dtype=np.float32)
    result = Measured(
        count=np.array(sizes, dtype=np.int64),
        zeros=np.zeros(len(sizes), dtype=np.int64),
        nonfinite=np.zeros(len(sizes), dtype=np.int64),
        moments=np.zeros((5, len(sizes))),
        bins=np.zeros((len(sizes), BINS), dtype=np.int64),
    )
    result.moments[3:] = np.nan
    scratch = _Scratch()
    with np.errstate(all="ignore"):
        for index, tensor in enumerate(tensors):
            place = sample[offsets[index] : offsets[index] + lengths[index]]
            subtrahend = None if minus is None else minus[index]
            copy = None if keep is None else keep[index]
            if not whole[index]:
                _measure_tiles(tensor, subtrahend, copy, factor, place, result, index, scratch)
            elif sizes[index]:
                _take_whole(tensor, subtrahend, copy, factor, place)
        small = order[whole[order] & (lengths[order] > 0)]
        if len(small):
            _measure_small(sample[: lengths[small].sum()], offsets[small], small, result)
        _count_bins(sample, order, offsets, lengths, result)
    return result


def by_sign(bins: NDArray[np.int64]) -> NDArray[np.int64]:
    """Gives bins of each tensor as two rows: tensors × 2 × magnitudes, the same memory."""
    raw: Any = bins
    return raw.reshape(len(bins), 2, MAGNITUDES)


def as_tensor(array: NDArray[Any]) -> torch.Tensor:
    """Gives an array as a tensor, the same memory."""
    return cast("Any", torch).from_numpy(array)


def _take_whole(
    tensor: torch.Tensor,
    minus: torch.Tensor | None,
    keep: torch.Tensor | None,
    factor: float,
    place: NDArray[np.float32],
) -> None:
    """Writes a small tensor to its place in the sample."""
    target = as_tensor(place)
    if keep is not None:
        keep.copy_(tensor)
    if minus is None:
        target.copy_(tensor)
    elif tensor.dtype == torch.float32:
        torch.sub(tensor, minus, out=target)
    else:
        target.copy_(tensor).sub_(minus.to(torch.float32))
    if factor != 1.0:
        target.mul_(factor)


def _measure_small(
    values: NDArray[np.float32],
    starts: NDArray[np.int64],
    small: NDArray[np.int64],
    result: Measured,
) -> None:
    """Measures tensors that lie side by side, by one call for each statistic.

    Args:
        values: Their elements, one tensor after the other.
        starts: Where each starts.
        small: Which tensors they are.
        result: Where to put what is measured.
    """
    magnitudes: NDArray[np.float32] = np.abs(values)
    moments = np.stack(
        [
            np.add.reduceat(values, starts),
            np.add.reduceat(magnitudes, starts),
            np.add.reduceat(np.square(values), starts),
            np.minimum.reduceat(values, starts),
            np.maximum.reduceat(values, starts),
        ]
    ).astype(np.float64)
    result.moments[:, small] = moments
    result.zeros[small] = np.add.reduceat(values == 0, starts, dtype=np.int64)
    ends = np.append(starts[1:], len(values))
    for row in np.flatnonzero(~_sound(moments)):
        _put(result, small[row], _careful(values[starts[row] : ends[row]]))


def _sound(moments: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tells of which tensors single precision has got the moments right."""
    largest = np.maximum(np.abs(moments[3]), np.abs(moments[4]))
    return np.isfinite(moments).all(axis=0) & (
        ((largest > _SMALL) & (largest < _LARGE)) | (largest == 0)
    )


def _careful(values: NDArray[np.float32] | NDArray[np.float64]) -> tuple[int, int, list[float]]:
    """Measures numbers of which some may not be finite, or whose squares may not be.

    Returns:
        How many are zero, how many not finite, and the five moments of the finite ones.
    """
    finite: NDArray[np.float64] = values[np.isfinite(values)].astype(np.float64)
    missing = len(values) - len(finite)
    if not len(finite):
        return 0, missing, [0.0, 0.0, 0.0, np.nan, np.nan]
    moments = [
        float(finite.sum()),
        float(np.abs(finite).sum()),
        float(np.square(finite).sum()),
        float(finite.min()),
        float(finite.max()),
    ]
    return len(finite) - int(np.count_nonzero(finite)), missing, moments


def _put(result: Measured, index: int, measured: tuple[int, int, list[float]]) -> None:
    zeros, nonfinite, moments = measured
    result.zeros[index], result.nonfinite[index] = zeros, nonfinite
    result.moments[:, index] = moments


class _Scratch:
    """Memory for one tile at a time, used again for every tensor."""

    def __init__(self) -> None:
        self._memory: dict[torch.dtype, tuple[torch.Tensor, torch.Tensor]] = {}
        self.zero = np.empty(TILE, dtype=np.bool_)

    def of(self, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
        """Gives room for the tile itself and for its magnitudes."""
        if dtype not in self._memory:
            pair = (torch.empty(TILE, dtype=dtype), torch.empty(TILE, dtype=dtype))
            self._memory[dtype] = pair
        return self._memory[dtype]


def _measure_tiles(
    tensor: torch.Tensor,
    minus: torch.Tensor | None,
    keep: torch.Tensor | None,
    factor: float,
    place: NDArray[np.float32],
    result: Measured,
    index: int,
    scratch: _Scratch,
) -> None:
    """Measures one large tensor tile by tile, and takes its sample."""
    size = tensor.numel()
    dtype = torch.float64 if tensor.dtype == torch.float64 else torch.float32
    room, magnitudes = scratch.of(dtype)
    plan = _sampling(size)
    plain = tensor.dtype == dtype and minus is None and factor == 1.0
    sums = [0.0, 0.0, 0.0, np.inf, -np.inf]
    zeros = nonfinite = taken = 0
    for number, start in enumerate(range(0, size, TILE)):
        tile = tensor[start : start + TILE]
        if keep is not None:
            keep[start : start + TILE].copy_(tile)
        if not plain:
            subtrahend = None if minus is None else minus[start : start + TILE]
            tile = _fill(room[: tile.numel()], tile, subtrahend, factor)
        elements: NDArray[Any] = tile.numpy()
        moments = _moments(tile, magnitudes[: len(tile)])
        if moments is None:
            tile_zeros, tile_nonfinite, moments = _careful(elements)
            nonfinite += tile_nonfinite
        elif moments[3] <= 0.0 <= moments[4]:
            zero = np.equal(elements, 0, out=scratch.zero[: len(tile)])
            tile_zeros = int(np.count_nonzero(zero))
        else:
            tile_zeros = 0
        zeros += tile_zeros
        sums[:3] = [a + b for a, b in zip(sums, moments[:3], strict=False)]
        sums[3], sums[4] = np.fmin(sums[3], moments[3]), np.fmax(sums[4], moments[4])
        local = plan[number]
        if dtype == torch.float64:
            place[taken : taken + len(local)] = _narrow(elements.take(local))
        else:
            elements.take(local, out=place[taken : taken + len(local)], mode="clip")
        taken += len(local)
    if nonfinite == size:
        sums[3:] = [np.nan, np.nan]
    _put(result, index, (zeros, nonfinite, sums))


def _moments(tile: torch.Tensor, magnitudes: torch.Tensor) -> list[float] | None:
    """Gives the five moments of a tile, None if they need more care."""
    extremes = torch.aminmax(tile)
    lowest, highest = float(extremes.min), float(extremes.max)
    largest = max(-lowest, highest)
    if not (_SMALL < largest < _LARGE or largest == 0.0):  # Not-a-number fails every comparison.
        return None
    total, square = float(tile.sum()), float(torch.dot(tile, tile))
    magnitude = float(torch.abs(tile, out=magnitudes).sum())
    return [total, magnitude, square, lowest, highest]


def _fill(
    room: torch.Tensor, part: torch.Tensor, minus: torch.Tensor | None, factor: float
) -> torch.Tensor:
    """Writes what is to be measured of a tile into room for it."""
    if minus is not None and part.dtype == room.dtype:
        torch.sub(part, minus, out=room)
    else:
        room.copy_(part)
        if minus is not None:
            room.sub_(minus.to(room.dtype))
    if factor != 1.0:
        room.mul_(factor)
    return room


def _narrow(values: NDArray[np.float64]) -> NDArray[np.float32]:
    """Gives float64 as float32 of the nearest bin: neither infinite nor zero by narrowing."""
    limits = np.finfo(np.float32)
    magnitude = np.minimum(np.maximum(np.abs(values), limits.tiny), limits.max)
    narrow: NDArray[np.float32] = np.where(values == 0, 0.0, np.copysign(magnitude, values)).astype(
        np.float32
    )
    narrow[~np.isfinite(values)] = np.nan
    return narrow


_PLANS: dict[int, list[NDArray[np.int64]]] = {}


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


def _sampling(size: int) -> list[NDArray[np.int64]]:
    """Gives the sample as places in each tile; kept, as sizes come back with every record."""
    if size not in _PLANS:
        chosen = sample_places(size)
        edges = np.searchsorted(chosen, np.arange(0, size + TILE, TILE))
        if len(_PLANS) > 512:
            _PLANS.clear()
        _PLANS[size] = [
            chosen[start:stop] - number * TILE
            for number, (start, stop) in enumerate(pairwise(edges))
        ]
    return _PLANS[size]


def _count_bins(
    sample: NDArray[np.float32],
    order: NDArray[np.intp],
    offsets: NDArray[np.int64],
    lengths: NDArray[np.int64],
    result: Measured,
) -> None:
    """Counts the sample of every tensor into its bins, leaving out zeros and nonfinite."""
    rows = len(lengths)
    keys = bin_of(sample)
    keys += np.repeat(order.astype(np.uint32) * np.uint32(BINS), lengths[order])
    cast("Any", result.bins).reshape(-1)[:] = np.bincount(keys, minlength=rows * BINS)
    signed = by_sign(result.bins)
    signed[:, :, FINITE:] = 0
    lowest = signed[:, 0, 0] + signed[:, 1, 0]
    whole = lengths == result.count
    # Zeros share their bins with the smallest denormal numbers, which are hardly ever there.
    for row in np.flatnonzero((lowest > 0) & ~(whole & (lowest == result.zeros))):
        own = sample[offsets[row] : offsets[row] + lengths[row]]
        tiny = (own != 0) & (np.abs(own) < 2.0**-127)
        signed[row, 0, 0] = np.count_nonzero(tiny & (own > 0))
        signed[row, 1, 0] = np.count_nonzero(tiny & (own < 0))
        lowest[row] = 0
    signed[lowest > 0, :, 0] = 0
