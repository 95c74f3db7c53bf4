"""The route ``onnx``: ``torch.onnx.export``, and ONNX models as users hold them."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn

from visuai.capture.describe import Inventory
from visuai.capture.export import as_module, fit
from visuai.capture.inputs import Inputs, first_that_fits, forward_of, given
from visuai.capture.snapshot import unchanged
from visuai.program import Program, Source

if TYPE_CHECKING:
    import onnx


# What torch.onnx, now and before, and other exporters call whatever graph they write.
_ANY_NETWORK = frozenset(
    {"", "main", "main_graph", "torch_jit", "torch-jit-export", "tf2onnx", "graph", "model"}
)
_KEPT_ELEMENTS = 64  # Target shapes and the like, which shape inference reads.


def capture(source: Source) -> Program:
    """Captures a model by ``torch.onnx.export``, or reads a ``ModelProto`` or an ONNX file.

    Args:
        source: A module, a callable, a ``ModelProto``, or a path or binary file.

    Raises:
        InputError: If no inputs are given and none could be inferred.
        FormatError: If the file cannot be read.
        Exception: Whatever ``torch.onnx.export`` raises.
    """
    model: Any = source.model
    if hasattr(model, "SerializeToString"):
        return from_model_proto(model)
    if isinstance(model, (str, os.PathLike)) or hasattr(model, "read"):
        from visuai.capture.files import read_file

        return read_file(cast("Any", model))
    root = as_module(model)
    with unchanged(root):
        inputs = given(source, forward_of(model))
        if inputs is not None:
            note, exported = "", _export(root, inputs)
        else:
            note, exported = first_that_fits(
                model, "torch.onnx.export", lambda guess: _export(root, guess)
            )
    inventory = Inventory(root)
    return Program(
        graph=exported,
        route="onnx",
        name=str(getattr(root, "name", "")) if root is not model else type(model).__name__,
        modules=inventory.modules,
        parameters=inventory.parameters,
        notes=[note] if note else [],
        versions={"torch": torch.__version__},
    )


def from_model_proto(model: onnx.ModelProto, stem: str = "") -> Program:
    """Takes an ONNX model as a captured program; all that is known of it is in the model.

    Args:
        model: The model.
        stem: Name of its file without the suffix, "" if it comes from none: the network's name
            where the exporter gave its graph none, or the one that it gives to any.
    """
    name = model.graph.name
    if stem and name in _ANY_NETWORK:
        name = stem
    return Program(graph=model, route="onnx", name=name[:1000] or "model")


def _export(root: nn.Module, inputs: Inputs) -> onnx.ModelProto:
    args: tuple[Any, ...]
    args, kwargs = fit(root, (inputs.args, inputs.kwargs))
    if args and isinstance(args[-1], dict):
        args = (*args, {})  # else the exporter takes the last argument for the keywords
    said = io.StringIO()  # of its steps to standard output, of a failure to standard error
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(said),
    ):
        warnings.simplefilter("ignore")
        program: Any = torch.onnx.export(  # pyright: ignore[reportUnknownMemberType]
            root,
            args,
            kwargs=kwargs or None,
            dynamo=True,
            optimize=False,
            external_data=False,
            verbose=False,
        )
        return _without_weights(program.model)


def _without_weights(model: Any) -> onnx.ModelProto:
    """Writes the exporter's model down with its large tensors by shape and dtype only."""
    import onnx_ir

    to_proto: Any = onnx_ir.to_proto
    for value in model.graph.initializers.values():
        tensor = value.const_value
        if tensor is None:
            continue
        if tensor.size > _KEPT_ELEMENTS or getattr(tensor.raw, "is_meta", False):
            value.const_value = onnx_ir.ExternalTensor(
                "weights", 0, tensor.nbytes, tensor.dtype, shape=tensor.shape, name=value.name
            )
    return to_proto(model)
