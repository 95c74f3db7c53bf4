"""What is measured of a tensor, against plain numpy; on the host and by the path of a device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from measuring import with_numba, without_numba
from torch.utils._python_dispatch import TorchDispatchMode

from visuai.record import tiles
from visuai.record.bins import (
    BINS,
    COUNTS,
    SAMPLE,
    SHARE_ERROR,
    bin_of,
    decode_counts,
    encode_counts,
    magnitude_edges,
)
from visuai.record.codec import decode, encode
from visuai.record.columns import Columns, concatenate, downsample, merge
from visuai.record.device import measure_on_device
from visuai.record.flat import flatten
from visuai.record.measure import measure
from visuai.record.measured import Measured
from visuai.record.sample import count_bins
from visuai.record.series import Series
from visuai.record.tiles import TILE

Measure = Callable[..., Measured]


def by_numpy(tensors: list[torch.Tensor], **options: Any) -> Measured:
    with without_numba():
        return measure(tensors, **options)


def by_numba(tensors: list[torch.Tensor], **options: Any) -> Measured:
    with with_numba():
        return measure(tensors, **options)


def on_device(tensors: list[torch.Tensor]) -> Measured:
    return measure_on_device(tensors)()


HOST = pytest.mark.parametrize("measured", [by_numpy, by_numba])
MEASURES = pytest.mark.parametrize("measured", [by_numpy, by_numba, on_device])


def check(result: Measured, row: int, values: np.ndarray) -> None:
    """Compares one row with numpy's answers in double precision."""
    values = values.astype(np.float64).ravel()
    finite = values[np.isfinite(values)]
    assert result.count[row] == len(values)
    assert result.zeros[row] == (values == 0).sum()
    assert result.nonfinite[row] == len(values) - len(finite)
    total, magnitude, square, minimum, maximum = result.moments[:, row]
    scale = np.abs(finite).sum()
    assert total == pytest.approx(finite.sum(), abs=1e-5 * scale + 1e-300)
    assert magnitude == pytest.approx(scale, rel=1e-5)
    assert square == pytest.approx(np.square(finite).sum(), rel=1e-5)
    if len(finite):
        assert (minimum, maximum) == (finite.min(), finite.max())
    else:
        assert np.isnan(minimum)
        assert np.isnan(maximum)


def exact_bins(values: np.ndarray) -> np.ndarray:
    """Counts bins one number at a time, from the definition of a bin by its edges."""
    counts = np.zeros((2, 512), dtype=np.int64)
    edges = magnitude_edges(0, 510)
    for value in values.astype(np.float64).ravel():
        if np.isfinite(value) and value != 0:
            magnitude = np.searchsorted(edges, abs(value), side="right") - 1
            counts[int(value < 0), magnitude] += 1
    return counts.reshape(BINS)


NUMBERS = arrays(
    np.float32,
    st.integers(1, 40),
    elements=st.floats(width=32, allow_nan=True, allow_infinity=True, allow_subnormal=True),
)


@MEASURES
@settings(max_examples=150, deadline=None)
@given(tensors=st.lists(NUMBERS, min_size=1, max_size=5))
def test_any_numbers(measured: Measure, tensors: list[np.ndarray]) -> None:
    result = measured([torch.from_numpy(values.copy()) for values in tensors])
    for row, values in enumerate(tensors):
        check(result, row, values)
        assert (result.bins[row] == exact_bins(values)).all()


@MEASURES
@pytest.mark.parametrize("size", [1, SAMPLE, SAMPLE + 1, TILE, TILE + 1, 3 * TILE + 77])
@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1e25])
def test_sizes_and_scales(measured: Measure, size: int, scale: float) -> None:
    generator = torch.Generator().manual_seed(size)
    small = torch.randn(5, generator=generator)
    values = torch.randn(size, generator=generator) * scale
    values[torch.rand(size, generator=generator) < 0.1] = 0
    result = measured([small, values, small])
    for row, tensor in enumerate((small, values, small)):
        check(result, row, tensor.numpy())
    sampled = result.bins[1].sum()
    assert sampled <= min(size, SAMPLE)
    if size <= SAMPLE:
        assert sampled == (values != 0).sum()


