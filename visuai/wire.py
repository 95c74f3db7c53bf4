"""The wire: what the viewer is sent, one or two topologies with their costs and their difference.

The TypeScript types of the viewer are made from the types below, so that what Python writes
and what the browser reads cannot drift apart.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from dataclasses import fields
from math import isfinite
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict, cast

from visuai.analysis.cost import Cost, cost
from visuai.errors import FormatError
from visuai.garbage import collection_paused
from visuai.ir import OpKind
from visuai.topology import Topology

if TYPE_CHECKING:
    from visuai.analysis.diff import Change

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

# What the rows of a column hold. Python 3.10 has no generic TypedDict; TypeScript gets one.
Texts = Annotated[Column, str]
OptionalTexts = Annotated[Column, str | None]
Integers = Annotated[Column, int]
OptionalIntegers = Annotated[Column, int | None]
Booleans = Annotated[Column, bool]
Shapes = Annotated[Column, list[int | str]]


class WireFloat(TypedDict):
    """A number that JSON cannot say."""

    float: Literal["inf", "-inf", "nan"]


WireScalar = str | int | float | bool | None | WireFloat


class WireScopes(TypedDict):
    """Module calls, parents before children, the root first.

    ``parent`` numbers scopes, -1 for the root's. ``children`` lists nodes by their number, and
    scope ``s`` as ``-1 - s``, in execution order. ``repeat`` is the number of identical
    siblings in the run that a scope starts, 0 for those that follow it.
    """

    id: list[str]
    fqn: Texts
    type: Texts
    call: OptionalIntegers
    parent: list[int]
    children: list[list[int]]
    repeat: Integers
    config: Texts


class WireFlows(TypedDict):
    """Edges lifted to the children of each scope; ends are numbered as children are."""

    scope: list[int]
    source: list[int]
    target: list[int]
    values: Integers
    spec: list[int | None]


class WireParameters(TypedDict):
    """Parameters, buffers and constants."""

    fqn: list[str]
    shape: Shapes
    dtype: Texts
    bytes: Integers
    requires_grad: Booleans
    kind: Annotated[Column, Literal["parameter", "buffer", "constant"]]
    alias_of: OptionalTexts


class _Sharing(TypedDict, total=False):
    shared_with: Integers
    groups: list[list[int]]


class WireNodes(_Sharing):
    """Op occurrences in execution order.

    ``scope`` holds numbers of scopes, ``parameters`` lists of numbers of parameters (or a
    name that is not among them), ``outputs`` lists of numbers into ``specs``, ``source``
    ``[file, line]``; ``shared_with`` numbers a list of nodes in ``groups``.
    """

    id: list[str]
    op_kind: Annotated[Column, OpKind]
    op: Texts
    target: Texts
    fqn: Texts
    call: OptionalIntegers
    category: Texts
    source: Annotated[Column, tuple[str, int] | None]
    flops: OptionalIntegers
    scope: Integers
    parameters: Annotated[Column, list[int | str]]
    outputs: Annotated[Column, list[int | None]]
    attributes: Annotated[Column, dict[str, WireScalar]]


class _Pruned(TypedDict, total=False):
    pruned: Annotated[Column, list[str]]


class WireEdges(_Pruned):
    """Values from node to node: the source's number is ``target - back``."""

    target: list[int]
    back: list[int]
    spec: list[int | None]
    source_output: Integers
    target_input: Integers


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
    specs: list[list[str | int]]


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


class WireEntry(TypedDict):
    """One of the networks that the server has, as it lists them.

    A saved topology that cannot be read says why in ``error``, and has no counts.
    """

    id: str
    name: str
    parameters: int | None
    nodes: int | None
    error: str | None


def wire(topology: Topology, other: Topology | None = None) -> Wire:
    """Gives what the viewer is sent to show a topology, or to compare two.

    Args:
        topology: The network.
        other: What to compare it with.

    Raises:
        FormatError: If a topology does not hold together.

    Examples:
        >>> import torch, visuai
        >>> from visuai.wire import wire
        >>> topology = visuai.build(torch.nn.Linear(4, 2), torch.zeros(3, 4))
        >>> wire(topology)["networks"][0]["scope_costs"]["flops"]
        [48]
    """
    from visuai import __version__

    with collection_paused():
        return {
            "schema": SCHEMA,
            "version": __version__,
            "networks": [_network(each) for each in (topology, other) if each is not None],
            "diff": None if other is None else _diff(topology, other),
        }


def packed(document: Wire) -> bytes:
    """Writes a wire document as gzipped JSON in ASCII, the same bytes each time.

    Raises:
        FormatError: If the document holds what JSON cannot say.
    """
    try:
        with collection_paused():
            text = json.dumps(document, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        names = ", ".join(repr(one["topology"]["name"][:80]) for one in document["networks"])
        raise FormatError(
            f"JSON cannot say what an attribute in {names} holds: {error}. Attributes of nodes "
            "and edges are text, numbers, true, false, none, lists and dicts."
        ) from error
    # Level 4 takes a quarter of the time of level 6, and gives 5 % more bytes.
    return gzip.compress(text.encode("ascii"), compresslevel=4, mtime=0)


def _network(topology: Topology) -> WireNetwork:
    costs = cost(topology)
    document = cast("WireTopology", topology.to_dict())
    _complete(document["nodes"], WireNodes.__required_keys__)
    _complete(document["edges"], WireEdges.__required_keys__)
    return {
        "topology": document,
        "node_costs": _columns([costs.nodes[key] for key in topology.graph]),
        "scope_costs": _columns([costs.scopes[key] for key in topology.scopes]),
    }


def _complete(columns: Any, names: Iterable[str]) -> None:
    """Adds the columns that a network without a single node or edge lacks."""
    for name in names:
        columns.setdefault(name, {"rows": []})


def _columns(costs: list[Cost]) -> WireCosts:
    names = [each.name for each in fields(Cost)]
    columns = zip(*map(attrgetter(*names), costs), strict=True) if costs else [()] * len(names)
    return cast("WireCosts", {name: list(one) for name, one in zip(names, columns, strict=True)})


def _diff(a: Topology, b: Topology) -> WireDiff:
    from visuai.analysis.diff import diff

    found = diff(a, b)
    node = {key: at for at, key in enumerate(b.graph)}
    scope = {key: at for at, key in enumerate(b.scopes)}
    return {
        "changes": [_change(change) for change in found.changes],
        "nodes": [node[found.matched[key]] if key in found.matched else -1 for key in a.graph],
        "scopes": [scope[found.scopes[key]] if key in found.scopes else -1 for key in a.scopes],
    }


def _change(change: Change) -> WireChange:
    details = {
        name: [_finite(value) for value in values] for name, values in change.details.items()
    }
    return cast("WireChange", {**change.to_dict(), "details": details})


def _finite(value: Any) -> Any:
    """Writes inf and nan as saved topologies do."""
    wild = isinstance(value, float) and not isfinite(value)
    return WireFloat(float=cast("Any", repr(value))) if wild else value
