"""Exact statistics of one large tensor, in tiles that fit a core's cache.

The first statistic brings a tile in from memory, the others find it there, and so does the
sample for the histogram.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from visuai.record.bins import SAMPLE
from visuai.record.flat import as_tensor
from visuai.record.moments import Moments, measure_carefully, sound
from visuai.record.sample import places_by_tile, take

_ROW = 8192
"""Elements whose squares are summed in the tensor's own precision: so few that it does."""

TILE = 24 * _ROW
"""Elements of a tile at most: 768 KiB of float32, less than a core of its own cache often holds."""


class Scratch:
    """Memory for one tile and one sample at a time, used again for every tensor."""

    def __init__(self) -> None:
        self._tiles: dict[torch.dtype, torch.Tensor] = {}
        self._sample = np.empty(SAMPLE, dtype=np.float32)

    def tile(self, dtype: torch.dtype) -> torch.Tensor:
        """Gives room for a tile, of float32 or float64."""
        if dtype not in self._tiles:
            real = np.float64 if dtype == torch.float64 else np.float32
            self._tiles[dtype] = as_tensor(np.empty(TILE, dtype=real))
        return self._tiles[dtype]

    def sample(self, size: int) -> NDArray[np.float32]:
        """Gives room for the sample of a tensor of so many elements."""
        return self._sample[:size]


def measure_tiles(
    tensor: torch.Tensor,
    minus: torch.Tensor | None,
    copy: torch.Tensor | None,
    factor: float,
    scratch: Scratch,
) -> Moments:
    """Measures one tensor tile by tile, and leaves its sample in the scratch memory.

    Args:
        tensor: A real tensor in host memory, of one dimension and contiguous, not empty.
        minus: What to subtract from it, None for nothing.
        copy: Where to copy it to, None for nowhere.
        factor: What to multiply it by.
        scratch: Memory to use.
    """
    size = tensor.numel()
    length = _tile_length(size)
    dtype = torch.float64 if tensor.dtype == torch.float64 else torch.float32
    room = scratch.tile(dtype)
    sample = scratch.sample(size)
    plain = tensor.dtype == dtype and minus is None and factor == 1.0
    subtrahends = None if minus is None else _split(minus, length)
    copies = None if copy is None else _split(copy, length)
    values: list[list[float]] = []
    zeros = nonfinite = taken = 0
    tiles = zip(_split(tensor, length), places_by_tile(size, length), strict=True)
    for number, (tile, places) in enumerate(tiles):
        if copies is not None:
            copies[number].copy_(tile)
        magnitudes = room[: len(tile)]
        if not plain:
            subtrahend = None if subtrahends is None else subtrahends[number]
            tile = _fill(magnitudes, tile, subtrahend, factor)
        part = _measure_tile(tile, magnitudes, places, sample[taken : taken + len(places)])
        taken += len(places)
        zeros += part.zeros
        nonfinite += part.nonfinite
        values.append(part.values)
    parts: NDArray[np.float64] = np.array(values)
    extremes = [*np.fmin.reduceat(parts[:, 3], [0]), *np.fmax.reduceat(parts[:, 4], [0])]
    return Moments(zeros, nonfinite, [*parts[:, :3].sum(axis=0), *extremes])


def _tile_length(size: int) -> int:
    """Gives the length of tiles that are about equal, and of whole rows."""
    tiles = -(-size // TILE)
    return -(-size // (tiles * _ROW)) * _ROW


def _split(tensor: torch.Tensor, length: int) -> Sequence[torch.Tensor]:
    return cast("Any", tensor).split(length)


def _measure_tile(
    tile: torch.Tensor,
    magnitudes: torch.Tensor,
    places: NDArray[np.int64],
    sample: NDArray[np.float32],
) -> Moments:
    """Measures a tile, and takes its part of the sample.

    Args:
        tile: The tile.
        magnitudes: Room for its magnitudes; it may be the tile itself.
        places: Which elements to take.
        sample: Where to put them.
    """
    total = float(tile.sum())
    numbers: Any = tile.numpy()
    take(numbers, places, sample)
    minimum, maximum = float(numbers.min()), float(numbers.max())
    if not sound(max(-minimum, maximum)):
        return measure_carefully(numbers)
    square = _sum_of_squares(numbers)
    torch.abs(tile, out=magnitudes)
    positive: Any = magnitudes.numpy()
    zeros = 0 if positive.min() > 0 else int(np.count_nonzero(positive == 0))
    return Moments(zeros, 0, [total, float(magnitudes.sum()), square, minimum, maximum])


def _sum_of_squares(numbers: Any) -> float:
    whole = len(numbers) // _ROW * _ROW
    rows, rest = numbers[:whole].reshape(-1, _ROW), numbers[whole:]
    squares = np.matmul(rows[:, None, :], rows[:, :, None])
    return float(squares.sum(dtype=np.float64)) + float(np.dot(rest, rest))


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
