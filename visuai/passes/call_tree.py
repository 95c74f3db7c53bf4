"""The tree of module calls that an IR's nodes lie in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from visuai.ir import IR
from visuai.passes.lineage import Lineage
from visuai.passes.placement import Placement

NodeEdge = tuple[int, int]
"""Positions of an edge's source and target in the order of execution."""


class Box(NamedTuple):
    """One call of a module, or a container around calls.

    Attributes:
        fqn: The module.
        call: Which call of it, None if not known.
        bare: Whether the module is not called itself but only holds others (``ModuleList``).
        leaf: Whether it is drawn as one node.
    """

    fqn: str
    call: int | None
    bare: bool = False
    leaf: bool = False


ROOT = Box("", 0)


@dataclass(slots=True)
class CallTree:
    """Boxes by number, each after its parent; box 0 is the root.

    Attributes:
        boxes: What each box is.
        parents: Number of the box around each box, -1 for the root.
        homes: For each node, by position in execution order, the box that it lies in.
    """

    boxes: list[Box] = field(default_factory=lambda: [ROOT])
    parents: list[int] = field(default_factory=lambda: [-1])
    homes: list[int] = field(default_factory=list[int])

    def add(self, box: Box, parent: int) -> int:
        """Adds a box and gives its number."""
        self.boxes.append(box)
        self.parents.append(parent)
        return len(self.boxes) - 1

    def in_sequence(self) -> bool:
        """Tells whether no box is entered again once it was left.

        Boxes are then intervals of the execution, and edges, which go forward in it, make no
        cycle between them on any level.
        """
        depth = Lineage(self.parents).depth
        parents = self.parents
        left = bytearray(len(self.boxes))
        current = 0
        for home in self.homes:
            if home == current:
                continue
            entered = home
            while current != entered:
                if depth[current] >= depth[entered]:
                    left[current] = 1
                    current = parents[current]
                elif left[entered]:
                    return False
                else:
                    entered = parents[entered]
            current = home
            if left[home]:
                return False
        return True


def call_tree(ir: IR) -> CallTree:
    """Reads off an IR which node lies in which call of which module.

    Raises:
        PassError: If the modules are not listed from the root down.
    """
    return _Planter(ir).plant()


_Key = tuple[str, str, "int | None"]  # Module of a box; module called, and which call of it.


class _Planter:
    def __init__(self, ir: IR) -> None:
        self._ir = ir
        self._placement = Placement(ir)
        self._tree = CallTree()
        # A bare box is told apart by the call that it lies in, a called one by its own.
        self._numbers: dict[_Key, int] = {}

    def plant(self) -> CallTree:
        placement, homes, numbers = self._placement, self._tree.homes, self._numbers
        before: _Key = ("", "", 0)
        number = 0
        for node in self._ir.nodes.values():
            key = (placement.node_box(node), node["scope"], node["scope_call"])
            if key != before:
                known = numbers.get(key)
                number = self._box(key) if known is None else known
                before = key
            homes.append(number)
        return self._tree

    def _box(self, key: _Key) -> int:
        """Gives the number of the box of a module in a call of another, or of a call itself."""
        path: list[_Key] = []
        on_path: set[_Key] = set()
        while key[0] and key not in self._numbers and key not in on_path:
            path.append(key)
            on_path.add(key)
            key = self._around(key)
        # What comes round to itself (a damaged document) hangs from the root.
        number = self._numbers.get(key, 0)
        modules = self._ir.modules
        for key in reversed(path):
            name, caller, call = key
            bare = name != caller
            module = modules[name]
            box = Box(name, None if bare else call, bare, module["leaf"])
            self._numbers[key] = number = self._tree.add(box, number)
        return number

    def _around(self, key: _Key) -> _Key:
        fqn, caller, call = key
        parent = self._ir.modules[fqn]["parent"] or ""
        if fqn != caller:
            return (parent, caller, call)
        sites = self._ir.calls.get(fqn, ())
        if call is not None and 0 <= call < len(sites):
            caller, call = sites[call]
        else:
            caller = self._placement.caller[parent]
            call = None if caller else 0
        return (self._placement.box(fqn, caller), caller, call)
