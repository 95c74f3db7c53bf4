"""Writes a topology as one JSON-able dictionary, column by column.

Nodes and scopes are named once and are numbers elsewhere; where either can stand, scope
number ``n`` is ``-1 - n``. Shapes are written once, in ``specs``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from math import isfinite
from typing import Any

import networkx as nx

from visuai.archive.column import MISSING, encode, encode_lists
from visuai.errors import FormatError
from visuai.garbage import collection_paused
from visuai.ir import TensorSpec
from visuai.topology import Topology

SCHEMA = "visuai/topology@1"


def to_dict(topology: Topology) -> dict[str, Any]:
    """Gives the topology as one JSON-able dictionary.

    Raises:
        FormatError: If the topology names a node or scope that is not there, or an edge or
            node lacks an attribute that every one has.
    """
    try:
        with collection_paused():
            return _Writer(topology).document()
    except (KeyError, TypeError, AttributeError) as error:
        raise FormatError(
            f"Topology {topology.name[:80]!r} does not hold together: "
            f"{type(error).__name__}: {str(error)[:200]}. A pass or a change by hand left out a "
            "node, scope or attribute that is still referred to."
        ) from error


class _Writer:
    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.node = {key: at for at, key in enumerate(topology.graph)}
        self.scope = {key: at for at, key in enumerate(topology.scopes)}
        self.parameter = {name: at for at, name in enumerate(topology.parameters)}
        self.specs: dict[tuple[Any, ...], int] = {}
        self.spec_rows: list[list[Any]] = []

    def document(self) -> dict[str, Any]:
        topology = self.topology
        return {
            "schema": SCHEMA,
            "name": topology.name,
            "origin": {name: str(value) for name, value in topology.origin.items()},
            "report": topology.report.to_dict(),
            "inputs": [self.node[key] for key in topology.inputs],
            "outputs": [self.node[key] for key in topology.outputs],
            "scopes": self._scopes(),
            "flows": self._flows(),
            "parameters": self._parameters(),
            "nodes": self._nodes(),
            "edges": self._edges(),
            "specs": self.spec_rows,
        }

    def _scopes(self) -> dict[str, Any]:
        scopes = list(self.topology.scopes.values())
        return {
            "id": list(self.topology.scopes),
            "fqn": encode([scope.fqn for scope in scopes]),
            "type": encode([scope.type for scope in scopes]),
            "call": encode([scope.call for scope in scopes]),
            "parent": [-1 if s.parent is None else self.scope[s.parent] for s in scopes],
            "children": [[self._child(child) for child in scope.children] for scope in scopes],
            "repeat": encode([scope.repeat for scope in scopes]),
            "config": encode([scope.config for scope in scopes]),
        }

    def _flows(self) -> dict[str, Any]:
        pairs = [
            (at, flow)
            for at, scope in enumerate(self.topology.scopes.values())
            for flow in scope.flows
        ]
        return {
            "scope": [at for at, _ in pairs],
            "source": [self._child(flow.source) for _, flow in pairs],
            "target": [self._child(flow.target) for _, flow in pairs],
            "values": encode([flow.values for _, flow in pairs]),
            "spec": [self._spec(flow.spec) for _, flow in pairs],
        }

    def _parameters(self) -> dict[str, Any]:
        held = list(self.topology.parameters.values())
        columns = "shape", "dtype", "bytes", "requires_grad", "kind", "alias_of"
        return {
            "fqn": list(self.topology.parameters),
            **{name: encode([one[name] for one in held]) for name in columns},
        }

    def _nodes(self) -> dict[str, Any]:
        rows = [data for _, data in self.topology.graph.nodes(data=True)]
        special = {
            "scope": encode([self.scope[row["scope"]] for row in rows]),
            "parameters": encode_lists([tuple(map(self._name, row["parameters"])) for row in rows]),
            "outputs": encode_lists([tuple(map(self._spec, row["outputs"])) for row in rows]),
            "attributes": encode([_finite(row["attributes"]) for row in rows]),
            **self._shared(rows),
        }
        columns = {
            name: special.get(name) or encode([row.get(name, MISSING) for row in rows])
            for name in _names(rows)
        }
        return {"id": list(self.topology.graph), **columns, **special}

    def _shared(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Writes each list of nodes that share once; its members have one object in common."""
        if not any("shared_with" in row for row in rows):
            return {}
        groups: dict[tuple[int, ...], int] = {}
        known: dict[int, int] = {}
        at: list[Any] = []
        for row in rows:
            shared = row.get("shared_with", MISSING)
            if shared is not MISSING and id(shared) not in known:
                group = tuple(self.node[key] for key in shared)
                known[id(shared)] = groups.setdefault(group, len(groups))
            at.append(shared if shared is MISSING else known[id(shared)])
        return {"shared_with": encode(at), "groups": [list(group) for group in groups]}

    def _edges(self) -> dict[str, Any]:
        edges = [
            (self.node[source], self.node[target], key, data)
            for source, target, key, data in _in_order(self.topology.graph, self.node)
        ]
        rows = [data for *_, data in edges]
        names = [name for name in _names(rows) if name not in ("shape", "dtype")]
        columns = {name: encode([row.get(name, MISSING) for row in rows]) for name in names}
        keys = [key for _, _, key, _ in edges]
        if keys != _default_keys(edges):
            columns["key"] = encode(keys)
        return {
            "target": [target for _, target, _, _ in edges],
            "back": [target - source for source, target, _, _ in edges],
            "spec": [self._edge_spec(row) for row in rows],
            **columns,
        }

    def _edge_spec(self, row: dict[str, Any]) -> int | None:
        dtype, shape = row["dtype"], row["shape"]
        return None if dtype is None and shape is None else self._number((dtype, *shape))

    def _child(self, key: str) -> int:
        at = self.node.get(key)
        return -1 - self.scope[key] if at is None else at

    def _name(self, fqn: str) -> int | str:
        return self.parameter.get(fqn, fqn)

    def _spec(self, spec: dict[str, Any] | TensorSpec | None) -> int | None:
        if spec is None:
            return None
        return self._number((spec["dtype"], *spec["shape"]))

    def _number(self, spec: tuple[Any, ...]) -> int:
        at = self.specs.get(spec)
        if at is None:
            at = self.specs[spec] = len(self.specs)
            self.spec_rows.append(list(spec))
        return at


