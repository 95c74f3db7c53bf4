"""Pass ``to-dict``: from a captured program to the dictionary IR."""

from __future__ import annotations

import builtins
import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from visuai import flops
from visuai.ir import IR, Edge, Node, OpKind, Scalar, TensorSpec
from visuai.ops import canonical, category
from visuai.passes.base import Context, Pass
from visuai.program import Program, Site, Spec

if TYPE_CHECKING:
    from torch import fx

_LITERAL = 120  # Characters of a literal argument that are kept.
_LITERALS = frozenset((type(None), bool, int, float, str))
_UNKNOWN = object()
_COMMUTATIVE = frozenset[Any](map(vars(operator).__getitem__, ("add", "mul", "and_", "or_", "xor")))


@dataclass(frozen=True)
class ToDict(Pass[Program, IR]):
    """Writes an ``fx.Graph`` or an ONNX ``ModelProto`` down as plain data."""

    name: ClassVar[str] = "to-dict"
    consumes: ClassVar[type] = Program
    produces: ClassVar[type] = IR

    def run(self, value: Program, context: Context) -> IR:
        """Gives the IR of a program; see `fx_to_dict` and `visuai.passes.onnx_to_dict`."""
        if hasattr(value.graph, "SerializeToString"):
            from visuai.passes.onnx_to_dict import onnx_to_dict

            return onnx_to_dict(value)
        return fx_to_dict(value)


def fx_to_dict(program: Program) -> IR:
    """Writes a captured ``fx.Graph`` down as plain data.

    A node whose value is known to hold no tensor is a constant of this run (a size, a dtype)
    and left out.

    Args:
        program: A program whose graph is an ``fx.Graph``.
    """
    graph: fx.Graph = program.graph  # pyright: ignore[reportAssignmentType]
    modules = dict(program.modules)
    modules.setdefault(
        "", {"fqn": "", "type": "", "parent": None, "leaf": False, "call": None, "config": ""}
    )
    ir = IR(
        name=program.name,
        nodes={},
        edges=[],
        modules=modules,
        parameters=program.parameters,
        calls=program.calls,
        origin={"route": program.route, **program.versions},
    )
    below = _Below(program)
    leaves: dict[fx.Node, list[TensorSpec | None]] = {}
    for fx_node in graph.nodes:
        value = fx_node.meta.get("value", _UNKNOWN)
        outputs: list[TensorSpec | None] = [None] if value is _UNKNOWN else _leaves(value)
        if not outputs and fx_node.op not in ("output", "placeholder") and not _writes(fx_node):
            continue
        leaves[fx_node] = outputs
        _add(ir, fx_node, value, outputs, leaves, below)
    return ir


def _writes(fx_node: fx.Node) -> bool:
    return fx_node.op != "call_module" and str(fx_node.target).endswith("setitem")


def _add(
    ir: IR,
    fx_node: fx.Node,
    value: Any,
    outputs: list[TensorSpec | None],
    leaves: dict[fx.Node, list[TensorSpec | None]],
    below: _Below,
) -> None:
    site: Site = fx_node.meta.get("site") or Site("", None)
    id_ = _id(fx_node)
    op, target = _names(fx_node, ir)
    inputs: list[TensorSpec | None] = []
    attributes: dict[str, Scalar] = {}
    for key, argument in _arguments(fx_node, leaves):
        literal = True
        for source, offset, spec in _sources(argument, leaves):
            literal = False
            if source in leaves:
                ir.edges.append(_edge(_id(source), offset, id_, len(inputs), spec))
            inputs.append(spec)
        if literal and op not in ("placeholder", "output", "get_attr"):
            attributes[key] = _literal(_folded(argument))
    if op == "output":
        outputs = inputs  # It gives what it gets, whether or not the route says so.
    if op == "getitem" and _is_container(fx_node.args[0]):
        op = "unpack"
        offset = _offset(fx_node.args[0], fx_node.args[1])
        attributes = {"offset": offset}
    parameters = held = below.tensors(site.fqn) if fx_node.op == "call_module" else []
    if fx_node.op == "call_module":
        replaced = fx_node.meta.get("replaced")
        if replaced:  # What stands in for them comes in along edges.
            parameters = [name for name in held if name not in replaced]
        config = ir.modules[site.fqn]["config"]
        attributes = {"config": config} if config else {}
    elif fx_node.op == "get_attr":
        parameters = [site.fqn or str(fx_node.target)]
    ir.nodes[id_] = Node(
        op_kind=_kind(fx_node),
        op=op,
        target=target,
        fqn=site.fqn,
        call=site.call,
        scope=site.scope,
        scope_call=site.scope_call,
        category=category(op),
        parameters=parameters,
        outputs=outputs,
        attributes=attributes,
        source=list(source) if (source := fx_node.meta.get("source")) else None,
        flops=_flops(fx_node, op, inputs, outputs, below.shapes(site.fqn, held), attributes)
        if flops.counts(op)
        else fx_node.meta.get("flops", 0),
    )
    if fx_node.op == "placeholder":
        ir.inputs.append(id_)
    elif fx_node.op == "output":
        ir.outputs.append(id_)


