"""Tensors that are written in place: what reads them later reads what was written."""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import fx

from visuai.capture.memory import Place, Writes, place_of, write_view
from visuai.capture.stand_ins import turns
from visuai.ops import is_leaf_type
from visuai.program import Site


class InPlace:
    """What each node's tensor is by now, after all that was written to it or to a view of it.

    Args:
        graph: The graph that is being made; reading what was written through another view adds
            a node to it.
        types: Class by FQN, of the modules met so far.

    Attributes:
        replaced: Nodes that another took the place of; those that nothing reads are to go.
    """

    def __init__(self, graph: fx.Graph, types: dict[str, str]) -> None:
        self.replaced: list[fx.Node] = []
        self._graph = graph
        self._types = types
        self._writes = Writes()
        self._latest: dict[fx.Node, fx.Node] = {}  # written in place -> what it is now
        self._parameters: dict[str, fx.Node] = {}  # the first read of those written to, by FQN
        self._root: dict[fx.Node, fx.Node] = {}  # view -> tensor that it looks into
        self._places: dict[fx.Node, Place] = {}  # of views
        self._times: dict[fx.Node, int] = {}  # when a node read its tensor, if not at first

    def parameter(self, fqn: str) -> fx.Node | None:
        """Gives the node that a parameter is now, None if nothing was written to it."""
        written = self._parameters.get(fqn)
        return None if written is None else self.now(written)

    def now(self, node: fx.Node) -> fx.Node:
        """Gives the node that a tensor is after all that was written to it."""
        passed: list[fx.Node] = []
        while node in self._latest:
            passed.append(node)
            node = self._latest[node]
        latest = node
        for by in self._writes.since(self._times.get(node, 0), self._place(node)):
            latest = self._after(latest, by)
        self._become(node, latest)
        for old in passed:
            self._latest[old] = latest
        return latest

    def aliases(self, node: fx.Node, target: Any, value: Any, site: Site) -> fx.Node:
        """Notes what ``node`` looks into or writes to, as the schema of its op tells.

        Args:
            node: The node.
            target: Its op.
            value: What it gives, a fake tensor if that is known.
            site: Where it is called.

        Returns:
            The node that later reads of it read.
        """
        self._times[node] = self._writes.now
        whole = node.args[0] if target is operator.getitem else None
        if isinstance(whole, fx.Node) and whole in self._root:
            self._look_into(node, whole, value)  # One of several views, of `chunk` say.
        schema = getattr(target, "_schema", None)
        for at, argument in enumerate(() if schema is None else schema.arguments):
            if argument.alias_info is None:
                continue
            tensor = node.args[at] if at < len(node.args) else node.kwargs.get(argument.name)
            if not isinstance(tensor, fx.Node):
                continue
            if argument.alias_info.is_write:
                return self._write(tensor, node, site)
            if _dtype(node) == _dtype(tensor):
                self._look_into(node, tensor, value)
        return node

    def _look_into(self, view: fx.Node, tensor: fx.Node, value: Any) -> None:
        root = self._root.get(tensor, tensor)
        self._root[view] = root
        place = place_of(value) if isinstance(value, torch.Tensor) else None
        memory = self._place(root).memory
        self._places[view] = Place(memory) if place is None else place._replace(memory=memory)

    def _place(self, node: fx.Node) -> Place:
        place = self._places.get(node)
        if place is None:
            place = Place(str(node.target) if node.op == "get_attr" else node)
        return place

    def _write(self, tensor: fx.Node, by: fx.Node, site: Site) -> fx.Node:
        root = self._root.get(tensor, tensor)
        if root.op == "get_attr":
            if is_leaf_type(self._types.get(site.scope, "")):
                return by  # BatchNorm's counters are its own affair
            self._parameters.setdefault(str(root.target), root)
        place = self._place(tensor)
        if root is not tensor:
            before = self.now(root)
            assigned = self._assigned(tensor, by, before)
            if assigned is not None:
                self._writes.add(place, assigned)
                self._become(before, assigned)
                return assigned
        if not turns(_name(by)):
            self._writes.add(place, by)
        self._become(tensor, by)
        return by

    def _become(self, before: fx.Node, after: fx.Node) -> None:
        """Has later reads of one node read another, which gives the same tensor by now."""
        if before is not after:
            self._latest[before] = after
            self._places[after] = self._place(before)
            if before in self._root:
                self._root[after] = self._root[before]
        self._times[after] = self._writes.now

    def _assigned(self, view: fx.Node, by: fx.Node, base: fx.Node) -> fx.Node | None:
        """Adds the one op that ``x[:, 0] = value`` is to its author, None if it is not that."""
        copied = str(by.target) in ("aten.copy_.default", "aten.fill_.Scalar", "aten.fill_.Tensor")
        where: list[Any] = list(view.args[1:2])
        value: list[Any] = list(by.args[1:2])
        if not copied or not value or not where:
            return None
        if "__setitem__" not in str(view.meta.get("indexing")):
            return None
        self.replaced.extend([view, by])
        return self._like(by, base, operator.setitem, (base, where[0], value[0]))

    def _after(self, node: fx.Node, by: fx.Node) -> fx.Node:
        return self._like(by, node, write_view, (node, by))

    def _like(self, by: fx.Node, tensor: fx.Node, target: Any, args: tuple[Any, ...]) -> fx.Node:
        """Adds a node at the site of ``by`` that gives what ``tensor`` is after it."""
        result = self._graph.create_node("call_function", target, args, name=target.__name__)
        result.meta.update({key: by.meta[key] for key in ("site", "source") if key in by.meta})
        result.meta["value"] = tensor.meta.get("value")
        return result


def _name(node: fx.Node) -> str:
    """``t_`` for ``aten.t_.default``."""
    return str(node.target).partition(".")[2].partition(".")[0]


def _dtype(node: fx.Node) -> Any:
    return getattr(node.meta.get("value"), "dtype", None)
