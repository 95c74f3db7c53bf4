"""The wire: what the viewer is sent, one or two topologies with their costs and their difference.

The TypeScript types of the viewer are made from the types below, so that what Python writes
and what the browser reads cannot drift apart.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import fields
from typing import Any, Literal, TypedDict, cast

from visuai.analysis.cost import Cost, cost
from visuai.topology import Topology

SCHEMA = "visuai/wire@1"


class ConstantColumn(TypedDict):
    """A column in which all rows have one value."""

    all: Any


class PlainColumn(TypedDict):
    """A column with a value for each row."""

    rows: list[Any]


class TableColumn(TypedDict):
    """A column of few distinct values: row ``i`` has ``of[at[i]]``, or nothing where -1."""

    of: list[Any]
    at: list[int]


Column = ConstantColumn | PlainColumn | TableColumn


class WireScopes(TypedDict):
    """Module calls, parents before children, the root first.

    ``parent`` numbers scopes, -1 for the root's. ``children`` lists nodes by their number, and
    scope ``s`` as ``-1 - s``, in execution order. ``repeat`` is the number of identical
    siblings in the run that a scope starts, 0 for those that follow it.
    """

    id: list[str]
    fqn: Column
    type: Column
    call: Column
    parent: list[int]
    children: list[list[int]]
    repeat: Column
    config: Column


class WireFlows(TypedDict):
    """Edges lifted to the children of each scope; ends are numbered as children are."""

    scope: list[int]
    source: list[int]
    target: list[int]
    values: Column
    spec: list[int | None]


class WireParameters(TypedDict):
    """Parameters, buffers and constants."""

    fqn: list[str]
    shape: Column
    dtype: Column
    bytes: Column
    requires_grad: Column
    kind: Column
    alias_of: Column


class _Sharing(TypedDict, total=False):
    shared_with: Column
    groups: list[list[int]]


class WireNodes(_Sharing):
    """Op occurrences in execution order.

    ``scope`` holds numbers of scopes, ``parameters`` lists of numbers of parameters (or a
    name that is not among them), ``outputs`` lists of numbers into ``specs``, ``source``
    ``[file, line]``; ``shared_with`` numbers a list of nodes in ``groups``.
    """

    id: list[str]
    op_kind: Column
    op: Column
    target: Column
    fqn: Column
    call: Column
    category: Column
    source: Column
    flops: Column
    scope: Column
    parameters: Column
    outputs: Column
    attributes: Column


class _Pruned(TypedDict, total=False):
    pruned: Column


class WireEdges(_Pruned):
    """Values from node to node: the source's number is ``target - back``."""

    target: list[int]
    back: list[int]
    spec: list[int | None]
    source_output: Column
    target_input: Column


class WirePass(TypedDict):
    """One pass that ran."""

    name: str
    seconds: float
    nodes: int
    edges: int
    removed: dict[str, int]


class WireReport(TypedDict):
    """How a topology came about."""

    route: str
    failures: dict[str, str]
    notes: list[str]
    passes: list[WirePass]


class WireTopology(TypedDict):
    """A saved topology; ``specs`` are ``[dtype, size, ...]``."""

    schema: Literal["visuai/topology@1"]
    name: str
    origin: dict[str, str]
    report: WireReport
    inputs: list[int]
    outputs: list[int]
    scopes: WireScopes
    flows: WireFlows
    parameters: WireParameters
    nodes: WireNodes
    edges: WireEdges
    specs: list[list[Any]]


class WireCosts(TypedDict):
    """Costs, one number for each node or scope; see `visuai.analysis.cost.Cost`."""

    parameters: list[int]
    trainable: list[int]
    parameter_bytes: list[int]
    buffer_bytes: list[int]
    flops: list[int]
    unknown_flops: list[int]
    activation_bytes: list[int]
    unknown_activations: list[int]
    nodes: list[int]


class WireNetwork(TypedDict):
    """A topology with what it costs."""

    topology: WireTopology
    node_costs: WireCosts
    scope_costs: WireCosts


class WireChange(TypedDict):
    """One difference; see `visuai.analysis.diff.Change`."""

    what: Literal["module", "node", "shape", "edge", "parameter"]
    kind: Literal["added", "removed", "renamed", "changed"]
    before: str | None
    after: str | None
    details: dict[str, list[Any]]


class WireDiff(TypedDict):
    """What differs between two networks, and which of their nodes and scopes are the same.

    ``nodes`` has for each node of the first network the number of its match in the second, -1
    for none; ``scopes`` likewise.
    """

    changes: list[WireChange]
    nodes: list[int]
    scopes: list[int]


class Wire(TypedDict):
    """What the viewer is sent: one network, or two and their difference."""

    schema: Literal["visuai/wire@1"]
    version: str
    networks: list[WireNetwork]
    diff: WireDiff | None


def wire(topology: Topology, other: Topology | None = None) -> Wire:
    """Gives what the viewer is sent to show a topology, or to compare two.

    Args:
        topology: The network.
        other: What to compare it with.

    Examples:
        >>> import torch, visuai
        >>> from visuai.wire import wire
        >>> topology = visuai.build(torch.nn.Linear(4, 2), torch.zeros(3, 4))
        >>> wire(topology)["networks"][0]["scope_costs"]["flops"]
        [48]
    """
    from visuai import __version__

    return {
        "schema": SCHEMA,
        "version": __version__,
        "networks": [_network(each) for each in (topology, other) if each is not None],
        "diff": None if other is None else _diff(topology, other),
    }


def packed(document: Wire) -> bytes:
    """Writes a wire document as gzipped JSON in UTF-8, the same bytes each time."""
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return gzip.compress(text.encode("ascii"), compresslevel=6, mtime=0)


def _network(topology: Topology) -> WireNetwork:
    costs = cost(topology)
    return {
        "topology": cast("WireTopology", topology.to_dict()),
        "node_costs": _columns([costs.nodes[key] for key in topology.graph]),
        "scope_costs": _columns([costs.scopes[key] for key in topology.scopes]),
    }


def _columns(costs: list[Cost]) -> WireCosts:
    columns = {name.name: [getattr(one, name.name) for one in costs] for name in fields(Cost)}
    return cast("WireCosts", columns)


def _diff(a: Topology, b: Topology) -> WireDiff:
    from visuai.analysis.diff import diff

    found = diff(a, b)
    node = {key: at for at, key in enumerate(b.graph)}
    scope = {key: at for at, key in enumerate(b.scopes)}
    return {
        "changes": [cast("WireChange", change.to_dict()) for change in found.changes],
        "nodes": [node[found.matched[key]] if key in found.matched else -1 for key in a.graph],
        "scopes": [scope[found.scopes[key]] if key in found.scopes else -1 for key in a.scopes],
    }
