"""Draws a topology as one HTML page to pan, zoom and search, with vis-network inside."""

from __future__ import annotations

import json
from html import escape
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

from visuai.errors import RenderError
from visuai.ops import CATEGORIES
from visuai.render.caption import captions, header_of, headings
from visuai.render.fold import Drawn, drawn
from visuai.render.label import count, node_facts, plain, shape, shorten
from visuai.render.layout import Layout, lay_out
from visuai.render.options import Direction, checked
from visuai.render.palette import Palette, Theme, palette
from visuai.render.sheet import Spacing
from visuai.topology import Topology


@checked
def render(
    topology: Topology,
    *,
    depth: int | None = 2,
    expanded: set[str] | None = None,
    fold_repeats: bool = True,
    theme: Theme = "light",
    direction: Direction = "TB",
    shapes: bool = True,
    title: str | None = None,
) -> str:
    """Draws a topology as a stand-alone HTML page.

    The page holds all that it needs and asks the network for nothing. Nodes can be dragged,
    hovered for their facts, and searched.

    Args:
        topology: What to draw.
        depth: Levels to show; None shows all that the topology has.
        expanded: Ids of scopes to open, on top of what ``depth`` opens.
        fold_repeats: Whether identical siblings in a row are drawn once, marked ×N.
        theme: ``light`` or ``dark``.
        direction: Data flows down (``TB``) or to the right (``LR``).
        shapes: Whether edges carry the shape of their value.
        title: Heading of the page; None for the network's name.

    Returns:
        The text of an ``.html`` file.

    Raises:
        RenderError: If an option is unknown or does not fit, or pyvis holds no vis-network.

    Examples:
        >>> import torch, visuai
        >>> topology = visuai.build(torch.nn.Linear(4, 2), torch.zeros(1, 4))
        >>> "vis.Network" in topology.render("pyvis")
        True
    """
    drawing = drawn(topology, depth, expanded, fold_repeats)
    colours = palette(theme)
    words = captions(drawing)
    spacing = Spacing(rank=40, item=30) if direction == "TB" else Spacing(rank=90, item=24)
    layout = lay_out(
        drawing.topology,
        lambda key: (words[key].width + 8, words[key].height + 4),
        header_of(headings(drawing)),
        direction=direction,
        spacing=spacing,
        wrap=False,
    )
    used = {node["category"] for node in drawing.topology.graph.nodes.values()}
    data = {
        "nodes": _nodes(drawing, layout, colours),
        "edges": _edges(drawing, layout, direction, shapes),
        "frames": _frames(drawing, layout, colours),
        "width": round(layout.width),
        "height": round(layout.height),
        "direction": direction,
        "colours": {
            "text": colours.text,
            "faint": colours.faint,
            "wire": colours.wire,
            "ground": colours.ground,
            "line": colours.scope_line,
        },
    }
    name = plain(topology.name if title is None else title) or "network"
    total = drawing.topology.num_parameters
    legend = "".join(
        f'<span title="{escape(CATEGORIES[key])}"><i style="background:{paint.fill};'
        f'border-color:{paint.line}"></i>{key}</span>'
        for key, paint in colours.paints.items()
        if key in used
    )
    parts = {
        "title": escape(shorten(name, 80)),
        "full-title": escape(name),
        "facts": f"{count(total)} parameters" if total else "",
        "legend": legend,
        "data": _script_json(data),
        "ground": colours.ground,
        "text": colours.text,
        "faint": colours.faint,
        "line": colours.scope_line,
        "panel": colours.scopes[0],
        "vis-script": _vis("vis-network.min.js"),
        "vis-style": _vis("vis-network.css"),
    }
    template = files("visuai.render").joinpath("pyvis.html").read_text(encoding="utf-8")
    # One pass over the template: what is put in is never looked at again.
    first, *rest = template.split("{{")
    page = [first]
    for piece in rest:
        key, _, text = piece.partition("}}")
        page += (parts[key.strip()], text)
    return "".join(page)


def _vis(name: str) -> str:
    """Reads a file of the vis-network that pyvis carries.

    Raises:
        RenderError: If it is not there.
    """
    home = Path(import_module("pyvis").__file__ or "").parent
    found = sorted(home.glob(f"templates/lib/vis-*/{name}"))
    if not found:
        raise RenderError(
            f"The installed pyvis at {home} holds no {name}; expected pyvis 0.3.2 or later. "
            "Install it with: pip install 'pyvis>=0.3.2'."
        )
    text = found[-1].read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if "sourceMappingURL" not in line)


