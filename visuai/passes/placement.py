"""Which container an op or a module call lies in, while modules go by their FQN."""

from __future__ import annotations

from visuai.ir import IR, Node
from visuai.passes.order import module_positions

_LISTS = ("ModuleList", "ModuleDict")


class Placement:
    """Tells containers that are called from those that only hold others (``ModuleList``).

    A call of ``layers.0`` by the root lies in the box of ``layers``, which is never called
    itself. A call of ``encoder.act`` by ``decoder`` lies in ``decoder``.

    Args:
        ir: An IR before ``split-recycled``.

    Attributes:
        caller: For each module, the nearest module that is called (or a leaf, or the root),
            upwards from itself.

    Raises:
        PassError: If the modules are not listed from the root down.
    """

    __slots__ = ("_modules", "caller")

    def __init__(self, ir: IR) -> None:
        module_positions(ir)
        self._modules = ir.modules
        scopes = {node["scope"] for node in ir.nodes.values()} if ir.calls else set[str]()
        self.caller: dict[str, str] = {}
        for fqn, module in ir.modules.items():
            parent = module["parent"]
            if parent is None or module["leaf"]:
                called = True
            elif ir.calls:
                called = fqn in ir.calls or fqn in scopes
            else:
                called = not module["type"].endswith(_LISTS)
            self.caller[fqn] = fqn if called or parent is None else self.caller[parent]

    def box(self, fqn: str, caller: str) -> str:
        """Gives the container in which a call of module ``fqn`` by ``caller`` lies."""
        module = self._modules.get(fqn)
        parent = None if module is None else module["parent"]
        if parent is not None and parent != caller and self.caller[parent] == caller:
            return parent
        return caller

    def node_box(self, node: Node) -> str:
        """Gives the container in which a node lies."""
        if node["op_kind"] != "call_module":
            return node["scope"]
        return self.box(node["fqn"], node["scope"])
