"""Columns as compressed bytes, and back with every number checked.

Both what one step brings (a row for each series) and a chunk of one series (a row for each
column) are written like this. Neighbours resemble each other, so rows are stored as differences
to the row before, and bytes of equal weight side by side: zlib then finds what repeats.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from visuai.errors import FormatError
from visuai.record.bins import MAGNITUDES, decode_counts, encode_counts
from visuai.record.columns import Columns

_HEADER = struct.Struct("<BIHH")  # version, rows, first magnitude, magnitudes
_VERSION = 1
_INTEGERS = 7
_FLOATS = 5
MAX_BYTES = 256 * 2**20
"""Most bytes that one blob may decompress to; a step of 100,000 series has about a fifth."""

_MOST = 2**53
_LARGEST = float(np.finfo(np.float32).max)


def encode(columns: Columns, keys: NDArray[np.int64] | None = None, level: int = 1) -> bytes:
    """Writes columns as bytes.

    Mean, mean magnitude and standard deviation are kept to 1.5e-5 of their value, minimum and
    maximum in single precision, counts in bins by the table `visuai.record.bins.COUNTS`;
    everything else is exact.

    Args:
        columns: The columns.
        keys: A number to go with each column, None for none.
        level: How hard zlib tries, 1 to 9.
    """
    rows = len(columns)
    low, bins = _trim(columns.low, columns.bins)
    codes: Any = encode_counts(np.rint(bins).astype(np.int64))
    finite = np.maximum(columns.count - columns.nonfinite, 1)
    integers = np.stack(
        [
            np.zeros(rows, dtype=np.int64) if keys is None else keys,
            columns.first,
            columns.last - columns.first,
            columns.records,
            columns.count,
            columns.zeros,
            columns.nonfinite,
        ]
    )
    floats: NDArray[Any] = np.stack(
        [
            columns.total / finite,
            columns.magnitude / finite,
            _deviation(columns, finite),
            columns.minimum,
            columns.maximum,
        ]
    )
    floats = np.minimum(np.maximum(floats, -_LARGEST), _LARGEST).astype(
        np.float32
    )  # Not-a-number stays.
    floats[:3] = _rounded(floats[:3])
    raw = b"".join(
        (
            _planes(np.diff(integers, prepend=np.int64(0))),
            _planes(np.diff(_as_integers(floats), prepend=np.int32(0))),
            np.diff(codes.reshape(rows, 2 * bins.shape[2]).T, prepend=np.uint8(0)).tobytes(),
        )
    )
    header = _HEADER.pack(_VERSION, rows, low, bins.shape[2])
    return header + zlib.compress(raw, level)


def decode(data: object, *, bins: bool = True) -> tuple[Columns, NDArray[np.int64]]:
    """Reads what `encode` wrote, and checks it.

    Args:
        data: What it wrote.
        bins: Whether to read the bins; they come last, and without them most is left packed.

    Returns:
        The columns and the number that goes with each.

    Raises:
        FormatError: If it is damaged, of another version, or says what cannot be.
    """
    if not isinstance(data, bytes) or len(data) < _HEADER.size:
        raise _damaged("it is too short")
    version, rows, low, width = _HEADER.unpack_from(data)
    if version != _VERSION:
        raise FormatError(
            f"Columns of version {version}; this Visuai reads version {_VERSION}. Update Visuai."
        )
    if low + width > MAGNITUDES:
        raise _damaged(f"it has bins up to {low + width}, of {MAGNITUDES}")
    sizes = (8 * _INTEGERS * rows, 4 * _FLOATS * rows, 2 * width * rows)
    middle = sizes[0] + sizes[1]
    raw = _decompress(data[_HEADER.size :], sum(sizes), None if bins else middle)
    integers = np.cumsum(_from_planes(raw[: sizes[0]], "<i8", _INTEGERS), axis=1, dtype=np.int64)
    added = np.cumsum(_from_planes(raw[sizes[0] : middle], "<i4", _FLOATS), axis=1, dtype=np.int32)
    floats: Any = added.astype(np.int32, copy=False)
    floats = floats.view(np.float32).astype(np.float64)
    if not bins:
        low, width, raw = 0, 0, raw[:middle]
    codes: Any = np.frombuffer(raw, np.uint8, offset=middle)
    codes = np.cumsum(codes.reshape(2 * width, rows), axis=1, dtype=np.uint8)
    counts: Any = decode_counts(codes)
    return _columns(integers, floats, low, counts.T.reshape(rows, 2, width)), integers[0]


def _columns(
    integers: NDArray[np.int64], floats: NDArray[np.float64], low: int, bins: NDArray[np.float32]
) -> Columns:
    _, first, span, records, count, zeros, nonfinite = integers
    mean, mean_abs, deviation, minimum, maximum = floats
    if integers.size and (integers.min() < 0 or integers.max() > _MOST or records.min() < 1):
        raise _damaged("a count is out of range")
    if np.any(zeros + nonfinite > count):
        raise _damaged("it counts more elements that are zero or not finite than there are")
    if not np.isfinite(floats[:3]).all() or np.isinf(floats[3:]).any():
        raise _damaged("a statistic is not finite")
    if np.any(minimum > maximum) or np.any(floats[1:3] < 0):
        raise _damaged("a smallest element is above the largest, or a magnitude below zero")
    finite = count - nonfinite
    return Columns(
        first=first,
        last=first + span,
        records=records,
        count=count,
        zeros=zeros,
        nonfinite=nonfinite,
        total=mean * finite,
        magnitude=mean_abs * finite,
        square=(deviation**2 + mean**2) * finite,
        minimum=minimum,
        maximum=maximum,
        low=low,
        bins=bins,
    )


def _deviation(columns: Columns, finite: NDArray[np.int64]) -> NDArray[np.float64]:
    """Gives the standard deviation: small beside a large mean, it would be lost in the squares."""
    variance = columns.square / finite - (columns.total / finite) ** 2
    varied = np.maximum(np.nan_to_num(variance, nan=_LARGEST), 0.0)
    return np.where(columns.minimum == columns.maximum, 0.0, np.sqrt(varied))


def _as_integers(floats: NDArray[Any]) -> NDArray[np.int32]:
    raw: Any = floats
    return raw.view(np.int32)


def _rounded(floats: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rounds to 15 bits of mantissa: what is below is noise, and would be most of the file."""
    raw: Any = floats
    bits = raw.view(np.uint32) + np.uint32(0x80)
    rounded = (bits & np.uint32(0xFFFFFF00)).view(np.float32)
    return np.where(np.isfinite(rounded), rounded, floats)


