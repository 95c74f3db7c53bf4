"""Matches the nodes of two networks by structure first and by name last.

Rounds go from strict to lax. In each, nodes are alike if they have the same label and

1. the same place in blocks of one name that are the same inside;
2. the same past: everything that leads to them is alike;
3. the same future: everything that they lead to is alike;
4. the same surroundings, three edges deep;
5. or stand at the same end of an edge whose other ends are matched already.

The label is at first all that a node does; then without the shapes of activations (another
batch size); then without its configuration (a wider layer). Past and future are single numbers
made in one sweep, so that each round is linear in the number of edges. What is left is matched
where it stands between the same nodes or has kept its name, and what stands between those, too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

from visuai.analysis.repeats import block_kinds
from visuai.topology import Topology

Label = Callable[[Topology, str], Hashable]
_Link = tuple[int, int, str]
_DEPTH = 3


class Matching:
    """A one-to-one matching of the nodes of two topologies.

    Args:
        a: One topology.
        b: The other.

    Attributes:
        forward: Node of ``a`` to node of ``b``, for those that are matched.
        backward: The same, the other way.
    """

    def __init__(self, a: Topology, b: Topology) -> None:
        self.forward: dict[str, str] = {}
        self.backward: dict[str, str] = {}
        self._sides = _Side(a), _Side(b)
        for label in (_everything, _without_shapes, _only_op):
            if not self._complete():
                self._round(label)
        self._by_place()
        self._by_name()
        if not self._complete():  # What stands between two that kept their names.
            self._spread(*self._labels(_only_op, _Numbers()), list(self.forward.items()))
            self._by_place()

    def add(self, one: str, other: str) -> None:
        """Matches two nodes that are not matched yet."""
        self.forward[one] = other
        self.backward[other] = one

    def _complete(self) -> bool:
        return len(self.forward) == min(len(side.order) for side in self._sides)

    def _labels(
        self, label: Label, number: Callable[[Hashable], int]
    ) -> tuple[dict[str, int], dict[str, int]]:
        left, right = (
            {key: number(label(side.topology, key)) for key in side.order} for side in self._sides
        )
        return left, right

    def _round(self, label: Label) -> None:
        number = _Numbers()
        labels = self._labels(label, number)
        self._blocks(labels[0], labels[1], number)
        if self._complete():
            return
        for past in (True, False):
            merkle = [
                side.sweep(one, number, past) for side, one in zip(self._sides, labels, strict=True)
            ]
            self._alike(merkle[0], merkle[1], all_of_them=False)
        around = [
            side.surroundings(one, number) for side, one in zip(self._sides, labels, strict=True)
        ]
        self._alike(around[0], around[1], all_of_them=True)
        self._spread(labels[0], labels[1], list(self.forward.items()))

    def _blocks(
        self, a: dict[str, int], b: dict[str, int], number: Callable[[Hashable], int]
    ) -> None:
        """Matches all that is in blocks of one name that are the same inside."""
        left, right = (side.topology.scopes for side in self._sides)
        kinds = [
            block_kinds(side.topology, labels, number)
            for side, labels in zip(self._sides, (a, b), strict=True)
        ]
        covered: set[str] = set()
        for key in left:
            if key in covered or key not in right or kinds[0][key] != kinds[1][key]:
                continue
            waiting = [(key, key)]
            while waiting:
                one, other = waiting.pop()
                if one in left:
                    covered.add(one)
                    waiting += zip(left[one].children, right[other].children, strict=True)
                elif one not in self.forward and other not in self.backward:
                    self.add(one, other)

    def _alike(self, a: dict[str, int], b: dict[str, int], *, all_of_them: bool) -> None:
        """Matches nodes of one number: those of one name, then the rest in order.

        Args:
            a: Numbers of the nodes of one side.
            b: Numbers of the nodes of the other.
            all_of_them: Whether the rest is matched only if as many are left on both sides.
        """
        groups: dict[int, tuple[list[str], list[str]]] = {}
        for side, (values, done) in enumerate(((a, self.forward), (b, self.backward))):
            for key, value in values.items():
                if key not in done:
                    groups.setdefault(value, ([], []))[side].append(key)
        for left, right in groups.values():
            names = set(right)
            for key in left:
                if key in names:
                    self.add(key, key)
            left = [key for key in left if key not in self.forward]
            right = [key for key in right if key not in self.backward]
            if len(left) == len(right) or not all_of_them:
                for one, other in zip(left, right, strict=False):
                    self.add(one, other)

    def _spread(
        self, a: dict[str, int], b: dict[str, int], pairs: Iterable[tuple[str, str]]
    ) -> None:
        """Follows edges from matched nodes to nodes of one label at the same place."""
        waiting = deque(pairs)
        left, right = self._sides
        while waiting:
            one, other = waiting.popleft()
            for here, there in (
                (left.before[one], right.before[other]),
                (left.after[one], right.after[other]),
            ):
                free: dict[tuple[int, int, int], deque[str]] = {}
                for output, place, key in there:
                    if key not in self.backward:
                        free.setdefault((output, place, b[key]), deque()).append(key)
                for output, place, key in here:
                    candidates = free.get((output, place, a[key]))
                    if key in self.forward or not candidates:
                        continue
                    found = candidates.popleft()
                    if found not in self.backward:
                        self.add(key, found)
                        waiting.append((key, found))

    def _by_name(self) -> None:
        """Matches what has kept its name: a node whose op was replaced."""
        left, right = self._sides
        for key in left.order:
            if key in self.forward or key in self.backward or key not in right.before:
                continue
            one, other = (side.topology.graph.nodes[key] for side in self._sides)
            if one["op_kind"] == other["op_kind"] and (one["fqn"] or one["category"] == "io"):
                self.add(key, key)  # names of functions only count them

    def _by_place(self) -> None:
        """Matches a node that stands between the same nodes as one on the other side."""
        left, right = self._sides
        places = {right.place(key): key for key in right.order if key not in self.backward}
        for key in left.order:
            if key in self.forward:
                continue
            befores, afters = (
                tuple((o, p, self.forward.get(other, "")) for o, p, other in links)
                for links in left.place(key)
            )
            if not befores or not afters:
                continue
            found = places.get((befores, afters))
            if found is not None and found not in self.backward:
                self.add(key, found)


class _Numbers:
    """Gives each key a number of its own."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}

    def __call__(self, key: Hashable) -> int:
        return self._numbers.setdefault(key, len(self._numbers))