SMALL_TILES = st.integers(1, 100).flatmap(
    lambda size: st.tuples(
        *(
            arrays(
                np.float64,
                size,
                elements=st.one_of(
                    st.floats(-1e150, 1e150),
                    st.floats(-4, 4, width=16),
                    st.sampled_from([0.0, -0.0, np.nan, np.inf, -np.inf, 1e-40, -1e-45, 3e38]),
                ),
            ),
        )
        * 2
    )
)


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e5m2]
)
@pytest.mark.parametrize("way", ["plain", "copied", "difference", "scaled"])
@settings(max_examples=60, deadline=None)
@given(numbers=SMALL_TILES)
def test_tiles_of_any_numbers(
    dtype: torch.dtype, way: str, numbers: tuple[np.ndarray, np.ndarray]
) -> None:
    """The way of large tensors, with tiles so small that borders and rests are everywhere."""
    tensor, other = (torch.from_numpy(each).to(dtype) for each in numbers)
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    expected, copy, minus, factor = tensor.to(wide), None, None, 1.0
    if way == "copied":
        copy = torch.full_like(tensor.to(wide), 7).to(dtype)
    elif way == "difference":
        minus = other
        expected = expected - other.to(wide)
    elif way == "scaled":
        factor = 0.125
        expected = expected * factor
    scratch = tiles.Scratch()
    size = len(tensor)
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(tiles, "_ROW", 4)
        patch.setattr(tiles, "TILE", 12)
        moments = tiles.measure_tiles(tensor, minus, copy, factor, scratch)
    bins = count_bins(scratch.sample(size))
    row = Measured(
        count=np.array([size]),
        zeros=np.array([moments.zeros]),
        nonfinite=np.array([moments.nonfinite]),
        moments=np.array([moments.values]).T,
        bins=bins,
    )
    check(row, 0, expected.to(torch.float64).numpy())
    if copy is not None:
        assert torch.equal(copy.view(torch.uint8), tensor.view(torch.uint8))
    if dtype == torch.float64:
        finite = expected[torch.isfinite(expected)]
        assert bins.sum() == torch.count_nonzero(finite)
    else:
        assert (bins[0] == exact_bins(expected.numpy())).all()


@MEASURES
@pytest.mark.parametrize("value", [0.1, -0.7, 1e-4, 3.3e4])
def test_a_constant_does_not_drift(measured: Measure, value: float) -> None:
    values = torch.full((3 * TILE + 77,), value)
    exact = values.to(torch.float64)
    total, magnitude, square, minimum, maximum = measured([values]).moments[:, 0]
    assert total == pytest.approx(float(exact.sum()), rel=3e-6)
    assert magnitude == pytest.approx(float(exact.abs().sum()), rel=3e-6)
    assert square == pytest.approx(float(exact.square().sum()), rel=3e-6)
    assert minimum == maximum == float(values[0])


@HOST
def test_the_default_device_does_not_matter(measured: Measure) -> None:
    values = torch.randn(2 * TILE)
    minus = [values[:1].expand(2 * TILE), values[50:100]]
    with torch.device("meta"):
        result = measured([values, values[:50]], minus=minus)
    check(result, 0, (values - values[0]).numpy())
    check(result, 1, (values[:50] - values[50:100]).numpy())


@MEASURES
def test_holes_in_a_large_tensor(measured: Measure) -> None:
    values = torch.randn(4 * TILE)
    values[5] = torch.nan
    values[TILE + 7] = torch.inf
    values[2 * TILE : 3 * TILE] = torch.nan
    check(measured([values]), 0, values.numpy())
    empty = torch.full((2 * TILE,), torch.nan)
    check(measured([empty]), 0, empty.numpy())
    zero = torch.zeros(2 * TILE)
    result = measured([zero])
    check(result, 0, zero.numpy())
    assert not result.bins.any()


@MEASURES
@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2]
)
@pytest.mark.parametrize("size", [100, 2 * TILE + 5])
def test_dtypes(measured: Measure, dtype: torch.dtype, size: int) -> None:
    values = (torch.randn(size, dtype=torch.float64) * 3).to(dtype)
    check(measured([values]), 0, values.to(torch.float64).numpy())


