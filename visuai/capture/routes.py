"""Chooses the route: the first that captures the model, with every failure kept."""

from __future__ import annotations

import copy
import io
import logging
import os
import re
import threading
import warnings
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, Any, cast

import torch
from torch import nn
from torch.nn.parameter import (
    UninitializedTensorMixin,  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
)

from visuai import plugins
from visuai.capture.blame import blame_without_inputs
from visuai.capture.describe import modules_of, walk
from visuai.capture.inputs import Inputs, first_paragraph, forward_of, given, inferred, owner
from visuai.capture.snapshot import unchanged
from visuai.capture.stack import with_room
from visuai.capture.stand_ins import StandIns, map_tensors
from visuai.errors import CaptureError, InputError, ModelError, VisuaiError
from visuai.program import Program, Source

Route = Callable[[Source], Program]
Progress = Callable[[str, int, int], None]

# torch.fx and the eager route replace methods of `nn.Module` while they work: one at a time.
_ONE_AT_A_TIME = threading.RLock()

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # torch.onnx colours its messages.

_NO_EXPORT = {"symbolic", "eager"}  # in which the model itself runs, and may be at fault

# Who tells of attempts that fail.
_TALKATIVE = ("torch._subclasses.fake_tensor", "torch.fx.experimental.symbolic_shapes")

# What batch normalisation says of a training batch with one value per channel.
_TOO_FEW_VALUES = "more than 1 value per channel when training"


def capture(
    source: Source, route: str, progress: Progress
) -> tuple[Program, Mapping[str, BaseException]]:
    """Captures a model; what is a program already (a file, an export) is only read.

    Args:
        source: The model and its inputs.
        route: ``auto``, or the name of the only route to try.
        progress: Told about each route that is tried.

    Returns:
        The program, and for each route that failed before, its exception.

    Raises:
        CaptureError: If no route captures the model; every failure is listed.
        ModelError: If the model itself raises.
        InputError: If the inputs do not fit, or ``source.model`` is nothing that can be built.
        FormatError: If a file is not what it claims to be.
    """
    with _ONE_AT_A_TIME, _quiet():
        known = _read(source.model)
        if known is not None:
            return known, {}
        if not callable(source.model):
            raise InputError(
                f"Cannot build an object of type {type(source.model).__name__}; expected an "
                "nn.Module, a callable, an fx.GraphModule, an ExportedProgram, an ONNX "
                "ModelProto, or the path of an .onnx or .pt2 file."
            )
        source, notes = _plain(source)
        root = source.model if isinstance(source.model, nn.Module) else owner(source.model)
        program, failures = with_room(root, _attempt, source, route, progress, root)
    return replace(program, notes=[*notes, *program.notes]), failures


@contextmanager
def _quiet() -> Generator[None]:
    """Keeps to itself what torch says of attempts that fail: another route comes next."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled


def _attempt(
    source: Source, route: str, progress: Progress, root: nn.Module | None
) -> tuple[Program, dict[str, BaseException]]:
    """Tries the routes in the model's mode, then in eval mode if batch normalisation needs it."""
    try:
        return _first(source, route, progress, root)
    except VisuaiError as error:
        if root is None or not root.training or _TOO_FEW_VALUES not in str(error):
            raise
    with unchanged(root):
        for _, module, _ in walk(root):
            module.training = False
        program, failures = _first(source, route, progress, root)
    note = (
        "Captured in eval mode: in training mode batch normalisation needs more than one value "
        "per channel. The model's own mode is as it was."
    )
    return replace(program, notes=[note, *program.notes]), failures


