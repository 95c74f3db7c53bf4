"""Draws a topology as one HTML page to pan, zoom and search, with vis-network inside."""

from __future__ import annotations

import json
import re
from html import escape
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

from visuai.errors import RenderError
from visuai.ops import CATEGORIES
from visuai.render.arrangement import arranged
from visuai.render.bundle import bundled
from visuai.render.caption import captions, headings
from visuai.render.fold import Drawn, drawn
from visuai.render.label import count, is_scope_node, node_facts, plain, shorten
from visuai.render.layout import Layout
from visuai.render.options import Direction, checked
from visuai.render.palette import Palette, Theme, palette
from visuai.render.strokes import arrow_data, notes, path_data
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

    The page holds all that it needs and asks the network for nothing. Hovering a node tells
    the facts about it, a click shows what it is wired to, and a field finds nodes by name.

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
    drawing = bundled(drawn(topology, depth, expanded, fold_repeats))
    colours = palette(theme)
    words = captions(drawing)
    layout = arranged(drawing, words, headings(drawing), direction=direction, shapes=shapes)
    used = {node["category"] for node in drawing.topology.graph.nodes.values()}
    data = {
        "nodes": _nodes(drawing, layout, colours),
        "edges": _edges(drawing),
        "wires": _wires(drawing, layout, direction),
        "notes": [
            [round(note.x, 1), round(note.y, 1), note.text, note.end]
            for note in (notes(drawing, layout, direction) if shapes else ())
        ],
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
            "mark": colours.hues["attention"],
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
    return re.sub(r"//# sourceMappingURL=\S+", "", text)  # the tools of a browser would fetch it


def _script_json(data: Any) -> str:
    """Writes JSON that may stand in a script: nothing in it can end the script."""
    text = json.dumps(data, separators=(",", ":"))  # ASCII only, so no U+2028 either
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _nodes(drawing: Drawn, layout: Layout, colours: Palette) -> list[dict[str, Any]]:
    node_class = import_module("pyvis.node").Node
    words = captions(drawing)
    nodes: list[dict[str, Any]] = []
    for index, (key, attributes) in enumerate(drawing.topology.graph.nodes.items()):
        box = layout.nodes[key]
        caption = words[key]
        paint = colours.paints.get(attributes["category"], colours.paints["other"])
        repeat = drawing.repeats.get(key, 1)
        node = node_class(
            index,
            "custom",
            caption.title,
            detail=caption.detail,
            x=round(box.x + box.width / 2, 1),
            y=round(box.y + box.height / 2, 1),
            w=round(box.width, 1),
            h=round(box.height, 1),
            fill=paint.fill,
            line=paint.line,
            small=caption.small,
            closed=is_scope_node(attributes),
            repeat=repeat,
            facts=node_facts(drawing.topology, key, repeat),
        )
        nodes.append(node.options)
    return nodes


def _edges(drawing: Drawn) -> list[dict[str, Any]]:
    """Edges as vis-network holds them: not drawn, since the layout knows better ways."""
    edge_class = import_module("pyvis.edge").Edge
    graph = drawing.topology.graph
    index = {key: place for place, key in enumerate(graph)}
    return [
        edge_class(index[source], index[target], directed=True, hidden=True).options
        for source, target in graph.edges()
    ]


def _wires(
    drawing: Drawn, layout: Layout, direction: Direction
) -> list[tuple[int, int | None, str, str]]:
    """Gives (source, target or None, line, arrow head) of each piece of an edge."""
    index = {key: place for place, key in enumerate(drawing.topology.graph)}
    return [
        (
            index[wire.value[0]],
            None if wire.target is None else index[wire.target],
            path_data(wire.path),
            arrow_data(wire.path[-1][-2], wire.path[-1][-1], direction)
            if wire.target is not None
            else "",
        )
        for wire in layout.wires
    ]


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
                "title": head.title,
                "badge": head.badge,
                "name": head.name,
            }
        )
    return frames
