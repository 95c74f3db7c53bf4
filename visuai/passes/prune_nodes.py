"""Pass ``prune-nodes``: trivial nodes out, the values that went through them joined."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from visuai.ir import IR, Edge, Node
from visuai.passes.base import Context, Pass
from visuai.passes.feeds import Feeds
from visuai.passes.order import node_positions
from visuai.passes.prune_rules import RULES, Inputs, Rule
from visuai.passes.reachability import Reachability

_PASS_ON = ("pack", "unpack", "identity", "dropped")


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
    fates = _fates(ir, edges_in, frozenset(keep), frozenset(drop))
    if not fates:
        return replace(ir)
    for key in _returned(ir, edges_in, fates):
        del fates[key]
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


def _fates(
    ir: IR, edges_in: dict[str, list[Edge]], keep: frozenset[str], drop: frozenset[str]
) -> dict[str, str]:
    """Gives the rule that takes each node out, for the nodes that one does."""
    rules = [
        rule for rule in RULES if rule.name not in keep and (rule.default or rule.name in drop)
    ]
    kept = {name.lower() for name in keep}
    dropped = {name.lower() for name in drop} - {rule.name for rule in RULES} - kept
    fates: dict[str, str] = {}
    trained: set[str] = set()
    for key, node in ir.nodes.items():
        op = node["op"].lower()
        if node["op_kind"] in ("placeholder", "output") or op in kept:
            continue
        inputs = Inputs(edges_in.get(key, []))
        for edge in inputs.edges:
            inputs.rules.append(fates.get(edge["source"], ""))
            inputs.trained = inputs.trained or edge["source"] in trained
        inputs.trained = inputs.trained or _reads_trained(ir, node)
        if op in dropped and inputs.edges:
            fates[key] = "dropped"
            continue
        rule = _match(rules, node, inputs)
        if rule is not None:
            fates[key] = "dropped" if rule.name == "dropout" else rule.name
            if rule.name == "constant" and inputs.trained:
                trained.add(key)
    return fates


def _match(rules: list[Rule], node: Node, inputs: Inputs) -> Rule | None:
    for rule in rules:
        if rule.matches(node, inputs):
            return rule
    return None


def _reads_trained(ir: IR, node: Node) -> bool:
    return any(
        fqn in ir.parameters and ir.parameters[fqn]["kind"] == "parameter"
        for fqn in node["parameters"]
    )


def _returned(ir: IR, edges_in: dict[str, list[Edge]], fates: dict[str, str]) -> list[str]:
    """Lists the pruned constants that an output returns, so that they have to stay."""
    reached = {
        edge["source"]
        for key, node in ir.nodes.items()
        if node["op_kind"] == "output"
        for edge in edges_in.get(key, ())
    }
    constants: list[str] = []
    waiting = list(reached)
    while waiting:
        key = waiting.pop()
        fate = fates.get(key)
        if fate == "constant":
            constants.append(key)
        elif fate in _PASS_ON:
            for edge in edges_in.get(key, ()):
                if edge["source"] not in reached:
                    reached.add(edge["source"])
                    waiting.append(edge["source"])
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
