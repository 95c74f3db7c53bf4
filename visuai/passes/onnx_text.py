"""Checks that the names in an ONNX model are text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from visuai.errors import FormatError
from visuai.passes.onnx_shapes import nodes_below

if TYPE_CHECKING:
    from onnx import ModelProto


def check_text(model: ModelProto) -> None:
    """Checks names: from damaged files protobuf gives bytes where it promises text.

    Raises:
        FormatError: If there is one that is not UTF-8.
    """
    graph = model.graph
    for info in (*graph.input, *graph.output, *graph.value_info):
        shape = info.type.tensor_type.shape
        _check(info.name, *(dim.dim_param for dim in shape.dim))
        _check(*(text for entry in info.metadata_props for text in (entry.key, entry.value)))
    _check(graph.name, *(tensor.name for tensor in graph.initializer))
    _check(*(tensor.values.name for tensor in graph.sparse_initializer))
    _check(model.producer_name, model.producer_version)
    _check(*(text for f in model.functions for text in (f.domain, f.name)))
    for node in nodes_below(graph.node):
        _check(node.name, node.op_type, node.domain, *node.input, *node.output)
        _check(*(attribute.name for attribute in node.attribute))
        _check(*(text for entry in node.metadata_props for text in (entry.key, entry.value)))


def _check(*texts: Any) -> None:
    for text in texts:
        if not isinstance(text, str):
            raise FormatError(
                f"The ONNX model has a name that is not text: {bytes(text[:100])!r}. The file is "
                "damaged; copy it again."
            )