def _names(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Lists the attributes that occur, in order of first occurrence."""
    return list(dict.fromkeys(chain.from_iterable(rows)))


def _in_order(
    graph: nx.MultiDiGraph[str], number: dict[str, int]
) -> Iterable[tuple[str, str, Any, dict[str, Any]]]:
    """Gives the edges in an order that brings back that of every adjacency list.

    Most graphs were made target by target.
    """
    if all(_ascending([number[end] for end in ends]) for _, ends in graph.adjacency()):
        return graph.in_edges(keys=True, data=True)
    return (
        (source, target, key, data)
        for source, target in _pairs_in_order(graph)
        for key, data in graph[source][target].items()
    )


def _pairs_in_order(graph: nx.MultiDiGraph[str]) -> Iterator[tuple[str, str]]:
    """Gives each connected pair as soon as those before it have been, in both its lists.

    These are the list of the source's successors and that of the target's predecessors.
    """
    after = {key: iter(ends) for key, ends in graph.succ.items()}
    before = {key: iter(ends) for key, ends in graph.pred.items()}
    next_target = {key: next(ends, None) for key, ends in after.items()}
    next_source = {key: next(ends, None) for key, ends in before.items()}
    waiting = list(reversed(list(graph)))
    while waiting:
        target = waiting.pop()
        source = next_source[target]
        while source is not None and next_target[source] == target:
            yield source, target
            following = next_target[source] = next(after[source], None)
            if following is not None and following != target:
                waiting.append(following)
            source = next_source[target] = next(before[target], None)


def _ascending(numbers: list[int]) -> bool:
    return len(numbers) < 2 or numbers == sorted(numbers)


def _default_keys(edges: list[tuple[int, int, Any, dict[str, Any]]]) -> list[int]:
    """Gives the keys that networkx gives parallel edges: 0, 1, ..."""
    keys: list[int] = []
    before = None
    for source, target, *_ in edges:
        keys.append(keys[-1] + 1 if before == (source, target) else 0)
        before = source, target
    return keys


def _finite(attributes: dict[str, Any]) -> dict[str, Any]:
    """Writes inf and nan, which JSON lacks, as ``{"float": "inf"}``."""
    if not any(isinstance(value, float) and not isfinite(value) for value in attributes.values()):
        return attributes
    return {
        name: {"float": repr(value)} if isinstance(value, float) and not isfinite(value) else value
        for name, value in attributes.items()
    }
