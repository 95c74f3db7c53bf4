"""Writes a topology as a Mermaid flowchart, for Markdown pages that draw it."""

from __future__ import annotations

import re

from visuai.render.bundle import bundled
from visuai.render.caption import captions, headings
from visuai.render.fold import drawn
from visuai.render.label import edge_text, is_scope_node, plain, shorten
from visuai.render.nesting import nesting, outline
from visuai.render.options import Direction, checked
from visuai.render.palette import Theme, palette
from visuai.topology import Topology

# Mermaid reads entities, Markdown and HTML inside quotes, so all that could be one of them is
# written as a numbered entity: what stays is letters, digits and harmless punctuation.
_UNSAFE = re.compile(r"[!-'*+;-@\[-^`{-~-]|\.(?=\s)")


@checked
def render(
    topology: Topology,
    *,
    depth: int | None = None,
    expanded: set[str] | None = None,
    fold_repeats: bool = True,
    theme: Theme = "light",
    direction: Direction = "TB",
    shapes: bool = True,
) -> str:
    """Writes a topology as a Mermaid flowchart.

    Args:
        topology: What to draw.
        depth: Levels to show; None shows all that the topology has.
        expanded: Ids of scopes to open, on top of what ``depth`` opens.
        fold_repeats: Whether identical siblings in a row are drawn once, marked ×N.
        theme: ``light`` or ``dark``.
        direction: Data flows down (``TB``) or to the right (``LR``).
        shapes: Whether edges carry the shape of their value.

    Returns:
        The text of a ``.mmd`` file, or of a ``mermaid`` code fence.

    Raises:
        RenderError: If an option is unknown or does not fit.

    Examples:
        >>> import torch, visuai
        >>> topology = visuai.build(torch.nn.Linear(4, 2), torch.zeros(1, 4))
        >>> topology.render("mermaid").splitlines()[0]
        'flowchart TB'
    """
    drawing = bundled(drawn(topology, depth, expanded, fold_repeats))
    shown = drawing.topology
    colours = palette(theme)
    words = captions(drawing)
    heads = headings(drawing)
    number = {key: f"n{index}" for index, key in enumerate(shown.graph)}
    lines = [f"flowchart {direction}"]
    used: set[str] = set()
    frames: list[str] = []
    for kind, key, level in outline(nesting(shown)):
        indent = "  " * level
        if kind == "close":
            lines.append(f"{indent}end")
            continue
        if kind == "open":
            frames.append(f"s{len(frames)}")
            lines.append(f'{indent}subgraph {frames[-1]}["{_escaped(heads[key].line())}"]')
            continue
        node = shown.graph.nodes[key]
        caption = words[key]
        repeat = drawing.repeats.get(key, 1)
        label = _escaped(caption.title) + (f" ×{repeat}" if repeat > 1 else "")
        if caption.detail:
            label += f"<br>{_escaped(caption.detail)}"
        left, right = ("[[", "]]") if is_scope_node(node) else ("([", "])")
        if not is_scope_node(node) and not caption.small:
            left, right = "[", "]"
        category = node["category"] if node["category"] in colours.paints else "other"
        used.add(category)
        lines.append(f'{indent}{number[key]}{left}"{label}"{right}:::{category}')
    for source, target, data in shown.graph.edges(data=True):
        label = _escaped(shorten(plain(edge_text(data)), 40)) if shapes else ""
        arrow = f'-->|"{label}"|' if label else "-->"
        lines.append(f"  {number[source]} {arrow} {number[target]}")
    for category, paint in colours.paints.items():
        if category in used:
            lines.append(
                f"  classDef {category} fill:{paint.fill},stroke:{paint.line},color:{colours.text}"
            )
    if frames:
        lines.append(
            f"  classDef frame fill:{colours.scopes[0]},stroke:{colours.scope_line},"
            f"color:{colours.text}"
        )
        lines.append(f"  class {','.join(frames)} frame")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return _UNSAFE.sub(lambda match: f"#{ord(match[0])};", text)
