"""From an exported graph to a program: parameters read as ``get_attr``, scopes on each node.

An *exported graph* is the flat ``fx.Graph`` of ``torch.export``: all parameters are lifted to
placeholders, containers of inputs are flattened, module calls are gone and only told by each
node's ``nn_module_stack``. `lower` copies it into a fresh graph of the form that the other
routes give. It serves both an ``ExportedProgram`` in memory and one read from a file.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from torch import fx
from torch.fx.node import map_arg

from visuai.capture.lowering_calls import ModuleCalls
from visuai.capture.lowering_values import Path, assembled, has_tensor, value_of
from visuai.capture.lowering_writes import InPlace
from visuai.errors import CaptureError
from visuai.program import Site, Spec
from visuai.stack_trace import user_frame


@dataclass(slots=True, eq=False)
class Exported:
    """An exported graph and its signature.

    On its nodes, ``meta["val"]`` is a tree of fake tensors or `Spec`, ``nn_module_stack`` maps
    a call key (``L__self__lin@1``) to (FQN, class), and a ``get_attr`` of a subgraph has it as
    ``meta["subgraph"]`` or under its target on the owning module.

    Attributes:
        graph: The graph; never changed.
        lifted: Placeholder to the FQN of the parameter, buffer or constant that it stands for.
        paths: Placeholder to where in the arguments it comes from.
        arguments: Names of forward's arguments, in order.
        outputs: Indices of the user's outputs among the graph's.
        name_of: Gives the first name of a module that has several; the name itself if it is
            not known.
    """

    graph: fx.Graph
    lifted: Mapping[str, str]
    paths: Mapping[str, Path]
    arguments: list[str]
    outputs: list[int]
    name_of: Callable[[str], str] = str


@dataclass(slots=True, eq=False)
class Lowered:
    """What `lower` gives: the graph, class of each module seen, calls as in `Program`."""

    graph: fx.Graph
    types: dict[str, str]
    calls: dict[str, list[tuple[str, int]]]


class _Lifted(NamedTuple):
    """Stands in the environment for a parameter, which is read anew in each scope."""

    fqn: str
    value: Any


class _Input(NamedTuple):
    """Stands in the environment for a tensor inside an argument, unpacked when it is read."""

    argument: fx.Node
    keys: Path


@dataclass(slots=True, eq=False)
class _Frame:
    """A graph being copied, and the node of the caller that it is inlined for."""

    nodes: Iterator[fx.Node]
    env: dict[fx.Node, Any] = field(default_factory=dict[fx.Node, Any])
    operands: list[Any] | None = None
    caller: tuple[_Frame, fx.Node] | None = None


# These do nothing to the data flow; export inserts them on its own account.
_IDENTITIES = frozenset(
    ["lift_fresh", "lift_fresh_copy", "detach_", "alias", "_add_batch_dim", "_remove_batch_dim"]
)
_CHECKS = re.compile(
    r"_assert|sym_constrain_range|_check|_guards_fn|_vmap_(in|de)crement|lazy_load_decompositions"
)
# Regions that export wraps because a flag differs inside: the ops of the region are the network.
_REGIONS = frozenset(
    [
        "wrap_with_set_grad_enabled",
        "wrap_with_autocast",
        "tag_activation_checkpoint",
        "wrap_activation_checkpoint",
        "invoke_subgraph",
        "wrap",
    ]
)


def lower(exported: Exported) -> Lowered:
    """Copies an exported graph into a graph of the form that every route gives.

    - A parameter is a ``get_attr`` node for each call of a module that reads it.
    - An argument is one placeholder; the tensors inside it are got by ``operator.getitem``.
    - Regions under ``no_grad``, ``autocast`` and checkpointing are inlined; the branches of
      control flow stay inside their node.
    - What reads a tensor after it was written in place reads the written value.
    - Outputs that only say how a buffer changes are left out.

    Args:
        exported: The graph and its signature.

    Raises:
        CaptureError: If the graph does not hold together.
    """
    return _Lowering(exported).run()


class _Lowering:
    def __init__(self, exported: Exported) -> None:
        self._exported = exported
        self._graph = fx.Graph()
        self._calls = ModuleCalls(exported.name_of)
        self._in_place = InPlace(self._graph, self._calls.types)
        self._arguments: dict[Path, fx.Node] = {}
        self._parts: dict[fx.Node, list[tuple[Path, Any]]] = {}
        self._reads: dict[tuple[Any, ...], fx.Node] = {}
        self._mapped: dict[fx.Node, tuple[int | str, ...]] = {}

    def run(self) -> Lowered:
        frames = [_Frame(iter(self._exported.graph.nodes))]
        while frames:
            frame = frames[-1]
            node = next(frame.nodes, None)
            if node is None:
                frames.pop()
                continue
            inner = self._step(node, frame)
            if inner is not None:
                frames.append(inner)
        for node in reversed(self._in_place.replaced):
            if not node.users:
                self._graph.erase_node(node)
        for argument, parts in self._parts.items():
            argument.meta.setdefault("value", assembled(parts))
        return Lowered(self._graph, self._calls.types, self._calls.calls)

    def _step(self, node: fx.Node, frame: _Frame) -> _Frame | None:
        if node.op == "placeholder":
            frame.env[node] = (
                self._placeholder(node) if frame.operands is None else frame.operands.pop(0)
            )
        elif node.op == "get_attr":
            frame.env[node] = _subgraph(node) or _Lifted(str(node.target), value_of(node))
        elif node.op == "output":
            self._output(node, frame)
        else:
            return self._call(node, frame)
        return None

    def _placeholder(self, node: fx.Node) -> Any:
        fqn = self._exported.lifted.get(node.name)
        value = value_of(node)
        if fqn is not None:
            return _Lifted(fqn, value)
        path = self._exported.paths.get(node.name, (0, node.name))
        if not node.users and not has_tensor(value):
            return None  # a literal that was baked into the graph
        argument = self._arguments.get(path[:2])
        if argument is None:
            argument = self._graph.create_node(
                "placeholder", name := self._argument_name(path), name=name
            )
            argument.meta["site"] = Site("", 0)
            self._arguments[path[:2]] = argument
            if len(path) <= 2:
                argument.meta["value"] = value
        if len(path) <= 2:
            return argument
        self._parts.setdefault(argument, []).append((path[2:], value))
        return _Input(argument, path[2:])

    def _argument_name(self, path: Path) -> str:
        kind, key = path[0], path[1]
        names = self._exported.arguments
        if kind == 0 and isinstance(key, int):
            return names[key] if key < len(names) else f"args_{key}"
        return str(key)

    def _output(self, node: fx.Node, frame: _Frame) -> None:
        if frame.caller is not None:
            caller, call = frame.caller
            caller.env[call] = self._arguments_of(node.args[0], frame, Site("", 0), plain=False)
            return
        values = node.args[0]
        if isinstance(values, (tuple, list)):
            flat = cast("list[Any]", list(values))
            values = tuple(flat[at] for at in self._exported.outputs if at < len(flat))
        site = Site("", 0)
        result: Any = self._arguments_of(values, frame, site)
        new = self._graph.output(result[0] if _is_single(result) else result)
        new.meta["site"] = site

    def _call(self, node: fx.Node, frame: _Frame) -> _Frame | None:
        name = _short_name(node)
        site = self._calls.site(node)
        if _CHECKS.match(name):
            frame.env[node] = None
            return None
        sizes = self._mapped_sizes(node, name)
        if name in _IDENTITIES and node.args and isinstance(node.args[0], fx.Node):
            frame.env[node] = frame.env[node.args[0]]
            return None
        if name == "getitem" and isinstance(node.args[0], fx.Node):
            inner = frame.env.get(node.args[0])
            if isinstance(inner, (tuple, list)):  # of an inlined region
                frame.env[node] = inner[cast("int", node.args[1])]
                return None
        if name in _REGIONS:
            region = self._region(node, frame)
            if region is not None:
                return region
        target: Any = node.target
        args: Any = self._arguments_of(node.args, frame, site)
        kwargs: Any = self._arguments_of(node.kwargs, frame, site)
        indexing = _indexing(node)
        if indexing:  # `x[:, 0]` is a slice and a selection in ATen, and one op to its author
            target, args, kwargs = operator.getitem, self._index(args, indexing), {}
        new = self._graph.create_node(node.op, target, args, kwargs, name=_name(node, indexing))
        new.meta["site"] = site
        if indexing:
            new.meta["indexing"] = indexing
        value = value_of(node)
        if isinstance(value, Spec):
            value = Spec((*sizes, *value.shape), value.dtype)
        if value is not None:
            new.meta["value"] = value
        source = user_frame(node.meta.get("stack_trace"))
        if source is not None:
            new.meta["source"] = source
        frame.env[node] = self._in_place.aliases(new, node.target, node.meta.get("val"), site)
        return None

    def _mapped_sizes(self, node: fx.Node, name: str) -> tuple[int | str, ...]:
        """Gives the sizes that ``torch.vmap`` keeps from an op, the outermost one first."""
        into = (self._mapped.get(each, ()) for each in node.all_input_nodes)
        sizes = max(into, key=len, default=())
        if name == "_add_batch_dim":
            values = value_of(cast("fx.Node", node.args[0]))
            if isinstance(values, Spec):
                sizes = (*sizes, values.shape[cast("int", node.args[1])])
        elif name == "_remove_batch_dim":
            sizes = sizes[:-1]
        if sizes:
            self._mapped[node] = sizes
        return sizes

    def _index(self, args: Any, indexing: str) -> tuple[Any, ...]:
        """Gives the arguments of an indexing of which this op is the next part."""
        base, *index = args
        if isinstance(base, fx.Node) and base.meta.get("indexing") == indexing:
            self._in_place.replaced.append(base)
            return base.args[0], [*cast("list[Any]", base.args[1]), *index]
        return base, index

    def _region(self, node: fx.Node, frame: _Frame) -> _Frame | None:
        for at, argument in enumerate(node.args):
            graph = frame.env.get(argument) if isinstance(argument, fx.Node) else None
            if isinstance(graph, fx.Graph):
                operands = [
                    frame.env[operand] if isinstance(operand, fx.Node) else operand
                    for operand in node.args[at + 1 :]
                ]
                count = sum(inner.op == "placeholder" for inner in graph.nodes)
                if count > len(operands):
                    return None
                operands = operands[len(operands) - count :]
                return _Frame(iter(graph.nodes), {}, operands, (frame, node))
        return None

    def _arguments_of(self, tree: Any, frame: _Frame, site: Site, plain: bool = True) -> Any:
        """Copies arguments; with ``plain`` each parameter and input is read by a node."""

        def read(node: fx.Node) -> Any:
            try:
                value = frame.env[node]
            except KeyError:
                raise CaptureError(
                    f"The exported graph reads {node.name!r} before it is computed; it is "
                    "damaged. Export the model again."
                ) from None
            return self._read(value, site) if plain else value

        return map_arg(tree, read)

    def _read(self, value: Any, site: Site) -> Any:
        if isinstance(value, _Lifted):
            return self._parameter(value, site)
        if isinstance(value, _Input):
            return self._inside(value)
        if isinstance(value, fx.Graph):
            return None  # a branch of control flow stays inside its node
        if isinstance(value, (tuple, list)):
            return tuple(self._read(item, site) for item in cast("list[Any]", value))
        return self._in_place.now(value) if isinstance(value, fx.Node) else value

    def _parameter(self, lifted: _Lifted, site: Site) -> fx.Node:
        written = self._in_place.parameter(lifted.fqn)
        if written is not None:
            return written
        key = (lifted.fqn, site.scope, site.scope_call)
        node = self._reads.get(key)
        if node is None:
            # not Graph.get_attr, which warns where the graph has no owning module
            node = self._graph.create_node("get_attr", lifted.fqn, name=lifted.fqn)
            node.meta["site"] = Site(site.scope, site.scope_call, lifted.fqn)
            node.meta["value"] = lifted.value
            self._reads[key] = node
        return node

    def _inside(self, item: _Input) -> fx.Node:
        node = item.argument
        if "value" not in node.meta:  # All placeholders come before the first read.
            node.meta["value"] = assembled(self._parts[node])
        for key in item.keys:
            at = (node, key)
            got = self._reads.get(at)
            if got is None:
                got = self._graph.call_function(operator.getitem, (node, key))
                got.meta["site"] = Site("", 0)
                got.meta["value"] = node.meta["value"][key]
                self._reads[at] = got
            node = got
        return self._in_place.now(node)


def _name(node: fx.Node, indexing: str) -> str:
    return "getitem" if indexing else node.name


def _indexing(node: fx.Node) -> str:
    """Gives which ``x[...]`` of the user's a node is a part of; "" if of none."""
    function = node.meta.get("torch_fn")
    if not function or not str(function[1]).endswith((".__getitem__", ".__setitem__")):
        return ""
    return str(function[0]) if str(node.target) in _INDEXING else ""


_INDEXING = frozenset(
    ["aten.select.int", "aten.slice.Tensor", "aten.unsqueeze.default", "aten.index.Tensor"]
)


def _is_single(values: Any) -> bool:
    return isinstance(values, tuple) and len(cast("tuple[Any, ...]", values)) == 1


def _subgraph(node: fx.Node) -> fx.Graph | None:
    """Gives the graph that a ``get_attr`` node reads, None if it reads a tensor."""
    graph = node.meta.get("subgraph")
    if graph is not None:
        return graph
    owner: Any = node.graph.owning_module
    for name in str(node.target).split("."):
        owner = getattr(owner, name, None)
    return owner.graph if isinstance(owner, fx.GraphModule) else None


def _short_name(node: fx.Node) -> str:
    """``linear`` for ``aten.linear.default``, ``getitem`` for ``operator.getitem``."""
    packet = getattr(node.target, "overloadpacket", None)
    target = packet if packet is not None else node.target
    name = getattr(target, "__name__", None)
    return name if isinstance(name, str) else str(target)
