"""Pass ``prune-nodes``: trivial nodes out, the values that went through them joined."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from visuai.ir import IR, Edge, Node
from visuai.passes.base import Context, Pass
from visuai.passes.fates import Choice, decide
from visuai.passes.feeds import Feeds, element_edge
from visuai.passes.order import node_positions
from visuai.passes.prune_rules import input_index
from visuai.passes.reachability import Reachability


@dataclass(frozen=True)
class PruneNodes(Pass[IR, IR]):
    """Takes out the nodes that say nothing about the network, as `prune_rules.RULES` has them.

    Args:
        keep: Ops or rules, by name, that are not taken out.
        drop: Ops or rules, by name, that are taken out too.

    Examples:
        >>> from visuai import Pipeline
        >>> list(Pipeline.parse("prune-nodes{keep=shape+clone;drop=dropout}"))
        [PruneNodes(keep=('shape', 'clone'), drop=('dropout',))]
    """

    name: ClassVar[str] = "prune-nodes"
    consumes: ClassVar[type] = IR
    produces: ClassVar[type] = IR

    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()

    def run(self, value: IR, context: Context) -> IR:
        """Gives the IR without trivial nodes; see `prune_nodes`."""
        pruned = prune_nodes(value, keep=self.keep, drop=self.drop)
        context.removed.update(
            Counter(node["op"] for key, node in value.nodes.items() if key not in pruned.nodes)
        )
        return pruned


def prune_nodes(ir: IR, *, keep: Iterable[str] = (), drop: Iterable[str] = ()) -> IR:
    """Takes trivial nodes out and joins the edges through them.

    Placeholders and outputs stay, and a constant stays that an output returns. A node that is
    left reaches the same nodes as before; only what a tuple holds besides the element taken
    out of it is told apart. A joined edge has the ops it passed through in ``pruned``. Where a
    value was only asked for its size, an edge is added if the dependence would be lost
    without it, and its ``spec`` is None.

    Args:
        ir: Any IR whose nodes are in execution order.
        keep: Canonical op names or names of rules that are not taken out.
        drop: Canonical op names or names of rules that are taken out too.

    Returns:
        A new IR; doing it again changes nothing.

    Raises:
        PassError: If the nodes are not in execution order.
    """
    positions = node_positions(ir)
    edges_in: dict[str, list[Edge]] = {}
    for edge in ir.edges:
        edges_in.setdefault(edge["target"], []).append(edge)
    choice = Choice(frozenset(keep), frozenset(drop))
    fates = decide(ir, edges_in, choice)
    returned = _returned(ir, edges_in, fates)
    if returned:  # They stay, and what is computed of them with them.
        fates = decide(ir, edges_in, choice, returned)
    if not fates:
        return replace(ir)
    feeds = Feeds(ir.nodes, edges_in, fates)
    edges, parameters = _joined(ir, feeds, positions)
    nodes: dict[str, Node] = {}
    for key, node in ir.nodes.items():
        if key in parameters:
            nodes[key] = {
                **node,
                "parameters": list(dict.fromkeys((*node["parameters"], *parameters[key]))),
            }
        elif key not in fates:
            nodes[key] = node
    return replace(ir, nodes=nodes, edges=edges)


def _returned(ir: IR, edges_in: dict[str, list[Edge]], fates: dict[str, str]) -> set[str]:
    """Picks the pruned constants that an output returns, so that they have to stay."""
    constants: set[str] = set()
    waiting = [
        edge
        for key, node in ir.nodes.items()
        if node["op_kind"] == "output"
        for edge in edges_in.get(key, ())
    ]
    seen: set[tuple[str, int]] = set()
    while waiting:
        edge = waiting.pop()
        key, value = edge["source"], (edge["source"], edge["source_output"])
        if value in seen:
            continue
        seen.add(value)
        fate = fates.get(key)
        if fate == "constant":
            constants.add(key)
        elif fate in ("pack", "unpack"):
            waiting.append(element_edge(ir.nodes[key], edges_in[key], edge["source_output"]))
        elif fate == "identity":
            waiting.append(min(edges_in[key], key=input_index))
        elif fate == "dropped":
            waiting += edges_in[key]
    return constants


def _joined(
    ir: IR, feeds: Feeds, positions: dict[str, int]
) -> tuple[list[Edge], dict[str, list[str]]]:
    """Gives the edges between the nodes left, and the parameters that nodes left now read."""
    edges: list[Edge] = []
    parameters: dict[str, list[str]] = defaultdict(list)
    doubtful: list[int] = []  # Places in `edges` of those that may say nothing new.
    for edge in ir.edges:
        if edge["target"] in feeds.fates:
            continue
        if edge["source"] not in feeds.fates:
            edges.append(edge)
            continue
        feed = feeds.of(edge)
        if feed.parameters:
            parameters[edge["target"]] += feed.parameters
        for origin in feed.origins:
            if origin.sizes_only and edge["target"] not in feeds.wide:
                doubtful.append(len(edges))
            edges.append(
                {
                    "source": origin.source,
                    "source_output": origin.output,
                    "target": edge["target"],
                    "target_input": edge["target_input"],
                    "spec": None if origin.sizes_only else edge["spec"],
                    "pruned": [*origin.ops(), *edge.get("pruned", ())],
                }
            )
    idle = _idle(edges, doubtful, positions)
    return [edge for index, edge in enumerate(edges) if index not in idle], parameters


def _idle(edges: list[Edge], doubtful: list[int], positions: dict[str, int]) -> set[int]:
    """Picks the doubtful edges whose ends are joined by other edges anyway."""
    if not doubtful:
        return set()
    idle = set(doubtful)
    sources: dict[int, list[int]] = {}
    for index, edge in enumerate(edges):
        if index not in idle:
            sources.setdefault(positions[edge["target"]], []).append(positions[edge["source"]])
    reachability = Reachability(sources, len(positions))
    # Late sources first: an early one may turn out to be reached through them.
    asked = sorted(
        (positions[edges[index]["target"]], -positions[edges[index]["source"]], index)
        for index in doubtful
    )
    for target, source, index in asked:
        if not reachability.reaches(-source, target):
            reachability.add(-source, target)
            idle.remove(index)
    return idle
