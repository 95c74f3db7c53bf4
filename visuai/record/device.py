"""Statistics of tensors that live on a device, without making it or the training loop wait.

Everything is computed there, in the stream that training uses, and copied to pinned host memory
without blocking. The thread that writes waits for the copy; the training loop never does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, SupportsFloat

import numpy as np
import torch
from numpy.typing import NDArray

from visuai.record.bins import BINS, SAMPLE
from visuai.record.flat import as_tensor
from visuai.record.measured import Measured
from visuai.record.sample import sample_places


def measure_on_device(
    tensors: Sequence[torch.Tensor],
    *,
    minus: Sequence[torch.Tensor] | None = None,
    divisor: torch.Tensor | None = None,
) -> Callable[[], Measured]:
    """Starts to measure tensors that are all on one device.

    Args:
        tensors: Real floating-point tensors, each of one dimension.
        minus: As many, of the same sizes and dtypes: measured is the difference.
        divisor: What to divide each element by: a tensor of one element.

    Returns:
        A function that waits for the result and gives it.
    """
    device = tensors[0].device
    # Not every device has float64.
    wide = torch.float32 if device.type == "mps" else torch.float64
    rows: list[torch.Tensor] = []
    keys: list[torch.Tensor] = []
    for row, tensor in enumerate(tensors):
        values = tensor if tensor.dtype == torch.float64 else tensor.to(torch.float32)
        if minus is not None:
            values = values - minus[row].to(values.dtype)
        if divisor is not None:
            values = values / divisor.to(device=device, dtype=values.dtype)
        rows.append(_moments(values, wide))
        keys.append(_keys(_sampled(values), row, len(tensors)))
    joined = torch.cat(keys)
    counted = torch.zeros(len(tensors) * BINS + 1, dtype=torch.int32, device=device)
    counted.scatter_add_(0, joined, torch.ones_like(joined, dtype=torch.int32))
    moments_here, bins_here = _to_host(torch.stack(rows)), _to_host(counted)
    arrived = _marker(device)
    counts = np.array([tensor.numel() for tensor in tensors], dtype=np.int64)

    def result() -> Measured:
        arrived()
        moments: Any = moments_here.numpy().astype(np.float64)
        bins: Any = bins_here[:-1].numpy().astype(np.int64)
        return Measured(
            count=counts,
            zeros=moments[:, 0].astype(np.int64),
            nonfinite=moments[:, 1].astype(np.int64),
            moments=_without_infinities(moments[:, 2:].T.copy()),
            bins=bins.reshape(-1, BINS),
        )

    return result


class Arriving:
    """A number on its way from a device; to ask for it, by ``float``, is to wait for it."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self._here = _to_host(tensor)
        self._arrived = _marker(tensor.device)

    def __float__(self) -> float:
        self._arrived()
        return float(self._here)


def number(tensor: torch.Tensor) -> SupportsFloat:
    """Gives the number in a tensor of one element as it is now, without waiting for it.

    Raises:
        ValueError: If it has not one element.
    """
    if tensor.numel() != 1:
        raise ValueError(f"Expected a number, got a tensor of the shape {tuple(tensor.shape)}.")
    value = tensor.detach()
    return Arriving(value) if value.device.type == "cuda" else value.clone()


def _moments(values: torch.Tensor, wide: torch.dtype) -> torch.Tensor:
    """Gives zeros, nonfinite, sum, sum of magnitudes, sum of squares, minimum and maximum."""
    if not values.numel():
        nothing = torch.zeros(7, dtype=wide, device=values.device)
        nothing[5], nothing[6] = torch.inf, -torch.inf
        return nothing
    finite = torch.isfinite(values)
    kept = torch.where(finite, values, 0)
    return torch.stack(
        [
            (values == 0).sum().to(wide),
            (~finite).sum().to(wide),
            kept.sum(dtype=wide),
            kept.abs().sum(dtype=wide),
            kept.to(wide).square().sum(),
            torch.where(finite, values, torch.inf).amin().to(wide),
            torch.where(finite, values, -torch.inf).amax().to(wide),
        ]
    )


_PLACES: dict[tuple[int, torch.device], torch.Tensor] = {}


def _sampled(values: torch.Tensor) -> torch.Tensor:
    """Gives the elements for the histogram, the same ones as those on the host."""
    size = values.numel()
    if size > SAMPLE:
        key = (size, values.device)
        if key not in _PLACES:
            if len(_PLACES) > 512:
                _PLACES.clear()
            _PLACES[key] = as_tensor(sample_places(size)).to(values.device)
        values = values.index_select(0, _PLACES[key])
    if values.dtype == torch.float64:
        limits = torch.finfo(torch.float32)
        infinite = ~torch.isfinite(values)
        magnitude = values.abs().clamp(limits.tiny, limits.max)
        narrowed = torch.where(values == 0, 0.0, torch.copysign(magnitude, values))
        values = torch.where(infinite, torch.nan, narrowed)
    return values.to(torch.float32)


def _keys(sample: torch.Tensor, row: int, rows: int) -> torch.Tensor:
    bins = ((sample.view(torch.int32) >> 22) & (BINS - 1)).to(torch.int64) + row * BINS
    counted = torch.isfinite(sample) & (sample != 0)
    return torch.where(counted, bins, rows * BINS)


def _to_host(tensor: torch.Tensor) -> torch.Tensor:
    if tensor.device.type != "cuda":
        return tensor.to("cpu")
    host = torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu", pin_memory=True)
    return host.copy_(tensor, non_blocking=True)


def _marker(device: torch.device) -> Callable[[], None]:
    """Gives a function that waits until what has been asked of a device so far is done."""
    if device.type != "cuda":
        return lambda: None
    event = torch.cuda.Event()
    event.record(torch.cuda.current_stream(device))
    return event.synchronize


def _without_infinities(moments: NDArray[np.float64]) -> NDArray[np.float64]:
    extremes = moments[3:]
    extremes[np.isinf(extremes)] = np.nan
    return moments
