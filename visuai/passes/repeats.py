"""Recognises scopes of the same structure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

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

    __slots__ = ("_ir", "_numbers", "_parameters", "_specs")

    def __init__(self, ir: IR) -> None:
        self._ir = ir
        self._numbers: dict[_Shape, int] = {}
        self._specs: dict[int, int] = {}
        self._parameters: dict[str, int] = {}

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

    def _parameter(self, fqn: str) -> int:
        known = self._parameters.get(fqn)
        if known is None:
            parameter = self._ir.parameters.get(fqn)
            known = self._number(
                (parameter["kind"], parameter["dtype"], *parameter["shape"]) if parameter else ()
            )
            self._parameters[fqn] = known
        return known


def mark_runs(scopes: Mapping[str, Scope], structures: Mapping[str, int]) -> None:
    """Sets `Scope.repeat` for runs of neighbouring scopes with the same structure.

    Args:
        scopes: Scopes by id.
        structures: Number of the structure of each.
    """
    for scope in scopes.values():
        first: Scope | None = None
        current = -1
        for child in scope.children:
            structure = structures.get(child, -1)
            if first is not None and structure == current:
                first.repeat += 1
                scopes[child].repeat = 0
            else:
                first = scopes.get(child)
                current = structure
