"""Tensors that are written in place: what reads them later reads what was written."""

from __future__ import annotations

import operator
from typing import Any

from torch import fx

from visuai.capture.recorder import write_view
from visuai.ops import is_leaf_type
from visuai.program import Site


class Writes:
    """What was written so far, and what each view looks into.

    Args:
        graph: The graph that is being made; writing to a view adds a node to it.
        types: Class by FQN, of the modules met so far.

    Attributes:
        replaced: Nodes that another took the place of; those that nothing reads are to go.
    """

    def __init__(self, graph: fx.Graph, types: dict[str, str]) -> None:
        self.replaced: list[fx.Node] = []
        self._graph = graph
        self._types = types
        self._latest: dict[fx.Node, fx.Node] = {}  # written in place -> what it is now
        self._parameters: dict[str, fx.Node] = {}  # the same for parameters, by FQN
        self._root: dict[fx.Node, fx.Node] = {}  # view -> tensor that it looks into

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
        for old in passed:
            self._latest[old] = node
        return node

    def aliases(self, node: fx.Node, target: Any, site: Site) -> fx.Node:
        """Notes what ``node`` looks into or writes to, as the schema of its op tells.

        Returns:
            The node that later reads of it read.
        """
        schema = getattr(target, "_schema", None)
        for at, argument in enumerate(() if schema is None else schema.arguments):
            if argument.alias_info is None:
                continue
            tensor = node.args[at] if at < len(node.args) else node.kwargs.get(argument.name)
            if not isinstance(tensor, fx.Node):
                continue
            if argument.alias_info.is_write:
                return self._write(tensor, node, site)
            self._root[node] = self._root.get(tensor, tensor)
        return node

    def _write(self, tensor: fx.Node, by: fx.Node, site: Site) -> fx.Node:
        root = self._root.get(tensor, tensor)
        if root.op == "get_attr" and is_leaf_type(self._types.get(site.scope, "")):
            return by  # BatchNorm's counters are its own affair
        result = by
        if root is not tensor:
            result = self._write_through(tensor, by, self.now(root))
            self._latest[self.now(root)] = result
        else:
            self._latest[tensor] = by
        if root.op == "get_attr":
            self._parameters[str(root.target)] = result
        return result

    def _write_through(self, view: fx.Node, by: fx.Node, root: fx.Node) -> fx.Node:
        """Adds the node that a tensor is after ``by`` wrote to a view of it."""
        copied = str(by.target) in ("aten.copy_.default", "aten.fill_.Scalar", "aten.fill_.Tensor")
        where: list[Any] = list(view.args[1:2])
        value: list[Any] = list(by.args[1:2])
        if copied and value and where and "__setitem__" in str(view.meta.get("indexing")):
            self.replaced.extend([view, by])  # x[:, 0] = value is one op to its author
            target, args = operator.setitem, (root, where[0], value[0])
        else:
            target, args = write_view, (root, by)
        result = self._graph.create_node("call_function", target, args, name=target.__name__)
        result.meta.update({key: by.meta[key] for key in ("site", "source") if key in by.meta})
        result.meta["value"] = root.meta.get("value")
        self.replaced.append(result)
        return result
