"""Pass ``prune-nodes``: trivial nodes out, the values that went through them joined."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from visuai.ir import IR, Edge
from visuai.passes.base import Context, Pass
from visuai.passes.fates import Choice, decide
from visuai.passes.feeds import Feeds, element, first_input
from visuai.passes.order import Wiring
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
        pruned, removed = _pruned(value, Choice(frozenset(self.keep), frozenset(self.drop)))
        context.removed.update(removed)
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
    return _pruned(ir, Choice(frozenset(keep), frozenset(drop)))[0]


def _pruned(ir: IR, choice: Choice) -> tuple[IR, Counter[str]]:
    """Gives the IR without trivial nodes, and how many there were of each op."""
    wiring = Wiring(ir.nodes, ir.edges)
    fates = decide(ir, wiring, choice)
    returned = _returned(wiring, fates)
    if returned:  # They stay, and what is computed of them with them.
        fates = decide(ir, wiring, choice, returned)
    if not fates:
        return replace(ir), Counter()
    keys = list(ir.nodes)
    edges, parameters = _joined(keys, wiring, Feeds(wiring, fates))
    nodes = ir.nodes.copy()  # Faster than to put those together that stay.
    for position in fates:
        del nodes[keys[position]]
    for position, read in parameters.items():
        node = wiring.nodes[position]
        unique = dict.fromkeys((*node["parameters"], *read))
        nodes[keys[position]] = {**node, "parameters": list(unique)}
    removed = Counter(wiring.nodes[position]["op"] for position in fates)
    return replace(ir, nodes=nodes, edges=edges), removed


def _returned(wiring: Wiring, fates: Mapping[int, str]) -> set[int]:
    """Picks the pruned constants that an output returns, so that they have to stay."""
    constants: set[int] = set()
    waiting = [
        (index, wiring.edges[index]["source_output"])
        for position, node in enumerate(wiring.nodes)
        if node["op_kind"] == "output"
        for index in wiring.into(position)
    ]
    seen: set[tuple[int, int]] = set()
    while waiting:
        index, output = waiting.pop()
        position = wiring.sources[index]
        if (position, output) in seen:
            continue
        seen.add((position, output))
        fate = fates.get(position)
        if fate == "constant":
            constants.add(position)
        elif fate in ("pack", "unpack"):
            waiting.append(element(wiring, position, output))
        elif fate == "identity":
            index = first_input(wiring, position)
            waiting.append((index, wiring.edges[index]["source_output"]))
        elif fate == "dropped":
            waiting += [
                (index, wiring.edges[index]["source_output"]) for index in wiring.into(position)
            ]
    return constants


def _joined(
    keys: Sequence[str], wiring: Wiring, feeds: Feeds
) -> tuple[list[Edge], dict[int, list[str]]]:
    """Gives the edges between the nodes left, and the parameters that nodes left now read."""
    edges: list[Edge] = []
    tails = array("i")  # Of each edge: the position of its source.
    heads = array("i")  # Of each edge: the position of its target.
    parameters: dict[int, list[str]] = defaultdict(list)
    doubtful: list[int] = []  # Places in `edges` of those that may say nothing new.
    fates = feeds.fates
    for index, (edge, source, target) in enumerate(
        zip(wiring.edges, wiring.sources, wiring.targets, strict=True)
    ):
        if target in fates:
            continue
        if source not in fates:
            edges.append(edge)
            tails.append(source)
            heads.append(target)
            continue
        feed = feeds.of(index)
        if feed.parameters:
            parameters[target] += feed.parameters
        for origin in feed.origins:
            if origin.sizes_only and target not in feeds.wide:
                doubtful.append(len(edges))
            tails.append(origin.source)
            heads.append(target)
            edges.append(
                {
                    "source": keys[origin.source],
                    "source_output": origin.output,
                    "target": edge["target"],
                    "target_input": edge["target_input"],
                    "spec": None if origin.sizes_only else edge["spec"],
                    "pruned": [*origin.ops(), *edge.get("pruned", ())],
                }
            )
    idle = _idle(tails, heads, doubtful, len(keys))
    if idle:
        edges = [edge for place, edge in enumerate(edges) if place not in idle]
    return edges, parameters


def _idle(
    tails: Sequence[int], heads: Sequence[int], doubtful: Sequence[int], count: int
) -> set[int]:
    """Picks the doubtful edges whose ends are joined by other edges anyway.

    Args:
        tails: Position of the source of each edge.
        heads: Position of the target of each edge.
        doubtful: Indices of the doubtful ones.
        count: Number of nodes.
    """
    if not doubtful:
        return set()
    idle = set(doubtful)
    firsts = array("i", [-1]) * count
    others: dict[int, list[int]] = {}
    for place, (source, target) in enumerate(zip(tails, heads, strict=True)):
        if place not in idle:
            if firsts[target] < 0:
                firsts[target] = source
            else:
                others.setdefault(target, []).append(source)
    reachability = Reachability(firsts, others)
    # Late sources first: an early one may turn out to be reached through them.
    for place in sorted(doubtful, key=lambda place: (heads[place], -tails[place], place)):
        source, target = tails[place], heads[place]
        if not reachability.reaches(source, target):
            reachability.add(source, target)
            idle.remove(place)
    return idle
