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
from visuai.passes.order import Wiring

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
    wiring = Wiring(ir.nodes, ir.edges)
    tree = separated(call_tree(ir), wiring)
    network = collapse_leaves(Network(ir.nodes, ir.edges, tree), ir.modules, ir.parameters)
    tree = network.tree
    if network.edges is not ir.edges:
        wiring = Wiring(network.nodes, network.edges)
    sites = call_sites(network.nodes, tree, ir.modules)
    ends = {*ir.inputs, *ir.outputs}
    ids = {key: site for key, site in zip(network.nodes, sites.nodes, strict=True) if key in ends}
    return replace(
        ir,
        nodes=_nodes(wiring, tree, sites),
        edges=_edges(wiring, sites),
        modules=_modules(ir, tree, sites),
        inputs=[ids[key] for key in ir.inputs],
        outputs=[ids[key] for key in ir.outputs],
        calls={},
    )


def _edges(wiring: Wiring, sites: CallSites) -> list[Edge]:
    ids = sites.nodes
    return [
        {**edge, "source": ids[source], "target": ids[target]}
        for edge, source, target in zip(wiring.edges, wiring.sources, wiring.targets, strict=True)
    ]


def _nodes(wiring: Wiring, tree: CallTree, sites: CallSites) -> dict[str, Node]:
    nodes: dict[str, Node] = {}
    for position, (node, home) in enumerate(zip(wiring.nodes, tree.homes, strict=True)):
        scope, scope_call = sites.boxes[home], sites.box_calls[home]
        call = sites.node_calls.get(position, node["call"])
        if (node["scope"], node["scope_call"], node["call"]) != (scope, scope_call, call):
            node: Node = {**node, "scope": scope, "scope_call": scope_call, "call": call}
        nodes[sites.nodes[position]] = node  # Most are what they were, and are shared.
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
