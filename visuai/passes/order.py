"""Positions in an IR, and the check that they can be relied on."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, compress, islice
from operator import ge, gt

from visuai.errors import PassError
from visuai.ir import IR, Edge, Node

Positions = Sequence[int]
"""Positions, four bytes each: a list takes forty, and to read it is to wait for each of them."""


def edge_ends(nodes: Iterable[str], edges: Sequence[Edge]) -> tuple[Positions, Positions]:
    """Gives the positions of the sources and of the targets of edges.

    Most edges are listed by target, and come from the node before it: two comparisons tell so,
    where a look into a table of a million names has to wait for memory.

    Args:
        nodes: Keys of the nodes.
        edges: Edges between them.

    Raises:
        PassError: If an edge names a node that is not there.
    """
    keys: list[str | None] = [*nodes, None, None]
    sources, targets = array("i"), array("i")
    far: dict[int, str] = {}  # Names of the other sources, by the index of the edge.
    places: dict[str | None, int] = {}
    position = 0
    try:
        for index, edge in enumerate(edges):
            source, target = edge["source"], edge["target"]
            if keys[position] != target:
                position += 1
                if keys[position] != target:
                    places = places or _places(keys, {edge["target"] for edge in edges})
                    position = places[target]
            before = position - 1
            if keys[before] != source:
                far[index] = source
            sources.append(before)
            targets.append(position)
        places = _places(keys, {*far.values()})
        for index, source in far.items():
            sources[index] = places[source]
    except KeyError as error:
        name = error.args[0]
        edge = next(edge for edge in edges if name in (edge["source"], edge["target"]))
        raise PassError(
            f"An edge names node {name!r}, which is not there: {edge!r}. "
            "visuai.ir.validate checks an IR."
        ) from None
    return sources, targets


def _places(keys: Sequence[str | None], wanted: set[str]) -> dict[str | None, int]:
    """Gives the positions of the wanted keys."""
    return {key: position for position, key in enumerate(keys) if key in wanted}


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

    __slots__ = ("_feeding", "_order", "_starts", "edges", "nodes", "sources", "targets")

    def __init__(self, nodes: Mapping[str, Node], edges: Sequence[Edge]) -> None:
        self.sources, self.targets = edge_ends(nodes, edges)
        self.nodes = list(nodes.values())
        self.edges = edges
        backward = next(compress(edges, map(ge, self.sources, self.targets)), None)
        if backward is not None:
            raise PassError(
                f"The nodes are not in execution order: {backward['source']!r} feeds "
                f"{backward['target']!r}, but comes after it. Sort IR.nodes topologically."
            )
        # Edges by target: mostly they are listed so anyway.
        self._order: Sequence[int] = range(len(edges))
        self._feeding = self.sources
        if any(map(gt, self.targets, islice(self.targets, 1, None))):
            self._order = sorted(self._order, key=self.targets.__getitem__)
            self._feeding = array("i", map(self.sources.__getitem__, self._order))
        counts = array("i", bytes(4 * (len(nodes) + 1)))
        for target in self.targets:
            counts[target + 1] += 1
        self._starts = array("i", accumulate(counts))

    def into(self, position: int) -> Sequence[int]:
        """Gives the edges into a node, as indices in `edges`, in the order of `edges`."""
        return self._order[self._starts[position] : self._starts[position + 1]]

    def feeding(self, position: int) -> Positions:
        """Gives the positions of the nodes that feed a node, one for each edge into it."""
        return self._feeding[self._starts[position] : self._starts[position + 1]]


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
