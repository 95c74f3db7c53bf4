"""What calls on meta tensors surely give, without running them.

On meta, torch runs many ops as Python decompositions: twenty ops for a batch normalisation,
1.5 ms a call and half the cost of a convolutional network. The first of them in a process also
imports torch's compiler, which takes seconds. So what is plain to foresee is not run. Wherever
an op might refuse its input, or give another dtype or layout, it is left to torch.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import torch
from torch import nn

ACTIVATIONS = frozenset(
    {
        *(nn.ReLU, nn.ReLU6, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Tanh, nn.ELU, nn.LeakyReLU),
        *(nn.Hardswish, nn.Hardsigmoid, nn.Mish, nn.Softplus),
    }
)
BATCH_NORMS: dict[type, tuple[int, ...]] = {
    nn.BatchNorm1d: (2, 3),
    nn.BatchNorm2d: (4,),
    nn.BatchNorm3d: (5,),
}
"""Kind of module to how many dimensions its input may have."""

CONVOLUTIONS: dict[type, int] = {nn.Conv1d: 1, nn.Conv2d: 2, nn.Conv3d: 3}
"""Kind of module to how many dimensions it convolves."""

ELEMENTWISE_FUNCTIONS = frozenset(
    {
        *("add", "sub", "mul", "truediv", "div", "neg", "exp", "sqrt", "rsqrt", "abs"),
        *("relu", "silu", "gelu", "sigmoid", "tanh"),
        *("__add__", "__radd__", "__sub__", "__mul__", "__rmul__", "__truediv__"),
    }
)

WRITING_FUNCTIONS = frozenset({"add_", "sub_", "mul_", "div_"})


def foreseen_module(module: nn.Module, value: Any) -> torch.Tensor | None:
    """Gives what a module without hooks surely returns for a tensor on meta.

    Args:
        module: Any module.
        value: Its only argument.

    Returns:
        A tensor on meta, ``value`` itself if the module hands it back; None if it is not sure.
    """
    foresee = _MODULES.get(type(module))
    if foresee is None or not _is_plain(value):
        return None
    try:
        return foresee(module, value)
    except KeyError:  # It does not hold its tensors where its class does.
        return None


def foreseen_call(function: Any, args: tuple[Any, ...]) -> torch.Tensor | None:
    """Gives what a function surely returns for tensors on meta; None if it is not sure."""
    if function is torch.cat:
        return _concatenated(*args)
    if function is nn.functional.adaptive_avg_pool2d and len(args) == 2 and _is_plain(args[0]):
        return _averaged(args[0], args[1])
    if getattr(function, "__name__", "") in ELEMENTWISE_FUNCTIONS and _are_alike(args):
        return _made(args[0].shape, args[0])
    return None


def foreseen_writing(function: Any, args: tuple[Any, ...]) -> torch.Tensor | None:
    """Gives the tensor on meta that a function surely writes into; None if it is not sure.

    On meta there is nothing to write, only gradients to follow, and rules for that.
    """
    if (
        getattr(function, "__name__", "") in WRITING_FUNCTIONS
        and len(args) == 2
        and _are_alike(args)
        and not args[0].is_inference()
        and not any(getattr(arg, "requires_grad", False) for arg in args)
    ):
        return args[0]
    return None


def _is_plain(value: Any) -> bool:
    """Tells whether a value is a contiguous tensor of some floating-point numbers on meta."""
    return (
        type(value) is torch.Tensor
        and value.is_meta
        and value.is_contiguous()
        and value.dtype.is_floating_point
        and value.numel() > 0
    )


def _is_in_order(tensor: torch.Tensor) -> bool:
    """Tells whether strides are those of a new tensor, also where a size of 1 leaves a choice."""
    step = 1
    for size, stride in zip(reversed(tensor.shape), reversed(tensor.stride()), strict=True):
        if stride != step:
            return False
        step *= size
    return True


def _made(shape: Any, like: torch.Tensor) -> torch.Tensor:
    return torch.empty(shape, dtype=like.dtype, device="meta")


def _activated(module: Any, value: torch.Tensor) -> torch.Tensor | None:
    return value if getattr(module, "inplace", False) else _made(value.shape, value)


def _dropped(module: Any, value: torch.Tensor) -> torch.Tensor | None:
    return None if module.training or not 0 <= module.p <= 1 else value


def _mapped(module: Any, value: torch.Tensor) -> torch.Tensor | None:
    held, shape = module._parameters, value.shape
    weight, bias = held["weight"], held["bias"]
    if weight.dtype != value.dtype or (bias is not None and bias.dtype != value.dtype):
        return None
    size = weight.shape  # Not the attributes: they may be stale.
    if not shape or len(size) != 2 or shape[-1] != size[1]:
        return None
    if bias is not None and bias.shape != size[:1]:
        return None
    return _made((*shape[:-1], size[0]), value)


def _normalised(module: Any, value: torch.Tensor) -> torch.Tensor | None:
    shape = value.shape
    if len(shape) not in BATCH_NORMS[type(module)]:
        return None
    channels = shape[1:2]
    parameters, buffers = module._parameters, module._buffers
    mean, variance = buffers["running_mean"], buffers["running_var"]
    if (module.training or mean is None) and value.numel() <= shape[1]:
        return None
    for held in (parameters["weight"], parameters["bias"]):
        if held is not None and (held.dtype != value.dtype or held.shape != channels):
            return None
    for held in (mean, variance):
        if held is not None and held.shape != channels:
            return None
    return _made(shape, value)


def _convolved(module: Any, value: torch.Tensor) -> torch.Tensor | None:
    held, shape = module._parameters, value.shape
    weight, bias = held["weight"], held["bias"]
    spatial = CONVOLUTIONS[type(module)]
    window, groups = weight.shape, module.groups
    stride, padding, dilation = module.stride, module.padding, module.dilation
    if (
        len(shape) != spatial + 2
        or len(window) != spatial + 2
        or module.padding_mode != "zeros"
        or not type(stride) is type(padding) is type(dilation) is tuple
        or not len(stride) == len(padding) == len(dilation) == spatial
    ):
        return None
    if (
        shape[1] != window[1] * groups
        or window[0] % groups
        or not prod(window)
        or weight.dtype != value.dtype
        or not (_is_in_order(value) and _is_in_order(weight))  # Else channels may come last.
        or (bias is not None and (bias.dtype != value.dtype or bias.shape != window[:1]))
    ):
        return None
    if min(stride) < 1 or min(padding) < 0 or min(dilation) < 1:
        return None
    sizes = [
        (size + 2 * padding[at] - dilation[at] * (window[at + 2] - 1) - 1) // stride[at] + 1
        for at, size in enumerate(shape[2:])
    ]
    if min(sizes) < 1:
        return None
    return _made((shape[0], window[0], *sizes), value)


def _averaged(value: torch.Tensor, size: Any) -> torch.Tensor | None:
    if size not in (1, (1, 1)) or value.dim() not in (3, 4):
        return None
    return _made((*value.shape[:-2], 1, 1), value)


_MODULES: dict[type, Callable[[Any, torch.Tensor], torch.Tensor | None]] = {
    **dict.fromkeys(ACTIVATIONS, _activated),
    nn.Dropout: _dropped,
    **dict.fromkeys(BATCH_NORMS, _normalised),
    **dict.fromkeys(CONVOLUTIONS, _convolved),
    nn.Linear: _mapped,
    nn.AdaptiveAvgPool2d: lambda module, value: _averaged(value, module.output_size),
}


def _are_alike(args: tuple[Any, ...]) -> bool:
    """Tells whether all are contiguous floating-point tensors of one shape and dtype, or numbers.

    The first is a tensor.
    """
    first: Any = args[0] if args else None
    if not _is_plain(first):
        return False
    for other in args[1:]:
        if type(other) is torch.Tensor:
            if (
                not other.is_meta
                or other.shape != first.shape
                or other.dtype != first.dtype
                or not other.is_contiguous()
            ):
                return False
        elif type(other) is not int and type(other) is not float:
            return False
    return True


def _concatenated(tensors: Any, dim: Any = 0) -> torch.Tensor | None:
    parts: list[Any] = list(tensors) if isinstance(tensors, (tuple, list)) else []  # pyright: ignore[reportUnknownArgumentType]
    first = parts[0] if parts else None
    if type(first) is not torch.Tensor or type(dim) is not int or not first.dim():
        return None
    shape = list[int](first.shape)
    if not -len(shape) <= dim < len(shape):
        return None
    axis: int = dim % len(shape)
    length = 0
    for part in parts:
        if (
            type(part) is not torch.Tensor
            or not part.is_meta
            or part.dtype != first.dtype
            or part.dim() != len(shape)
            or not part.is_contiguous()
        ):
            return None
        other: list[int] = list(part.shape)
        length += other[axis]
        if other[:axis] != shape[:axis] or other[axis + 1 :] != shape[axis + 1 :]:
            return None
    shape[axis] = length
    return _made(shape, first)
