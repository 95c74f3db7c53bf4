"""From an ONNX model to the dictionary IR; the part of ``to-dict`` that reads ONNX."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, cast

from visuai import flops
from visuai.errors import FormatError
from visuai.ir import IR, Node, Scalar, TensorSpec
from visuai.module_table import module_table
from visuai.ops import category
from visuai.passes.onnx_names import torch_name
from visuai.passes.onnx_parameters import parameters
from visuai.passes.onnx_scopes import Scopes
from visuai.passes.onnx_shapes import dtype_name, nodes_below, specs, subgraphs
from visuai.passes.onnx_sizes import size_values
from visuai.passes.onnx_text import check_text
from visuai.program import Program
from visuai.stack_trace import user_frame

if TYPE_CHECKING:
    from onnx import AttributeProto, ModelProto, NodeProto, TensorProto

_LITERAL = 120  # Characters of an attribute that are kept.
_TRACE = "pkg.torch.onnx.stack_trace"
# Ops that read some inputs for their dtype only.
_DATA_INPUTS = {"CastLike": 1}


def onnx_to_dict(program: Program) -> IR:
    """Writes an ONNX model down as plain data, its ops named as PyTorch names them.

    Initializers become ``get_attr`` nodes, one for each scope that reads them. What computes on
    sizes alone is left out, as PyTorch computes it on integers. A node with subgraphs (``If``,
    ``Loop``, ``Scan``) or with a function of the model stays one node that reads all that is
    read inside. Which call of a module a node belongs to is lost in ONNX: ``scope_call`` is
    None.

    Args:
        program: A program whose graph is an ``onnx.ModelProto``; not changed.

    Raises:
        FormatError: If a node reads a value that nothing before it computes, or a name is not
            text.
    """
    check_text(cast("ModelProto", program.graph))
    return _Reader(program).read()


class _Reader:
    def __init__(self, program: Program) -> None:
        self._program = program
        self._model: ModelProto = cast("ModelProto", program.graph)
        graph = self._model.graph
        self._specs, self._note = specs(self._model)
        self._initializers: dict[str, str] = {
            tensor.name: tensor.name for tensor in graph.initializer
        }
        self._initializers |= {t.values.name: t.values.name for t in graph.sparse_initializer}
        owners = {name.rpartition(".")[0] for name in self._initializers}
        self._scopes = Scopes(owners | program.modules.keys())
        self._functions = {(f.domain, f.name) for f in self._model.functions}
        self._ids: dict[str, int] = {}
        self._produced: dict[str, tuple[str, int]] = {}  # value -> node, index of its output
        self._constants: dict[str, NodeProto] = {}
        self._reads: dict[tuple[str, str], str] = {}
        self._sizes: set[str] = set()
        self._ir = IR(
            name=program.name or graph.name or "model",
            nodes={},
            edges=[],
            modules={},
            parameters={**parameters(self._model), **program.parameters},
            origin={"route": program.route, **_origin(self._model), **program.versions},
        )

    def read(self) -> IR:
        graph = self._model.graph
        for info in graph.input:
            if info.name not in self._initializers:
                self._add(info.name, self._node("placeholder", "placeholder", info.name, ""))
                self._produced[info.name] = (info.name, 0)
                self._ir.nodes[info.name]["outputs"] = [self._specs.get(info.name)]
                self._ir.inputs.append(info.name)
        sizes = size_values(graph.node, {info.name for info in graph.output})
        self._sizes = sizes
        for node in graph.node:
            if node.op_type == "Constant" and not node.domain and len(node.output) == 1:
                self._constants[node.output[0]] = node
            elif node.op_type == "Identity" and not node.domain and self._alias(node):
                continue
            elif not sizes or not all(name in sizes for name in node.output if name):
                self._call(node)
        self._output([info.name for info in graph.output])
        table = module_table(self._scopes.types)
        self._ir.modules = {**self._program.modules, **table, **self._program.modules}
        return self._ir

    def _alias(self, node: NodeProto) -> bool:
        """Lets the output of an Identity stand for its input."""
        if not (len(node.input) == len(node.output) == 1):
            return False
        for table in (self._initializers, self._produced, self._constants):
            if node.input[0] in table:
                cast("dict[str, Any]", table)[node.output[0]] = table[node.input[0]]
                return True
        return False

    def _call(self, node: NodeProto) -> None:
        scope = self._scopes.of(node)
        attributes = {a.name: _literal(a) for a in node.attribute}
        op = self._op(node, attributes)
        key = self._fresh(op)
        outputs = [name for name in node.output if name]
        entry = self._node("call_function", op, f"{node.domain or 'onnx'}.{node.op_type}", scope)
        entry["attributes"] = attributes
        entry["outputs"] = [self._specs.get(name) for name in outputs]
        entry["source"] = _source(node)
        names = list(node.input[: _DATA_INPUTS.get(node.op_type)])
        inputs = self._connect(key, [*names, *self._captured(node)], scope)
        entry["flops"] = self._flops(node, op, inputs, entry)
        self._add(key, entry)
        for index, name in enumerate(outputs):
            self._produced[name] = (key, index)

    def _op(self, node: NodeProto, attributes: dict[str, Any]) -> str:
        if (node.domain, node.op_type) in self._functions:
            return node.op_type
        spec = self._specs.get(node.output[0]) if node.output else None
        return torch_name(
            node.op_type,
            None if spec is None else len(spec["shape"]),
            tuple(name in self._initializers for name in node.input),
            attributes,
        )

    def _connect(self, key: str, names: list[str], scope: str) -> list[TensorSpec | None]:
        """Adds the edges into a node; gives the specs of its inputs."""
        inputs: list[TensorSpec | None] = []
        for name in names:
            if not name or name in self._sizes:
                continue
            source, output = self._source(name, key, scope)
            spec = self._specs.get(name)
            self._ir.edges.append(
                {
                    "source": source,
                    "source_output": output,
                    "target": key,
                    "target_input": len(inputs),
                    "spec": spec,
                }
            )
            inputs.append(spec)
        return inputs

    def _source(self, name: str, key: str, scope: str) -> tuple[str, int]:
        produced = self._produced.get(name)
        if produced is not None:
            return produced
        read = self._reads.get((name, scope))
        if read is None:
            if name in self._initializers:
                fqn = self._initializers[name]
                read = self._fresh(fqn)
                entry = self._node("get_attr", "get_attr", fqn, scope)
                entry["fqn"], entry["parameters"] = fqn, [fqn]
            elif name in self._constants:
                read = self._fresh("constant")
                entry = self._node("call_function", "constant", "onnx.Constant", scope)
                entry["attributes"] = {a.name: _literal(a) for a in self._constants[name].attribute}
            else:
                raise FormatError(
                    f"Node {key[:200]!r} reads {name[:200]!r}, which nothing before it computes. "
                    "The ONNX file is damaged; check it with onnx.checker.check_model."
                )
            entry["outputs"] = [self._specs.get(name)]
            self._add(read, entry)
            self._reads[name, scope] = read
        return read, 0

    def _captured(self, node: NodeProto) -> list[str]:
        """Lists what a node's subgraphs read from outside, in order, each once."""
        graphs = subgraphs(node)
        if not graphs:
            return []
        local: set[str] = set()
        read: dict[str, None] = {}
        while graphs:
            graph = graphs.pop()
            local.update(info.name for info in graph.input)
            local.update(tensor.name for tensor in graph.initializer)
            for inner in graph.node:
                local.update(inner.output)
                read.update(dict.fromkeys(inner.input))
                graphs.extend(subgraphs(inner))
            read.update(dict.fromkeys(info.name for info in graph.output))
        own = set(node.input)
        return [name for name in read if name not in local and name not in own]

    def _output(self, names: list[str]) -> None:
        if not names:
            return
        key = self._fresh("output")
        self._connect(key, names, "")
        entry = self._node("output", "output", "output", "")
        entry["outputs"] = [self._specs.get(name) for name in names]
        self._add(key, entry)
        self._ir.outputs.append(key)

    def _flops(
        self, node: NodeProto, op: str, inputs: list[TensorSpec | None], entry: Node
    ) -> int | None:
        if (node.domain, node.op_type) in self._functions or subgraphs(node):
            return None
        return flops.count(
            "gemm" if node.op_type == "Gemm" else op,  # addmm has its arguments in another order.
            [spec and spec["shape"] for spec in inputs],
            [spec and spec["shape"] for spec in entry["outputs"]],
            {},
            entry["attributes"],
        )

    def _fresh(self, name: str) -> str:
        """Gives a node id that is not taken, as fx numbers them: ``add``, ``add_1``."""
        number = self._ids.get(name, 0)
        key = f"{name}_{number}" if number else name
        while key in self._ir.nodes:
            number += 1
            key = f"{name}_{number}"
        self._ids[name] = number + 1
        return key

    def _node(
        self,
        kind: Literal["placeholder", "get_attr", "call_function", "output"],
        op: str,
        target: str,
        scope: str,
    ) -> Node:
        return {
            "op_kind": kind,
            "op": op,
            "target": target,
            "fqn": "",
            "call": None,
            "scope": scope,
            "scope_call": 0 if scope == "" else None,
            "category": category(op),
            "parameters": [],
            "outputs": [],
            "attributes": {},
            "source": None,
            "flops": 0,
        }

    def _add(self, key: str, entry: Node) -> None:
        if key in self._ir.nodes:
            raise FormatError(f"Two inputs of the ONNX graph have the name {key[:200]!r}.")
        self._ir.nodes[key] = entry


