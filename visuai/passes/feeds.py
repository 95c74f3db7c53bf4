"""What a pruned node's consumers read once it is gone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from visuai.passes.order import Wiring
from visuai.passes.prune_rules import SIZES

_WIDE = 64
"""A size or constant computed of more values than this stays: joining its edges is no gain."""

Trail = tuple[str, "Trail | None"]  # Ops passed through, the last one first.


class Origin(NamedTuple):
    """A value of a node that stays.

    Attributes:
        source: Position of that node.
        output: Index among its outputs.
        trail: Ops that the value went through since, the last one first, as nested pairs.
        sizes_only: Whether only its size was asked for on the way.
    """

    source: int
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


def first_input(wiring: Wiring, position: int) -> int:
    """Gives the edge that is the first input of a node that has one, as an index."""
    return min(wiring.into(position), key=lambda index: wiring.edges[index]["target_input"])


def element(wiring: Wiring, position: int, output: int) -> tuple[int, int]:
    """Gives the edge into a ``pack`` or ``unpack`` that carries its output ``output``.

    Output k of a pack is its k-th input; output k of an unpack is the value ``offset + k`` of
    what it unpacks.

    Args:
        wiring: Nodes and edges.
        position: The pack or unpack, which has at least one input.
        output: Index among its outputs.

    Returns:
        The edge, as an index, and the output of its source that is the value.
    """
    node, edges = wiring.nodes[position], wiring.edges
    if node["op"] == "pack":
        ordered = _ordered(wiring, position)
        index = ordered[min(output, len(ordered) - 1)]
        return index, edges[index]["source_output"]
    offset = node["attributes"].get("offset")
    wanted = output + (offset if isinstance(offset, int) else 0)
    for index in wiring.into(position):
        if edges[index]["source_output"] == wanted:
            return index, wanted
    return first_input(wiring, position), wanted


def _ordered(wiring: Wiring, position: int) -> Sequence[int]:
    """Gives the edges into a node by input."""
    into = wiring.into(position)
    if len(into) < 2:
        return into
    return sorted(into, key=lambda index: wiring.edges[index]["target_input"])


class Feeds:
    """The feeds of all pruned nodes, which go by position.

    Args:
        wiring: Nodes and edges.
        fates: The rule that takes each pruned node out. Nodes that turn out to be `wide` are
            taken off it.

    Attributes:
        fates: As given.
        wide: Nodes that stay because they are computed of too many values.
    """

    def __init__(self, wiring: Wiring, fates: dict[int, str]) -> None:
        self.fates = fates
        self.wide: set[int] = set()
        self._wiring = wiring
        self._whole: dict[int, Feed] = {}
        self._elements: dict[tuple[int, int], Feed] = {}
        for position in sorted(fates):
            rule = fates[position]
            if rule in ("pack", "unpack"):
                continue
            feed = self._merge(position, rule)
            if rule in ("constant", "shape") and max(map(len, feed)) > _WIDE:
                del fates[position]
                self.wide.add(position)
            else:
                self._whole[position] = feed

    def of(self, index: int) -> Feed:
        """Gives what an edge out of a pruned node stands for."""
        edges, sources = self._wiring.edges, self._wiring.sources
        position, output = sources[index], edges[index]["source_output"]
        passed: list[tuple[int, int]] = []
        prefixes: list[list[str]] = []
        feed = self._elements.get((position, output))
        while feed is None:
            rule = self.fates.get(position)
            if rule not in ("pack", "unpack"):
                feed = self._whole[position] if rule else _plain(position, output)
                break
            passed.append((position, output))
            index, output = element(self._wiring, position, output)
            prefixes.append(edges[index].get("pruned", []))
            position = sources[index]
            feed = self._elements.get((position, output))
        for (holder, number), prefix in zip(reversed(passed), reversed(prefixes), strict=True):
            ops = (*prefix, self._wiring.nodes[holder]["op"])
            feed = Feed(tuple(_extend(origin, ops) for origin in feed.origins), feed.parameters)
            self._elements[holder, number] = feed
        return feed

    def _merge(self, position: int, rule: str) -> Feed:
        """Gives the feed of a node all of whose outputs stand for the same."""
        wiring = self._wiring
        node = wiring.nodes[position]
        op = node["op"]
        own = node["parameters"]
        if not own and node["op_kind"] == "get_attr":
            own = [node["fqn"]]
        parameters = dict.fromkeys(own)
        origins: dict[tuple[int, int], Origin] = {}
        for place, index in enumerate(_ordered(wiring, position)):
            # Of an identity's inputs only the first is the value; the rest say what to cast to.
            sizes_only = rule in ("constant", "shape", "assertion") or (
                rule == "identity" and place > 0
            )
            edge, source = wiring.edges[index], wiring.sources[index]
            pruned = source in self.fates
            feed = self.of(index) if pruned else _plain(source, edge["source_output"])
            ops = (*edge.get("pruned", ()), op)
            for origin in feed.origins:
                known = origins.get(origin[:2])
                if known is None or (known.sizes_only and not sizes_only):
                    origins[origin[:2]] = _extend(origin, ops, sizes_only)
            if op not in SIZES:
                parameters.update(dict.fromkeys(feed.parameters))
        return Feed(tuple(origins.values()), tuple(parameters))


def _plain(source: int, output: int) -> Feed:
    return Feed((Origin(source, output, None, False),), ())


def _extend(origin: Origin, ops: Iterable[str], sizes_only: bool = False) -> Origin:
    trail = origin.trail
    for op in ops:
        trail = (op, trail)
    return Origin(origin.source, origin.output, trail, origin.sizes_only or sizes_only)
