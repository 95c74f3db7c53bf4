"""A plug-in of Visuai: a pass that writes ops in capitals, and a renderer that lists them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from visuai import Pass, Topology
from visuai.ir import IR
from visuai.passes.base import Context


@dataclass(frozen=True)
class Shout(Pass[IR, IR]):
    """Writes every op in capitals.

    Args:
        marks: Exclamation marks to add.
        only: Ops to do it to; all of them if empty.
    """

    name: ClassVar[str] = "shout"
    consumes: ClassVar[type] = IR
    produces: ClassVar[type] = IR

    marks: int = 0
    only: tuple[str, ...] = ()

    def run(self, value: IR, context: Context) -> IR:
        """Gives the IR with its ops in capitals."""
        nodes = {
            key: {**node, "op": node["op"].upper() + "!" * self.marks}
            if not self.only or node["op"] in self.only
            else node
            for key, node in value.nodes.items()
        }
        return replace(value, nodes=nodes)


def render(topology: Topology, *, separator: str = "\n") -> str:
    """Lists the ops of a topology."""
    return separator.join(op for _, op in topology.graph.nodes(data="op"))