def _literal(attribute: AttributeProto) -> Scalar:
    """Gives an attribute as a JSON scalar, long ones shortened, tensors by shape only."""
    kind = attribute.type
    if kind == 1:
        return attribute.f if math.isfinite(attribute.f) else str(attribute.f)
    if kind == 2:
        return attribute.i
    if kind == 3:
        return attribute.s[:_LITERAL].decode("utf-8", "replace")
    if kind == 4:
        return _tensor(attribute.t)
    if kind in (6, 7):
        numbers = attribute.floats if kind == 6 else attribute.ints
        return str(tuple(numbers[:_LITERAL]))[:_LITERAL]
    if kind == 8:
        strings = attribute.strings[:_LITERAL]
        return str(tuple(s[:_LITERAL].decode("utf-8", "replace") for s in strings))[:_LITERAL]
    return f"subgraph of {sum(1 for _ in nodes_below(attribute.g.node))} nodes" if kind == 5 else ""


def _tensor(tensor: TensorProto) -> str:
    return f"{dtype_name(tensor.data_type)}{list(tensor.dims)}"[:_LITERAL]


def _source(node: NodeProto) -> list[Any] | None:
    for entry in node.metadata_props:
        if entry.key == _TRACE:
            frame = user_frame(entry.value)
            return None if frame is None else list(frame)
    return None


def _origin(model: ModelProto) -> dict[str, str]:
    opset = max((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), default=0)
    origin = {"onnx_opset": str(opset)}
    if model.producer_name:
        origin["producer"] = f"{model.producer_name} {model.producer_version}".strip()[:100]
    return origin
