"""The topology: a network as a networkx graph and a tree of modules. What users hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import networkx as nx

from visuai.ir import Parameter, TensorSpec
from visuai.report import Report


@dataclass(slots=True)
class Flow:
    """Edges lifted to one level: what flows between two children of the same scope.

    Attributes:
        source: Id of a child scope or node.
        target: Id of a child scope or node.
        values: Number of distinct values.
        spec: Shape and dtype of the first of them.
    """

    source: str
    target: str
    values: int
    spec: TensorSpec | None


@dataclass(slots=True)
class Scope:
    """One call of a module as a box in the hierarchy; the root's id is "".

    Attributes:
        id: Call-site (``layer1.0``, ``block@1``).
        fqn: The module called, as in ``named_modules``.
        type: Qualified class name, "" if unknown.
        call: Which call of the module this is, from 0; None if not known.
        parent: Id of the enclosing scope, None for the root.
        children: Ids of the nodes and scopes directly inside, in execution order.
        flows: Edges lifted to the children.
        repeat: Number of identical blocks in the run that this scope starts; 1 for a scope
            that is not repeated, 0 for one that repeats a sibling before it.
        config: The module's ``extra_repr``.
    """

    id: str
    fqn: str
    type: str
    call: int | None
    parent: str | None
    children: list[str] = field(default_factory=list[str])
    flows: list[Flow] = field(default_factory=list[Flow])
    repeat: int = 1
    config: str = ""


@dataclass(eq=False)
class Topology:
    """A network as a graph of ops in a tree of modules.

    Attributes:
        name: Name of the network.
        graph: One node per op occurrence. Node ids are call-sites. Node attributes: those of
            `visuai.ir.Node` (``op_kind``, ``op``, ``target``, ``fqn``, ``call``, ``scope``,
            ``category``, ``parameters``, ``outputs``, ``attributes``, ``source``, ``flops``),
            and ``shared_with``: ids of the nodes that read a parameter of this one or are
            calls of the same module. Edge attributes: ``source_output``, ``target_input``,
            ``shape``, ``dtype`` and, if anything was pruned there, ``pruned``.
        scopes: Module calls by id, parents before children, the root "" first.
        modules: Alias of ``scopes``.
        parameters: Parameters, buffers and constants by FQN.
        inputs: Ids of the input nodes.
        outputs: Ids of the output nodes.
        origin: Where it comes from: route and versions.
        report: How it came about.
    """

    name: str
    graph: nx.MultiDiGraph[str]
    scopes: dict[str, Scope]
    parameters: dict[str, Parameter] = field(default_factory=dict[str, Parameter])
    inputs: list[str] = field(default_factory=list[str])
    outputs: list[str] = field(default_factory=list[str])
    origin: dict[str, str] = field(default_factory=dict[str, str])
    report: Report = field(default_factory=Report)

    @property
    def modules(self) -> dict[str, Scope]:
        """The module tree: every module call as a box, by id."""
        return self.scopes

    @property
    def num_parameters(self) -> int:
        """Number of elements of all parameters, a shared tensor counted once."""
        raise NotImplementedError

    def view(
        self, depth: int | None = None, expanded: set[str] | None = None
    ) -> Topology:
        raise NotImplementedError

    def render(self, name: str, **options: Any) -> str | bytes:
        raise NotImplementedError
