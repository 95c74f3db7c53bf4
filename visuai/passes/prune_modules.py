"""Pass ``prune-modules``: containers that say nothing folded into the one around them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import ClassVar

from visuai.ir import IR, Module, Node
from visuai.passes.base import Context, Pass
from visuai.passes.placement import Placement

Call = tuple[str, int | None]


@dataclass(frozen=True)
class PruneModules(Pass[IR, IR]):
    """Folds containers with one child into their parent, and drops those with none.

    Examples:
        >>> from visuai.passes.prune_modules import PruneModules
        >>> PruneModules()
        PruneModules()
    """

    name: ClassVar[str] = "prune-modules"
    consumes: ClassVar[type] = IR
    produces: ClassVar[type] = IR

    def run(self, value: IR, context: Context) -> IR:
        """Gives the IR without the modules that say nothing; see `prune_modules`."""
        pruned = prune_modules(value)
        context.removed.update(
            Counter(
                module["type"].rpartition(".")[2]
                for key, module in value.modules.items()
                if key not in pruned.modules
            )
        )
        return pruned


def prune_modules(ir: IR) -> IR:
    """Folds containers into their parent that hold one module or one node, or nothing.

    A child called several times is one child. The child keeps its own full name. Where it is a
    ``Sequential`` or a ``ModuleList`` and its parent is of a class of the user's, it is the parent
    that stays, with its name. Modules that are never called are left out too; their parameters
    stay in the table. The root and the leaf modules that are called stay.

    Args:
        ir: An IR before ``split-recycled``; another is given back as it is.

    Returns:
        A new IR; doing it again changes nothing.

    Raises:
        PassError: If the modules are not listed from the root down.
    """
    if ir.modules and next(iter(ir.modules.values()))["call"] is not None:
        return replace(ir)
    # What a folded module held goes to its caller, past containers that are not called
    # (ModuleList). These may then hold one thing less, so that it takes another look.
    count = -1
    while count != len(ir.modules):
        count = len(ir.modules)
        placement = Placement(ir)
        ir = _fold(ir, _folded(ir, placement))
        if all(fqn == caller for fqn, caller in placement.caller.items()):
            break
    return ir


def _fold(ir: IR, folded: set[str]) -> IR:
    """Takes modules out; what lay in them goes to the callers."""
    if not folded:
        return replace(ir)
    modules: dict[str, Module] = {}
    parents: dict[str, str] = {}  # Of what is folded: the nearest module that stays.
    for fqn, module in ir.modules.items():
        parent = module["parent"]
        if parent is not None:
            parent = parents.get(parent, parent)
        if fqn in folded:
            parents[fqn] = parent or ""
        else:
            modules[fqn] = module if parent == module["parent"] else {**module, "parent": parent}
    callers = _Callers(ir, parents)
    nodes: dict[str, Node] = {}
    for key, node in ir.nodes.items():
        if node["scope"] in folded:
            scope, call = callers.resolve((node["scope"], node["scope_call"]))
            node: Node = {**node, "scope": scope, "scope_call": call}
        nodes[key] = node
    calls: dict[str, list[tuple[str, int]]] = {}
    for fqn, sites in ir.calls.items():
        if fqn in folded:
            continue
        resolved = [callers.resolve(site) if site[0] in folded else site for site in sites]
        calls[fqn] = [(scope, 0 if call is None else call) for scope, call in resolved]
    return replace(ir, nodes=nodes, modules=modules, calls=calls)


class _Callers:
    """Finds the call that stays in place of a call of a folded module."""

    def __init__(self, ir: IR, parents: dict[str, str]) -> None:
        self._calls = ir.calls
        self._parents = parents
        self._known: dict[Call, Call] = {}

    def resolve(self, site: Call) -> Call:
        path: dict[Call, None] = {}
        while site[0] in self._parents and site not in self._known:
            if site in path:  # A damaged document: calls that call each other in a circle.
                site = ("", 0)
                break
            path[site] = None
            fqn, call = site
            sites = self._calls.get(fqn, ())
            if call is not None and call < len(sites):
                site = sites[call]
            else:
                parent = self._parents[fqn]
                site = (parent, None if parent else 0)
        site = self._known.get(site, site)
        for passed in path:
            self._known[passed] = site
        return site


def _folded(ir: IR, placement: Placement) -> set[str]:
    """Picks the modules to fold or to drop."""
    children, boxes = _children(ir, placement)
    leaves = {fqn for fqn, module in ir.modules.items() if module["leaf"]}
    folded: set[str] = set()
    # Children first, so that most modules are looked at once.
    waiting = [fqn for fqn in children if fqn not in leaves and fqn]
    while waiting:
        fqn = waiting.pop()
        if fqn in folded or len(inside := children[fqn]) > 1:
            continue
        child = next(iter(inside), None)
        if (
            child is not None
            and child in children  # and no single node
            and child not in leaves
            and list(boxes[child]) == [fqn]
            and _is_plain(ir, child)
            and not _is_plain(ir, fqn)
        ):
            # `T5Block` says more than the `ModuleList` that holds all of it.
            folded.add(child)
            children[fqn] = children.pop(child)
            for grandchild in children[fqn]:
                if grandchild in boxes:
                    del boxes[grandchild][child]
                    boxes[grandchild][fqn] = None
            waiting.append(fqn)
            continue
        folded.add(fqn)
        around = boxes.pop(fqn, {})
        for child in inside:
            if child in boxes:
                del boxes[child][fqn]
                boxes[child].update((box, None) for box in around if box != child)
        for box in around:
            del children[box][fqn]
            children[box].update((child, None) for child in inside if child != box)
            if len(children[box]) < 2 and box and box not in leaves:
                waiting.append(box)
    called = {node["fqn"] for node in ir.nodes.values() if node["op_kind"] == "call_module"}
    empty = {fqn for fqn in leaves if fqn in children and not children[fqn]}
    return folded | (empty - called)


def _is_plain(ir: IR, fqn: str) -> bool:
    """Tells whether a module is one of torch's own containers, whose class says nothing."""
    package, _, name = ir.modules[fqn]["type"].rpartition(".")
    return package.startswith("torch.nn") and name in ("Sequential", "ModuleList", "ModuleDict")