def _script_json(data: Any) -> str:
    """Writes JSON that may stand in a script: nothing in it can end the script."""
    text = json.dumps(data, separators=(",", ":"))  # ASCII only, so no U+2028 either
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _nodes(drawing: Drawn, layout: Layout, colours: Palette) -> list[dict[str, Any]]:
    node_class = import_module("pyvis.node").Node
    words = captions(drawing)
    nodes: list[dict[str, Any]] = []
    for number, (key, attributes) in enumerate(drawing.topology.graph.nodes.items()):
        box = layout.nodes[key]
        caption = words[key]
        paint = colours.paints.get(attributes["category"], colours.paints["other"])
        repeat = drawing.repeats.get(key, 1)
        title = f"{caption.title} ×{repeat}" if repeat > 1 else caption.title
        node = node_class(
            number,
            "box",
            f"{title}\n{caption.detail}" if caption.detail else title,
            x=round(box.x + box.width / 2, 1),
            y=round(box.y + box.height / 2, 1),
            color={
                "background": paint.fill,
                "border": paint.line,
                "highlight": {"background": paint.fill, "border": colours.text},
                "hover": {"background": paint.fill, "border": colours.text},
            },
            borderWidth=3 if attributes.get("scope_node") else 1.2,
            shapeProperties={"borderRadius": 9 if caption.small else 5},
            facts=node_facts(drawing.topology, key, repeat),
        )
        nodes.append(node.options)
    return nodes


def _edges(
    drawing: Drawn, layout: Layout, direction: Direction, shapes: bool
) -> list[dict[str, Any]]:
    edge_class = import_module("pyvis.edge").Edge
    graph = drawing.topology.graph
    number = {key: index for index, key in enumerate(graph)}
    twins: dict[tuple[str, str], int] = {}
    edges: list[dict[str, Any]] = []
    for source, target, data in graph.edges(data=True):
        twin = twins.get((source, target), 0)
        twins[source, target] = twin + 1
        text = shape(data)
        edge = edge_class(
            number[source],
            number[target],
            directed=True,
            label=shorten(text, 24) if shapes and text else "",
            smooth=_bend(layout, source, target, direction, twin),
            facts=[
                ("from", plain(source)),
                ("to", plain(target)),
                ("tensor", f"{text or '?'} {plain(data.get('dtype') or '')}".strip()),
                *([("through", plain(", ".join(data["pruned"])))] if data.get("pruned") else []),
            ],
        )
        edges.append(edge.options)
    return edges


def _bend(
    layout: Layout, source: str, target: str, direction: Direction, twin: int
) -> dict[str, Any]:
    """Bends an edge: gently to the next rank, in an arc around what a skip passes."""
    a, b = layout.nodes[source], layout.nodes[target]
    along = b.y - a.y - a.height if direction == "TB" else b.x - a.x - a.width
    aside = (
        abs(a.x + a.width / 2 - b.x - b.width / 2)
        if direction == "TB"
        else abs(a.y + a.height / 2 - b.y - b.height / 2)
    )
    if along > 130 and aside < 60:
        reach = 70 + along * 0.06
        side = "curvedCCW" if direction == "TB" else "curvedCW"
        return {"enabled": True, "type": side, "roundness": round(min(reach / along * 1.6, 0.9), 3)}
    if twin:
        return {"enabled": True, "type": "curvedCW", "roundness": round(0.35 * twin, 2)}
    forced = "vertical" if direction == "TB" else "horizontal"
    return {"enabled": True, "type": "cubicBezier", "forceDirection": forced, "roundness": 0.45}


def _frames(drawing: Drawn, layout: Layout, colours: Palette) -> list[dict[str, Any]]:
    """Boxes of the open scopes, outer ones first."""
    heads = headings(drawing)
    depth = {"": -1}
    frames: list[dict[str, Any]] = []
    for key, box in layout.scopes.items():
        depth[key] = depth.get(drawing.topology.scopes[key].parent or "", -1) + 1
        head = heads[key]
        frames.append(
            {
                "x": round(box.x, 1),
                "y": round(box.y, 1),
                "w": round(box.width, 1),
                "h": round(box.height, 1),
                "fill": colours.scopes[depth[key] % len(colours.scopes)],
                "title": f"{head.title} {head.badge}".strip(),
                "name": head.name,
            }
        )
    return frames
