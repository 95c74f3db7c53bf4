"""Which nodes share a module or a parameter."""

from __future__ import annotations

from visuai.ir import IR


def shared_with(ir: IR) -> dict[str, list[str]]:
    """Lists, for each node that shares something, the nodes that it shares it with.

    Nodes share if they are calls of one module, or read one parameter or buffer, also under
    another name (`Parameter.alias_of`). All members of a group get the same list, in execution
    order, themselves included: a module called n times costs n entries, not n squared.

    Args:
        ir: The network; node ids are call-sites.
    """
    groups = _groups(ir)
    groups_of: dict[str, list[tuple[str, str]]] = {}
    for name, members in groups.items():
        for key in members:
            groups_of.setdefault(key, []).append(name)
    lists: dict[tuple[tuple[str, str], ...], list[str]] = {
        (name,): list(members) for name, members in groups.items()
    }
    places: dict[str, int] = {}
    shared: dict[str, list[str]] = {}
    for key, names in groups_of.items():
        together = tuple(names)
        if len(names) > 1:
            largest = max(names, key=lambda name: len(groups[name]))
            extra = [name for name in names if not groups[name].keys() <= groups[largest].keys()]
            together = (largest, *extra)
        if together not in lists:
            members = {member for name in together for member in groups[name]}
            places = places or {node: place for place, node in enumerate(ir.nodes)}
            lists[together] = sorted(members, key=places.__getitem__)
        shared[key] = lists[together]
    return shared


def _groups(ir: IR) -> dict[tuple[str, str], dict[str, None]]:
    """Gives, for each module and tensor that several nodes use, these nodes."""
    groups: dict[tuple[str, str], dict[str, None]] = {}
    callers: dict[str, str] = {}  # The first to call each module.
    for key, node in ir.nodes.items():
        if node["op_kind"] == "call_module" and node["fqn"]:
            fqn = node["fqn"]
            first = callers.setdefault(fqn, key)
            if first != key:
                groups.setdefault(("module", fqn), {first: None})[key] = None
    if _tensors_are_read_once(ir):
        return groups
    readers: dict[str, str] = {}  # The first to read each tensor.
    for key, node in ir.nodes.items():
        for fqn in node["parameters"]:
            parameter = ir.parameters.get(fqn)
            if parameter is None or parameter["kind"] == "constant":
                continue
            fqn = parameter["alias_of"] or fqn
            first = readers.setdefault(fqn, key)
            if first != key:
                groups.setdefault(("parameter", fqn), {first: None})[key] = None
    return groups


def _tensors_are_read_once(ir: IR) -> bool:
    """Tells, fast, that no tensor is read twice, as in most networks; False is no answer."""
    read = [fqn for node in ir.nodes.values() for fqn in node["parameters"]]
    return len(set(read)) == len(read) and all(
        parameter["alias_of"] is None for parameter in ir.parameters.values()
    )