def _kind(fx_node: fx.Node) -> OpKind:
    return fx_node.op  # pyright: ignore[reportReturnType]


def _id(fx_node: fx.Node) -> str:
    """Gives a node's id. An argument keeps its name where fx adds to it (``input_1``).

    That is for names of builtins, which fx gives to no node, so that the id is free.
    """
    if fx_node.op == "placeholder" and hasattr(builtins, str(fx_node.target)):
        return str(fx_node.target)
    return fx_node.name


def _names(fx_node: fx.Node, ir: IR) -> tuple[str, str]:
    """Gives canonical op and qualified target."""
    target: Any = fx_node.target
    if fx_node.op == "call_module":
        kind = ir.modules[fx_node.meta["site"].fqn]["type"]
        return kind.rpartition(".")[2], kind
    if fx_node.op == "call_method":
        return canonical(target), f"torch.Tensor.{target}"
    if fx_node.op != "call_function":
        return fx_node.op, str(target)
    if target is getattr:
        return canonical(str(fx_node.args[1])), f"torch.Tensor.{fx_node.args[1]}"
    packet = getattr(target, "overloadpacket", None)  # An ATen overload: aten.add.Tensor.
    if packet is not None:
        return canonical(str(packet).rpartition(".")[2]), str(target)
    name = getattr(target, "__name__", type(target).__name__)
    if isinstance(target, type) and isinstance(fx_node.meta.get("value"), dict):
        return "pack", f"{target.__module__}.{name}"  # A dataclass is made of its fields.
    return canonical(name), f"{getattr(target, '__module__', None) or 'torch'}.{name}"


def _arguments(
    fx_node: fx.Node, leaves: dict[fx.Node, list[TensorSpec | None]]
) -> Iterator[tuple[str, Any]]:
    """Gives key and value of each argument; positional ones are ``arg0``, ``arg1``, ..."""
    if fx_node.op == "placeholder":
        return
    skip = 1 if fx_node.op == "call_function" and fx_node.target is getattr else None
    args = fx_node.args
    if fx_node.target in _COMMUTATIVE and not any(_sources(args[0], leaves)):
        args = args[::-1]  # 2 * x as x * 2: torch calls the same of the tensor for both.
    for index, argument in enumerate(args):
        if index != skip:
            yield f"arg{index}", argument
    yield from fx_node.kwargs.items()


def _sources(
    argument: Any, leaves: dict[fx.Node, list[TensorSpec | None]]
) -> Iterator[tuple[fx.Node, int, TensorSpec | None]]:
    """Gives the tensors in an argument: node, index among its outputs, spec."""
    if type(argument) in _LITERALS:
        return
    if isinstance(argument, (tuple, list)):
        for item in argument:  # pyright: ignore[reportUnknownVariableType]
            yield from _sources(item, leaves)
    elif isinstance(argument, dict):
        for item in argument.values():  # pyright: ignore[reportUnknownVariableType]
            yield from _sources(item, leaves)
    elif isinstance(argument, slice):
        bounds: Any = (argument.start, argument.stop, argument.step)  # pyright: ignore[reportUnknownMemberType]
        yield from _sources(bounds, leaves)
    elif hasattr(argument, "op") and hasattr(argument, "meta"):
        for index, spec in enumerate(leaves.get(argument, ())):
            yield argument, index, spec


def _edge(source: str, output: int, target: str, index: int, spec: TensorSpec | None) -> Edge:
    return {
        "source": source,
        "source_output": output,
        "target": target,
        "target_input": index,
        "spec": spec,
    }


