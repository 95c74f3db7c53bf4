"""Inputs of a forward: those given, bound to its signature, or inferred ones."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import torch
from torch import nn

from visuai.capture.describe import type_name, walk
from visuai.errors import InputError
from visuai.ops import category
from visuai.program import Source

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Arguments for one call of a forward.

    Attributes:
        args: Positional arguments.
        kwargs: Keyword arguments.
        note: What was assumed, for the report; "" if the user gave them.
    """

    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict[str, Any])
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """Inputs with the names that the forward gives them.

    Attributes:
        inputs: The inputs.
        names: A name for each positional argument, then for each keyword argument.
    """

    inputs: Inputs
    names: tuple[str, ...]


def forward_of(model: Any) -> Callable[..., Any]:
    """Gives the function whose signature the inputs have to fit."""
    return model.forward if isinstance(model, nn.Module) else model


def owner(function: Any) -> nn.Module | None:
    """Gives the module that a bound method belongs to, None for any other callable."""
    instance = getattr(function, "__self__", None)
    return instance if isinstance(instance, nn.Module) else None


def program_name(model: Any) -> str:
    """Gives a network's name: its class, or the name of the function."""
    if isinstance(model, nn.Module):
        return type(model).__name__
    return str(getattr(model, "__name__", type(model).__name__))


def given(source: Source, forward: Callable[..., Any]) -> Inputs | None:
    """Gives the inputs that the user handed over, None if there are none.

    A single mapping whose keys are all names of the forward's parameters is taken as keywords.
    """
    if source.args is None and source.kwargs is None:
        return None
    args, kwargs = source.args or (), dict(source.kwargs or {})
    if len(args) == 1 and not kwargs and isinstance(args[0], Mapping) and args[0]:
        signature = _signature(forward)
        keys: list[Any] = list(args[0])  # pyright: ignore[reportUnknownArgumentType]
        if signature and all(
            key in signature.parameters
            and signature.parameters[key].kind is not inspect.Parameter.VAR_KEYWORD
            for key in keys
        ):
            return Inputs((), dict(args[0]))  # pyright: ignore[reportUnknownArgumentType]
    return Inputs(args, kwargs)


def bind(forward: Callable[..., Any], inputs: Inputs) -> Bound:
    """Names the inputs as the forward's signature does.

    Raises:
        InputError: If they do not fit the signature.
    """
    signature = _signature(forward)
    names: list[str] = []
    if signature is None:
        names = [f"arg{index}" for index in range(len(inputs.args))]
    else:
        try:
            signature.bind(*inputs.args, **inputs.kwargs)
        except TypeError as error:
            raise InputError(
                f"The inputs do not fit forward{signature}: {error}. Got "
                f"{len(inputs.args)} positional and keywords {list(inputs.kwargs)}; pass "
                f"positional inputs as a tuple in args and the others in kwargs.{unlikely(inputs)}"
            ) from error
        positional = [
            parameter
            for parameter in signature.parameters.values()
            if parameter.kind is not inspect.Parameter.KEYWORD_ONLY
        ]
        for index in range(len(inputs.args)):
            parameter = positional[min(index, len(positional) - 1)]
            variadic = parameter.kind is inspect.Parameter.VAR_POSITIONAL
            extra = index - (len(positional) - 1) if index >= len(positional) - 1 else 0
            names.append(f"{parameter.name}_{extra}" if variadic else parameter.name)
    return Bound(inputs, (*names, *inputs.kwargs))


def unlikely(inputs: Inputs) -> str:
    """Says what about inputs is probably not what was meant, "" if nothing is."""
    values: list[Any] = [*inputs.args, *inputs.kwargs.values()]
    if len(values) == 1 and isinstance(values[0], list):
        values = cast("list[Any]", values[0])
    if values and all(type(value) is int for value in values):
        shape = ", ".join(map(str, values))
        return f" If these are the sizes of an input, pass torch.zeros({shape})."
    if any(type(value).__module__.partition(".")[0] == "numpy" for value in values):
        return " An input is a NumPy array; torch.from_numpy makes a tensor of it."
    return ""


