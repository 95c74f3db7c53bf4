"""Pass ``build-hierarchy``: from the dictionary IR to the topology."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import networkx as nx

from visuai.errors import PassError
from visuai.ir import IR
from visuai.passes.base import Context, Pass
from visuai.passes.lineage import Lineage
from visuai.passes.order import module_positions
from visuai.passes.repeats import Structures, mark_runs
from visuai.passes.sharing import shared_with
from visuai.topology import Flow, Scope, Topology


@dataclass(frozen=True)
class BuildHierarchy(Pass[IR, Topology]):
    """Gives the topology: a networkx graph in a tree of scopes.

    Examples:
        >>> from visuai.passes.build_hierarchy import BuildHierarchy
        >>> BuildHierarchy.produces.__name__
        'Topology'
    """

    name: ClassVar[str] = "build-hierarchy"
    consumes: ClassVar[type] = IR
    produces: ClassVar[type] = Topology

    def run(self, value: IR, context: Context) -> Topology:
        """Gives the topology of an IR; see `build_hierarchy`."""
        return build_hierarchy(value)


def build_hierarchy(ir: IR) -> Topology:
    """Builds the graph, the tree of scopes, the edges of each level, and marks repeats.

    Args:
        ir: Best one that ``split-recycled`` gave. On another, a recycled scope is one box, and
            `Scope.flows` may have cycles.

    Raises:
        PassError: If a node and a module have the same key, a node lies in a module that is not
            there, or modules are not listed from the root down.
    """
    scopes = _scopes(ir)
    _lift(ir, scopes)
    return Topology(
        name=ir.name,
        graph=_graph(ir),
        scopes=scopes,
        parameters=dict(ir.parameters),
        inputs=list(ir.inputs),
        outputs=list(ir.outputs),
        origin=dict(ir.origin),
    )


def _graph(ir: IR) -> nx.MultiDiGraph[str]:
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    shared = shared_with(ir)
    for key, node in ir.nodes.items():
        attributes: dict[str, Any] = {**node, "shared_with": shared.get(key, [])}
        del attributes["scope_call"]
        graph.add_node(key, **attributes)
    for edge in ir.edges:
        spec = edge["spec"]
        described: dict[str, Any] = {
            "source_output": edge["source_output"],
            "target_input": edge["target_input"],
            "shape": None if spec is None else spec["shape"],
            "dtype": None if spec is None else spec["dtype"],
        }
        if edge.get("pruned"):
            described["pruned"] = edge["pruned"]  # pyright: ignore[reportTypedDictNotRequiredAccess]
        graph.add_edge(edge["source"], edge["target"], **described)
    return graph


def _scopes(ir: IR) -> dict[str, Scope]:
    """Gives the scopes that nodes lie in, in execution order, with their children."""
    module_positions(ir)
    root = ir.modules[""]
    scopes = {"": Scope("", root["fqn"], root["type"], root["call"], None, config=root["config"])}
    for key, node in ir.nodes.items():
        scope: str | None = node["scope"]
        new: list[str] = []
        while scope is not None and scope not in scopes:
            if scope not in ir.modules:
                raise PassError(f"Node {key!r} lies in module {scope!r}, which is not there.")
            new.append(scope)
            scope = ir.modules[scope]["parent"]
        for scope in reversed(new):
            module = ir.modules[scope]
            parent = module["parent"] or ""
            scopes[scope] = Scope(
                scope,
                module["fqn"],
                module["type"],
                module["call"],
                parent,
                config=module["config"],
            )
            scopes[parent].children.append(scope)
        scopes[node["scope"]].children.append(key)
    clash = scopes.keys() & ir.nodes.keys()
    if clash:
        raise PassError(
            f"{min(clash)!r} is the key of a node and of a module that nodes lie in. "
            "Run split-recycled first: it makes ids unique."
        )
    return scopes


def _lift(ir: IR, scopes: dict[str, Scope]) -> None:
    """Sets the flows and the repeats of the scopes."""
    names = list(scopes)
    numbers = {name: number for number, name in enumerate(names)}
    lineage = Lineage([-1 if s.parent is None else numbers[s.parent] for s in scopes.values()])
    places, starts = _places(scopes)
    structures = Structures(ir)
    flows: dict[tuple[str, str], Flow] = {}
    counted: set[tuple[str, str, str, int]] = set()
    wires: dict[str, list[int]] = {}
    fan_in: dict[str, int] = {}
    for edge in ir.edges:
        source, target = edge["source"], edge["target"]
        fan_in[target] = fan_in.get(target, 0) + 1
        left, right = ir.nodes[source]["scope"], ir.nodes[target]["scope"]
        level, tail, head = left, source, target
        if left != right:
            meeting, above, below = lineage.meet(numbers[left], numbers[right])
            level = names[meeting]
            tail = source if above < 0 else names[above]
            head = target if below < 0 else names[below]
        start = starts[level]
        wires.setdefault(level, []).append(
            structures.wire(edge, places[source] - start, places[target] - start)
        )
        value = (tail, head, source, edge["source_output"])
        if value in counted:
            continue
        counted.add(value)
        flow = flows.get((tail, head))
        if flow is None:
            flows[tail, head] = flow = Flow(tail, head, 1, edge["spec"])
            scopes[level].flows.append(flow)
        else:
            flow.values += 1
    known: dict[str, int] = {}
    for name in reversed(names):
        scope = scopes[name]
        inside = [
            known[child]
            if child in known
            else structures.node(ir.nodes[child], fan_in.get(child, 0))
            for child in scope.children
        ]
        known[name] = structures.scope(scope, inside, wires.get(name, []))
    mark_runs(scopes, known)


def _places(scopes: dict[str, Scope]) -> tuple[dict[str, int], dict[str, int]]:
    """Numbers the nodes so that those in a scope follow one another.

    Returns:
        The number of each node, and for each scope the number of its first node.
    """
    places: dict[str, int] = {}
    starts: dict[str, int] = {}
    waiting = [iter([""])]
    while waiting:
        for child in waiting[-1]:
            if child in scopes:
                starts[child] = len(places)
                waiting.append(iter(scopes[child].children))
                break
            places[child] = len(places)
        else:
            waiting.pop()
    return places, starts