def _leaves(value: Any) -> list[TensorSpec | None]:
    """Gives the specs in a value, depth first."""
    if isinstance(value, Spec):
        return [{"shape": list(value.shape), "dtype": value.dtype}]
    if isinstance(value, (tuple, list)):
        return [leaf for item in value for leaf in _leaves(item)]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in _leaves(item)]  # pyright: ignore[reportUnknownVariableType]
    return []


def _is_container(argument: Any) -> bool:
    """Tells whether an item is taken from a container, and not from a tensor."""
    meta = getattr(argument, "meta", None)
    if meta is None or "value" not in meta:
        return False
    return not isinstance(meta["value"], Spec)


def _offset(argument: Any, key: Any) -> int:
    """Gives the index of an item's first tensor among the tensors of its container."""
    container = argument.meta["value"]
    items: list[tuple[Any, Any]] = (
        list(container.items()) if isinstance(container, dict) else list(enumerate(container))  # pyright: ignore[reportUnknownArgumentType]
    )
    if isinstance(key, int) and key < 0 and not isinstance(container, dict):
        key += len(items)
    if isinstance(key, slice):
        key = range(len(items))[key].start
    offset = 0
    for name, item in items:
        if name == key:
            break
        offset += len(_leaves(item))
    return offset


def _folded(argument: Any) -> Any:
    """Gives an argument with known values in place of the nodes that computed them."""
    if isinstance(argument, (tuple, list)):
        return [_folded(item) for item in argument]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(argument, slice):
        bounds: Any = (argument.start, argument.stop, argument.step)  # pyright: ignore[reportUnknownMemberType]
        return slice(*(_folded(bound) for bound in bounds))
    if hasattr(argument, "op") and hasattr(argument, "meta"):
        value = argument.meta.get("value", argument)
        return list(value) if isinstance(value, tuple) else value  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return argument


def _literal(argument: Any) -> Scalar:
    """Gives a literal argument as a JSON scalar, long ones shortened."""
    if type(argument).__module__ == "numpy" and getattr(argument, "ndim", None) == 0:
        argument = argument.item()
    if argument is None or isinstance(argument, (bool, int, str)):
        return argument if not isinstance(argument, str) else argument[:_LITERAL]
    if isinstance(argument, float) and argument == argument and abs(argument) != float("inf"):
        return argument
    try:
        text = str(argument)
    except Exception:  # A user's object need not print.
        text = type(argument).__name__
    return text[:_LITERAL]


def _flops(
    fx_node: fx.Node,
    op: str,
    inputs: list[TensorSpec | None],
    outputs: list[TensorSpec | None],
    parameters: dict[str, tuple[int | str, ...]],
    attributes: dict[str, Scalar],
) -> int | None:
    if "flops" in fx_node.meta:
        return fx_node.meta["flops"]
    mapped = fx_node.meta.get("mapped")
    if mapped is not None:  # Under torch.vmap: what one sample takes, for all samples.
        one = flops.count(op, mapped.inputs, mapped.outputs, parameters, attributes)
        return one and one * mapped.samples
    return flops.count(
        op,
        [spec and spec["shape"] for spec in inputs],
        [spec and spec["shape"] for spec in outputs],
        parameters,
        attributes,
    )


class _Below:
    """The tensors that lie under each leaf module, found once for all of them."""

    def __init__(self, program: Program) -> None:
        self._parameters = program.parameters
        self._by_module: dict[str, list[str]] = {}
        modules = program.modules
        outermost: dict[str, str | None] = {}  # The outermost leaf that a module lies in.
        for fqn, module in modules.items():
            above = None if module["parent"] is None else outermost[module["parent"]]
            outermost[fqn] = above if above is not None else fqn if module["leaf"] else None
        for fqn in program.parameters:
            scope = fqn.rpartition(".")[0]
            while scope and scope not in modules:
                scope = scope.rpartition(".")[0]
            leaf = outermost.get(scope)
            if leaf is not None:
                self._by_module.setdefault(leaf, []).append(fqn)

    def tensors(self, fqn: str) -> list[str]:
        """FQNs of the tensors under a leaf module."""
        return list(self._by_module.get(fqn, ()))

    def shapes(self, fqn: str, names: list[str]) -> dict[str, tuple[int | str, ...]]:
        """Shapes of the tensors, by their names within the module."""
        start = len(fqn) + 1 if fqn else 0
        return {name[start:]: tuple(self._parameters[name]["shape"]) for name in names}
