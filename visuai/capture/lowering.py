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

import torch
from torch import fx
from torch.fx.node import map_arg

from visuai.capture.recorder import write_view
from visuai.errors import CaptureError
from visuai.ops import is_leaf_type
from visuai.program import Site, Spec
from visuai.stack_trace import user_frame

Path = tuple[Any, ...]
"""Where an input comes from: 0 (positional) or 1 (keyword), the argument, keys inside of it."""


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
_CALL = re.compile(r"(.*)@(\d+)", re.DOTALL)


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
        self._types: dict[str, str] = {"": ""}
        self._calls: dict[str, list[tuple[str, int]]] = {}
        self._arguments: dict[Path, fx.Node] = {}
        self._parts: dict[fx.Node, list[tuple[Path, Any]]] = {}
        self._reads: dict[tuple[Any, ...], fx.Node] = {}
        self._latest: dict[fx.Node, fx.Node] = {}  # written in place -> what it is now
        self._written: dict[str, fx.Node] = {}  # the same for parameters, by FQN
        self._root: dict[fx.Node, fx.Node] = {}  # view -> tensor that it looks into
        self._repairs: list[fx.Node] = []
        self._numbers: dict[tuple[str, str], int] = {}

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
        for node in reversed(self._repairs):
            if not node.users:
                self._graph.erase_node(node)
        for argument, parts in self._parts.items():
            argument.meta.setdefault("value", _assembled(parts))
        return Lowered(self._graph, self._types, self._calls)

    def _step(self, node: fx.Node, frame: _Frame) -> _Frame | None:
        if node.op == "placeholder":
            frame.env[node] = (
                self._placeholder(node) if frame.operands is None else frame.operands.pop(0)
            )
        elif node.op == "get_attr":
            frame.env[node] = _subgraph(node) or _Lifted(str(node.target), _value(node))
        elif node.op == "output":
            self._output(node, frame)
        else:
            return self._call(node, frame)
        return None

    def _placeholder(self, node: fx.Node) -> Any:
        fqn = self._exported.lifted.get(node.name)
        value = _value(node)
        if fqn is not None:
            return _Lifted(fqn, value)
        path = self._exported.paths.get(node.name, (0, node.name))
        if not node.users and not _has_tensor(value):
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
        site = self._site(node)
        if _CHECKS.match(name):
            frame.env[node] = None
            return None
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
        value = _value(node)
        if value is not None:
            new.meta["value"] = value
        source = user_frame(node.meta.get("stack_trace"))
        if source is not None:
            new.meta["source"] = source
        frame.env[node] = self._aliases(new, node.target, site)
        return None

    def _index(self, args: Any, indexing: str) -> tuple[Any, ...]:
        """Gives the arguments of an indexing of which this op is the next part."""
        base, *index = args
        if isinstance(base, fx.Node) and base.meta.get("indexing") == indexing:
            self._repairs.append(base)
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
        return self._now(value) if isinstance(value, fx.Node) else value

    def _now(self, node: fx.Node) -> fx.Node:
        passed: list[fx.Node] = []
        while node in self._latest:
            passed.append(node)
            node = self._latest[node]
        for old in passed:
            self._latest[old] = node
        return node

    def _parameter(self, lifted: _Lifted, site: Site) -> fx.Node:
        if lifted.fqn in self._written:
            return self._now(self._written[lifted.fqn])
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
            node.meta["value"] = _assembled(self._parts[node])
        for key in item.keys:
            at = (node, key)
            got = self._reads.get(at)
            if got is None:
                got = self._graph.call_function(operator.getitem, (node, key))
                got.meta["site"] = Site("", 0)
                got.meta["value"] = node.meta["value"][key]
                self._reads[at] = got
            node = got
        return self._now(node)

    def _aliases(self, node: fx.Node, target: Any, site: Site) -> fx.Node:
        """Notes what ``node`` looks into or writes to, as the schema of its op tells.

        Returns:
            The node that later reads of it read.
        """
        schema = getattr(target, "_schema", None)
        for at, argument in enumerate(() if schema is None else schema.arguments):
            if argument.alias_info is None:
                continue
            tensor = node.args[at] if at < len(node.args) else node.kwargs.get(argument.name)
            if not isinstance(tensor, fx.Node):
                continue
            if argument.alias_info.is_write:
                return self._write(tensor, node, site)
            self._root[node] = self._root.get(tensor, tensor)
        return node

    def _write(self, tensor: fx.Node, by: fx.Node, site: Site) -> fx.Node:
        root = self._root.get(tensor, tensor)
        if root.op == "get_attr" and is_leaf_type(self._types.get(site.scope, "")):
            return by  # BatchNorm's counters are its own affair
        result = by
        if root is not tensor:
            result = self._write_through(tensor, by, self._now(root))
            self._latest[self._now(root)] = result
        else:
            self._latest[tensor] = by
        if root.op == "get_attr":
            self._written[str(root.target)] = result
        return result

    def _write_through(self, view: fx.Node, by: fx.Node, root: fx.Node) -> fx.Node:
        """Adds the node that a tensor is after ``by`` wrote to a view of it."""
        copied = str(by.target) in ("aten.copy_.default", "aten.fill_.Scalar", "aten.fill_.Tensor")
        where: list[Any] = list(view.args[1:2])
        value: list[Any] = list(by.args[1:2])
        if copied and value and where and "__setitem__" in str(view.meta.get("indexing")):
            self._repairs.extend([view, by])  # x[:, 0] = value is one op to its author
            target, args = operator.setitem, (root, where[0], value[0])
        else:
            target, args = write_view, (root, by)
        result = self._graph.create_node("call_function", target, args, name=target.__name__)
        result.meta.update({key: by.meta[key] for key in ("site", "source") if key in by.meta})
        result.meta["value"] = root.meta.get("value")
        self._repairs.append(result)
        return result

    def _site(self, node: fx.Node) -> Site:
        """Reads the module calls around a node, and notes them in the tables."""
        caller, call = "", 0
        for key, (raw, kind) in _stack(node):
            fqn, index = self._call_of(key, raw)
            self._types.setdefault(fqn, "")
            if kind:
                self._types[fqn] = kind
            if fqn == "":
                continue
            # Numbered as met: the source counts the names of one module apart.
            number = self._numbers.setdefault((raw, index), len(self._calls.get(fqn, ())))
            callers = self._calls.setdefault(fqn, [])
            if number == len(callers):
                callers.append((caller, call))
            caller, call = fqn, number
            if is_leaf_type(kind):
                break
        return Site(caller, call)

    def _call_of(self, key: str, raw: str) -> tuple[str, str]:
        """Gives the module, and what tells the call apart from its others."""
        fqn = self._exported.name_of(raw)
        if fqn == raw:
            match = _CALL.fullmatch(fqn)  # strict export writes the call into the name
            if match and match[1] in self._types:
                return match[1], key
        return fqn, key


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


