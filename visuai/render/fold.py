"""Draws a run of identical sibling modules once, marked with how many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import networkx as nx

from visuai.errors import RenderError, VisuaiError
from visuai.render.nesting import Nesting, nesting
from visuai.topology import Topology


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a renderer draws.

    Attributes:
        topology: The network at the level asked for.
        repeats: How many identical siblings a scope or a scope node stands for, by id; only
            those that stand for more than themselves.
    """

    topology: Topology
    repeats: dict[str, int]


def drawn(
    topology: Topology, depth: int | None, expanded: set[str] | None, fold_repeats: bool
) -> Drawn:
    """Gives what a renderer draws: the topology at the level asked for, repeats drawn once.

    Args:
        topology: Any topology, a view too. Not changed.
        depth: How many levels deep to look, None to go by ``expanded`` alone.
        expanded: Ids of scopes that are open, None to go by ``depth`` alone.
        fold_repeats: Whether identical siblings in a row are drawn once.

    Raises:
        RenderError: If the level asked for does not exist.
    """
    if depth is not None or expanded is not None:
        try:
            topology = topology.view(depth=depth, expanded=expanded)
        except VisuaiError as error:
            raise RenderError(
                f"Cannot draw {topology.name[:80]!r} at this level: {error}"
            ) from error
    return fold(topology) if fold_repeats else Drawn(topology, {})


def fold(topology: Topology) -> Drawn:
    """Leaves out siblings that repeat the one before them.

    A run is folded only where the picture stays true: each repeat is made of as many nodes as
    the first, and the members either form a chain, or are not wired to each other at all. In a
    chain, members ahead of the last may hand values to nodes outside (a cache of keys and
    values, the hidden states) only if all of them hand the same ones to the same nodes. Edges
    that leave the run then start at the first member's counterpart, what all members hand out
    is one edge, and edges from outside into later members end in the first.

    Returns:
        A topology that shares data with the one given.
    """
    tree = nesting(topology)
    graph = topology.graph
    stand_in: dict[str, str] = {}  # node left out, to its counterpart in the first member
    member_of: dict[str, list[tuple[int, int]]] = {}  # node to (run, position), outer run first
    gone: set[str] = set()  # scopes and nodes left out
    handed: set[tuple[str, str, int]] = set()  # edges that stand for those of all members
    repeats: dict[str, int] = {}
    for number, run in enumerate(_runs(topology)):
        if run[0] in gone:
            continue
        inside = [_nodes_in(tree, graph, key) for key in run]
        if any(len(nodes) != len(inside[0]) for nodes in inside):
            continue
        shared = _handed_out(graph, inside)
        if shared is None:
            continue
        handed |= shared
        repeats[run[0]] = len(run)
        for position, nodes in enumerate(inside):
            for key, counterpart in zip(nodes, inside[0], strict=True):
                member_of.setdefault(key, []).append((number, position))
                if position:
                    stand_in.setdefault(key, counterpart)
                    gone.add(key)
        gone.update(_scopes_in(tree, run[1:]))
    if not repeats:
        return Drawn(topology, {})

    folded: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    folded.add_nodes_from((key, data) for key, data in graph.nodes(data=True) if key not in gone)
    moved: list[tuple[str, str, dict[str, Any]]] = []
    known: set[tuple[str, str, int, int]] = set()
    resolved = {(_resolve(s, stand_in), _resolve(t, stand_in), output) for s, t, output in handed}
    for source, target, data in graph.edges(data=True):
        if source not in stand_in and target not in stand_in:
            folded.add_edge(source, target, **data)
            known.add(_mark(source, target, data))
        elif not _within_run(member_of.get(source, ()), member_of.get(target, ())):
            moved.append((_resolve(source, stand_in), _resolve(target, stand_in), data))
    for source, target, data in moved:  # what the first member has too is there already
        mark = _mark(source, target, data)
        if mark not in known and mark[:3] not in resolved:
            known.add(mark)
            folded.add_edge(source, target, **data)
    scopes = {
        key: replace(scope, children=[child for child in scope.children if child not in gone])
        for key, scope in topology.scopes.items()
        if key not in gone
    }
    inputs = [key for key in topology.inputs if key in folded]
    outputs = [key for key in topology.outputs if key in folded]
    return Drawn(
        replace(topology, graph=folded, scopes=scopes, inputs=inputs, outputs=outputs), repeats
    )


