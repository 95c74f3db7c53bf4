"""Shapes and dtypes of the values of an ONNX graph: as stated in it, or inferred."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from visuai.ir import TensorSpec

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

MAX_INFERRED_NODES = 200_000
"""Graphs with more nodes are not put through ONNX's shape inference."""
_KEPT_ELEMENTS = 64  # Shape inference reads the values of small tensors: target shapes, axes.

_DTYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    8: "str",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    14: "complex64",
    15: "complex128",
    16: "bfloat16",
    17: "float8_e4m3fn",
    18: "float8_e4m3fnuz",
    19: "float8_e5m2",
    20: "float8_e5m2fnuz",
    21: "uint4",
    22: "int4",
    23: "float4_e2m1",
}


def dtype_name(number: int) -> str:
    """Gives the name of a ``TensorProto.DataType`` as PyTorch has it."""
    return _DTYPES.get(number, "unknown")


def specs(model: ModelProto) -> tuple[dict[str, TensorSpec], str]:
    """Gives shape and dtype by the name of the value, and a note if some are unknown.

    Args:
        model: An ONNX model; not changed.
    """
    known = _stated(model.graph)
    values = [name for node in model.graph.node for name in node.output if name]
    if all(name in known for name in values):
        return known, ""
    if len(values) > MAX_INFERRED_NODES:
        return known, f"Shapes not inferred: {len(values)} nodes, more than {MAX_INFERRED_NODES}."
    if _calls_itself(model):
        return known, "Shapes not inferred: a function of the model calls itself."
    import onnx

    try:
        inferred = onnx.shape_inference.infer_shapes(_without_weights(model))
    except Exception as error:  # Whatever a foreign graph makes it raise; shapes are a bonus.
        return known, f"Shapes not inferred: {type(error).__name__}: {str(error)[:200]}"
    return {**_stated(inferred.graph), **known}, ""


def _stated(graph: GraphProto) -> dict[str, TensorSpec]:
    stated: dict[str, TensorSpec] = {}
    for info in (*graph.input, *graph.output, *graph.value_info):
        spec = _spec(info)
        if spec is not None:
            stated[info.name] = spec
    for tensor in graph.initializer:
        stated[tensor.name] = {"shape": list(tensor.dims), "dtype": dtype_name(tensor.data_type)}
    return stated


def _spec(info: ValueInfoProto) -> TensorSpec | None:
    kind = info.type
    if kind.HasField("sparse_tensor_type"):
        tensor = kind.sparse_tensor_type
    elif kind.HasField("tensor_type"):
        tensor = kind.tensor_type
    else:
        return None
    if not tensor.HasField("shape"):
        return None
    shape: list[int | str] = [
        dim.dim_value if dim.HasField("dim_value") else dim.dim_param or "?"
        for dim in tensor.shape.dim
    ]
    return {"shape": shape, "dtype": dtype_name(tensor.elem_type)}


def _without_weights(model: ModelProto) -> ModelProto:
    """Copies a model with its large tensors as inputs: inference needs only their shapes."""
    import onnx

    light = onnx.ModelProto()
    light.ir_version = max(model.ir_version, 4)
    light.opset_import.extend(model.opset_import)
    light.functions.extend(model.functions)
    graph, source = light.graph, model.graph
    graph.name = source.name
    graph.node.extend(source.node)
    graph.value_info.extend(source.value_info)
    graph.output.extend(source.output)
    held = {tensor.name for tensor in source.initializer}
    graph.input.extend(info for info in source.input if info.name not in held)
    for tensor in source.initializer:
        if _elements(tensor) <= _KEPT_ELEMENTS and tensor.data_location != 1:
            graph.initializer.append(tensor)
        else:
            graph.input.append(
                onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
            )
    return light


def _elements(tensor: TensorProto) -> int:
    count = 1
    for size in tensor.dims:
        count *= size
    return count


def _calls_itself(model: ModelProto) -> bool:
    """Tells whether the model's functions call each other in a circle.

    Inference follows the calls, and would not come back.
    """
    functions = {(f.domain, f.name): f for f in model.functions}
    callees = {
        key: {(n.domain, n.op_type) for n in nodes_below(function.node)} & functions.keys()
        for key, function in functions.items()
    }
    waiting = {key: len(names) for key, names in callees.items()}
    callers: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for key, names in callees.items():
        for name in names:
            callers.setdefault(name, []).append(key)
    ready = [key for key, count in waiting.items() if count == 0]
    done = 0
    while ready:
        done += 1
        for caller in callers.get(ready.pop(), ()):
            waiting[caller] -= 1
            if waiting[caller] == 0:
                ready.append(caller)
    return done < len(functions)


def nodes_below(nodes: Iterable[NodeProto]) -> Iterable[NodeProto]:
    """Gives nodes and all nodes in their subgraphs, at any depth."""
    stack = list(nodes)
    while stack:
        node = stack.pop()
        yield node
        for graph in subgraphs(node):
            stack.extend(graph.node)


def subgraphs(node: NodeProto) -> list[GraphProto]:
    """Gives the graphs that a control-flow node holds."""
    found: list[GraphProto] = []
    for attribute in node.attribute:
        if attribute.HasField("g"):
            found.append(attribute.g)
        found.extend(attribute.graphs)
    return found
