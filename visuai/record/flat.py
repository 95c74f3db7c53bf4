"""Any tensor as one row of real numbers, by a view where that is possible."""

from __future__ import annotations

from typing import Any, cast

import torch
from numpy.typing import NDArray
from torch import nn

_WIDE = (torch.int64, torch.int32)


def flatten(tensor: torch.Tensor) -> tuple[torch.Tensor, int] | None:
    """Gives the elements of a tensor in one dimension, contiguous, without gradient.

    The order is that of memory where the tensor fills its memory (also transposed or
    channels-last); statistics do not depend on it. Complex numbers give their real and
    imaginary parts. A distributed tensor gives the part that is here.

    Args:
        tensor: Any tensor; None is given for one that holds no numbers: on the meta device,
            or not materialised yet.

    Returns:
        The elements, and how many more there are that are zero and not stored.
    """
    if isinstance(tensor, (nn.UninitializedParameter, nn.UninitializedBuffer)) or tensor.is_meta:
        return None
    tensor = tensor.detach()
    to_local: Any = getattr(tensor, "to_local", None)
    if to_local is not None:
        tensor = to_local()
    implied = 0
    if tensor.layout != torch.strided:
        size = tensor.numel()
        tensor = tensor.coalesce() if tensor.layout == torch.sparse_coo else tensor
        tensor = tensor.values()
        implied = size - tensor.numel()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    tensor = tensor.resolve_conj().resolve_neg()
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor)
        implied *= 2
    if tensor.dtype in _WIDE:
        tensor = tensor.to(torch.float64)
    elif not tensor.is_floating_point():
        tensor = tensor.to(torch.float32)
    return _in_memory_order(tensor), implied


def as_tensor(array: NDArray[Any]) -> torch.Tensor:
    """Gives an array as a tensor, the same memory."""
    return cast("Any", torch).from_numpy(array)


def _in_memory_order(tensor: torch.Tensor) -> torch.Tensor:
    if tensor.is_contiguous():
        return tensor.view(-1)
    expected = 1
    for stride, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size != 1 and stride != expected:
            return tensor.reshape(-1)
        expected *= size
    return tensor.as_strided((tensor.numel(),), (1,))