@MEASURES
def test_wider_than_single_precision(measured: Measure) -> None:
    values = torch.tensor([1e300, -1e-300, 1e-310, 0.0, 2.0], dtype=torch.float64)
    result = measured([values])
    assert result.zeros[0] == 1
    assert result.nonfinite[0] == 0
    assert result.moments[4, 0] == 1e300
    assert result.bins[0].sum() == 4, "each of them is in some bin, the outer ones if need be"


@HOST
def test_more_elements_than_single_precision_can_count(measured: Measure) -> None:
    values = torch.ones(2**24 + 3)
    values[::2] = 0
    result = measured([values])
    assert result.count[0] == 2**24 + 3
    assert result.zeros[0] == 2**23 + 2
    assert result.moments[0, 0] == 2**23 + 1


@MEASURES
def test_a_sample_is_as_close_as_promised(measured: Measure) -> None:
    """Shares below any edge, of tensors with structure that even spacing would fall into."""
    size = 2_000_003
    stripes = torch.arange(size) % 128
    ramp = torch.linspace(-1, 1, size)
    shapes = [
        torch.randn(size, generator=torch.Generator().manual_seed(1)),
        (stripes == 0).float() + 0.1,
        torch.where(stripes < 64, ramp, -ramp.square()),
        torch.exp2(torch.randint(-20, 20, (size,), generator=torch.Generator().manual_seed(2))),
    ]
    result = measured(shapes)
    for row, values in enumerate(shapes):
        everything = np.bincount(bin_of(values.float().numpy()), minlength=BINS)
        everything[[0, 512]] = 0
        shares = result.bins[row] / SAMPLE
        true = everything / size
        assert np.abs(shares - true).max() < SHARE_ERROR
        assert np.abs(np.cumsum(shares) - np.cumsum(true)).max() < SHARE_ERROR


@pytest.mark.parametrize("size", [40, 3 * TILE])
@HOST
def test_difference_copy_and_factor(measured: Measure, size: int) -> None:
    old = torch.randn(size)
    new = old + torch.randn(size) * 1e-3
    copy = torch.empty(size)
    check(measured([old], keep=[copy]), 0, old.numpy())
    assert torch.equal(copy, old)
    check(measured([new], minus=[copy]), 0, (new - old).numpy())
    check(measured([new], factor=0.125), 0, (new * 0.125).numpy())
    check(measure_on_device([new], minus=[old])(), 0, (new - old).numpy())
    divided = measure_on_device([new], divisor=torch.tensor([8.0]))()
    check(divided, 0, (new / 8).numpy())


class NoWaiting(TorchDispatchMode):
    """Refuses what would make the host wait for a device, or ask it for a size."""

    refused = ("_local_scalar_dense", "nonzero", "bincount", "masked_select", "unique", "item")

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        assert not any(name in str(func) for name in self.refused), func
        return func(*args, **(kwargs or {}))


def test_a_device_is_never_waited_for() -> None:
    tensors = [torch.randn(size) for size in (3, SAMPLE, 2 * TILE)]
    with NoWaiting():
        ready = measure_on_device(tensors, minus=tensors[::-1][::-1], divisor=torch.tensor(2.0))
    assert ready().zeros.tolist() == [3, SAMPLE, 2 * TILE]


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta")
@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
def test_any_tensor_in_one_dimension() -> None:
    image = torch.randn(4, 3, 5, 5)
    for tensor in (image, image.to(memory_format=torch.channels_last), image.permute(3, 1, 0, 2)):
        flat = flatten(tensor)
        assert flat is not None
        assert flat[0].data_ptr() == tensor.data_ptr(), "a view, no copy"
        assert torch.equal(flat[0].sort()[0], image.flatten().sort()[0])
    holes = flatten(image[:, :, ::2])
    assert holes is not None
    assert torch.equal(holes[0].sort()[0], image[:, :, ::2].flatten().sort()[0])
    sparse = torch.sparse_coo_tensor([[0, 0, 3]], [1.0, 2.0, 5.0], (7,))
    flat = flatten(sparse)
    assert flat is not None
    assert (flat[0].tolist(), flat[1]) == ([3.0, 5.0], 5)
    assert not sparse.is_coalesced()
    rows = flatten(torch.tensor([[0.0, 2.0], [0.0, 0.0]]).to_sparse_csr())
    assert rows is not None
    assert (rows[0].tolist(), rows[1]) == ([2.0], 3)
    complex_ = flatten(torch.tensor([1 + 2j]).conj())
    assert complex_ is not None
    assert complex_[0].tolist() == [1.0, -2.0]
    scalar = flatten(torch.tensor(3.0))
    assert scalar is not None
    assert scalar[0].shape == (1,)
    assert flatten(torch.empty(3, device="meta")) is None
    assert flatten(torch.nn.LazyLinear(3).weight) is None
    nothing = flatten(torch.empty(0, 3))
    assert nothing is not None
    assert (nothing[0].numel(), nothing[1]) == (0, 0)


