"""Recognises scopes of the same structure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from visuai.ir import IR, Edge, Node, TensorSpec
from visuai.topology import Scope

_Shape = tuple[Hashable, ...]


class Structures:
    """Numbers structures, so that equal ones have the same number.

    A structure is a class with its configuration, the ops inside with what they read and
    return, and the edges inside. Names, call numbers and values of weights are no part of it.
    A scope's structure is made of the numbers of its children's, so that each is looked at
    once.

    Args:
        ir: The network.
    """

    __slots__ = ("_numbers", "_parameters", "_specs")

    def __init__(self, ir: IR) -> None:
        self._numbers: dict[_Shape, int] = {}
        self._specs: dict[int, int] = {}
        self._parameters = ir.parameters

    def node(self, node: Node, inputs: int) -> int:
        """Gives the number of a node's structure."""
        return self._number(
            (
                node["op_kind"],
                node["target"],
                node["op"],
                inputs,
                *map(self._spec, node["outputs"]),
                *map(self._parameter, node["parameters"]),
                *node["attributes"].items(),
            )
        )

    def scope(self, scope: Scope, children: list[int], wires: list[int]) -> int:
        """Gives the number of a scope's structure, from those of its children."""
        return self._number((scope.type, scope.config, tuple(children), tuple(sorted(wires))))

    def wire(self, edge: Edge, source: int, target: int) -> int:
        """Gives the number of an edge between two places counted from a scope's start."""
        return self._number(
            (
                source,
                target,
                edge["source_output"],
                edge["target_input"],
                self._spec(edge["spec"]),
                *edge.get("pruned", ()),
            )
        )

    def _number(self, structure: _Shape) -> int:
        return self._numbers.setdefault(structure, len(self._numbers))

    def _spec(self, spec: TensorSpec | None) -> int:
        known = self._specs.get(id(spec))  # The IR keeps the specs alive.
        if known is None:
            known = self._number(() if spec is None else (spec["dtype"], *spec["shape"]))
            self._specs[id(spec)] = known
        return known

    def _parameter(self, fqn: str) -> _Shape:
        parameter = self._parameters.get(fqn)
        if parameter is None:
            return ()
        return (parameter["kind"], parameter["dtype"], *parameter["shape"])


class Repeats:
    """Finds runs of neighbouring scopes with the same structure.

    Only what has a neighbour of the same class, configuration and number of children is looked
    into, and what lies in it.

    Args:
        ir: The network.
        scopes: Scopes by number, parents first.
        parents: Number of the scope around each, -1 for the root.
        numbers: Numbers of the scopes by id.
        homes: For each node, by position, the number of the scope that it lies in.

    Attributes:
        compared: For each scope whether its structure has to be known.
        fan_in: For each node the number of its inputs; to be counted in compared scopes.
    """

    __slots__ = (
        "_members", "_neighbours", "_nodes", "_numbers", "_places", "_scopes", "_starts",
        "_structures", "_wires", "compared", "fan_in",
    )  # fmt: skip

    def __init__(
        self,
        ir: IR,
        scopes: Sequence[Scope],
        parents: Sequence[int],
        numbers: Mapping[str, int],
        homes: Sequence[int],
    ) -> None:
        self._nodes = list(ir.nodes.values())
        self._scopes = scopes
        self._numbers = numbers
        self._members: dict[int, list[int]] = {}  # Of a compared scope: its nodes, by position.
        self._structures = Structures(ir)
        self._neighbours = _neighbours(scopes, parents, numbers)
        self._wires: dict[int, list[int]] = {}
        self._starts = [0] * len(scopes)
        self._places = [0] * len(ir.nodes)
        self.fan_in = [0] * len(ir.nodes)
        self.compared = bytearray(len(scopes))
        for left, right in self._neighbours:
            if _may_equal(scopes[left], scopes[right]):
                self.compared[left] = self.compared[right] = 1
        tops: list[int] = []
        for number in range(1, len(scopes)):
            if self.compared[parents[number]]:
                self.compared[number] = 1
            elif self.compared[number]:
                tops.append(number)
        if tops:
            for position, home in enumerate(homes):
                if self.compared[home]:
                    self._members.setdefault(home, []).append(position)
        for top in tops:
            self._number_inside(top)

    def _number_inside(self, top: int) -> None:
        """Numbers the nodes in a scope so that those in a scope within follow one another."""
        place = 0
        scopes, numbers, members = self._scopes, self._numbers, self._members
        waiting = [(iter(scopes[top].children), iter(members.get(top, ())))]
        while waiting:
            children, positions = waiting[-1]
            for child in children:
                number = numbers.get(child)
                if number is not None:
                    self._starts[number] = place
                    waiting.append((iter(scopes[number].children), iter(members.get(number, ()))))
                    break
                self._places[next(positions)] = place
                place += 1
            else:
                waiting.pop()

    def wire(self, level: int, edge: Edge, source: int, target: int) -> None:
        """Takes down an edge that leads from one child of the compared scope to another.

        Args:
            level: Number of the scope.
            edge: The edge.
            source: Position of its source.
            target: Position of its target.
        """
        start = self._starts[level]
        wire = self._structures.wire(
            edge, self._places[source] - start, self._places[target] - start
        )
        self._wires.setdefault(level, []).append(wire)

    def mark(self) -> None:
        """Sets `Scope.repeat`, once all edges are taken down."""
        scopes, numbers, structures = self._scopes, self._numbers, self._structures
        known: dict[int, int] = {}
        for number in range(len(scopes) - 1, 0, -1):
            if not self.compared[number]:
                continue
            scope = scopes[number]
            inside: list[int] = []
            positions = iter(self._members.get(number, ()))
            for child in scope.children:
                within = numbers.get(child)
                if within is None:
                    position = next(positions)
                    fan_in = self.fan_in[position]
                    inside.append(structures.node(self._nodes[position], fan_in))
                else:
                    inside.append(known[within])
            known[number] = structures.scope(scope, inside, self._wires.get(number, []))
        firsts: dict[int, int] = {}  # Of a scope in a run: the one that it starts with.
        for left, right in self._neighbours:
            if left in known and known[left] == known.get(right):
                firsts[right] = first = firsts.get(left, left)
                scopes[first].repeat += 1
                scopes[right].repeat = 0


def _neighbours(
    scopes: Sequence[Scope], parents: Sequence[int], numbers: Mapping[str, int]
) -> list[tuple[int, int]]:
    """Lists the scopes that directly follow one another in the scope around them."""
    families = bytearray(len(scopes))  # How many scopes lie in each: 0, 1, or more.
    for parent in parents[1:]:
        families[parent] = min(families[parent] + 1, 2)
    neighbours: list[tuple[int, int]] = []
    for scope, size in zip(scopes, families, strict=True):
        if size < 2:
            continue
        before: int | None = None
        for child in scope.children:
            number = numbers.get(child)
            if before is not None and number is not None:
                neighbours.append((before, number))
            before = number
    return neighbours


def _may_equal(left: Scope, right: Scope) -> bool:
    return (
        len(left.children) == len(right.children)
        and left.type == right.type
        and left.config == right.config
    )