class _Side:
    """A topology's edges as lists, in the order of arguments."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.order: list[str] = list(topology.graph)
        self.before: dict[str, list[_Link]] = {key: [] for key in self.order}
        self.after: dict[str, list[_Link]] = {key: [] for key in self.order}
        for source, target, data in topology.graph.edges(data=True):
            output, place = int(data["source_output"]), int(data["target_input"])
            self.before[target].append((output, place, source))
            self.after[source].append((output, place, target))
        for links in self.before.values():
            links.sort(key=_argument)

    def place(self, key: str) -> tuple[tuple[_Link, ...], tuple[_Link, ...]]:
        return tuple(self.before[key]), tuple(self.after[key])

    def sweep(
        self, labels: dict[str, int], number: Callable[[Hashable], int], past: bool
    ) -> dict[str, int]:
        """Numbers each node by its label and all that comes before it, or after it."""
        order: Sequence[str] = self.order if past else self.order[::-1]
        links = self.before if past else self.after
        made: dict[str, int] = {}
        for key in order:
            seen = [(output, place, made.get(other, -1)) for output, place, other in links[key]]
            made[key] = number((labels[key], past, tuple(seen if past else sorted(seen))))
        return made

    def surroundings(
        self, labels: dict[str, int], number: Callable[[Hashable], int]
    ) -> dict[str, int]:
        """Numbers each node by its label and those of what is near."""
        current = labels
        for _ in range(_DEPTH):
            current = {
                key: number(
                    (
                        current[key],
                        tuple((o, p, current[other]) for o, p, other in self.before[key]),
                        tuple(sorted((o, p, current[other]) for o, p, other in self.after[key])),
                    )
                )
                for key in self.order
            }
        return current


def _argument(link: _Link) -> int:
    return link[1]


def _everything(topology: Topology, key: str) -> Hashable:
    return _without_shapes(topology, key), repr(topology.graph.nodes[key]["outputs"])


def _without_shapes(topology: Topology, key: str) -> Hashable:
    data: dict[str, Any] = topology.graph.nodes[key]
    read = [topology.parameters.get(name) for name in data["parameters"]]
    shapes = [None if held is None else (held["shape"], held["dtype"]) for held in read]
    return kind_of(data), data["op"], repr(data["attributes"]), repr(shapes)


def _only_op(topology: Topology, key: str) -> Hashable:
    data: dict[str, Any] = topology.graph.nodes[key]
    return kind_of(data), data["op"]


def kind_of(data: Mapping[str, Any]) -> str:
    """Gives a node's op kind; a method of a tensor is the function that it spells.

    Routes see ``x += y`` as one or the other, and it is the same op.
    """
    return "call_function" if data["op_kind"] == "call_method" else data["op_kind"]