def _stack(node: fx.Node) -> list[tuple[str, tuple[str, str]]]:
    stack: dict[Any, tuple[Any, Any]] = node.meta.get("nn_module_stack") or {}
    entries: list[tuple[str, tuple[str, str]]] = []
    for key, (fqn, kind) in stack.items():
        if not isinstance(kind, str):
            kind = f"{kind.__module__}.{kind.__qualname__}"
        if not str(key).startswith("_empty_nn_module_stack"):
            entries.append((str(key), (str(fqn), kind)))
    return entries


def _value(node: fx.Node) -> Any:
    return to_specs(node.meta.get("val"))


def to_specs(value: Any) -> Any:
    """Copies a tree of tensors with a `Spec` in place of each; sizes by name become strings."""
    if isinstance(value, Spec):
        return value
    if isinstance(value, torch.Tensor):
        shape = tuple(size if type(size) is int else str(size) for size in value.shape)
        return Spec(shape, str(value.dtype).removeprefix("torch."))
    if isinstance(value, (tuple, list)):
        return tuple(to_specs(item) for item in cast("list[Any]", value))
    if isinstance(value, dict):
        return {key: to_specs(item) for key, item in cast("dict[Any, Any]", value).items()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def _assembled(parts: list[tuple[Path, Any]]) -> dict[Any, Any]:
    """Builds the value of an argument from those of the tensors inside of it."""
    tree: dict[Any, Any] = {}
    for path, value in parts:
        inner = tree
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
        inner[path[-1]] = value
    return tree


def _has_tensor(value: Any) -> bool:
    return isinstance(value, Spec) or (
        isinstance(value, tuple) and any(map(_has_tensor, cast("tuple[Any, ...]", value)))
    )
