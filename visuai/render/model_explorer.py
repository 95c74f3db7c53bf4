"""Writes a topology as a GraphCollection of Google's Model Explorer.

The format is that of ``graph_builder.py`` in the package ``ai-edge-model-explorer``.
"""

from __future__ import annotations

import json
from typing import Any

from visuai.render.fold import drawn
from visuai.render.label import (
    local_name,
    node_facts,
    num_parameters,
    op_label,
    plain,
    scope_facts,
    shape,
    shorten,
    type_name,
)
from visuai.render.nesting import Nesting, nesting
from visuai.render.options import checked
from visuai.render.palette import Theme, palette
from visuai.topology import Topology


@checked
def render(
    topology: Topology,
    *,
    depth: int | None = None,
    expanded: set[str] | None = None,
    fold_repeats: bool = False,
    theme: Theme = "light",
) -> str:
    """Writes a topology as JSON that Model Explorer opens.

    Args:
        topology: What to write.
        depth: Levels to keep; None keeps all, since Model Explorer opens and closes them itself.
        expanded: Ids of scopes to open, on top of what ``depth`` opens.
        fold_repeats: Whether identical siblings in a row are written once.
        theme: Which colours the nodes get.

    Returns:
        The text of a ``.json`` file.

    Raises:
        RenderError: If an option is unknown or does not fit.

    Examples:
        >>> import json, torch, visuai
        >>> model = torch.nn.Sequential(torch.nn.Linear(4, 2))
        >>> topology = visuai.build(model, torch.zeros(1, 4))
        >>> document = json.loads(topology.render("model-explorer"))
        >>> [node["label"] for node in document["graphs"][0]["nodes"]]
        ['input', 'Linear', 'output']
    """
    drawing = drawn(topology, depth, expanded, fold_repeats)
    shown = drawing.topology
    colours = palette(theme)
    tree = nesting(shown)
    namespaces = _namespaces(shown, tree)
    # Ids are the call-sites, unless spelling out what cannot be seen makes two of them alike.
    ids: dict[str, str] = {}
    taken: set[str] = set()
    for key in shown.graph:
        ids[key] = _free(plain(key), taken)
    nodes: list[dict[str, Any]] = []
    for key, node in shown.graph.nodes.items():
        paint = colours.paints.get(node["category"], colours.paints["other"])
        repeat = drawing.repeats.get(key, 1)
        nodes.append(
            {
                "id": ids[key],
                "label": shorten(op_label(node), 80) + (f" ×{repeat}" if repeat > 1 else ""),
                "namespace": namespaces[tree.node_parent[key]],
                "attrs": _pairs(node_facts(shown, key, repeat)),
                "incomingEdges": [
                    {
                        "sourceNodeId": ids[source],
                        "sourceNodeOutputId": str(data.get("source_output", 0)),
                        "targetNodeInputId": str(data.get("target_input", 0)),
                    }
                    for source, _, data in shown.graph.in_edges(key, data=True)
                ],
                "outputsMetadata": [
                    {
                        "id": str(index),
                        "attrs": _pairs(
                            [("shape", shape(spec)), ("dtype", plain(spec["dtype"]))]
                            if spec is not None
                            else []
                        ),
                    }
                    for index, spec in enumerate(node["outputs"])
                ],
                "style": {"backgroundColor": paint.fill, "borderColor": paint.line},
            }
        )
    name = shorten(plain(topology.name), 80) or "network"
    graph: dict[str, Any] = {"id": name, "nodes": nodes}
    graph["groupNodeAttributes"] = {
        namespaces[key]: dict(scope_facts(shown.scopes[key], drawing.repeats.get(key, 1)))
        for key in tree.members
        if key
    }
    total = num_parameters(shown, shown.parameters)
    graph["groupNodeAttributes"][""] = {"parameters": f"{total:,}"}
    return json.dumps({"label": name, "graphs": [graph]}, ensure_ascii=False) + "\n"


def _namespaces(topology: Topology, tree: Nesting) -> dict[str, str]:
    """Gives each scope's path of names, unlike any other's."""
    paths = {"": ""}
    taken = {""}
    for key in topology.scopes:  # parents come before children
        if key and key in tree.members:
            parent = tree.scope_parent[key]
            name = local_name(key, parent)
            kind = type_name(topology.scopes[key].type)
            # The slash parts the levels, so a name must not hold one.
            word = shorten((f"{name} ({kind})" if kind else name).replace("/", "\u2215"), 80)
            paths[key] = _free(f"{paths[parent]}/{word}" if paths[parent] else word, taken)
    return paths


def _free(name: str, taken: set[str]) -> str:
    """Gives a name that is not taken yet, and takes it."""
    free, number = name, 2
    while free in taken:
        free, number = f"{name} #{number}", number + 1
    taken.add(free)
    return free


def _pairs(facts: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in facts]
