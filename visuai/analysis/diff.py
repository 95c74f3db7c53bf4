"""The difference between two networks: structurally, and not by name alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from visuai.analysis.matching import Matching, kind_of
from visuai.errors import VisuaiError
from visuai.topology import Topology

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

What = Literal["module", "node", "shape", "edge", "parameter"]
Kind = Literal["added", "removed", "renamed", "changed"]

_SHOWN = 20  # changes of one sort that are printed
_WIDEST = 60  # characters of a name that are printed
_KINDS: tuple[Kind, ...] = ("removed", "added", "renamed", "changed")
_PLURAL: dict[What, str] = {
    "module": "Modules",
    "node": "Nodes",
    "shape": "Shapes",
    "edge": "Edges",
    "parameter": "Parameters",
}
_SIGNS: dict[Kind, tuple[str, str]] = {
    "added": ("+", "green"),
    "removed": ("-", "red"),
    "renamed": ("→", "blue"),
    "changed": ("~", "yellow"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        what: ``module`` (a module call that holds others), ``node``, ``shape`` (of what a node
            returns), ``edge`` or ``parameter``.
        kind: ``added``, ``removed``, ``renamed`` or ``changed``.
        before: Id or FQN in the first network, None if added; of an edge
            ``source:output -> target:input``.
        after: The same in the second network, None if removed.
        details: What has changed: ``[before, after]`` by attribute.
    """

    what: What
    kind: Kind
    before: str | None
    after: str | None
    details: dict[str, list[Any]] = field(default_factory=dict[str, "list[Any]"])

    def to_dict(self) -> dict[str, Any]:
        """Gives the change as a JSON-able dictionary."""
        return {
            "what": self.what,
            "kind": self.kind,
            "before": self.before,
            "after": self.after,
            "details": self.details,
        }


