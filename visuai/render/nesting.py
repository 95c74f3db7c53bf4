"""Who lies in whom: the scope that each node and each scope of a topology lies in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from visuai.topology import Topology


@dataclass(slots=True)
class Nesting:
    """The tree of open scopes with the nodes in it. The root's id is "".

    A node and a scope may carry the same id (a module called as one node inside itself cannot
    be, but a name from outside may collide), so nodes and scopes are told apart throughout.

    Attributes:
        node_parent: Scope id by node id.
        scope_parent: Scope id by scope id, the root left out.
        nodes: Node ids directly in a scope, by scope id, in execution order.
        scopes: Scope ids directly in a scope, by scope id, in execution order.
        members: Both, as (is a scope, id), by scope id, in execution order.
        depth: Number of scopes around a scope, by scope id; 0 for the root.
    """

    node_parent: dict[str, str]
    scope_parent: dict[str, str]
    nodes: dict[str, list[str]]
    scopes: dict[str, list[str]]
    members: dict[str, list[tuple[bool, str]]]
    depth: dict[str, int]


def nesting(topology: Topology) -> Nesting:
    """Reads the tree from a topology, in time linear in its size.

    Scopes without a node anywhere inside are left out, since there is nothing to draw.
    """
    graph, known = topology.graph, topology.scopes
    order = {key: position for position, key in enumerate(graph)}
    node_parent: dict[str, str] = {}
    for key, attributes in graph.nodes.items():
        scope = str(attributes["scope"])
        node_parent[key] = scope if scope in known else ""

    first: dict[str, int] = {"": -1}  # where a scope starts, among the nodes
    for key, parent in node_parent.items():
        scope_id: str | None = parent
        while scope_id and scope_id not in first:
            first[scope_id] = order[key]
            scope_id = known[scope_id].parent

    nodes: dict[str, list[str]] = {scope: [] for scope in first}
    scopes: dict[str, list[str]] = {scope: [] for scope in first}
    members: dict[str, list[tuple[bool, str]]] = {scope: [] for scope in first}
    scope_parent = {scope: known[scope].parent or "" for scope in first if scope}
    entries = [(order[key], False, key, parent) for key, parent in node_parent.items()]
    entries += [(first[key], True, key, parent) for key, parent in scope_parent.items()]
    for _, is_scope, key, parent in sorted(entries):
        (scopes if is_scope else nodes)[parent].append(key)
        members[parent].append((is_scope, key))
    depth = {"": 0}
    for scope in known:  # parents come before children
        if scope in scope_parent:
            depth[scope] = depth[scope_parent[scope]] + 1
    return Nesting(node_parent, scope_parent, nodes, scopes, members, depth)


def walk(tree: Nesting) -> list[tuple[bool, str]]:
    """Lists the root, and all that lies in it, as (is a scope, id), parents before children."""
    listed: list[tuple[bool, str]] = []
    pending = [(True, "")]
    while pending:
        is_scope, key = pending.pop()
        listed.append((is_scope, key))
        if is_scope:
            pending.extend(reversed(tree.members[key]))
    return listed


class Stop(NamedTuple):
    """A stop on the way through the tree: at a node, or where a scope opens or closes.

    Attributes:
        kind: Which of these.
        key: Id of the node or scope.
        depth: Number of scopes around it, 1 for what lies in the root.
    """

    kind: Literal["node", "open", "close"]
    key: str
    depth: int


def outline(tree: Nesting) -> Iterator[Stop]:
    """Goes through the tree in execution order, without the root, as brackets are written."""
    pending = [Stop("open" if is_scope else "node", key, 1) for is_scope, key in tree.members[""]]
    pending.reverse()
    while pending:
        stop = pending.pop()
        yield stop
        if stop.kind == "open":
            pending.append(Stop("close", stop.key, stop.depth))
            pending.extend(
                Stop("open" if is_scope else "node", key, stop.depth + 1)
                for is_scope, key in reversed(tree.members[stop.key])
            )
