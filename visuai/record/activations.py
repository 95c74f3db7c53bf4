"""What modules give: recorded at the steps that are recorded, by forward hooks on request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

UNHEARD = (
    "activations were asked for, but in two recorded steps none of the modules asked for was heard "
    "to run in training mode. What torch.compile makes of a module does not call it; to see "
    "activations, train some steps without torch.compile. All else is recorded."
)
"""Said once, in a warning and in the run."""

Report = Callable[[str, nn.Module, torch.Tensor], None]


class ForwardHook:
    """A hook that does nothing in a copy of its module, saved or deep-copied.

    Under ``torch.compile`` it does nothing either, and costs nothing there.
    """

    def __init__(self, call: Callable[..., None] | None = None) -> None:
        self._call = call

    def __call__(self, module: nn.Module, *values: Any) -> None:
        if self._call is None or torch.compiler.is_compiling():
            return
        self._call(module, *values)

    def __reduce__(self) -> tuple[Any, ...]:
        return ForwardHook, ()


def watch_first_call(
    model: nn.Module, seen: Callable[[tuple[Any, ...], dict[str, Any]], None]
) -> RemovableHandle:
    """Calls a function with the inputs of the model's calls, until the handle is removed."""

    def call(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        seen(args, kwargs)

    return cast("Any", model).register_forward_pre_hook(ForwardHook(call), with_kwargs=True)


def watch_outputs(
    model: nn.Module, wanted: Callable[[str, nn.Module], bool], report: Report
) -> list[RemovableHandle]:
    """Reports the output of modules each time that they are called.

    Args:
        model: The model.
        wanted: Tells which modules, by FQN.
        report: Called with the FQN, the module, and the first tensor of its output.
    """
    handles: list[RemovableHandle] = []
    modules: Iterator[tuple[str, nn.Module]] = cast("Any", model).named_modules()
    for name, module in modules:
        if name and wanted(name, module):
            handles.append(cast("Any", module).register_forward_hook(_output_hook(name, report)))
    return handles


def _output_hook(name: str, report: Report) -> ForwardHook:
    def call(module: nn.Module, args: Any, output: Any) -> None:
        tensor = _first_tensor(output)
        if tensor is not None:
            report(name, module, tensor)

    return ForwardHook(call)


def unit_activity(tensor: torch.Tensor) -> torch.Tensor:
    """Gives the largest magnitude of each unit in a batch: 0 for a unit that is dead in it.

    Units lie along the second dimension of four or five (channels of images), along the last
    otherwise.

    Args:
        tensor: Output of a module, its first dimension the batch.
    """
    magnitude = tensor.detach().abs()
    if magnitude.dim() < 2:
        return magnitude
    dimension = 1 if magnitude.dim() >= 4 else magnitude.dim() - 1
    others = [each for each in range(magnitude.dim()) if each != dimension]
    return magnitude.amax(dim=others) if magnitude.numel() else magnitude.flatten()


def _first_tensor(output: Any) -> torch.Tensor | None:
    """Finds the first tensor in a tensor, tuple, list or dict, at most a few levels down."""
    for _ in range(4):
        if isinstance(output, torch.Tensor):
            return output if output.is_floating_point() else None
        if isinstance(output, dict):
            output = next(iter(cast("dict[Any, Any]", output).values()), None)
        elif isinstance(output, (tuple, list)) and output:
            output = cast("list[Any]", output)[0]
        else:
            return None
    return None
