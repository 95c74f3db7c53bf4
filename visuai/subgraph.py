"""Subgraphs: one scope of a network as a topology of its own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import networkx as nx

from visuai.ir import TensorSpec
from visuai.topology import Flow, Scope, Topology
from visuai.view import owners, unknown_scope, view


def subgraph(topology: Topology, scope: str) -> Topology:
    """Gives one scope as a topology of its own, in time linear in the network's size.

    Each value that enters becomes a placeholder, and each that leaves is an input of one
    output node. All other ids stay what they are.

    Args:
        topology: The network; it is not changed.
        scope: Id of a scope; "" gives a copy of the whole.

    Raises:
        VisuaiError: If there is no such scope.
    """
    if scope == "":
        return view(topology)
    if scope not in topology.scopes:
        raise unknown_scope(topology, scope)
    scopes = _below(topology, scope)
    inner = {
        key: {**data, "scope": "" if data["scope"] == scope else data["scope"]}
        for key, data in topology.graph.nodes(data=True)
        if data["scope"] == scope or (data["scope"] and data["scope"] in scopes)
    }
    boundary = _Boundary({*scopes, *inner})
    edges = boundary.cut(topology, inner)
    inputs = {key: _io("placeholder", spec) for key, spec in boundary.entering.values()}
    outputs = {boundary.output: _io("output", None)} if boundary.leaving else {}
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    graph.add_nodes_from({**inputs, **inner, **outputs}.items())
    graph.add_edges_from(edges)
    kept: dict[int, list[str]] = {}  # lists that were one object stay one
    for data in graph.nodes.values():
        shared = data.get("shared_with", [])
        if id(shared) not in kept:
            within = [other for other in shared if other in inner]
            kept[id(shared)] = within if len(within) > 1 else []
        data["shared_with"] = kept[id(shared)]
    part = Topology(
        name=scope,
        graph=graph,
        scopes=scopes,
        parameters=_read(topology, inner),
        inputs=list(inputs),
        outputs=list(outputs),
        origin=topology.origin,
        report=topology.report,
    )
    box = scopes[""]
    box.children = [*inputs, *box.children, *outputs]
    box.flows.extend(_boundary_flows(part))
    return part


@dataclass(slots=True)
class _Boundary:
    """What enters and leaves a scope.

    Attributes:
        taken: Ids in use.
        entering: Placeholder id and spec, by the value that enters.
        leaving: Index of the output's input, by the value that leaves.
        output: Id of the output node.
    """

    taken: set[str]
    entering: dict[tuple[str, int], tuple[str, TensorSpec | None]] = field(
        default_factory=dict[tuple[str, int], tuple[str, "TensorSpec | None"]]
    )
    leaving: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])
    output: str = ""

    def __post_init__(self) -> None:
        self.output = self._new("output")

    def cut(
        self, topology: Topology, inner: dict[str, dict[str, Any]]
    ) -> list[tuple[str, str, dict[str, Any]]]:
        """Lists the edges inside, with those that cross bent to the boundary."""
        edges: list[tuple[str, str, dict[str, Any]]] = []
        for source, target, data in topology.graph.edges(data=True):
            value = (source, int(data["source_output"]))
            if source in inner and target in inner:
                edges.append((source, target, dict(data)))
            elif target in inner:
                if value not in self.entering:
                    self.entering[value] = (self._new("input"), _spec(data))
                edges.append((self.entering[value][0], target, {**data, "source_output": 0}))
            elif source in inner and value not in self.leaving:
                at = self.leaving[value] = len(self.leaving)
                edges.append((source, self.output, {**data, "target_input": at}))
        return edges

    def _new(self, word: str) -> str:
        number, key = 0, word
        while key in self.taken:
            number += 1
            key = f"{word}_{number}"
        self.taken.add(key)
        return key


def _below(topology: Topology, root: str) -> dict[str, Scope]:
    """Copies a scope, as the root "", and all scopes below it."""
    scopes: dict[str, Scope] = {}
    for key, scope in topology.scopes.items():
        if key == root:
            new = replace(scope, id="", parent=None, repeat=1)
        elif scope.parent == root:
            new = replace(scope, parent="")
        elif scope.parent and scope.parent in scopes:
            new = replace(scope)
        else:
            continue
        new.children, new.flows = list(scope.children), list(scope.flows)
        scopes[new.id] = new
    return scopes


def _read(topology: Topology, inner: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Keeps the parameters read inside, and what these are aliases of."""
    read = {name for data in inner.values() for name in data["parameters"]}
    for name in list(read):
        held = topology.parameters.get(name)
        if held is not None and held["alias_of"] is not None:
            read.add(held["alias_of"])
    return {name: held for name, held in topology.parameters.items() if name in read}


def _boundary_flows(part: Topology) -> list[Flow]:
    """Lifts the edges at the boundary to the children of the root."""
    owner = owners(part, {""})
    flows: dict[tuple[str, str], Flow] = {}
    seen: set[tuple[str, int, str, str]] = set()
    ends = {*part.inputs, *part.outputs}
    for source, target, data in part.graph.edges(data=True):
        if source not in ends and target not in ends:
            continue
        above = owner[part.graph.nodes[source]["scope"]] or source
        below = owner[part.graph.nodes[target]["scope"]] or target
        value = (source, int(data["source_output"]), above, below)
        if value in seen:
            continue
        seen.add(value)
        flow = flows.setdefault((above, below), Flow(above, below, 0, _spec(data)))
        flow.values += 1
    return list(flows.values())


def _spec(edge: dict[str, Any]) -> TensorSpec | None:
    if edge.get("shape") is None:
        return None
    return {"shape": list(edge["shape"]), "dtype": edge["dtype"]}


def _io(op_kind: str, spec: TensorSpec | None) -> dict[str, Any]:
    return {
        "op_kind": op_kind,
        "op": op_kind,
        "target": op_kind,
        "fqn": "",
        "call": None,
        "scope": "",
        "category": "io",
        "parameters": [],
        "outputs": [spec] if op_kind == "placeholder" else [],
        "attributes": {},
        "source": None,
        "flops": 0,
        "shared_with": [],
    }
