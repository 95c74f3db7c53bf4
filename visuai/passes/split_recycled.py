"""Pass ``split-recycled``: one node for each call-site, and one scope for each call."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import ClassVar

from visuai.ir import IR, Edge, Module, Node
from visuai.passes.base import Context, Pass
from visuai.passes.call_sites import CallSites, call_sites
from visuai.passes.call_tree import CallTree, call_tree
from visuai.passes.connectivity import separated
from visuai.passes.leaves import Network, collapse_leaves
from visuai.passes.order import node_positions

_ROOT = Module(fqn="", type="", parent=None, leaf=False, call=None, config="")


@dataclass(frozen=True)
class SplitRecycled(Pass[IR, IR]):
    """Tells the calls of a module apart, and names every node by its call-site.

    Examples:
        >>> from visuai.passes.split_recycled import SplitRecycled
        >>> SplitRecycled()
        SplitRecycled()
    """

    name: ClassVar[str] = "split-recycled"
    consumes: ClassVar[type] = IR
    produces: ClassVar[type] = IR

    def run(self, value: IR, context: Context) -> IR:
        """Gives the IR by call-sites; see `split_recycled`."""
        split = split_recycled(value)
        gone = len(value.nodes) - len(split.nodes)
        if gone:  # Ops inside leaf modules that are now one node.
            context.removed.update(Counter({"op of a leaf module": gone}))
        return split


def split_recycled(ir: IR) -> IR:
    """Gives every call of a module a node or a scope of its own.

    The first call of ``fqn`` is called so, the next ``fqn@1``, ``fqn@2``. Calls that the source
    did not tell apart are told apart by how their nodes are connected. A leaf module whose
    inside the source shows becomes one node. Between the children of a scope there is no cycle,
    on any level.

    Args:
        ir: An IR whose nodes are in execution order; one that is split is given back as it is.

    Returns:
        A new IR: nodes by call-site, `IR.modules` by call-site with ``call`` set and only those
        that nodes lie in, `IR.calls` empty.

    Raises:
        PassError: If nodes are not in execution order, or modules not from the root down.
    """
    root = ir.modules.get("", _ROOT)
    if root["call"] is not None:
        return replace(ir)
    positions = node_positions(ir)
    tree = separated(
        call_tree(ir),
        list(ir.nodes.values()),
        [(positions[edge["source"]], positions[edge["target"]]) for edge in ir.edges],
    )
    network = collapse_leaves(Network(ir.nodes, ir.edges, tree), ir.modules, ir.parameters)
    tree = network.tree
    sites = call_sites(network.nodes, tree, ir.modules)
    return replace(
        ir,
        nodes=_nodes(network, sites),
        edges=_edges(network, sites),
        modules=_modules(ir, tree, sites),
        inputs=[sites.nodes[key] for key in ir.inputs],
        outputs=[sites.nodes[key] for key in ir.outputs],
        calls={},
    )


def _edges(network: Network, sites: CallSites) -> list[Edge]:
    ids = sites.nodes
    return [
        {**edge, "source": ids[edge["source"]], "target": ids[edge["target"]]}
        for edge in network.edges
    ]


def _nodes(network: Network, sites: CallSites) -> dict[str, Node]:
    nodes: dict[str, Node] = {}
    for (key, node), home in zip(network.nodes.items(), network.tree.homes, strict=True):
        nodes[sites.nodes[key]] = {
            **node,
            "scope": sites.boxes[home],
            "scope_call": sites.box_calls[home],
            "call": sites.node_calls.get(key, node["call"]),
        }
    return nodes


def _modules(ir: IR, tree: CallTree, sites: CallSites) -> dict[str, Module]:
    modules: dict[str, Module] = {"": {**ir.modules[""], "call": 0}}
    for number in sites.order:
        modules[sites.boxes[number]] = {
            **ir.modules[tree.boxes[number].fqn],
            "parent": sites.boxes[tree.parents[number]],
            "leaf": False,
            "call": sites.box_calls[number],
        }
    return modules
