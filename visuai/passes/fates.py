"""Decides which rule takes which node out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from visuai.ir import IR, Edge, Node
from visuai.passes.feeds import element_edge
from visuai.passes.prune_rules import RULES, Inputs, Rule

_TRIVIAL = ("constant", "shape")


@dataclass(frozen=True, slots=True)
class Choice:
    """What the user wants kept and dropped besides the rules' defaults.

    Attributes:
        keep: Op names, or names of rules.
        drop: Op names, or names of rules.
    """

    keep: frozenset[str] = frozenset()
    drop: frozenset[str] = frozenset()

    def rules(self) -> list[Rule]:
        """Lists the rules that apply."""
        return [
            rule
            for rule in RULES
            if rule.name not in self.keep and (rule.default or rule.name in self.drop)
        ]

    def kept_ops(self) -> frozenset[str]:
        """Gives the ops to keep, in lower case."""
        return frozenset(name.lower() for name in self.keep)

    def dropped_ops(self) -> frozenset[str]:
        """Gives the ops to drop that no rule stands for, in lower case."""
        dropped = frozenset(name.lower() for name in self.drop)
        return dropped - {rule.name for rule in RULES} - self.kept_ops()


def decide(
    ir: IR,
    edges_in: Mapping[str, Sequence[Edge]],
    choice: Choice,
    stay: Collection[str] = (),
) -> dict[str, str]:
    """Gives the rule that takes each node out, for the nodes that one does.

    Args:
        ir: The network, its nodes in execution order.
        edges_in: Edges into each node.
        choice: What the user wants.
        stay: Nodes that no rule takes out.

    Returns:
        Names of rules by node; ``dropped`` for what only the user asked for.
    """
    rules, kept, dropped = choice.rules(), choice.kept_ops(), choice.dropped_ops()
    values = _Values(ir.nodes, edges_in)
    trained: set[str] = set()
    for key, node in ir.nodes.items():
        op = node["op"].lower()
        if node["op_kind"] in ("placeholder", "output") or op in kept or key in stay:
            continue
        inputs = Inputs(edges_in.get(key, ()))
        for edge in inputs.edges:
            inputs.rules.append(values.rule(edge))
            inputs.trained = inputs.trained or edge["source"] in trained
        inputs.trained = inputs.trained or _reads_trained(ir, node)
        if inputs.trained:
            trained.add(key)
        if op in dropped and inputs.edges:
            values.take(key, "dropped", inputs)
            continue
        rule = next((rule for rule in rules if rule.matches(node, inputs)), None)
        if rule is not None:
            values.take(key, rule.name if rule.default else "dropped", inputs)
        else:
            trained.discard(key)
    return values.fates


def _reads_trained(ir: IR, node: Node) -> bool:
    return any(
        fqn in ir.parameters and ir.parameters[fqn]["kind"] == "parameter"
        for fqn in node["parameters"]
    )


class _Values:
    """Says of a value whether it is constant or a size, also behind tuples and identities."""

    def __init__(self, nodes: Mapping[str, Node], edges_in: Mapping[str, Sequence[Edge]]) -> None:
        self.fates: dict[str, str] = {}
        self._nodes = nodes
        self._edges_in = edges_in
        self._rules: dict[str, str] = {}
        self._elements: dict[tuple[str, int], str] = {}

    def take(self, key: str, fate: str, inputs: Inputs) -> None:
        """Notes that a node is taken out, and what its value is."""
        self.fates[key] = fate
        if fate == "constant":
            self._rules[key] = "constant"
        elif fate in ("shape", "assertion"):
            self._rules[key] = "shape"
        elif fate == "identity":
            first = min(range(len(inputs.edges)), key=lambda i: inputs.edges[i]["target_input"])
            self._rules[key] = inputs.rules[first]
        elif fate == "dropped" and all(rule in _TRIVIAL for rule in inputs.rules):
            self._rules[key] = "constant" if "constant" in inputs.rules else "shape"

    def rule(self, edge: Edge) -> str:
        """Gives ``constant`` or ``shape`` if the value of an edge is pruned as such, else ""."""
        key, output = edge["source"], edge["source_output"]
        passed: list[tuple[str, int]] = []
        while self.fates.get(key) in ("pack", "unpack") and (key, output) not in self._elements:
            passed.append((key, output))
            element = element_edge(self._nodes[key], self._edges_in[key], output)
            key, output = element["source"], element["source_output"]
        rule = self._elements.get((key, output)) or self._rules.get(key, "")
        for at in passed:
            self._elements[at] = rule
        return rule
