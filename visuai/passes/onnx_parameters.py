"""The weights of an ONNX model, by shape and dtype."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from visuai.ir import Parameter
from visuai.passes.onnx_shapes import dtype_name

if TYPE_CHECKING:
    from onnx import ModelProto

_KIND = "pkg.torch.export.graph_signature.InputSpec.kind"
_BITS = {"int4": 4, "uint4": 4, "float4_e2m1": 4, "bool": 8, "str": 0, "unknown": 0}


def parameters(model: ModelProto) -> dict[str, Parameter]:
    """Gives the initializers by name: what PyTorch calls parameters, buffers and constants."""
    graph = model.graph
    kinds = {
        info.name: entry.value
        for info in (*graph.value_info, *graph.input)
        for entry in info.metadata_props
        if entry.key == _KIND
    }
    table: dict[str, Parameter] = {}
    for tensor in graph.initializer:
        table[tensor.name] = _parameter(
            list(tensor.dims), dtype_name(tensor.data_type), kinds.get(tensor.name)
        )
    for sparse in graph.sparse_initializer:
        table[sparse.values.name] = _parameter(
            list(sparse.dims), dtype_name(sparse.values.data_type), None
        )
    return table


def _parameter(shape: list[int], dtype: str, kind: str | None) -> Parameter:
    if kind is None:  # Weights by their look: files of other exporters do not tell.
        kind = "PARAMETER" if dtype.startswith(("float", "bfloat")) and shape else "CONSTANT"
    bits = _BITS.get(dtype) if dtype in _BITS else _bits(dtype)
    return {
        "shape": list[int | str](shape),
        "dtype": dtype,
        "bytes": math.prod(shape) * (bits or 0) // 8,
        "requires_grad": kind == "PARAMETER",
        "kind": "parameter"
        if kind == "PARAMETER"
        else "buffer"
        if kind == "BUFFER"
        else "constant",
        "alias_of": None,
    }


def _bits(dtype: str) -> int:
    """``float16`` has 16, ``float8_e4m3fn`` 8, ``complex64`` 64."""
    digits = ""
    for letter in dtype:
        if letter.isdigit():
            digits += letter
        elif digits:
            break
    return int(digits or 0)
