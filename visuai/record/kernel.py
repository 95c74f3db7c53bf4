"""The compiled way to measure float32 in host memory: everything of an element at one visit.

A tensor is read in rows that stay in the nearest cache, so its memory is read once, however many
statistics there are. Loading this module loads numba; only `visuai.record.compiled` does.
"""

# Numba infers types of its own when it compiles, and has none for others to check against.
# pyright: basic, reportPrivateImportUsage=false, reportCallIssue=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import carray, njit, types
from numba.extending import intrinsic

from visuai.record.bins import BINS, FINITE, MAGNITUDES
from visuai.record.moments import LARGE, SMALL

_ROW = 1024
"""Elements that are summed in single precision, so few that it does."""

_LEAST, _MOST = np.iinfo(np.int32).min, np.iinfo(np.int32).max
_UNSIGNED = 0x7FFFFFFF
_INFINITE = 0x7F800000
_FAINT, _HUGE = (int(np.float32(limit).view(np.int32)) for limit in (SMALL, LARGE))

# Sums may be taken in any order, which is what makes them quick; but numbers that are not finite
# are not assumed away, as they are to be found.
_ANY_ORDER = {"reassoc", "nsz", "contract"}


def compile_kernel(*, cache: bool) -> Callable[..., None]:
    """Gives the function that measures tensors; their statistics are written to its last arrays.

    Its arguments, one entry for each tensor but for two numbers:

    - addresses of the tensors, of what to subtract from each (0 for nothing), and of where to
      copy each to (0 for nowhere): int64;
    - addresses of the places of their samples, ascending int64 (0 if all elements are in it),
      and their sizes: int64;
    - how many elements are in a sample: int64; what to multiply each element by: float32;
    - zeros and nonfinite: int64; sums, of the elements, of their magnitudes, and of their
      squares: float64, 3 × tensors; bits of the smallest and the largest finite element, left as
      they are if there is none: int32, 2 × tensors; bins: int64, tensors × `BINS`.

    Args:
        cache: Whether to keep what is compiled on disk, for the next process.
    """
    row, bins = types.int64[::1], types.int64[:, ::1]
    sums, ends = types.float64[:, ::1], types.int32[:, ::1]
    numbers = types.int64, types.float32
    signature = types.void(row, row, row, row, row, *numbers, row, row, sums, ends, bins)
    return njit(signature, nogil=True, cache=cache)(_measure)


@intrinsic
def _floats(_context: Any, address: Any) -> Any:
    """Gives the float32 at an address."""
    return types.CPointer(types.float32)(address), _as_pointer


@intrinsic
def _integers(_context: Any, address: Any) -> Any:
    """Gives the int64 at an address."""
    return types.CPointer(types.int64)(address), _as_pointer


