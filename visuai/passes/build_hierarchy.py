"""Pass ``build-hierarchy``: from the dictionary IR to the topology."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from operator import gt
from typing import Any, ClassVar, cast

import networkx as nx

from visuai.errors import PassError
from visuai.ir import IR, Edge
from visuai.passes.base import Context, Pass
from visuai.passes.lineage import Lineage
from visuai.passes.order import Positions, edge_ends, module_positions
from visuai.passes.repeats import Repeats
from visuai.passes.sharing import shared_with
from visuai.topology import Flow, Scope, Topology

_Ends = tuple[Positions, Positions]  # Of the edges: positions of their sources, of their targets.


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
    ends = edge_ends(ir.nodes, ir.edges)
    _lift(ir, scopes, ends)
    return Topology(
        name=ir.name,
        graph=_graph(ir, ends),
        scopes=scopes,
        parameters=dict(ir.parameters),
        inputs=list(ir.inputs),
        outputs=list(ir.outputs),
        origin=dict(ir.origin),
    )


def _graph(ir: IR, ends: _Ends) -> nx.MultiDiGraph[str]:
    """Makes the graph.

    Edges are put into its rows, as `add_edge` would do: that looks five names up for each,
    and of a million names each look has to wait for memory.
    """
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    shared = shared_with(ir)
    graph.add_nodes_from(ir.nodes)
    filled = cast("Iterable[tuple[str, dict[str, Any]]]", graph.nodes(data=True))
    for (key, attributes), node in zip(filled, ir.nodes.values(), strict=True):
        attributes.update(node)  # Copied once; add_node(**node) would copy it three times.
        del attributes["scope_call"]
        attributes["shared_with"] = shared.get(key, [])
    leaving = _rows(graph)
    entering = _rows(graph.reverse(copy=False))
    for edge, tail, head in zip(ir.edges, *ends, strict=True):
        spec = edge["spec"]
        data: dict[str, Any] = {
            "source_output": edge["source_output"],
            "target_input": edge["target_input"],
            "shape": None if spec is None else spec["shape"],
            "dtype": None if spec is None else spec["dtype"],
        }
        pruned = edge.get("pruned")
        if pruned:
            data["pruned"] = pruned
        row, target = leaving[tail], edge["target"]
        parallel = row.get(target)
        if parallel is None:
            row[target] = entering[head][edge["source"]] = {0: data}
        else:
            parallel[len(parallel)] = data
    return graph


_Row = dict[str, dict[int, dict[str, Any]]]


def _rows(graph: nx.MultiDiGraph[str]) -> list[_Row]:
    """Lists, for each node, the edges that leave it, by target and key."""
    return [row for _, row in cast("Iterable[tuple[str, _Row]]", graph.adjacency())]


def _scopes(ir: IR) -> dict[str, Scope]:
    """Gives the scopes that nodes lie in, in execution order, with their children."""
    module_positions(ir)
    root = ir.modules[""]
    scopes = {"": Scope("", root["fqn"], root["type"], root["call"], None, config=root["config"])}
    for key, node in ir.nodes.items():
        scope: str | None = node["scope"]
        if scope in scopes:
            scopes[scope].children.append(key)
            continue
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


def _lift(ir: IR, scopes: dict[str, Scope], ends: _Ends) -> None:
    """Sets the flows and the repeats of the scopes.

    Scopes go by number, nodes by their position behind them: what is asked for each edge is
    asked of lists.
    """
    boxes = list(scopes.values())
    numbers = {name: number for number, name in enumerate(scopes)}
    parents = [-1 if box.parent is None else numbers[box.parent] for box in boxes]
    homes = [numbers[node["scope"]] for node in ir.nodes.values()]
    lineage = Lineage(parents)
    repeats = Repeats(ir, boxes, parents, numbers, homes)
    compared = repeats.compared
    count = len(boxes)
    shift = (count + len(homes)).bit_length()
    places: dict[int, int] = {}  # Of a flow, by its two ends as one number.
    into_node: dict[int, int] = {}  # Likewise, of those into a node.
    by_target = not any(map(gt, ends[1], islice(ends[1], 1, None)))
    before = -1
    firsts: list[Edge] = []
    flows: list[Flow] = []
    seen: dict[int, set[tuple[str, int]]] = {}  # Values, where a flow has several edges.
    for edge, tail, head in zip(ir.edges, *ends, strict=True):
        source, target = edge["source"], edge["target"]
        level, right = homes[tail], homes[head]
        if head != before and by_target:  # No edge into another node is still to come.
            into_node.clear()
            before = head
        if compared[right]:
            repeats.fan_in[head] += 1
        if level == right:
            above = below = -1
        else:
            level, above, below = lineage.meet(level, right)
        if compared[level]:
            repeats.wire(level, edge, tail, head)
        if above < 0:
            above = count + tail
        else:
            source = boxes[above].id
        if below < 0:
            below = count + head
            known = into_node
        else:
            target = boxes[below].id
            known = places
        pair = above << shift | below
        place = known.get(pair)
        if place is None:
            known[pair] = len(flows)
            flow = Flow(source, target, 1, edge["spec"])
            flows.append(flow)
            firsts.append(edge)
            boxes[level].flows.append(flow)
            continue
        first = firsts[place]
        values = seen.setdefault(place, {(first["source"], first["source_output"])})
        values.add((edge["source"], edge["source_output"]))
        flows[place].values = len(values)
    repeats.mark()
