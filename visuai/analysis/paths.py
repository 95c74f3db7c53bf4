"""Paths through a network: the critical one, and where one tensor cuts it in two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, cast

import networkx as nx

from visuai.errors import VisuaiError
from visuai.ir import TensorSpec
from visuai.topology import Topology


@dataclass(frozen=True, slots=True)
class CriticalPath:
    """The longest path: what no parallel hardware can shorten.

    Attributes:
        nodes: Ids from first to last.
        length: Its FLOPs, or its number of edges.
    """

    nodes: tuple[str, ...]
    length: int


@dataclass(frozen=True, slots=True)
class Cut:
    """A tensor that alone links what runs before it to what runs after.

    Attributes:
        node: Id of the node that makes it.
        output: Which of the node's outputs it is.
        spec: Its shape and dtype, None if not known.
        flops_before: FLOPs up to and with ``node``, where known.
        flops_after: FLOPs after it, where known.
    """

    node: str
    output: int
    spec: TensorSpec | None
    flops_before: int
    flops_after: int


def critical_path(topology: Topology, weight: Literal["flops", "hops"] = "flops") -> CriticalPath:
    """Finds the longest path, in time linear in the network's size.

    Args:
        topology: The network.
        weight: What is added up: ``flops`` of the nodes (0 where not known), or ``hops``,
            the number of edges. Of equally long paths it is the one with more hops.

    Raises:
        VisuaiError: If the graph has a cycle, or ``weight`` is unknown.

    References:
        Longest path in a directed acyclic graph by dynamic programming in topological order.

    Examples:
        >>> import torch, visuai
        >>> from visuai.analysis.paths import critical_path
        >>> model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU())
        >>> critical_path(visuai.build(model, torch.zeros(1, 4))).nodes
        ('input', '0', '1', 'output')
    """
    if weight not in ("flops", "hops"):
        raise VisuaiError(f"weight is 'flops' or 'hops', got {weight!r}.")
    graph = topology.graph
    best: dict[str, tuple[int, int]] = {}
    before: dict[str, str | None] = {}
    for key in _order(topology):
        cost = (graph.nodes[key]["flops"] or 0) if weight == "flops" else 0
        longest = max(graph.pred[key], key=best.__getitem__, default=None)
        length, hops = (0, -1) if longest is None else best[longest]
        best[key], before[key] = (length + cost, hops + 1), longest
    if not best:
        return CriticalPath((), 0)
    key: str | None = max(best, key=best.__getitem__)
    length = best[key][0 if weight == "flops" else 1]
    path: list[str] = []
    while key is not None:
        path.append(key)
        key = before[key]
    return CriticalPath(tuple(reversed(path)), length)


def cut_points(topology: Topology) -> list[Cut]:
    """Finds where the network can be split in two by one tensor, in linear time.

    All that the part after the cut needs of the part before it is that tensor. The part before
    may return some of the network's outputs itself (auxiliary heads, a cache of keys and
    values); what does not depend on an input (a mask, positions) can be made in either part;
    what no output depends on is left out. The inputs themselves are no cuts.

    Args:
        topology: The network.

    Returns:
        The cuts in order of execution.

    Raises:
        VisuaiError: If the graph has a cycle.

    Examples:
        >>> import torch, visuai
        >>> from visuai.analysis.paths import cut_points
        >>> model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Tanh())
        >>> [cut.node for cut in cut_points(visuai.build(model, torch.zeros(1, 4)))]
        ['0', '1']
    """
    graph = topology.graph
    order = _order(topology)
    matters = _reached(topology.inputs, graph.succ) & _reached(topology.outputs, graph.pred)
    live = [key for key in order if key in matters]
    position = {key: at for at, key in enumerate(live)}
    last_use = _last_uses(topology, position)
    ending: list[list[tuple[str, int]]] = [[] for _ in live]
    for value, at in last_use.items():
        ending[at].append(value)
    made: dict[str, list[tuple[str, int]]] = {}
    for value in last_use:
        made.setdefault(value[0], []).append(value)
    total = sum(data["flops"] or 0 for _, data in graph.nodes(data=True))
    done, crossing = 0, set[tuple[str, int]]()
    cuts: list[Cut] = []
    for at, key in enumerate(live):
        done += graph.nodes[key]["flops"] or 0
        crossing.difference_update(ending[at])
        crossing.update(made.get(key, ()))
        if len(crossing) != 1 or graph.nodes[key]["op_kind"] == "placeholder":
            continue
        (value,) = crossing
        if value[0] == key:
            outputs = graph.nodes[key]["outputs"]
            spec = outputs[value[1]] if value[1] < len(outputs) else None
            cuts.append(Cut(key, value[1], spec, done, total - done))
    return cuts


def _order(topology: Topology) -> list[str]:
    """Gives the order of execution, or a topological one where that is none."""
    position = {key: at for at, key in enumerate(topology.graph)}
    if all(position[source] < position[target] for source, target in topology.graph.edges()):
        return list(position)
    try:
        return list(nx.topological_sort(topology.graph))
    except nx.NetworkXUnfeasible:
        edges = cast("list[tuple[str, str, int]]", nx.find_cycle(topology.graph))  # pyright: ignore[reportUnknownMemberType]
        cycle = " -> ".join(source[:60] for source, *_ in edges[:10])
        raise VisuaiError(
            f"Topology {topology.name[:80]!r} has a cycle: {cycle}. Run split-recycled before "
            "build-hierarchy, or open the scopes in question with view(expanded=...)."
        ) from None


def _reached(start: list[str], along: Mapping[str, Iterable[str]]) -> set[str]:
    reached, waiting = set(start), list(start)
    while waiting:
        for key in along[waiting.pop()]:
            if key not in reached:
                reached.add(key)
                waiting.append(key)
    return reached


def _last_uses(topology: Topology, position: dict[str, int]) -> dict[tuple[str, int], int]:
    """Gives where each value is last used by an op; to be returned is no use."""
    outputs = set(topology.outputs)
    uses: dict[tuple[str, int], int] = {}
    for source, target, data in topology.graph.edges(data=True):
        if source in position and target in position and target not in outputs:
            value = (source, int(data["source_output"]))
            uses[value] = max(uses.get(value, 0), position[target])
    return uses
