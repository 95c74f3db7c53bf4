"""Views: the same network at a coarser level, with closed scopes drawn as single nodes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

import networkx as nx

from visuai.errors import VisuaiError
from visuai.ir import TensorSpec
from visuai.topology import Scope, Topology


def view(
    topology: Topology, depth: int | None = None, expanded: Iterable[str] | None = None
) -> Topology:
    """Gives the network with only some scopes open, in time linear in its size.

    A closed scope with ops inside becomes one node: its id is the scope's id, ``op_kind`` is
    ``call_module``, ``op`` its class's short name, ``category`` is ``module``. It also has
    ``scope_node`` (True), ``nodes`` (number of ops inside) and ``repeat`` (of the scope). A
    closed scope without ops is left out. Edges are lifted: one per distinct value between two
    visible ends, with ``values`` 1, and ``source_output`` and ``target_input`` counted among
    the values that leave and enter the closed scope. Edges between two ops stay as they are.

    Args:
        topology: The network; it is not changed.
        depth: Levels to show: 1 shows the children of the root, 2 opens those, and so on.
            The root itself is always open, so that 0 is the same as 1. None leaves it to
            ``expanded``, and opens everything where that is None too.
        expanded: Ids of scopes to open, along with their ancestors; added to what ``depth``
            opens. A single id may stand by itself.

    Raises:
        VisuaiError: If ``depth`` is no number of levels, or ``expanded`` names a scope that is
            not there.
    """
    check_depth(depth)
    opened = _opened(topology, depth, expanded)
    owner = owners(topology, opened)
    graph, populated = _nodes(topology, owner)
    _edges(topology, owner, graph)
    return Topology(
        name=topology.name,
        graph=graph,
        scopes=_scopes(topology, opened, populated),
        parameters=topology.parameters,
        inputs=_distinct(owner_of(topology, owner, node) for node in topology.inputs),
        outputs=_distinct(owner_of(topology, owner, node) for node in topology.outputs),
        origin=topology.origin,
        report=topology.report,
    )


def check_depth(depth: Any) -> None:
    """Checks a number of levels.

    Raises:
        VisuaiError: If it is neither None nor a whole number from 0.
    """
    if depth is not None and (not isinstance(depth, int) or depth < 0):
        raise VisuaiError(
            f"depth counts levels from the root, got {depth!r}; expected a whole number from 0, "
            "or None for all."
        )


def unknown_scope(topology: Topology, scope: Any) -> VisuaiError:
    """Makes the error for a scope that is not there, with the nearest that are."""
    if not isinstance(scope, str):
        return VisuaiError(
            f"Ids of scopes are strings, got {scope!r} of type {type(scope).__name__}. The keys of "
            "topology.scopes are the ids to use."
        )
    key = scope
    inside = next(
        (each for each in (*topology.scopes, *topology.graph) if each.startswith(f"{key}.")), None
    )
    if inside is not None:
        return VisuaiError(
            f"{key[:80]!r} is no scope, but {inside[:80]!r} in it is there to use: a list of "
            "modules is not called itself, and prune-modules folds one that holds one other."
        )
    near = get_close_matches(key[:80], (scope for scope in topology.scopes if scope), n=3)
    return VisuaiError(
        f"No scope {key[:80]!r} in topology {topology.name[:80]!r}"
        + (f"; near are {', '.join(repr(scope[:80]) for scope in near)}." if near else ".")
        + " The keys of topology.scopes are the ids to use."
    )


def owners(topology: Topology, opened: set[str]) -> dict[str, str]:
    """Maps each scope to the outermost closed scope around it or itself, "" if all are open."""
    owner: dict[str, str] = {}
    for key, scope in topology.scopes.items():
        around = "" if scope.parent is None else owner[scope.parent]
        owner[key] = around or ("" if key in opened else key)
    return owner


def owner_of(topology: Topology, owner: dict[str, str], node: str) -> str:
    """Gives the id under which a node is visible: its own, or that of the closed scope."""
    return owner[topology.graph.nodes[node]["scope"]] or node


def _opened(topology: Topology, depth: int | None, expanded: Iterable[str] | None) -> set[str]:
    """Finds the open scopes; with one, all its ancestors are open."""
    scopes = topology.scopes
    if depth is None and expanded is None:
        return set(scopes)
    opened = {""}
    if depth is not None:
        level = {"": 0}
        for key, scope in scopes.items():
            if scope.parent is not None:
                level[key] = level[scope.parent] + 1
                if level[key] < depth:
                    opened.add(key)
    if not isinstance(expanded, (Iterable, type(None))):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise VisuaiError(f"expanded lists ids of scopes, got {expanded!r}; expected {{'0', '1'}}.")
    for key in (expanded,) if isinstance(expanded, str) else expanded or ():
        if key not in scopes:
            raise unknown_scope(topology, key)
        current: str | None = key
        while current is not None and current not in opened:
            opened.add(current)
            current = scopes[current].parent
    return opened


def _nodes(topology: Topology, owner: dict[str, str]) -> tuple[nx.MultiDiGraph[str], set[str]]:
    """Makes the visible nodes, without edges; closed scopes stand where their first op stood."""
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    read: dict[str, dict[str, None]] = {}
    shared = _Shared(topology, owner)
    old = topology.graph.nodes
    for key, data in old(data=True):
        own = owner[data["scope"]]
        visible = own or key
        if not own:
            graph.add_node(key, **data)
        elif own not in read:
            graph.add_node(own, **_closed(topology.scopes[own]))
        if own:
            node = graph.nodes[own]
            node["nodes"] += data.get("nodes", 1)
            before, flops = node["flops"], data["flops"]
            node["flops"] = None if before is None or flops is None else before + flops
            read.setdefault(own, {}).update(dict.fromkeys(data["parameters"]))
        shared.note(visible, data.get("shared_with", ()))
    for key, parameters in read.items():
        graph.nodes[key]["parameters"] = list(parameters)
    for key in graph:
        graph.nodes[key]["shared_with"] = shared.of(key)
    return graph, set(read)


class _Shared:
    """Lifts ``shared_with``; equal lists stay one object, so that n sharers cost n entries."""

    def __init__(self, topology: Topology, owner: dict[str, str]) -> None:
        self._topology = topology
        self._owner = owner
        self._lifted: dict[int, tuple[str, ...]] = {}
        self._noted: dict[str, dict[tuple[str, ...], None]] = {}
        self._lists: dict[tuple[tuple[str, ...], ...], list[str]] = {}

    def note(self, visible: str, others: Sequence[str]) -> None:
        """Notes what an op that is seen as ``visible`` shares with."""
        if not others:
            return
        if id(others) not in self._lifted:
            seen = _distinct(owner_of(self._topology, self._owner, other) for other in others)
            self._lifted[id(others)] = tuple(seen)
        lifted = self._lifted[id(others)]
        if len(lifted) > 1:
            self._noted.setdefault(visible, {})[lifted] = None

    def of(self, visible: str) -> list[str]:
        """Gives the list for a visible node, itself included; empty if it shares nothing."""
        groups = tuple(self._noted.get(visible, ()))
        if not groups:
            return []
        if groups not in self._lists:
            self._lists[groups] = _distinct(key for group in groups for key in group)
        return self._lists[groups]


def _closed(scope: Scope) -> dict[str, Any]:
    return {
        "op_kind": "call_module",
        "op": scope.type.rpartition(".")[2] or scope.fqn.rpartition(".")[2] or scope.id,
        "target": scope.type,
        "fqn": scope.fqn,
        "call": scope.call,
        "scope": scope.parent,
        "category": "module",
        "parameters": [],
        "outputs": [],
        "attributes": {"config": scope.config} if scope.config else {},
        "source": None,
        "flops": 0,
        "shared_with": [],
        "scope_node": True,
        "nodes": 0,
        "repeat": scope.repeat,
    }


def _edges(topology: Topology, owner: dict[str, str], graph: nx.MultiDiGraph[str]) -> None:
    """Adds the lifted edges, and the outputs of the closed scopes."""
    leaving: dict[str, dict[tuple[str, int], int]] = {}
    entering: dict[str, dict[tuple[str, int], int]] = {}
    lifted: set[tuple[str, int, str]] = set()
    scope_of = topology.graph.nodes
    for source, target, data in topology.graph.edges(data=True):
        closed_above = owner[scope_of[source]["scope"]]
        closed_below = owner[scope_of[target]["scope"]]
        if not closed_above and not closed_below:
            graph.add_edge(source, target, **data)
            continue
        above, below = closed_above or source, closed_below or target
        value = (source, int(data["source_output"]))
        if above == below or (*value, below) in lifted:
            continue
        lifted.add((*value, below))
        edge = {**data, "values": 1}
        if closed_above:
            numbers = leaving.setdefault(above, {})
            if value not in numbers:
                numbers[value] = len(numbers)
                graph.nodes[above]["outputs"].append(_spec(data))
            edge["source_output"] = numbers[value]
        if closed_below:
            numbers = entering.setdefault(below, {})
            edge["target_input"] = numbers.setdefault(value, len(numbers))
        graph.add_edge(above, below, **edge)


def _spec(edge: dict[str, Any]) -> TensorSpec | None:
    if edge.get("shape") is None:
        return None
    return {"shape": list(edge["shape"]), "dtype": edge["dtype"]}


def _scopes(topology: Topology, opened: set[str], populated: set[str]) -> dict[str, Scope]:
    """Keeps the open scopes; their children keep their ids, so that flows hold as they are."""
    closed_empty = {key for key in topology.scopes if key not in opened and key not in populated}
    scopes: dict[str, Scope] = {}
    for key in topology.scopes:
        if key in opened:
            scope = topology.scopes[key]
            children = [child for child in scope.children if child not in closed_empty]
            scopes[key] = replace(scope, children=children, flows=list(scope.flows))
    return scopes


def _distinct(keys: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(keys))
