"""Runs calls on meta tensors only once of each kind.

What a leaf ``torch.nn`` module or a function of torch gives on meta depends on nothing but its
configuration and the shapes, strides and dtypes that go in. In a deep network most calls are
repeats: 414 of 464 leaf calls in ResNet-152, and all but one of a transformer's 80 blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import nn
from torch.nn.modules import module as nn_module

_SCALARS = (int, float, str, bool, type(None), torch.dtype, torch.device)
_UNKNOWN = object()
_VARIES = object()  # Stands for a call whose result cannot be made up from its key.


class Memo:
    """Remembers what calls give on meta, for the time of one capture."""

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}
        self._configs: dict[int, Any] = {}

    def module(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: Any, run: Callable[..., Any]
    ) -> Any:
        """Gives what a leaf module returns.

        Args:
            module: A leaf module.
            args: Its positional arguments, tensors on meta.
            kwargs: Its keyword arguments.
            run: Called with the module and its arguments if the result is not known yet.
        """
        config = self._configs.get(id(module), _UNKNOWN)
        if config is _UNKNOWN:
            config = self._configs[id(module)] = _config(module)
        if config is None:
            return run(module, *args, **kwargs)
        if len(args) == 1 and not kwargs:
            value = _foreseen(module, args[0])
            if value is not None:
                return value
        return self._call(config, (module, *args), args, kwargs, run)

    def function(self, function: Any, args: tuple[Any, ...], kwargs: Any) -> Any:
        """Gives what a function of torch returns that does not write into its arguments."""
        plain = not kwargs or kwargs == {"inplace": False}
        if plain and getattr(function, "__name__", "") in _ELEMENTWISE_FUNCTIONS:
            value = _elementwise(args)
            if value is not None:
                return value
        if function is torch.cat and not kwargs:
            value = _concatenated(*args)
            if value is not None:
                return value
        return self._call(function, args, args, kwargs, function)

    def _call(
        self,
        what: Any,
        call_args: tuple[Any, ...],
        args: tuple[Any, ...],
        kwargs: Any,
        run: Callable[..., Any],
    ) -> Any:
        inputs = _key(args)
        options = _key(tuple(kwargs.items())) if kwargs else ()
        if inputs is None or options is None:
            return run(*call_args, **kwargs)
        key = (what, inputs, options)
        try:
            known = self._known.get(key, _UNKNOWN)
        except TypeError:  # Something in it is not hashable.
            return run(*call_args, **kwargs)
        if known is _UNKNOWN:
            value = run(*call_args, **kwargs)
            self._known[key] = _template(value, args)
            return value
        return run(*call_args, **kwargs) if known is _VARIES else _made(known, args)


# On meta, torch runs many ops as Python decompositions: twenty ops for a batch normalisation,
# 1.5 ms a call and half the cost of a convolutional network. The first of them in a process also
# imports torch's compiler, which takes seconds. So what is plain to foresee is not run. Wherever
# an op might refuse its input, or give another dtype, it is left to torch.
_BATCH_NORMS: dict[type, tuple[int, ...]] = {
    nn.BatchNorm1d: (2, 3),
    nn.BatchNorm2d: (4,),
    nn.BatchNorm3d: (5,),
}
_ACTIVATIONS = frozenset(
    {
        *(nn.ReLU, nn.ReLU6, nn.GELU, nn.SiLU, nn.Sigmoid, nn.Tanh, nn.ELU, nn.LeakyReLU),
        *(nn.Hardswish, nn.Hardsigmoid, nn.Mish, nn.Softplus),
    }
)
_ELEMENTWISE_FUNCTIONS = frozenset(
    {
        *("add", "sub", "mul", "truediv", "div", "neg", "exp", "sqrt", "rsqrt", "abs"),
        *("relu", "silu", "gelu", "sigmoid", "tanh"),
        *("__add__", "__radd__", "__sub__", "__mul__", "__rmul__", "__truediv__"),
    }
)


def _foreseen(module: Any, value: Any) -> torch.Tensor | None:
    """Gives what a module surely returns for a tensor on meta; None if that is not sure."""
    if type(value) is not torch.Tensor or not value.is_meta:
        return None
    shape = value.shape
    kind: Any = type(module)  # pyright: ignore[reportUnknownVariableType]
    if kind in _ACTIVATIONS:
        return None if getattr(module, "inplace", False) else _elementwise((value,))
    if kind is not nn.Linear and kind not in _BATCH_NORMS:
        return None
    if (
        not value.is_contiguous()
        or not value.dtype.is_floating_point
        or any(
            weight is not None and weight.dtype != value.dtype
            for weight in (module.weight, module.bias)
        )
    ):
        return None
    if kind is nn.Linear:
        weight, bias = module.weight.shape, module.bias  # Not the attributes: they may be stale.
        if not shape or len(weight) != 2 or shape[-1] != weight[1]:
            return None
        if bias is not None and bias.shape != weight[:1]:
            return None
        return torch.empty((*shape[:-1], weight[0]), dtype=value.dtype, device="meta")
    of_the_batch = module.training or module.running_mean is None
    if (
        len(shape) not in _BATCH_NORMS[kind]
        or any(held is not None and held.shape != shape[1:2] for held in _held(module))
        or (of_the_batch and value.numel() <= shape[1])
    ):
        return None
    return torch.empty(shape, dtype=value.dtype, device="meta")


def _held(norm: Any) -> tuple[torch.Tensor | None, ...]:
    return norm.weight, norm.bias, norm.running_mean, norm.running_var


def _elementwise(args: tuple[Any, ...]) -> torch.Tensor | None:
    """Gives what an elementwise op surely returns; None if that is not sure.

    That is so for contiguous floating-point tensors of one shape and dtype, and numbers.
    """
    first = args[0] if args else None
    if (
        type(first) is not torch.Tensor
        or not first.is_meta
        or not first.dtype.is_floating_point
        or not first.is_contiguous()
    ):
        return None
    for other in args[1:]:
        if type(other) is torch.Tensor:
            if (
                not other.is_meta
                or other.shape != first.shape
                or other.dtype != first.dtype
                or not other.is_contiguous()
            ):
                return None
        elif type(other) is not int and type(other) is not float:
            return None
    return torch.empty(first.shape, dtype=first.dtype, device="meta")


def _concatenated(parts: Any, dim: Any = 0) -> torch.Tensor | None:
    """Gives what concatenation surely returns; None if that is not sure."""
    first: Any = parts[0] if type(parts) in (tuple, list) and parts else None
    if type(first) is not torch.Tensor or type(dim) is not int or not first.dim():
        return None
    shape: list[int] = list(first.shape)
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
    return torch.empty(shape, dtype=first.dtype, device="meta")


def _key(values: Any) -> Any:
    """Gives what a result can depend on; None if that is unclear, or nothing is on meta."""
    parts: list[Any] = []
    for value in values:
        kind: Any = type(value)  # pyright: ignore[reportUnknownVariableType]
        if kind is torch.Tensor:
            if not value.is_meta:
                return None
            parts.append((value.shape, value.stride(), value.dtype))
        elif kind is tuple or kind is list:
            inner = _key(value)
            if inner is None:
                return None
            parts.append((kind, inner))
        elif isinstance(value, _SCALARS):
            parts.append((kind, value))  # 1, 1.0 and True are equal, but not alike.
        else:
            return None
    return tuple(parts)


def _config(module: nn.Module) -> Any:
    """Gives all that a leaf's result depends on besides its inputs; None if that is unclear."""
    state = module.__dict__
    if (
        state["_modules"]
        or state["_forward_hooks"]
        or state["_forward_pre_hooks"]
        or "forward" in state
        or nn_module._global_forward_hooks  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]
        or nn_module._global_forward_pre_hooks  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType]
    ):
        return None
    config: list[Any] = [type(module)]
    for name, value in state.items():
        if name[0] == "_":
            continue
        parts = cast("tuple[Any, ...]", value) if isinstance(value, tuple) else (value,)
        if not all(isinstance(part, _SCALARS) for part in parts):
            return None
        config.append((name, type(value), value))  # pyright: ignore[reportUnknownArgumentType]
    for tensors in (state["_parameters"], state["_buffers"]):
        for name, tensor in tensors.items():
            config.append((name, None if tensor is None else (tensor.shape, tensor.dtype)))
    return tuple(config)


def _template(value: Any, args: tuple[Any, ...]) -> Any:
    """Gives what is needed to make a value like this one again, else `_VARIES`."""
    if type(value) is torch.Tensor:
        for index, arg in enumerate(args):
            if arg is value:  # An in-place module gives its argument back.
                return index
        # A view is made anew each time: writing into it has to reach what it is a view of.
        if value.is_meta and value._base is None:
            return (value.shape, value.stride(), value.dtype)
        return _VARIES
    if type(value) is tuple and value:
        parts = [_template(item, args) for item in value]  # pyright: ignore[reportUnknownVariableType]
        return _VARIES if any(part is _VARIES for part in parts) else parts
    return _VARIES


def _made(template: Any, args: tuple[Any, ...]) -> Any:
    if isinstance(template, int):
        return args[template]
    if isinstance(template, list):
        return tuple([_made(part, args) for part in template])  # pyright: ignore[reportUnknownVariableType]
    shape, stride, dtype = template
    return torch.empty_strided(shape, stride, dtype=dtype, device="meta")
