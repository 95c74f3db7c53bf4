"""The fixed bins of every histogram: sign and magnitude, two bins to each power of two.

A bin is the upper ten bits of a float32: its sign, its eight exponent bits, and the first bit
of its mantissa. So the bin of a number is one shift of its bits, needs no search for a smallest
and a largest value, and counts merge by adding, over steps and over processes. Magnitude ``m``
(0 to 511) holds ``2**(m // 2 - 127)`` times 1 to 1.5 if ``m`` is even, 1.5 to 2 if it is odd.
Magnitudes 0 and 1 hold what is too small for a normal float32, below ``2**-126``.

Zeros and what is not finite are in no bin: they are counted by themselves, exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGNITUDES = 512
"""Bins for each sign."""

BINS = 2 * MAGNITUDES
"""Bins in all: those of positive numbers by magnitude, then those of negative ones."""

FINITE = 2 * 255
"""Magnitudes below this are finite; those from here on are infinite or not a number."""

SAMPLE = 16_384
"""Elements in the histogram of a tensor: all if it has no more, else as many, spread evenly.

The elements sampled are one at a random place in each of 16,384 equal stretches of the tensor.
By Hoeffding's inequality a share of elements read off the histogram (in one bin, or below one
edge) is off by more than `SHARE_ERROR` with a probability of at most 0.001.
"""

SHARE_ERROR = 0.0153
"""Bound of the error of a share read off a sampled histogram: sqrt(ln(2 / 0.001) / (2 SAMPLE))."""


def bin_of(values: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Gives the bin of each number; the bits shifted, nothing else.

    Args:
        values: Numbers, any shape, contiguous.
    """
    raw: Any = values
    return raw.view(np.uint32) >> np.uint32(22)


def by_sign(bins: NDArray[np.int64]) -> NDArray[np.int64]:
    """Gives bins of each tensor as two rows: tensors × 2 × magnitudes, the same memory."""
    raw: Any = bins
    return raw.reshape(len(bins), 2, MAGNITUDES)


def magnitude_edges(first: int, last: int) -> NDArray[np.float64]:
    """Gives the edges of magnitudes, smallest first.

    Args:
        first: First magnitude.
        last: One past the last magnitude.

    Returns:
        ``last - first + 1`` edges.
    """
    return _EDGES[first : last + 1]


def _all_edges() -> NDArray[np.float64]:
    magnitude = np.arange(MAGNITUDES + 1)
    exponent = np.minimum(magnitude // 2, 255) - 127
    edges = np.ldexp(np.where(magnitude % 2, 1.5, 1.0), exponent)
    # Denormal numbers: two equal stretches from 0 to the smallest normal number.
    edges[0], edges[1] = 0.0, 2.0**-127
    return edges


def _all_counts() -> NDArray[np.int64]:
    counts = list(range(17))
    while len(counts) < 255:
        counts.append(counts[-1] + max(1, round(_GROWTH * counts[-1] ** 0.5)))
    return np.array([*counts, SAMPLE], dtype=np.int64)


# Chosen so that the 255 smaller counts of the table end just below SAMPLE.
_GROWTH = 1.048

_EDGES = _all_edges()

COUNTS: NDArray[np.int64] = _all_counts()
"""What each of the 256 codes of a stored count stands for, ascending.

Up to 16 a count is stored as it is. Above, codes are about the square root of the count apart,
so that a count is off by about half its square root at most: less than chance alone does to it.
"""

_DECODED: NDArray[np.float32] = COUNTS.astype(np.float32)

_BETWEEN: NDArray[np.int64] = (COUNTS[1:] + COUNTS[:-1]) // 2


def encode_counts(counts: NDArray[Any]) -> NDArray[np.uint8]:
    """Gives the code of each count, the nearest one. Counts above `SAMPLE` are taken as it.

    Args:
        counts: Counts, any shape.
    """
    return _CODES[np.minimum(counts, SAMPLE)]


def decode_counts(codes: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Gives the count that each code stands for."""
    return _DECODED[codes]


_CODES: NDArray[np.uint8] = np.searchsorted(_BETWEEN, np.arange(SAMPLE + 1), side="left").astype(
    np.uint8
)
