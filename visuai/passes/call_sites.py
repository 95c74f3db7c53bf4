"""Gives every node and every box its final id: the call-site."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from visuai.ir import Module, Node
from visuai.passes.call_tree import CallTree


@dataclass(frozen=True, slots=True)
class CallSites:
    """Ids, unique among nodes and boxes together.

    Attributes:
        boxes: Id of each box, "" for the root.
        box_calls: Which call of its module each box is.
        nodes: Id of each node, by position in execution order.
        node_calls: Which call of its module each module call is, by the same position.
        order: Numbers of the boxes in execution order, outer ones first.
    """

    boxes: list[str]
    box_calls: list[int]
    nodes: list[str]
    node_calls: dict[int, int]
    order: list[int]


def call_site(name: str, call: int) -> str:
    """Spells a call-site as torch.export does.

    Examples:
        >>> call_site("relu", 0), call_site("relu", 2)
        ('relu', 'relu@2')
    """
    return f"{name}@{call}" if call else name


def call_sites(
    nodes: Mapping[str, Node], tree: CallTree, modules: Mapping[str, Module]
) -> CallSites:
    """Names nodes and boxes.

    A module call is ``fqn``, ``fqn@1``, ...; any other op the FQN of its scope and its own
    name, counted likewise over the nodes there are; placeholders and outputs keep their names.
    Where a name is taken by a module, and for an op by a placeholder, it gets a trailing ``_``.

    Args:
        nodes: Nodes by their key as captured, in execution order.
        tree: Where they lie.
        modules: Modules by FQN; no op takes the name of one.
    """
    order: list[int] = []
    requests: list[tuple[str, int | None]] = []
    requesters: list[int] = []  # A box by its number, a module call by -1 less its position.
    fixed: list[tuple[int, str]] = []  # Placeholders and outputs.
    met = bytearray(len(tree.boxes))
    met[0] = 1
    for position, ((key, node), home) in enumerate(zip(nodes.items(), tree.homes, strict=True)):
        if not met[home]:
            new: list[int] = []
            while not met[home]:
                met[home] = 1
                new.append(home)
                home = tree.parents[home]
            new.reverse()
            order += new
            requesters += new
            requests += [tree.boxes[number][:2] for number in new]
        kind = node["op_kind"]
        if kind == "call_module" and node["fqn"]:
            requests.append((node["fqn"], node["call"]))
            requesters.append(-1 - position)
        elif kind == "placeholder" or kind == "output":
            fixed.append((position, key))
    taken = {""}
    boxes = [""] * len(tree.boxes)
    box_calls = [0] * len(tree.boxes)
    ids = [""] * len(nodes)
    node_calls: dict[int, int] = {}
    for requester, (fqn, _), call in zip(requesters, requests, _numbered(requests), strict=True):
        name = _free(call_site(fqn, call), taken)
        if requester >= 0:
            boxes[requester], box_calls[requester] = name, call
        else:
            ids[-1 - requester], node_calls[-1 - requester] = name, call
    for position, key in fixed:
        ids[position] = _free(key, taken)
    _name_ops(nodes, tree, modules, ids, taken)
    return CallSites(boxes, box_calls, ids, node_calls, order)


def _numbered(requests: Sequence[tuple[str, int | None]]) -> list[int]:
    """Gives each call of a module a number of its own: the known one, else the next after all."""
    numbers = [-1] * len(requests)
    following: dict[str, int] = {}
    known: set[tuple[str, int]] = set()
    for index, (fqn, call) in enumerate(requests):
        if call is not None and call >= 0 and (fqn, call) not in known:
            known.add((fqn, call))
            numbers[index] = call
            following[fqn] = max(following.get(fqn, 0), call + 1)
    for index, (fqn, _) in enumerate(requests):
        if numbers[index] < 0:
            numbers[index] = following.get(fqn, 0)
            following[fqn] = numbers[index] + 1
    return numbers


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _name_ops(
    nodes: Mapping[str, Node],
    tree: CallTree,
    modules: Mapping[str, Module],
    ids: list[str],
    taken: set[str],
) -> None:
    """Names the nodes that have no id yet."""
    fqns = [box.fqn for box in tree.boxes]
    doubtful = _doubtful({node["op"] for node in nodes.values()}, taken, modules)
    counts: dict[str, dict[str, int]] = {}  # By FQN of the scope, then by op.
    firsts: dict[tuple[str, str], str] = {}  # Names of first ones that are not as wanted.
    fqn, prefix, before = "", "", -1
    inside: dict[str, int] = {}
    for position, (node, home) in enumerate(zip(nodes.values(), tree.homes, strict=True)):
        if ids[position]:
            continue
        if home != before:
            before, fqn = home, fqns[home]
            prefix = f"{fqn}." if fqn else ""
            inside = counts.setdefault(fqn, {})
        op = node["op"]
        count = inside.get(op, 0)
        inside[op] = count + 1
        wanted = prefix + op
        if op not in doubtful:
            ids[position] = f"{wanted}@{count}" if count else wanted
        elif count:
            ids[position] = _free(f"{firsts.get((fqn, op), wanted)}@{count}", taken)
        else:
            name = f"{wanted}_" if "@" in op else wanted
            while name in taken or name in modules:
                name += "_"
            taken.add(name)
            ids[position] = name
            if name != wanted:
                firsts[fqn, op] = name


def _doubtful(ops: set[str], taken: set[str], modules: Iterable[str]) -> set[str]:
    """Picks the ops whose call-sites something else may be called as well.

    Those of all others need not be looked up, which among a million names takes its time. Such
    an op is no dotted name, so that its call-sites differ from those of other ops and in other
    scopes, and but for a number and trailing ``_`` no other name ends in it.
    """
    spelled = {op for op in ops if "." in op or "@" in op}
    ends = {name.rpartition(".")[2] for names in (spelled, taken, modules) for name in names}
    stems = {_stem(end) for end in ends}
    return {op for op in ops if op in spelled or _stem(op) in stems}


def _stem(end: str) -> str:
    return end.partition("@")[0].rstrip("_")
