"""Splits each edge into the pieces that lie within one scope each.

A value that leaves a scope does so through one port in its lower border, a value that enters
through one port in its upper border, however many nodes inside read it: what is one tensor is
one line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from visuai.render.nesting import Nesting
from visuai.topology import Topology

Value = tuple[str, int]
"""Node id and output index."""

End = tuple[Literal["node", "scope", "in", "out"], str, int]
"""A node or scope (its index is 0), or a port of the scope at hand for a value."""


@dataclass(slots=True)
class Wiring:
    """The pieces within one scope.

    Attributes:
        pieces: (value, from, to) and the edges' input indices at a node they end in, in the
            order met; a node that reads a value twice has two indices.
    """

    pieces: dict[tuple[Value, End, End], list[int]] = field(
        default_factory=dict[tuple[Value, End, End], list[int]]
    )


def wire(topology: Topology, tree: Nesting) -> dict[str, Wiring]:
    """Gives the pieces by scope id.

    Each piece is made once per value, so that the time is linear in what will be drawn.
    """
    wirings = {scope: Wiring() for scope in tree.members}
    topmost: dict[Value, int] = {}  # depth of the outermost scope that a value was led out of
    entered: set[tuple[str, Value]] = set()
    for source, target, data in topology.graph.edges(data=True):
        value: Value = (source, int(data.get("source_output", 0)))
        meeting = _meeting(tree, tree.node_parent[source], tree.node_parent[target])
        tail = _lead_out(wirings, tree, value, meeting, topmost)
        head: End = ("node", target, 0)
        scope = tree.node_parent[target]
        index = int(data.get("target_input", 0))
        while scope != meeting:
            port: End = ("in", *value)
            wirings[scope].pieces.setdefault((value, port, head), []).append(index)
            head = ("scope", scope, 0)
            if (scope, value) in entered:
                break
            entered.add((scope, value))
            scope = tree.scope_parent[scope]
            index = 0
        else:
            wirings[meeting].pieces.setdefault((value, tail, head), []).append(index)
    return wirings


def _meeting(tree: Nesting, one: str, other: str) -> str:
    """Gives the innermost scope around both."""
    while one != other:
        if tree.depth[one] >= tree.depth[other]:
            one = tree.scope_parent[one]
        else:
            other = tree.scope_parent[other]
    return one


def _lead_out(
    wirings: dict[str, Wiring],
    tree: Nesting,
    value: Value,
    meeting: str,
    topmost: dict[Value, int],
) -> End:
    """Leads a value from its node out into the scope ``meeting``; gives its end there."""
    tail: End = ("node", value[0], 0)
    scope = tree.node_parent[value[0]]
    done = topmost.get(value, tree.depth[scope] + 1)
    while scope != meeting:
        if tree.depth[scope] < done:
            wirings[scope].pieces.setdefault((value, tail, ("out", *value)), []).append(0)
        tail = ("scope", scope, 0)
        scope = tree.scope_parent[scope]
    topmost[value] = min(done, tree.depth[meeting] + 1)
    return tail
