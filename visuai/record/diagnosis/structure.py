"""What the rules need to know of the network: order, kinds of parameters, what follows what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from visuai.record.subject import Subject

if TYPE_CHECKING:
    from visuai.topology import Topology

RELUS = frozenset({"relu", "relu_", "relu6", "threshold", "threshold_"})
"""Ops that give exactly zero, with a gradient of zero, for all inputs below a limit."""

_PASSING = frozenset({"shape", "dropout", "norm", "pool"})
"""Categories of ops that a value passes through without a change of its units' kind."""

_FANNED = ("Linear", "Conv1d", "Conv2d", "Conv3d", "Bilinear", "RNN", "LSTM", "GRU")


@dataclass(frozen=True)
class Follows:
    """What comes after a module with parameters.

    Attributes:
        op: Name of the first op that is no normalisation, dropout or reshaping, lower case.
        normalised: Whether there is a normalisation before it.
    """

    op: str
    normalised: bool


class Structure:
    """The parameters of a run, in the order in which the network uses them.

    Args:
        parameters: All parameters recorded, in the order of the model.
        topology: The network, if it was captured.

    Attributes:
        parameters: Parameters by FQN, in execution order; those that the network does not use
            (or all, if it was not captured) come last, in the order of the model.
        unused: FQNs of those that no op of the captured network reads.
    """

    def __init__(self, parameters: Mapping[str, Subject], topology: Topology | None) -> None:
        self._topology = topology
        names = {alias: name for name, each in parameters.items() for alias in each.aliases}
        names |= {name: name for name in parameters}
        self._readers: dict[str, str] = {}
        for node, reads in _reads(topology):
            for each in reads:
                if each in names:
                    self._readers.setdefault(names[each], node)
        rest = [name for name in parameters if name not in self._readers]
        self.parameters = {name: parameters[name] for name in (*self._readers, *rest)}
        self.unused = frozenset(rest) if self._readers else frozenset[str]()

    @cached_property
    def weights(self) -> tuple[str, ...]:
        """FQNs of weights proper, in execution order: no biases, gains or lookup tables.

        Gradients of lookup tables are mostly zeros, those of biases before a normalisation or
        of keys in attention are zero but for rounding: neither tells of the flow of gradients.
        """
        return tuple(name for name, subject in self.parameters.items() if is_weight(subject))

    def fan_in(self, name: str) -> int | None:
        """Gives how many inputs each unit of a weight has, None if it is not known for sure."""
        subject = self.parameters[name]
        kind = subject.type.rpartition(".")[2]
        if kind not in _FANNED or not is_weight(subject) or subject.name.endswith("_hr_l0"):
            return None
        size = 1
        for each in subject.shape[1:]:
            size *= each
        return size

    def fan_out(self, name: str) -> int:
        """Gives how many outputs each input of a weight has."""
        shape = self.parameters[name].shape
        size = shape[0]
        for each in shape[2:]:
            size *= each
        return size

    def follows(self, name: str) -> Follows | None:
        """Tells what comes after the op that reads a parameter; None if it is not known."""
        topology, node = self._topology, self._readers.get(name)
        if topology is None or node is None:
            return None
        normalised = topology.graph.nodes[node]["category"] == "norm"
        seen: set[str] = set()
        while node not in seen:
            seen.add(node)
            successors = list(dict.fromkeys(topology.graph.successors(node)))
            if len(successors) != 1:
                return Follows("", normalised)
            (node,) = successors
            attributes = topology.graph.nodes[node]
            if attributes["category"] not in _PASSING:
                return Follows(str(attributes["op"]).lower(), normalised)
            normalised |= attributes["category"] == "norm"
        return None

    def feeding(self, module: str) -> str:
        """Gives the first parameter of what feeds a module, "" if it is not known."""
        topology, node = self._topology, self._nodes.get(module)
        if topology is None or node is None:
            return ""
        for _ in range(16):
            predecessors = list(dict.fromkeys(topology.graph.predecessors(node)))
            if len(predecessors) != 1:
                return ""
            (node,) = predecessors
            reads = topology.graph.nodes[node]["parameters"]
            if reads:
                return str(reads[0])
        return ""

    def gates(self, module: str) -> bool:
        """Tells whether a product with another value comes right after a module."""
        topology, node = self._topology, self._nodes.get(module)
        if topology is None or node is None:
            return False
        return any(
            str(topology.graph.nodes[each]["op"]).lower() in ("mul", "mul_", "imul")
            for each in topology.graph.successors(node)
        )

    @cached_property
    def _nodes(self) -> dict[str, str]:
        """The first node of each module that is one node."""
        nodes: dict[str, str] = {}
        if self._topology is not None:
            for node, attributes in self._topology.graph.nodes(data=True):
                if attributes["op_kind"] == "call_module":
                    nodes.setdefault(attributes["fqn"], node)
        return nodes

    @cached_property
    def heads(self) -> frozenset[str]:
        """FQNs of modules after which no op with parameters comes."""
        topology = self._topology
        if topology is None:
            return frozenset()
        before: set[str] = set()
        heads: set[str] = set()
        for node in reversed(list(topology.graph)):
            attributes = topology.graph.nodes[node]
            followed = any(
                each in before or topology.graph.nodes[each]["parameters"]
                for each in topology.graph.successors(node)
            )
            if followed:
                before.add(node)
            elif attributes["fqn"]:
                heads.add(attributes["fqn"])
        return frozenset(heads)

    @cached_property
    def module_order(self) -> dict[str, int]:
        """The place of each called module in execution order."""
        order: dict[str, int] = {}
        if self._topology is not None:
            for node, attributes in self._topology.graph.nodes(data=True):
                order.setdefault(attributes["fqn"] or node, len(order))
        return order

    @cached_property
    def batch(self) -> int | None:
        """First size of the network's first input, if it is known."""
        if self._topology is None or not self._topology.inputs:
            return None
        outputs = self._topology.graph.nodes[self._topology.inputs[0]]["outputs"]
        shape: Sequence[object] = outputs[0]["shape"] if outputs and outputs[0] else ()
        return shape[0] if shape and type(shape[0]) is int else None


def is_weight(subject: Subject) -> bool:
    """Tells weights proper from biases, gains, tokens and lookup tables."""
    kind = subject.type.rpartition(".")[2]
    large = [size for size in subject.shape if size > 1]
    return (
        len(subject.shape) >= 2
        and len(large) >= 1
        and not (
            "Embedding" in kind
            or "Norm" in kind
            or subject.name.rpartition(".")[2].startswith("bias")
        )
    )


def _reads(topology: Topology | None) -> list[tuple[str, list[str]]]:
    if topology is None:
        return []
    return [
        (node, list(attributes["parameters"]))
        for node, attributes in topology.graph.nodes(data=True)
    ]