def _as_pointer(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    return builder.inttoptr(args[0], context.get_value_type(signature.return_type))


def _measure(
    tensors: Any,
    minus: Any,
    keep: Any,
    places: Any,
    sizes: Any,
    in_sample: Any,
    factor: Any,
    zeros: Any,
    nonfinite: Any,
    sums: Any,
    ends: Any,
    bins: Any,
) -> None:
    room = np.empty(_ROW, np.float32)
    # Two counters in turn, as neighbours are often in one bin; zeros are counted beside the bins.
    counts = np.empty((2, BINS + 1), np.int32)
    for tensor in range(sizes.size):
        size = sizes[tensor]
        whole = carray(_floats(tensors[tensor]), size)
        sampled = places[tensor] != 0
        chosen = carray(_integers(places[tensor]), in_sample if sampled else 0)
        taken = 0
        counts[:] = 0
        lowest, highest = np.int32(_MOST), np.int32(_LEAST)
        for start in range(0, size, _ROW):
            stop = min(start + _ROW, size)
            row = whole[start:stop]
            if keep[tensor]:
                _copy(row, carray(_floats(keep[tensor]), size)[start:stop])
            if minus[tensor]:
                less = carray(_floats(minus[tensor]), size)[start:stop]
                row = _subtract(row, less, room)
            if factor != np.float32(1):
                row = _multiply(row, factor, room)
            total, magnitude, square, none, low, high, missing = _sum(row)
            sums[0, tensor] += total
            sums[1, tensor] += magnitude
            sums[2, tensor] += square
            zeros[tensor] += none
            nonfinite[tensor] += missing
            lowest, highest = min(lowest, low), max(highest, high)
            bits = row.view(np.int32)
            if sampled:
                while taken < in_sample and chosen[taken] < stop:
                    _count(counts[taken & 1], bits[chosen[taken] - start])
                    taken += 1
            else:
                for place in range(bits.size):
                    _count(counts[place & 1], bits[place])
        if lowest <= highest:
            ends[0, tensor], ends[1, tensor] = _key(lowest), _key(highest)
        for bin_ in range(BINS):
            if bin_ % MAGNITUDES < FINITE:
                bins[tensor, bin_] = counts[0, bin_] + counts[1, bin_]


@njit
def _copy(row: Any, to: Any) -> None:
    for place in range(row.size):
        to[place] = row[place]


@njit
def _subtract(row: Any, less: Any, room: Any) -> Any:
    for place in range(row.size):
        room[place] = row[place] - less[place]
    return room[: row.size]


@njit
def _multiply(row: Any, factor: Any, room: Any) -> Any:
    for place in range(row.size):
        room[place] = row[place] * factor
    return room[: row.size]


@njit
def _count(counts: Any, bits: Any) -> None:
    counts[(bits >> 22) & (BINS - 1) if bits & _UNSIGNED else BINS] += 1


@njit
def _key(bits: Any) -> Any:
    """Turns the bits of a negative float32 around, and back.

    As integers they are then in the order of the numbers, and many are compared at once.
    """
    return np.int32(bits ^ ((bits >> 31) & _UNSIGNED))


@njit
def _sum(row: Any) -> Any:
    """Gives three sums, zeros, the smallest and the largest key, and how many are not finite."""
    total, magnitude, square, zeros, low, high = _sum_quickly(row)
    largest = max(high, ~low)  # Of the magnitudes, bits and all: ~ takes the sign off a key.
    if largest == 0 or _FAINT < largest < _HUGE:
        total, magnitude, square = np.float64(total), np.float64(magnitude), np.float64(square)
        return total, magnitude, square, zeros, low, high, 0
    return _sum_carefully(row)


@njit(fastmath=_ANY_ORDER)
def _sum_quickly(row: Any) -> Any:
    bits = row.view(np.int32)
    total = magnitude = square = np.float32(0)
    zeros = np.int32(0)
    low, high = np.int32(_MOST), np.int32(_LEAST)
    for place in range(row.size):
        value = row[place]
        total += value
        magnitude += abs(value)
        square += value * value
        zeros += np.int32(value == np.float32(0))
        key = _key(bits[place])
        low = key if key < low else low
        high = key if key > high else high
    return total, magnitude, square, zeros, low, high


@njit(fastmath=_ANY_ORDER)
def _sum_carefully(row: Any) -> Any:
    """Sums in double precision, and leaves out what is not finite."""
    bits = row.view(np.int32)
    total = magnitude = square = 0.0
    zeros, missing = np.int32(0), 0
    low, high = np.int32(_MOST), np.int32(_LEAST)
    for place in range(row.size):
        if bits[place] & _UNSIGNED >= _INFINITE:
            missing += 1
            continue
        value = np.float64(row[place])
        total += value
        magnitude += abs(value)
        square += value * value
        zeros += np.int32(row[place] == np.float32(0))
        key = _key(bits[place])
        low = key if key < low else low
        high = key if key > high else high
    return total, magnitude, square, zeros, low, high, missing