@dataclass(frozen=True, slots=True)
class Diff:
    """What differs between two networks; false if nothing does. Prints itself.

    Attributes:
        a: Name of the first network.
        b: Name of the second.
        changes: The differences: modules, nodes, shapes, edges, parameters.
        matched: Nodes of the first to nodes of the second that are the same.
        scopes: Scopes of the first to scopes of the second that are the same.
    """

    a: str
    b: str
    changes: tuple[Change, ...]
    matched: dict[str, str]
    scopes: dict[str, str]

    def of(self, what: What, kind: Kind | None = None) -> list[Change]:
        """Gives the changes of one sort."""
        return [
            change for change in self.changes if change.what == what and kind in (None, change.kind)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Gives the difference as a JSON-able dictionary."""
        changes = [change.to_dict() for change in self.changes]
        return {"a": self.a, "b": self.b, "changes": changes}

    def __bool__(self) -> bool:
        return bool(self.changes)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.text import Text

        if not self.changes:
            yield Text("No difference.")
            return
        within = {change.before or change.after for change in self.changes if _whole(change)}
        for what, title in _PLURAL.items():
            found: dict[Kind, list[Change]] = {kind: self.of(what, kind) for kind in _KINDS}
            told = [f"{len(changes)} {kind}" for kind, changes in found.items() if changes]
            if told:
                yield Text.assemble((title, "bold"), f": {', '.join(told)}")
            for kind, changes in found.items():
                shown = [change for change in changes if not _inside(change, within)]
                sign, colour = _SIGNS[kind]
                for change in shown[:_SHOWN]:
                    yield Text(f"  {sign} {_told(change)}", style=colour)
                more, inner = len(shown[_SHOWN:]), len(changes) - len(shown)
                if more:
                    yield Text(f"    and {more} more {kind}", style="dim")
                if inner:
                    yield Text(f"    and {inner} in modules that were {kind}", style="dim")

    def __str__(self) -> str:
        from rich.console import Console

        console = Console(width=160, color_system=None, legacy_windows=False, force_jupyter=False)
        with console.capture() as captured:
            console.print(self)
        return captured.get()


def diff(a: Topology, b: Topology) -> Diff:
    """Tells which modules, nodes, shapes, edges and parameters differ.

    Nodes are matched by what they do and what is around them, so that a module with another
    name is renamed and not removed and added; see `visuai.analysis.matching`. What follows
    from another change is not told again: neither the names inside of a renamed module, nor
    the edges of an added node. Where the code stands and what counts calls of functions
    (``add@1``) are no difference. The time is near-linear in the size of both.

    Args:
        a: The first network.
        b: The second.

    Raises:
        VisuaiError: If one is no topology.

    Examples:
        >>> import torch, visuai
        >>> a = visuai.build(torch.nn.Sequential(torch.nn.Linear(4, 8)), torch.zeros(1, 4))
        >>> b = visuai.build(torch.nn.Sequential(torch.nn.Linear(4, 9)), torch.zeros(1, 4))
        >>> bool(visuai.diff(a, a))
        False
        >>> [(change.kind, change.before) for change in visuai.diff(a, b).of("node")]
        [('changed', '0')]
    """
    for topology in (a, b):
        if not isinstance(topology, Topology):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise VisuaiError(
                f"diff compares topologies, got a {type(topology).__name__}; build it first, with "
                "visuai.build(model, args)."
            )
    forward = Matching(a, b).forward
    nodes = {key: forward[key] for key in a.graph if key in forward}  # in execution order
    scopes = _match_scopes(a, b, nodes)
    changes = (
        *_module_changes(a, b, scopes),
        *_node_changes(a, b, nodes, scopes),
        *_edge_changes(a, b, nodes),
        *_parameter_changes(a, b, nodes, scopes),
    )
    return Diff(a.name, b.name, changes, nodes, scopes)


def _match_scopes(a: Topology, b: Topology, nodes: dict[str, str]) -> dict[str, str]:
    """Matches module calls by what is matched inside, from the inside out."""
    votes: dict[str, Counter[str]] = {key: Counter() for key in a.scopes}
    for one, other in nodes.items():
        votes[a.graph.nodes[one]["scope"]][b.graph.nodes[other]["scope"]] += 1
    matched: dict[str, str] = {"": ""}
    taken = {""}
    for key in reversed(list(a.scopes)):  # children come after their parents
        scope = a.scopes[key]
        if scope.parent is None:
            continue
        for found, _ in sorted(
            votes[key].items(),
            key=lambda vote: (vote[0] != key, b.scopes[vote[0]].type != scope.type, -vote[1]),
        ):
            if found not in taken:
                matched[key] = found
                taken.add(found)
                votes[scope.parent][b.scopes[found].parent or ""] += 1
                break
    for key in a.scopes:
        if key not in matched and key in b.scopes and key not in taken:
            matched[key] = key
            taken.add(key)
    return matched


def _module_changes(a: Topology, b: Topology, scopes: dict[str, str]) -> Iterator[Change]:
    yield from _unmatched("module", list(a.scopes), list(b.scopes), scopes)
    for one in a.scopes:
        if one not in scopes:
            continue
        before, after = a.scopes[one], b.scopes[scopes[one]]
        if before.parent is not None and not _follows(
            before.id, before.parent, after.id, after.parent, scopes
        ):
            yield Change("module", "renamed", before.id, after.id)
        details = _details(
            ("type", before.type, after.type), ("config", before.config, after.config)
        )
        if details:
            yield Change("module", "changed", before.id, after.id, details)


def _node_changes(
    a: Topology, b: Topology, nodes: dict[str, str], scopes: dict[str, str]
) -> Iterator[Change]:
    yield from _unmatched("node", list(a.graph), list(b.graph), nodes)
    shapes: list[Change] = []
    for one, other in nodes.items():
        before, after = a.graph.nodes[one], b.graph.nodes[other]
        named = before["op_kind"] in ("call_module", "get_attr", "placeholder")
        if named and not _follows(one, before["scope"], other, after["scope"], scopes):
            yield Change("node", "renamed", one, other)
        details = _details(
            ("op_kind", kind_of(before), kind_of(after)),
            ("op", before["op"], after["op"]),
            *_settings(before["attributes"], after["attributes"]),
        )
        if before["op_kind"] == "call_module" and before["op"] == after["op"]:
            details |= _details(("target", before["target"], after["target"]))
        if details:
            yield Change("node", "changed", one, other, details)
        sizes = _details(("outputs", before["outputs"], after["outputs"]))
        if sizes:
            shapes.append(Change("shape", "changed", one, other, sizes))
    yield from shapes


def _edge_changes(a: Topology, b: Topology, nodes: dict[str, str]) -> Iterator[Change]:
    """Compares the edges between matched nodes, but where a node came or went."""
    back = {other: one for one, other in nodes.items()}
    of_a = _edges(a)
    of_b = _edges(b)
    carried = Counter({_moved(edge, nodes): count for edge, count in of_a.items()})
    fed_by_new = {(edge[2], edge[3]) for edge in of_b if edge[0] not in back}
    fed_by_old = {
        (nodes[edge[2]], edge[3]) for edge in of_a if edge[0] not in nodes and edge[2] in nodes
    }
    for (source, output, target, place), count in of_a.items():
        moved = _moved((source, output, target, place), nodes)
        if moved is None or of_b[moved] >= count or (moved[2], moved[3]) in fed_by_new:
            continue
        yield Change("edge", "removed", _edge(source, output, target, place), None)
    for edge, count in of_b.items():
        known = edge[0] in back and edge[2] in back
        if known and carried[edge] < count and (edge[2], edge[3]) not in fed_by_old:
            yield Change("edge", "added", None, _edge(*edge))


def _parameter_changes(
    a: Topology, b: Topology, nodes: dict[str, str], scopes: dict[str, str]
) -> Iterator[Change]:
    """Matches parameters by who reads them, the rest by name."""
    matched: dict[str, str] = {}
    follows: set[str] = set()
    for one, other in nodes.items():
        before, after = a.graph.nodes[one], b.graph.nodes[other]
        left, right = before["parameters"], after["parameters"]
        for name, new in _aligned(left, before["fqn"], right, after["fqn"]):
            if name in a.parameters and new in b.parameters and name not in matched:
                matched[name] = new
                if _local(name, before["fqn"]) == _local(new, after["fqn"]):
                    follows.add(name)
    taken = set(matched.values())
    for name in a.parameters:
        if name not in matched and name in b.parameters and name not in taken:
            matched[name] = name
    yield from _unmatched("parameter", list(a.parameters), list(b.parameters), matched)
    for name, new in matched.items():
        before, after = a.parameters[name], b.parameters[new]
        if name != new and name not in follows:
            yield Change("parameter", "renamed", name, new)
        names = "shape", "dtype", "requires_grad", "kind"
        details = _details(*((key, before[key], after[key]) for key in names))
        alias = before["alias_of"]
        if (alias and matched.get(alias, alias)) != after["alias_of"]:
            details["alias_of"] = [alias, after["alias_of"]]
        if details:
            yield Change("parameter", "changed", name, new, details)


def _unmatched(
    what: What, before: list[str], after: list[str], matched: dict[str, str]
) -> Iterator[Change]:
    there = set(matched.values())
    yield from (Change(what, "removed", key, None) for key in before if key not in matched)
    yield from (Change(what, "added", None, key) for key in after if key not in there)


def _follows(
    one: str, parent: str | None, other: str, new_parent: str | None, scopes: dict[str, str]
) -> bool:
    """Tells whether an id is what its scope's new id makes of it."""
    same = scopes.get(parent or "") == (new_parent or "")
    return same and _local(one, parent or "") == _local(other, new_parent or "")


def _local(name: str, parent: str) -> str:
    """Gives a name as seen from a module around it."""
    return name[len(parent) + 1 :] if parent and name.startswith(f"{parent}.") else name


def _aligned(left: list[str], own: str, right: list[str], new: str) -> Iterator[tuple[str, str]]:
    """Pairs the parameters of two nodes by local name, or by order for functions."""
    by_local = {_local(name, new): name for name in right}
    if own and new:
        for name in left:
            if _local(name, own) in by_local:
                yield name, by_local[_local(name, own)]
    elif len(left) == len(right):
        yield from zip(left, right, strict=True)


def _settings(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    names = dict.fromkeys((*before, *after))
    return [(name, before.get(name), after.get(name)) for name in names]


def _details(*rows: tuple[str, Any, Any]) -> dict[str, list[Any]]:
    return {name: [before, after] for name, before, after in rows if repr(before) != repr(after)}


_Edge = tuple[str, int, str, int]


def _edges(topology: Topology) -> Counter[_Edge]:
    return Counter(
        (source, data["source_output"], target, data["target_input"])
        for source, target, data in topology.graph.edges(data=True)
    )


def _moved(edge: _Edge, nodes: dict[str, str]) -> _Edge | None:
    source, output, target, place = edge
    if source in nodes and target in nodes:
        return nodes[source], output, nodes[target], place
    return None


def _edge(source: str, output: int, target: str, place: int) -> str:
    return f"{source}:{output} -> {target}:{place}"


def _whole(change: Change) -> bool:
    return change.what == "module" and change.kind in ("added", "removed")


def _inside(change: Change, modules: set[str | None]) -> bool:
    """Tells whether what was added or removed lies in a module that was."""
    if change.kind not in ("added", "removed") or change.what == "edge":
        return False
    name = change.before or change.after or ""
    while "." in name:
        name = name.rpartition(".")[0]
        if name in modules:
            return True
    return False


def _told(change: Change) -> str:
    names = [_short(name) for name in (change.before, change.after) if name is not None]
    text = names[0] if len(set(names)) == 1 else " → ".join(names)
    if not change.details:
        return text
    told = [
        f"{name} {_short(_value(before))} → {_short(_value(after))}"
        for name, (before, after) in change.details.items()
    ]
    return f"{text}: {', '.join(told)}"


def _value(value: Any) -> str:
    """Writes specs as shape and dtype, and the rest as it is."""
    values: list[Any] = cast("list[Any]", value) if isinstance(value, list) else []
    if not any(isinstance(one, dict) for one in values):
        return str(cast("object", value))
    told = [f"{one['shape']} {one['dtype']}" if one else "unknown" for one in values]
    return ", ".join(told)


def _short(text: str) -> str:
    line = "".join(letter if letter.isprintable() else "·" for letter in text[: _WIDEST + 1])
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1]}…"
