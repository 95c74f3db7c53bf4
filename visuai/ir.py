"""The dictionary IR: a network as plain data, without torch and without onnx.

A *node* is one op occurrence, an *edge* is one value that flows from a node's output to a
node's input, a *module* is a box that nodes and other modules lie in. Everything in it is
what JSON can say, so that `IR.to_dict` and `IR.from_dict` are exact inverses.

The JSON Schema of `IR.to_dict` is ``docs/ir.schema.json``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict, get_args

from visuai.errors import FormatError

SCHEMA = "visuai/ir@1"

OpKind = Literal["placeholder", "call_function", "call_method", "call_module", "get_attr", "output"]
OP_KINDS: frozenset[str] = frozenset(get_args(OpKind))
Scalar = str | int | float | bool | None


class TensorSpec(TypedDict):
    """Shape and dtype of one tensor: ``{"shape": [1, 3, 32, 32], "dtype": "float32"}``.

    A dimension that is only known by name (ONNX, dynamic export) is a string.
    """

    shape: list[int | str]
    dtype: str


class Node(TypedDict):
    """One op occurrence.

    Attributes:
        op_kind: One of the six kinds of torch.fx.
        op: Canonical short name, the same whichever route captured it: the class name for a
            module (``Conv2d``), the function name without spelling variants for the rest
            (``add`` for ``operator.add``, ``torch.add``, ``Tensor.add_``, ``aten.add.Tensor``).
        target: What is called, fully qualified (``torch.nn.modules.conv.Conv2d``).
        fqn: For ``call_module`` the module called, for ``get_attr`` the tensor read, else "".
        call: How often the module ``fqn`` was called before (0 for the first call);
            None where the source does not tell, or where there is no such module.
        scope: The module in whose forward the op occurs, as a key of `IR.modules`.
        scope_call: Which call of ``scope`` it was; None where the source does not tell.
        category: A key of `visuai.ops.CATEGORIES`.
        parameters: FQNs of the parameters, buffers and constants that the op reads.
        outputs: One spec per tensor that the op returns, flattened depth first;
            None for a tensor whose shape is not known.
        attributes: Configuration: the literal arguments of a function, ``config`` (the
            module's ``extra_repr``) of a module.
        source: ``[file, line]`` in the user's code, or None.
        flops: Floating-point operations, a multiply-add counted as 2; None if unknown.
    """

    op_kind: OpKind
    op: str
    target: str
    fqn: str
    call: int | None
    scope: str
    scope_call: int | None
    category: str
    parameters: list[str]
    outputs: list[TensorSpec | None]
    attributes: dict[str, Scalar]
    source: list[Any] | None
    flops: int | None


class _Edge(TypedDict):
    source: str
    source_output: int
    target: str
    target_input: int
    spec: TensorSpec | None


class Edge(_Edge, total=False):
    """One value: output ``source_output`` of ``source`` is input ``target_input`` of ``target``.

    ``target_input`` counts the tensors among the flattened arguments, from 0. Parallel edges
    are kept: ``h * h`` has two. ``pruned`` lists the ops that the value passed through and
    that a pass took out, in order, as canonical names.
    """

    pruned: list[str]


class Module(TypedDict):
    """A module of the network, called or not.

    The keys of `IR.modules` are FQNs as captured, and call-sites (``block``, ``block@1``) once
    ``split-recycled`` has run. The root's key is "".

    Attributes:
        fqn: Dotted path from the root, as in ``named_modules``.
        type: Qualified class name, "" if unknown.
        parent: Key of the enclosing module, None for the root.
        leaf: True if its inside is not looked into (the ops of ``torch.nn``).
        call: Which call of the module this is; None before ``split-recycled``.
        config: The module's ``extra_repr``.
    """

    fqn: str
    type: str
    parent: str | None
    leaf: bool
    call: int | None
    config: str


class Parameter(TypedDict):
    """A tensor that the network holds.

    Attributes:
        shape: Its shape.
        dtype: Its dtype without the ``torch.`` prefix.
        bytes: Size of its elements, in bytes.
        requires_grad: Whether training changes it.
        kind: ``parameter``, ``buffer``, or ``constant`` (held by neither).
        alias_of: FQN under which the same tensor is listed first, None for that first entry.
            Counts skip entries with an alias, so that a shared tensor counts once.
    """

    shape: list[int | str]
    dtype: str
    bytes: int
    requires_grad: bool
    kind: Literal["parameter", "buffer", "constant"]
    alias_of: str | None


@dataclass(slots=True)
class IR:
    """A whole network as plain data.

    Attributes:
        name: Name of the network, usually its class.
        nodes: Nodes by id, in execution order.
        edges: Edges; each end is a key of ``nodes``.
        modules: Modules by key, parents before children.
        parameters: Parameters, buffers and constants by FQN.
        inputs: Ids of the placeholders, in the order of the arguments.
        outputs: Ids of the output nodes.
        calls: For each container module that was called, by FQN, the ``[fqn, call]`` of
            the caller for call 0, 1, ...; empty where the source does not tell.
        origin: Where it comes from: ``route``, and versions of what made it.
    """

    name: str
    nodes: dict[str, Node]
    edges: list[Edge]
    modules: dict[str, Module]
    parameters: dict[str, Parameter] = field(default_factory=dict[str, Parameter])
    inputs: list[str] = field(default_factory=list[str])
    outputs: list[str] = field(default_factory=list[str])
    calls: dict[str, list[tuple[str, int]]] = field(
        default_factory=dict[str, list[tuple[str, int]]]
    )
    origin: dict[str, str] = field(default_factory=dict[str, str])

    def to_dict(self) -> dict[str, Any]:
        """Gives the IR as one JSON-able dictionary that shares data with ``self``."""
        return {
            "schema": SCHEMA,
            "name": self.name,
            "origin": self.origin,
            "inputs": self.inputs,
            "outputs": self.outputs,
            "modules": self.modules,
            "parameters": self.parameters,
            "calls": self.calls,
            "nodes": self.nodes,
            "edges": self.edges,
        }

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> IR:
        """Reads what `to_dict` wrote, and checks it.

        Raises:
            FormatError: If the document is of another version, lacks a key, or does not hold
                together (see `validate`).
        """
        schema = document.get("schema")
        if schema != SCHEMA:
            raise FormatError(f"Not an IR document: got schema {schema!r}, expected {SCHEMA!r}.")
        try:
            ir = cls(
                name=document["name"],
                nodes=document["nodes"],
                edges=document["edges"],
                modules=document["modules"],
                parameters=document["parameters"],
                inputs=document["inputs"],
                outputs=document["outputs"],
                calls={
                    fqn: [(caller, call) for caller, call in callers]
                    for fqn, callers in document["calls"].items()
                },
                origin=document["origin"],
            )
            validate(ir)
        except FormatError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise FormatError(
                f"Damaged IR document: {type(error).__name__}: {error}. Write it again with "
                "IR.to_dict()."
            ) from error
        return ir


def validate(ir: IR) -> None:
    """Checks that an IR holds together, in time linear in its size.

    Raises:
        FormatError: If an edge or a list names a node that is not there, a node lies in a
            module that is not there, a module's parents do not end at the root, or a node's
            kind is unknown.
    """
    for key, node in ir.nodes.items():
        if node["op_kind"] not in OP_KINDS:
            raise FormatError(
                f"Node {key!r} has op_kind {node['op_kind']!r}, expected one of {sorted(OP_KINDS)}."
            )
        if node["scope"] not in ir.modules:
            raise FormatError(f"Node {key!r} lies in module {node['scope']!r}, which is not there.")
    for edge in ir.edges:
        for end in (edge["source"], edge["target"]):
            if end not in ir.nodes:
                raise FormatError(f"An edge names node {end!r}, which is not there: {edge!r}.")
    for end in (*ir.inputs, *ir.outputs):
        if end not in ir.nodes:
            raise FormatError(f"inputs or outputs name node {end!r}, which is not there.")
    rooted = {""}
    for key in ir.modules:
        path: list[str] = []
        on_path: set[str] = set()
        current: str | None = key
        while current is not None and current not in rooted:
            if current in on_path:
                raise FormatError(f"Module {key!r} is its own ancestor.")
            if current not in ir.modules:
                raise FormatError(f"Module {key!r} has ancestor {current!r}, which is not there.")
            on_path.add(current)
            path.append(current)
            current = ir.modules[current]["parent"]
        if current is None and path:
            raise FormatError(f"Module {path[-1]!r} has no parent; only the root '' has none.")
        rooted.update(path)
    if "" not in ir.modules:
        raise FormatError("The root module '' is missing from modules.")
