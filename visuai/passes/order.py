"""Positions in an IR, and the check that they can be relied on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, islice
from operator import gt

from visuai.errors import PassError
from visuai.ir import IR, Edge, Node


class Wiring:
    """The edges of an IR by the positions of their ends: numbers, where an `Edge` has names.

    Attributes:
        nodes: Nodes in execution order.
        edges: The edges, as the IR lists them.
        sources: For each edge the position of its source.
        targets: For each edge the position of its target.

    Raises:
        PassError: If an edge runs against the order of the nodes, or names one that is not
            there.
    """

    __slots__ = ("_order", "_starts", "edges", "nodes", "sources", "targets")

    def __init__(self, nodes: Mapping[str, Node], edges: Sequence[Edge]) -> None:
        positions = dict(zip(nodes, range(len(nodes)), strict=True))
        try:
            self.sources = [positions[edge["source"]] for edge in edges]
            self.targets = [positions[edge["target"]] for edge in edges]
        except KeyError as error:
            missing = error.args[0]
            edge = next(edge for edge in edges if missing in (edge["source"], edge["target"]))
            raise PassError(
                f"An edge names node {missing!r}, which is not there: {edge!r}. "
                "visuai.ir.validate checks an IR."
            ) from None
        self.nodes = list(nodes.values())
        self.edges = edges
        for source, target, edge in zip(self.sources, self.targets, edges, strict=True):
            if source >= target:
                raise PassError(
                    f"The nodes are not in execution order: {edge['source']!r} feeds "
                    f"{edge['target']!r}, but comes after it. Sort IR.nodes topologically."
                )
        # Edges by target: mostly they are listed so anyway.
        self._order: Sequence[int] = range(len(edges))
        if any(map(gt, self.targets, islice(self.targets, 1, None))):
            self._order = sorted(self._order, key=self.targets.__getitem__)
        counts = [0] * (len(nodes) + 1)
        for target in self.targets:
            counts[target + 1] += 1
        self._starts = list(accumulate(counts))

    def into(self, position: int) -> Sequence[int]:
        """Gives the edges into a node, as indices in `edges`, in the order of `edges`."""
        return self._order[self._starts[position] : self._starts[position + 1]]


def module_positions(ir: IR) -> dict[str, int]:
    """Gives the place of each module, the root's being 0.

    Raises:
        PassError: If the root is not first, or a module comes before its parent.
    """
    positions: dict[str, int] = {}
    for index, (key, module) in enumerate(ir.modules.items()):
        parent = module["parent"]
        if (parent is None) != (index == 0) or (index == 0 and key != ""):
            raise PassError(
                f"Module {key!r} at place {index} has parent {parent!r}; expected the root '' "
                "first, and only the root without a parent."
            )
        if parent is not None and parent not in positions:
            raise PassError(
                f"Module {key!r} comes before its parent {parent!r}. List parents first in "
                "IR.modules."
            )
        positions[key] = index
    return positions