def required(forward: Callable[..., Any]) -> list[inspect.Parameter]:
    """Gives the forward's parameters that have no default."""
    signature = _signature(forward)
    if signature is None:
        return []
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [
        parameter
        for parameter in signature.parameters.values()
        if parameter.default is inspect.Parameter.empty and parameter.kind not in variadic
    ]


def inferred(model: Any, forward: Callable[..., Any]) -> Iterator[Inputs]:
    """Gives inputs that the model probably takes, the surest first, on the meta device.

    In order: what the model says itself (``example_input_array`` of Lightning, ``dummy_inputs``
    of transformers, ``default_cfg`` / ``pretrained_cfg`` of timm), then sizes that fit the first
    weight in the order of registration.
    """
    yield from _declared(model)
    parameters = required(forward)
    if not parameters:
        yield Inputs(note="Called without inputs: its forward requires none.")
    elif isinstance(model, nn.Module):
        for shape, dtype, why in _fitting(model):
            size = "x".join(map(str, shape))
            note = f"No inputs given: assumed {size} {str(dtype)[6:]} for each, from {why}."
            yield _one_for_each(parameters, shape, dtype, note)


def arbitrary(forward: Callable[..., Any]) -> Iterator[Inputs]:
    """Gives inputs of some usual shapes, on the meta device, where nothing is known."""
    for shape in _USUAL:
        yield _one_for_each(required(forward), shape, torch.float32, "")


def _one_for_each(
    parameters: list[inspect.Parameter], shape: tuple[int, ...], dtype: torch.dtype, note: str
) -> Inputs:
    args: list[torch.Tensor] = []
    kwargs: dict[str, torch.Tensor] = {}
    for parameter in parameters:
        tensor = torch.empty(shape, dtype=dtype, device="meta")
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            kwargs[parameter.name] = tensor
        else:
            args.append(tensor)
    return Inputs(tuple(args), kwargs, note)


def first_that_fits(
    model: Any, tool: str, attempt: Callable[[Inputs], Result]
) -> tuple[str, Result]:
    """Tries inferred inputs until one gets through.

    Args:
        model: A module or a callable, for which no inputs were given.
        tool: What is tried, for the message.
        attempt: Called with the inputs; raises if they do not fit.

    Returns:
        The note on what was assumed, and what ``attempt`` gave.

    Raises:
        InputError: If none gets through; the first failure is its cause.
    """
    failure: BaseException | None = None
    for inputs in inferred(model, forward_of(model)):
        try:
            return inputs.note, attempt(inputs)
        except Exception as error:
            failure = failure or error
    raise InputError(
        f"{tool} needs inputs, none were given, and none that were tried fit"
        + (f" ({type(failure).__name__}: {first_paragraph(str(failure))})" if failure else "")
        + ". Pass args."
    ) from failure


def first_paragraph(message: str) -> str:
    """Gives the head of what an exporter says, on one line: advice to its own users follows it."""
    return " ".join(message.strip().partition("\n\n")[0].split())[:500]