def _children(
    ir: IR, placement: Placement
) -> tuple[dict[str, dict[str, None]], dict[str, dict[str, None]]]:
    """Gives the distinct children of each module, and the boxes that each module lies in.

    Modules with two ops of their own are left out: they stay, whatever else they hold. Of the
    others only what has nodes below counts. Dictionaries stand for ordered sets. Keys of nodes
    that are no module call are told from FQNs by a colon in front.
    """
    first: dict[str, str] = {}  # Of each module: its only op so far.
    full: dict[str, None] = {}
    for key, node in ir.nodes.items():
        scope = node["scope"]
        if scope in full or (node["op_kind"] == "call_module" and node["fqn"]):
            continue
        if scope in first:
            full[scope] = None
        else:
            first[scope] = key
    children: dict[str, dict[str, None]] = {fqn: {} for fqn in ir.modules if fqn not in full}
    boxes: dict[str, dict[str, None]] = {}
    waiting = list(full)

    def put(child: str, box: str) -> None:
        inside = children.get(box)
        if inside is None or child in inside or child == box:  # A module may call itself.
            return
        if not inside:
            waiting.append(box)
        inside[child] = None
        boxes.setdefault(child, {})[box] = None

    for scope in first.keys() & children.keys():
        children[scope][f":{first[scope]}"] = None
        waiting.append(scope)
    for node in ir.nodes.values():
        if node["op_kind"] == "call_module" and node["fqn"]:
            put(node["fqn"], placement.node_box(node))
    # Each module comes up once, when the first thing is put into it.
    while waiting:
        fqn = waiting.pop()
        parent = ir.modules[fqn]["parent"]
        if parent is None:
            continue
        sites = ir.calls.get(fqn)
        callers = sorted({site[0] for site in sites}) if sites else [placement.caller[parent]]
        for caller in callers:
            put(fqn, placement.box(fqn, caller))
    return children, boxes