def _trim(low: int, bins: NDArray[np.float32]) -> tuple[int, NDArray[np.float32]]:
    """Leaves out magnitudes at both ends that nothing falls in."""
    used = np.flatnonzero(bins.any(axis=(0, 1)))
    if not len(used):
        return 0, bins[:, :, :0]
    return low + int(used[0]), bins[:, :, used[0] : used[-1] + 1]


def _planes(numbers: NDArray[np.int64] | NDArray[np.int32]) -> bytes:
    """Writes all lowest bytes first, then the next ones, and so on."""
    kind = f"<i{numbers.dtype.itemsize}"
    little: Any = np.ascontiguousarray(numbers).astype(kind, copy=False)
    return little.view(np.uint8).reshape(-1, numbers.dtype.itemsize).T.tobytes()


def _from_planes(data: bytes, kind: str, rows: int) -> NDArray[Any]:
    planes: Any = np.frombuffer(data, np.uint8)
    planes = planes.reshape(np.dtype(kind).itemsize, -1)
    numbers = cast("Any", np.ascontiguousarray(planes.T))
    return numbers.view(kind).reshape(rows, -1)


def _decompress(data: bytes, expected: int, wanted: int | None = None) -> bytes:
    """Unpacks so many bytes, which is to be all there is; or only the first ``wanted``."""
    if expected > MAX_BYTES:
        raise _damaged(f"it claims {expected:,} bytes, more than {MAX_BYTES:,}")
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(data, expected + 1 if wanted is None else wanted or 1)
    except zlib.error as error:
        raise _damaged(str(error)) from error
    if wanted is not None and len(raw) >= wanted:
        return raw
    if len(raw) != expected or not stream.eof or stream.unused_data:
        raise _damaged(f"it has {len(raw):,} bytes or more, expected {expected:,}")
    return raw


def _damaged(why: str) -> FormatError:
    return FormatError(f"Damaged statistics in a recorded run: {why}.")