def _first(
    source: Source, route: str, progress: Progress, root: nn.Module | None
) -> tuple[Program, dict[str, BaseException]]:
    names = plugins.names(plugins.CAPTURES) if route == "auto" else [route]
    if isinstance(source.model, torch.jit.ScriptModule):
        names = ["script"]  # What is compiled already can only be read.
    failures: dict[str, BaseException] = {}
    partial: Program | None = None
    for index, name in enumerate(names):
        progress(f"export: {name}", index, len(names))
        attempt = _script if name == "script" else plugins.load(plugins.CAPTURES, name)
        try:
            with unchanged(root, source.model, source.args, source.kwargs) as restore:
                return attempt(replace(source, restore=restore)), failures
        except ModelError:
            raise
        except Exception as error:
            if isinstance(error, InputError) and not (source.args is source.kwargs is None):
                raise  # What was given does not fit, whatever the route.
            failures[name] = error
            partial = getattr(error, "program", None) or partial
            if _TOO_FEW_VALUES in str(error) and root is not None and root.training:
                break
            if source.args is source.kwargs is None and failures.keys() == _NO_EXPORT:
                blame_without_inputs(source, failures, partial)
    raise CaptureError(_message(source, failures), failures=failures, program=partial)


def _script(source: Source) -> Program:
    from visuai.capture.script import capture as capture_script

    return capture_script(source)


def _message(source: Source, failures: Mapping[str, BaseException]) -> str:
    causes = "\n".join(
        f"  {name}: {type(error).__name__}: {first_paragraph(_COLOUR.sub('', str(error)))}"
        for name, error in failures.items()
    )
    advice = (
        "Pass the inputs that the model is run on: visuai.build(model, args, kwargs)."
        if source.args is None and source.kwargs is None
        else "If the model runs on these inputs without Visuai, this is a bug worth reporting."
    )
    return f"No route could capture {type(source.model).__name__}.\n{causes}\n{advice}"


def _read(model: Any) -> Program | None:
    """Gives the program of what is a program already, None for what has to be captured."""
    if isinstance(model, (str, os.PathLike, io.IOBase)):
        from visuai.capture.files import read_file

        return read_file(cast("str | os.PathLike[str] | IO[bytes]", model))
    if isinstance(model, Program):
        return model
    if isinstance(model, torch.export.ExportedProgram):
        from visuai.capture.export import from_exported_program

        return from_exported_program(model)
    if hasattr(model, "SerializeToString") and hasattr(model, "graph"):
        from visuai.capture.onnx import from_model_proto

        return from_model_proto(model)
    return None


def _plain(source: Source) -> tuple[Source, list[str]]:
    """Takes compiled wrappers off, and gives lazy parameters their shapes on a copy."""
    model, notes = source.model, list[str]()
    while True:
        inner = getattr(model, "_orig_mod", None) or getattr(
            model, "_torchdynamo_orig_callable", None
        )
        if inner is None:
            break
        model = inner
        notes = ["The model is compiled; what was captured is the model that was compiled."]
    if isinstance(model, nn.Module) and _is_lazy(model):
        model = _materialised(model, source)
        notes.append("Lazy parameters got their shapes on a copy, from one run on the inputs.")
    return Source(model, source.args, source.kwargs), notes


def _is_lazy(model: nn.Module) -> bool:
    kinds: set[type] = set()
    for module in modules_of(model):
        kinds.update(map(type, module._parameters.values()))  # pyright: ignore[reportPrivateUsage]
        kinds.update(map(type, module._buffers.values()))  # pyright: ignore[reportPrivateUsage]
    return any(issubclass(kind, UninitializedTensorMixin) for kind in kinds)  # pyright: ignore[reportUnknownArgumentType]


def _materialised(model: nn.Module, source: Source) -> nn.Module:
    """Gives a copy of a lazy model that was run once, so that its parameters have shapes."""
    model = copy.deepcopy(model)
    forward = forward_of(model)
    inputs = given(source, forward) or next(iter(inferred(model, forward)), Inputs())
    args, kwargs = map_tensors(StandIns("real").of, (inputs.args, inputs.kwargs))
    with unchanged(None, args, kwargs), torch.no_grad():  # Weights are drawn at random.
        model(*args, **kwargs)
    return model