def _declared(model: Any) -> Iterator[Inputs]:
    example = _attribute(model, "example_input_array")
    if example is not None:
        note = "No inputs given: used the model's example_input_array."
        if isinstance(example, Mapping):
            yield Inputs((), dict(example), note)  # pyright: ignore[reportUnknownArgumentType]
        else:
            if not isinstance(example, tuple):
                example = (example,)
            yield Inputs(cast("tuple[Any, ...]", example), {}, note)
    config = _attribute(model, "config")
    if _attribute(model, "main_input_name") == "pixel_values":
        size: Any = getattr(config, "image_size", None) or 224
        if not isinstance(size, (tuple, list)):
            size = (size, size)
        height, width = cast("Sequence[int]", size)
        channels: int = getattr(config, "num_channels", 3)
        yield Inputs(
            (),
            {"pixel_values": torch.empty(1, channels, height, width, device="meta")},
            f"No inputs given: assumed pixel_values of 1x{channels}x{height}x{width}, from the "
            "model's config.",
        )
    dummy = _attribute(model, "dummy_inputs")
    if isinstance(dummy, Mapping):
        yield Inputs((), dict(dummy), "No inputs given: used the model's dummy_inputs.")  # pyright: ignore[reportUnknownArgumentType]
    for name in ("pretrained_cfg", "default_cfg"):
        settings = _attribute(model, name)
        if not isinstance(settings, Mapping):
            continue
        size = cast("Mapping[str, Any]", settings).get("input_size")
        if size:
            shape: tuple[int, ...] = (1, *size)
            yield Inputs(
                (torch.empty(shape, device="meta"),),
                {},
                f"No inputs given: assumed {'x'.join(map(str, shape))}, from the model's {name}.",
            )


def _attribute(model: Any, name: str) -> Any:
    try:
        return getattr(model, name, None)
    except Exception:  # A property of the user's may raise; then it declares nothing.
        return None


_SIDES = (32, 64, 224, 299, 128, 28)
_SIZES: dict[int, list[tuple[int, ...]]] = {
    1: [(64,), (256,), (1024,), (16384,)],
    2: [(side, side) for side in _SIDES],
    3: [(32, 32, 32), (16, 64, 64), (16, 112, 112), (16, 224, 224), (64, 64, 64)],
}
_LENGTH = 16
_USUAL = ((1, 3, 32, 32), (1, 16), (1,))


def _fitting(model: nn.Module) -> Iterator[tuple[tuple[int, ...], torch.dtype, str]]:
    """Gives shapes that fit the first weight, in the order of registration.

    In training mode a batch of two: batch normalisation refuses one value per channel.
    """
    batch = 2 if model.training else 1
    for fqn, module, _ in walk(model):
        where = f"{fqn or 'the model'} ({type(module).__name__})"
        kind = category(type_name(module).rpartition(".")[2])
        floating = next((p.dtype for p in module.parameters(recurse=False)), torch.float32)
        if kind == "conv" and hasattr(module, "in_channels"):
            channels = int(getattr(module, "in_channels", 1) or 1)
            spatial = len(getattr(module, "kernel_size", (1, 1)))
            for size in _SIZES.get(spatial, ()):
                yield (batch, channels, *size), floating, where
            return
        if kind == "embedding":
            yield (batch, _LENGTH), torch.int64, where
            return
        if kind == "recurrent":
            size = int(getattr(module, "input_size", 1))
            yield (_LENGTH, batch, size), floating, where
            yield (batch, size), floating, where
            return
        if hasattr(module, "in_features") and isinstance(module.in_features, int):
            yield (batch, module.in_features), floating, where
            yield (batch, _LENGTH, module.in_features), floating, where
            # A linear module behind a flatten: an image of as many values.
            for channels in (1, 3):
                side = math.isqrt(module.in_features // channels)
                if side * side * channels == module.in_features and side > 1:
                    yield (batch, channels, side, side), floating, where
            return
        if kind == "attention" and hasattr(module, "embed_dim"):
            yield (_LENGTH, batch, int(module.embed_dim)), floating, where  # pyright: ignore[reportArgumentType]
            return
        if hasattr(module, "d_model") and isinstance(module.d_model, int):
            yield (_LENGTH, batch, module.d_model), floating, where
            return
        if kind == "norm":
            shape = getattr(module, "normalized_shape", None)
            if shape:
                yield (batch, *shape), floating, where
                return
            features = getattr(module, "num_features", None)
            if isinstance(features, int):
                yield (2, features, 32, 32), floating, where
                yield (2, features), floating, where
                yield (2, features, _LENGTH), floating, where
                return
    for shape in _USUAL:
        yield shape, torch.float32, "no weight to go by"


def _signature(forward: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(forward)
    except (TypeError, ValueError):
        return None