def _mark(source: str, target: str, data: dict[str, Any]) -> tuple[str, str, int, int]:
    return source, target, int(data.get("source_output", 0)), int(data.get("target_input", 0))


def _within_run(source: Sequence[tuple[int, int]], target: Sequence[tuple[int, int]]) -> bool:
    """Tells whether an edge goes from one member of a run to another."""
    places = dict(source)
    return any(places.get(run, position) != position for run, position in target)


def _runs(topology: Topology) -> list[list[str]]:
    """Lists runs of identical siblings, outer ones first: ids of scopes and scope nodes."""
    runs: list[list[str]] = []
    for scope in topology.scopes.values():
        run: list[str] = []
        left = 0
        for child in scope.children:
            repeat = _repeat(topology, child)
            if repeat is None:
                continue
            if repeat > 1:
                run, left = [child], repeat - 1
            elif repeat == 0 and left:
                run.append(child)
                left -= 1
                if not left:
                    runs.append(run)
            else:
                left = 0
    return runs


def _repeat(topology: Topology, key: str) -> int | None:
    """Gives a child's repeat count, None for a plain node."""
    scope = topology.scopes.get(key)
    if scope is not None:
        return scope.repeat
    attributes: dict[str, Any] = topology.graph.nodes.get(key, {})
    return int(attributes.get("repeat", 1)) if attributes.get("scope_node") else None


def _nodes_in(tree: Nesting, graph: nx.MultiDiGraph[str], key: str) -> list[str]:
    if key in graph:
        return [key]
    found: list[str] = []
    pending = [key]
    while pending:
        scope = pending.pop()
        found.extend(tree.nodes.get(scope, ()))
        pending.extend(reversed(tree.scopes.get(scope, ())))
    return found


def _scopes_in(tree: Nesting, keys: list[str]) -> set[str]:
    found: set[str] = set()
    pending = list(keys)
    while pending:
        scope = pending.pop()
        found.add(scope)
        pending.extend(tree.scopes.get(scope, ()))
    return found


def _handed_out(
    graph: nx.MultiDiGraph[str], inside: list[list[str]]
) -> set[tuple[str, str, int]] | None:
    """Gives what each member of a chain hands to nodes outside, by source in the first member.

    Returns:
        (source, target, output index) of the first member's edges that stand for those of all;
        None if the run says more than "the same again": not a chain and not side by side, or
        its members hand out different values.
    """
    position = {key: index for index, nodes in enumerate(inside) for key in nodes}
    chained: set[tuple[int, int]] = set()
    outward: list[set[tuple[int, str, int]]] = [set() for _ in inside]
    for member, nodes in enumerate(inside):
        for place, key in enumerate(nodes):
            for _, target, data in graph.out_edges(key, data=True):
                if target not in position:
                    outward[member].add((place, target, int(data.get("source_output", 0))))
                elif position[target] != member:
                    chained.add((member, position[target]))
    if not chained:
        return set()  # side by side
    if chained != {(index, index + 1) for index in range(len(inside) - 1)}:
        return None
    if any(handed != outward[0] for handed in outward[1:-1]):
        return None
    if len(inside) == 2 and not outward[0] <= outward[1]:
        return None  # nothing says that it is what each member does
    return {(inside[0][place], target, output) for place, target, output in outward[0]}


def _resolve(key: str, stand_in: dict[str, str]) -> str:
    while key in stand_in:
        key = stand_in[key]
    return key
