"""What a pruned node's consumers read once it is gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from visuai.ir import Edge, Node
from visuai.passes.prune_rules import SIZES, input_index

_WIDE = 64
"""A size or constant computed of more values than this stays: joining its edges is no gain."""

Trail = tuple[str, "Trail | None"]  # Ops passed through, the last one first.


class Origin(NamedTuple):
    """A value of a node that stays.

    Attributes:
        source: Id of that node.
        output: Index among its outputs.
        trail: Ops that the value went through since, the last one first, as nested pairs.
        sizes_only: Whether only its size was asked for on the way.
    """

    source: str
    output: int
    trail: Trail | None
    sizes_only: bool

    def ops(self) -> list[str]:
        """Lists the ops of the trail, the first one first."""
        ops: list[str] = []
        trail = self.trail
        while trail is not None:
            ops.append(trail[0])
            trail = trail[1]
        ops.reverse()
        return ops


class Feed(NamedTuple):
    """What a pruned value stands for: values of nodes that stay, and parameters."""

    origins: tuple[Origin, ...]
    parameters: tuple[str, ...]


def element_edge(node: Node, edges: Sequence[Edge], output: int) -> Edge:
    """Gives the edge into a ``pack`` or ``unpack`` that carries its output ``output``.

    Output k of a pack is its k-th input; output k of an unpack is the value ``offset + k`` of
    what it unpacks.

    Args:
        node: The pack or unpack.
        edges: Edges into it, at least one.
        output: Index among its outputs.
    """
    if node["op"] == "pack":
        ordered = sorted(edges, key=input_index)
        return ordered[min(output, len(ordered) - 1)]
    offset = node["attributes"].get("offset")
    wanted = output + (offset if isinstance(offset, int) else 0)
    for edge in edges:
        if edge["source_output"] == wanted:
            return edge
    first = min(edges, key=input_index)
    return {**first, "source_output": wanted}


class Feeds:
    """The feeds of all pruned nodes.

    Args:
        nodes: Nodes in execution order.
        edges_in: Edges into each node.
        fates: The rule that takes each pruned node out. Nodes that turn out to be `wide` are
            taken off it.

    Attributes:
        fates: As given.
        wide: Nodes that stay because they are computed of too many values.
    """

    def __init__(
        self,
        nodes: Mapping[str, Node],
        edges_in: Mapping[str, list[Edge]],
        fates: dict[str, str],
    ) -> None:
        self.fates = fates
        self.wide: set[str] = set()
        self._nodes = nodes
        self._edges_in = edges_in
        self._whole: dict[str, Feed] = {}
        self._elements: dict[tuple[str, int], Feed] = {}
        for key, node in nodes.items():
            rule = fates.get(key)
            if rule is None or rule in ("pack", "unpack"):
                continue
            feed = self._merge(node, rule, edges_in.get(key, ()))
            if rule in ("constant", "shape") and max(map(len, feed)) > _WIDE:
                del fates[key]
                self.wide.add(key)
            else:
                self._whole[key] = feed

    def of(self, edge: Edge) -> Feed:
        """Gives what an edge out of a pruned node stands for."""
        key, output = edge["source"], edge["source_output"]
        passed: list[tuple[str, int]] = []
        prefixes: list[list[str]] = []
        feed = self._elements.get((key, output))
        while feed is None:
            rule = self.fates.get(key)
            if rule not in ("pack", "unpack"):
                feed = self._whole[key] if rule else Feed((Origin(key, output, None, False),), ())
                break
            passed.append((key, output))
            element = element_edge(self._nodes[key], self._edges_in[key], output)
            prefixes.append(element.get("pruned", []))
            key, output = element["source"], element["source_output"]
            feed = self._elements.get((key, output))
        for (holder, index), prefix in zip(reversed(passed), reversed(prefixes), strict=True):
            ops = (*prefix, self._nodes[holder]["op"])
            feed = Feed(tuple(_extend(origin, ops) for origin in feed.origins), feed.parameters)
            self._elements[holder, index] = feed
        return feed

    def _merge(self, node: Node, rule: str, edges: Iterable[Edge]) -> Feed:
        """Gives the feed of a node all of whose outputs stand for the same."""
        op = node["op"]
        own = node["parameters"]
        if not own and node["op_kind"] == "get_attr":
            own = [node["fqn"]]
        parameters = dict.fromkeys(own)
        origins: dict[tuple[str, int], Origin] = {}
        ordered = sorted(edges, key=input_index)
        for index, edge in enumerate(ordered):
            # Of an identity's inputs only the first is the value; the rest say what to cast to.
            sizes_only = rule in ("constant", "shape", "assertion") or (
                rule == "identity" and index > 0
            )
            feed = self._before(edge)
            ops = (*edge.get("pruned", ()), op)
            for origin in feed.origins:
                known = origins.get(origin[:2])
                if known is None or (known.sizes_only and not sizes_only):
                    origins[origin[:2]] = _extend(origin, ops, sizes_only)
            if op not in SIZES:
                parameters.update(dict.fromkeys(feed.parameters))
        return Feed(tuple(origins.values()), tuple(parameters))

    def _before(self, edge: Edge) -> Feed:
        if edge["source"] in self.fates:
            return self.of(edge)
        return Feed((Origin(edge["source"], edge["source_output"], None, False),), ())


def _extend(origin: Origin, ops: Iterable[str], sizes_only: bool = False) -> Origin:
    trail = origin.trail
    for op in ops:
        trail = (op, trail)
    return Origin(origin.source, origin.output, trail, origin.sizes_only or sizes_only)
