"""Writes a topology as an indented tree, for terminals, logs and doctests."""

from __future__ import annotations

from visuai.render.fold import Drawn, drawn
from visuai.render.label import (
    local_name,
    num_parameters,
    op_label,
    plain,
    shape,
    shorten,
    type_name,
)
from visuai.render.nesting import nesting
from visuai.render.options import checked
from visuai.topology import Topology

_LONGEST = 60


@checked
def render(
    topology: Topology,
    *,
    depth: int | None = None,
    expanded: set[str] | None = None,
    fold_repeats: bool = True,
) -> str:
    """Writes a topology as an indented tree.

    Each line gives the name within its scope, the class, the output shapes and the number of
    parameters; ``←`` names the inputs where they are not just the line before.

    Args:
        topology: What to write.
        depth: Levels to show; None shows all that the topology has.
        expanded: Ids of scopes to open, on top of what ``depth`` opens.
        fold_repeats: Whether identical siblings in a row are written once, marked ×N.

    Returns:
        Lines of text, the last one ended too.

    Raises:
        RenderError: If an option is unknown or does not fit.

    Examples:
        >>> import torch, visuai
        >>> model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU())
        >>> print(visuai.build(model, torch.zeros(1, 4)).render("text"), end="")
        Sequential              40 parameters
        ├─ input   input   1×4
        ├─ 0       Linear  1×8  40
        ├─ 1       ReLU    1×8
        └─ output  output
    """
    drawing = drawn(topology, depth, expanded, fold_repeats)
    rows = _rows(drawing)
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    total = drawing.topology.num_parameters
    name = shorten(plain(topology.name), _LONGEST) or "network"
    if total:
        widths[3] = max(widths[3], len(f"{total:,}"))
        name = f"{name:<{sum(widths[:3]) + 4}}  {total:>{widths[3]},} parameters"
    lines = [name]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:3], widths, strict=False)]
        cells.append(row[3].rjust(widths[3]))
        cells.append(row[4])
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def _rows(drawing: Drawn) -> list[tuple[str, str, str, str, str]]:
    """Gives (tree and name, class, shapes, parameters, inputs) of each line."""
    topology = drawing.topology
    tree = nesting(topology)
    graph = topology.graph
    rows: list[tuple[str, str, str, str, str]] = []
    previous: str | None = None
    pending = [("", entry, entry is tree.members[""][-1]) for entry in tree.members[""]][::-1]
    while pending:
        lead, (is_scope, key), last = pending.pop()
        branch = lead + ("└─ " if last else "├─ ")
        repeat = drawing.repeats.get(key, 1)
        times = f" ×{repeat}" if repeat > 1 else ""
        if is_scope:
            scope = topology.scopes[key]
            name = shorten(local_name(key, scope.parent or ""), _LONGEST)
            rows.append((branch + name, shorten(type_name(scope.type)) + times, "", "", ""))
            inner = lead + ("   " if last else "│  ")
            members = tree.members[key]
            pending.extend(
                (inner, entry, index == len(members) - 1)
                for index, entry in reversed(list(enumerate(members)))
            )
            continue
        node = graph.nodes[key]
        name = shorten(local_name(key, node["scope"]), _LONGEST)
        shapes = ", ".join(shape(spec) for spec in node["outputs"] if spec is not None)
        parameters = num_parameters(topology, node["parameters"])
        sources = list(dict.fromkeys(graph.predecessors(key)))
        inputs = ""
        if sources and sources != [previous]:
            inputs = "← " + ", ".join(shorten(plain(source)) for source in sources)
        rows.append(
            (
                branch + name,
                shorten(op_label(node)) + times,
                "" if node["op_kind"] == "output" else shorten(shapes),
                f"{parameters:,}" if parameters else "",
                shorten(inputs, 120),
            )
        )
        previous = key
    return rows or [("└─ (nothing)", "", "", "", "")]
