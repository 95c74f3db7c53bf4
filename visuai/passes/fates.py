"""Decides which rule takes which node out."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from visuai.ir import IR, Node
from visuai.passes.feeds import element
from visuai.passes.order import Wiring
from visuai.passes.prune_rules import RULES, Inputs, Rule, is_named

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


def decide(ir: IR, wiring: Wiring, choice: Choice, stay: Collection[int] = ()) -> dict[int, str]:
    """Gives the rule that takes each node out, for the nodes that one does.

    Args:
        ir: The network, its nodes in execution order.
        wiring: Its nodes and edges by position.
        choice: What the user wants.
        stay: Nodes that no rule takes out.

    Returns:
        Names of rules by the positions of nodes; ``dropped`` for what only the user asked for.
    """
    rules, kept, dropped = choice.rules(), choice.kept_ops(), choice.dropped_ops()
    values = _Values(wiring)
    fates, feeding = values.fates, wiring.feeding
    trained: set[int] = set()
    lower: dict[str, str] = {}
    named: dict[str, bool] = {}  # Whether the op alone may be why its node goes.
    gone = fates.keys()
    for position, node in enumerate(wiring.nodes):
        op = node["op"]
        if op not in named:
            lower[op] = op.lower()
            named[op] = lower[op] in dropped or is_named(op)
        if (
            not named[op]
            and node["op_kind"] != "get_attr"
            and any(node["outputs"])
            and gone.isdisjoint(feeding(position))
        ):
            continue  # Most nodes: no need to ask each rule.
        op = lower[op]
        if node["op_kind"] in ("placeholder", "output") or op in kept or position in stay:
            continue
        into = wiring.into(position)
        inputs = Inputs(
            [wiring.edges[index] for index in into],
            [values.rule(index) for index in into],
            not trained.isdisjoint(feeding(position)) or _reads_trained(ir, node),
        )
        fate = "dropped" if op in dropped and inputs.edges else _fate(rules, node, inputs)
        if not fate:
            continue
        if inputs.trained:
            trained.add(position)
        values.take(position, fate, inputs)
    return fates


def _fate(rules: Iterable[Rule], node: Node, inputs: Inputs) -> str:
    for rule in rules:
        if rule.matches(node, inputs):
            return rule.name if rule.default else "dropped"
    return ""


def _reads_trained(ir: IR, node: Node) -> bool:
    return any(
        fqn in ir.parameters and ir.parameters[fqn]["kind"] == "parameter"
        for fqn in node["parameters"]
    )


class _Values:
    """Says of a value whether it is constant or a size, also behind tuples and identities."""

    def __init__(self, wiring: Wiring) -> None:
        self.fates: dict[int, str] = {}
        self._wiring = wiring
        self._rules: dict[int, str] = {}
        self._elements: dict[tuple[int, int], str] = {}

    def take(self, position: int, fate: str, inputs: Inputs) -> None:
        """Notes that a node is taken out, and what its value is."""
        self.fates[position] = fate
        if fate == "constant":
            self._rules[position] = "constant"
        elif fate in ("shape", "assertion"):
            self._rules[position] = "shape"
        elif fate == "identity":
            first = min(range(len(inputs.edges)), key=lambda i: inputs.edges[i]["target_input"])
            self._rules[position] = inputs.rules[first]
        elif fate == "dropped" and all(rule in _TRIVIAL for rule in inputs.rules):
            self._rules[position] = "constant" if "constant" in inputs.rules else "shape"

    def rule(self, index: int) -> str:
        """Gives ``constant`` or ``shape`` if the value of an edge is pruned as such, else ""."""
        position = self._wiring.sources[index]
        if position not in self.fates:
            return ""
        output = self._wiring.edges[index]["source_output"]
        passed: list[tuple[int, int]] = []
        while (
            self.fates.get(position) in ("pack", "unpack")
            and (position, output) not in self._elements
        ):
            passed.append((position, output))
            index, output = element(self._wiring, position, output)
            position = self._wiring.sources[index]
        rule = self._elements.get((position, output)) or self._rules.get(position, "")
        for at in passed:
            self._elements[at] = rule
        return rule
