"""Statistics of many tensors in host memory, in as few passes over them as can be.

Where there is numba, float32 is read once by a compiled kernel. Else small tensors are laid side by
side, and each statistic of all of them is one call; large ones are read in tiles, one after the
other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from visuai.record.bins import SAMPLE
from visuai.record.compiled import measure_compiled
from visuai.record.measured import Measured
from visuai.record.moments import Moments, measure_carefully, sound
from visuai.record.sample import count_bins
from visuai.record.tiles import Scratch, measure_tiles


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
    result = Measured.empty(sizes)
    rest = measure_compiled(tensors, minus, keep, factor, result)
    small: list[int] = []
    scratch = Scratch()
    with np.errstate(all="ignore"):
        for index in rest:
            tensor = tensors[index]
            subtrahend = None if minus is None else minus[index]
            copy = None if keep is None else keep[index]
            if sizes[index] > SAMPLE or tensor.dtype == torch.float64:
                moments = measure_tiles(tensor, subtrahend, copy, factor, scratch)
                _put(result, index, moments)
                result.bins[index] = count_bins(scratch.sample(sizes[index]))
            elif sizes[index]:
                small.append(index)
                if copy is not None:
                    copy.copy_(tensor)
        if small:
            joined = _joined([tensors[index] for index in small])
            if minus is not None:
                joined -= _joined([minus[index] for index in small])
            if factor != 1.0:
                joined *= np.float32(factor)
            _measure_small(joined, np.array(small), result)
    return result


def _joined(tensors: Sequence[torch.Tensor]) -> NDArray[np.float32]:
    """Lays tensors side by side, as single precision."""
    alike = [each if each.dtype == torch.float32 else each.to(torch.float32) for each in tensors]
    return torch.cat(alike).numpy()


def _measure_small(values: NDArray[np.float32], small: NDArray[np.int64], result: Measured) -> None:
    """Measures tensors that lie side by side, by one call for each statistic.

    Args:
        values: Their elements, one tensor after the other.
        small: Which tensors they are; none of them is empty.
        result: Where to put what is measured.
    """
    lengths = result.count[small]
    ends = np.cumsum(lengths)
    starts = ends - lengths
    moments = np.stack(
        [
            np.add.reduceat(values, starts),
            np.add.reduceat(np.abs(values), starts),
            np.add.reduceat(np.square(values), starts),
            np.minimum.reduceat(values, starts),
            np.maximum.reduceat(values, starts),
        ]
    ).astype(np.float64)
    result.moments[:, small] = moments
    result.zeros[small] = np.add.reduceat(values == 0, starts, dtype=np.int64)
    largest = np.maximum(-moments[3], moments[4])
    for row in np.flatnonzero(~sound(largest)):
        _put(result, small[row], measure_carefully(values[starts[row] : ends[row]]))
    result.bins[small] = count_bins(values, lengths)


def _put(result: Measured, index: int, measured: Moments) -> None:
    result.zeros[index], result.nonfinite[index] = measured.zeros, measured.nonfinite
    result.moments[:, index] = measured.values