def test_counts_are_kept_closer_than_chance() -> None:
    counts = np.arange(SAMPLE + 1)
    back = decode_counts(encode_counts(counts))
    assert (back[:17] == counts[:17]).all()
    assert (np.abs(back - counts) <= 0.55 * np.sqrt(counts)).all()
    assert (np.diff(COUNTS) > 0).all()


def columns_of(tensors: list[torch.Tensor]) -> Columns:
    """Gives tensors as the columns of one series, at steps 0, 1, 2."""
    return concatenate([measure([tensor]).columns(step) for step, tensor in enumerate(tensors)])


@settings(max_examples=60, deadline=None)
@given(tensors=st.lists(NUMBERS, min_size=0, max_size=6))
def test_columns_come_back(tensors: list[np.ndarray]) -> None:
    columns = columns_of([torch.from_numpy(values.copy()) for values in tensors])
    back, keys = decode(encode(columns, np.arange(len(columns)) * 7))
    assert keys.tolist() == [7 * row for row in range(len(columns))]
    for name in ("first", "last", "records", "count", "zeros", "nonfinite"):
        assert (getattr(back, name) == getattr(columns, name)).all()
    for name in ("minimum", "maximum"):
        assert np.array_equal(getattr(back, name), getattr(columns, name), equal_nan=True)
    for name in ("total", "magnitude", "square"):
        assert np.allclose(getattr(back, name), getattr(columns, name), rtol=5e-5, atol=1e-40)
    both = encode_counts(concatenate([columns, back]).bins.astype(np.int64))
    assert (both[: len(columns)] == both[len(columns) :]).all()


def test_merged_columns_are_the_statistics_of_all_their_elements() -> None:
    tensors = [torch.randn(50) * (step + 1) for step in range(10)]
    series = Series("w", "weight", columns_of(tensors))
    few = series.downsample(3)
    assert len(few) == 3
    assert few.records.sum() == 10
    assert few.steps[0] == 0
    assert few.last_steps[-1] == 9
    for column in range(3):
        own = torch.cat(tensors[few.steps[column] : few.last_steps[column] + 1]).double().numpy()
        assert few.mean[column] == pytest.approx(own.mean(), abs=1e-5)
        assert few.std[column] == pytest.approx(own.std(), rel=1e-5)
        assert few.min[column] == own.min()
        counts = few.histogram.counts[column]
        assert counts.sum() == pytest.approx(50)
        below = few.histogram.edges[1:] <= 0
        assert counts[below].sum() * few.records[column] == pytest.approx((own < 0).sum(), abs=1e-3)
    assert len(downsample(series.columns, 100)) == 10
    everything = merge(series.columns, np.array([0]))
    assert everything.count.tolist() == [500]


def test_a_histogram_is_numpys() -> None:
    values = torch.randn(1000)
    values[:10] = 0
    histogram = Series("w", "weight", columns_of([values])).histogram
    assert (np.diff(histogram.edges) > 0).all()
    expected, _ = np.histogram(values.numpy(), bins=histogram.edges)
    assert np.abs(histogram.counts[0] - expected).max() <= 0.55 * np.sqrt(expected.max())
    assert histogram.counts[0].sum() == pytest.approx(1000, rel=0.05)
    assert histogram.shares.sum() == pytest.approx(1.0)
