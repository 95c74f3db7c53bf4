"""The summary: a table of modules as torchinfo's users know it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from visuai.analysis.cost import Cost, cost
from visuai.analysis.memory import memory
from visuai.topology import Topology
from visuai.view import check_depth

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

_WIDEST = 60  # characters of a name or class that are shown
_MISSING = "-"


@dataclass(frozen=True, slots=True)
class Row:
    """One module call, or one op that is no module's.

    Attributes:
        id: Id of the scope or node.
        level: Depth in the module tree, 1 for a child of the root.
        name: Last part of the id.
        kind: Short class name, or the op.
        output: Shape of its first output, None if not known.
        cost: What it costs; shared tensors count in each row that reads them.
        calls: How often its module is called in one forward.
        repeat: Number of identical blocks that this row stands for.
    """

    id: str
    level: int
    name: str
    kind: str
    output: list[int | str] | None
    cost: Cost
    calls: int
    repeat: int


class Summary:
    """A table of a network's modules; prints itself, in colour on a rich console.

    Args:
        topology: The network.
        depth: Levels of modules to list, None for all.
        fold: Whether a run of identical blocks is one row with its count.

    Attributes:
        rows: What is listed, parents before children.
        total: Cost of one forward of the whole network.

    Raises:
        VisuaiError: If ``depth`` is negative.

    Examples:
        >>> import torch, visuai
        >>> model = torch.nn.Sequential(torch.nn.Linear(4, 2), torch.nn.ReLU())
        >>> topology = visuai.build(model, torch.zeros(3, 4))
        >>> [(row.kind, row.cost.parameters) for row in topology.summary().rows]
        [('Linear', 10), ('ReLU', 0)]
    """

    def __init__(self, topology: Topology, *, depth: int | None = None, fold: bool = True) -> None:
        check_depth(depth)
        costs = cost(topology)
        self.topology = topology
        self.total = costs.total
        self.rows = list(_rows(topology, costs.nodes | costs.scopes, depth, fold))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        title = f"{self.topology.name[:_WIDEST]}: {len(self.topology.graph)} nodes"
        table = Table(title=Text(title), box=box.SIMPLE_HEAD, title_justify="left")
        table.add_column("Module", overflow="fold")
        table.add_column("Output", overflow="fold")
        for heading in ("Parameters", "FLOPs", "Calls"):
            table.add_column(heading, justify="right", no_wrap=True)
        for row in self.rows:
            name = Text("  " * min(row.level - 1, 20))
            name.append(_short(row.name), "bold" if row.id in self.topology.scopes else "")
            name.append(f"  {_short(row.kind)}", "cyan")
            if row.repeat > 1:
                name.append(f"  ×{row.repeat}", "magenta")
            shape = _MISSING if row.output is None else _shape(row.output)
            table.add_row(name, shape, *_figures(row))
        yield table
        for label, value in self._totals():
            yield Text.assemble((f"{label:<24}", "bold"), value)

    def __str__(self) -> str:
        from rich.console import Console

        console = Console(width=120, color_system=None, legacy_windows=False, force_jupyter=False)
        with console.capture() as captured:
            console.print(self)
        return captured.get()

    def __repr__(self) -> str:
        return str(self)

    def _totals(self) -> Iterator[tuple[str, str]]:
        topology, total = self.topology, self.total
        held = [one for one in topology.parameters.values() if one["alias_of"] is None]
        parameters = topology.num_parameters
        trainable = total.trainable + (parameters - total.parameters)
        if parameters != total.parameters:  # some are read by no op: ask each tensor
            trainable = _trainable(topology)
        yield "Parameters", f"{parameters:,}  (trainable {trainable:,})"
        flops = f"{total.flops:,}  (multiply-add = 2)"
        if total.unknown_flops:
            flops = f"at least {flops}; not known for {total.unknown_flops} nodes"
        yield "FLOPs", flops
        size = sum(one["bytes"] for one in held if one["kind"] == "parameter")
        buffers = sum(one["bytes"] for one in held if one["kind"] != "parameter")
        yield "Parameter size", f"{_bytes(size)}  (buffers {_bytes(buffers)})"
        peak = memory(topology).peak
        known = f"{_bytes(total.activation_bytes)}  (most at a time in inference {_bytes(peak)})"
        if total.unknown_activations:
            known = f"at least {known}; not known for {total.unknown_activations} tensors"
        yield "Activations", known


def _rows(
    topology: Topology, costs: dict[str, Cost], depth: int | None, fold: bool
) -> Iterator[Row]:
    """Walks the module tree in execution order, without recursion."""
    calls = _calls(topology)
    outputs = _last_outputs(topology)
    waiting = [(child, 1) for child in reversed(topology.scopes[""].children)]
    while waiting:
        key, level = waiting.pop()
        if depth is not None and level > max(depth, 1):
            continue
        scope = topology.scopes.get(key)
        if scope is None:
            data = topology.graph.nodes[key]
            if data["op_kind"] not in ("placeholder", "output", "get_attr"):
                yield _op(key, level, topology, costs[key], calls)
            continue
        repeat = scope.repeat if fold else 1
        if repeat == 0 or key not in costs:
            continue
        parent = scope.parent or ""
        name = key[len(parent) + 1 :] if parent and key.startswith(f"{parent}.") else key
        kind = scope.type.rpartition(".")[2] or _MISSING
        count = calls.get(scope.fqn, 1)
        yield Row(key, level, name, kind, outputs.get(key), costs[key], count, repeat)
        waiting.extend((child, level + 1) for child in reversed(scope.children))


def _op(key: str, level: int, topology: Topology, own: Cost, calls: dict[str, int]) -> Row:
    data = topology.graph.nodes[key]
    first = next(iter(data["outputs"]), None)
    scope = data["scope"]
    name = key[len(scope) + 1 :] if scope and key.startswith(f"{scope}.") else key
    count = calls.get(data["fqn"], 1)
    shape = None if first is None else first["shape"]
    return Row(key, level, name, data["op"], shape, own, count, data.get("repeat", 1))


def _calls(topology: Topology) -> dict[str, int]:
    """Counts how often each module is called."""
    calls: dict[str, int] = {}
    boxes: list[str] = [scope.fqn for scope in topology.scopes.values()]
    kinds: Any = topology.graph.nodes(data=True)
    leaves = [data["fqn"] for _, data in kinds if data["op_kind"] == "call_module"]
    for fqn in (*boxes, *leaves):
        calls[fqn] = calls.get(fqn, 0) + 1
    return calls


def _last_outputs(topology: Topology) -> dict[str, list[int | str]]:
    """Gives the shape of the last value that leaves each scope: what it returns, as a rule.

    A value leaves all scopes from that of its source up to below where it is used; those
    below a scope that it is known to leave need no second look, so that each is seen once.
    """
    depth = {"": 0}
    for key, scope in topology.scopes.items():
        if scope.parent is not None:
            depth[key] = depth[scope.parent] + 1
    shapes: dict[str, list[int | str]] = {}
    nodes = topology.graph.nodes
    for source in reversed(list(topology.graph)):
        for _, target, data in topology.graph.out_edges(source, data=True):
            one, other = nodes[source]["scope"], nodes[target]["scope"]
            while one != other and data["shape"] is not None:
                if depth[one] >= depth[other]:
                    shapes.setdefault(one, list(data["shape"]))
                    one = topology.scopes[one].parent or ""
                else:
                    other = topology.scopes[other].parent or ""
    return shapes


def _trainable(topology: Topology) -> int:
    frozen = {
        name: {**held, "kind": "constant"}
        for name, held in topology.parameters.items()
        if not held["requires_grad"]
    }
    only: Any = {**topology.parameters, **frozen}
    return Topology(topology.name, topology.graph, topology.scopes, only).num_parameters


def _figures(row: Row) -> tuple[str, str, str]:
    flops = f"{row.cost.flops:,}" if row.cost.flops else _MISSING
    if row.cost.unknown_flops:
        flops = f"≥ {row.cost.flops:,}" if row.cost.flops else "?"
    parameters = f"{row.cost.parameters:,}" if row.cost.parameters else _MISSING
    return parameters, flops, str(row.calls)


def _shape(shape: list[int | str]) -> str:
    return "×".join(_short(str(size)) for size in shape) if shape else "scalar"


def _short(text: str) -> str:
    """Makes hostile names harmless: on one line, printable, and not too long."""
    line = "".join(letter if letter.isprintable() else "·" for letter in text[: _WIDEST + 1])
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1]}…"


def _bytes(size: int) -> str:
    """Writes a size in decimal units."""
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} B" if unit == "B" else f"{amount:.2f} {unit}"
        amount /= 1000
    return f"{amount:.2f} TB"
