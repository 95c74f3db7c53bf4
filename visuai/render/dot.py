"""Writes a topology in the dot language of Graphviz, open scopes as clusters."""

from __future__ import annotations

from visuai.render.bundle import bundled
from visuai.render.caption import Caption, captions, headings
from visuai.render.fold import drawn
from visuai.render.label import edge_text, is_scope_node, node_facts, plain, scope_facts, shorten
from visuai.render.nesting import nesting, outline
from visuai.render.options import Direction, checked
from visuai.render.palette import Theme, palette
from visuai.topology import Topology


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
    """Writes a topology as Graphviz dot.

    Args:
        topology: What to draw.
        depth: Levels to show; None shows all that the topology has.
        expanded: Ids of scopes to open, on top of what ``depth`` opens.
        fold_repeats: Whether identical siblings in a row are drawn once, marked ×N.
        theme: ``light`` or ``dark``.
        direction: Data flows down (``TB``) or to the right (``LR``).
        shapes: Whether edges carry the shape of their value.

    Returns:
        The text of a ``.dot`` file, for ``dot -Tsvg``.

    Raises:
        RenderError: If an option is unknown or does not fit.

    Examples:
        >>> import torch, visuai
        >>> topology = visuai.build(torch.nn.Linear(4, 2), torch.zeros(1, 4))
        >>> topology.render("dot").splitlines()[0]
        'digraph "Linear" {'
    """
    drawing = bundled(drawn(topology, depth, expanded, fold_repeats))
    shown = drawing.topology
    colours = palette(theme)
    words = captions(drawing)
    heads = headings(drawing)
    # Ids of our own: any quoting of a model's names would have to survive in ports and
    # cluster names too.
    number = {key: f"n{index}" for index, key in enumerate(shown.graph)}
    lines = [
        f"digraph {_quoted(shorten(plain(topology.name), 80))} {{",
        f'  graph [rankdir={direction}, bgcolor="{colours.ground}", fontname="Helvetica", '
        f'fontsize=10, fontcolor="{colours.text}", color="{colours.scope_line}", '
        'style="rounded,filled", ranksep=0.35, nodesep=0.3, compound=true]',
        f'  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11, '
        f'fontcolor="{colours.text}", margin="0.12,0.05", height=0.3]',
        f'  edge [color="{colours.wire}", fontname="Helvetica", fontsize=8, '
        f'fontcolor="{colours.faint}", arrowsize=0.6]',
    ]
    count = 0
    for kind, key, level in outline(nesting(shown)):
        indent = "  " * level
        if kind == "close":
            lines.append(f"{indent}}}")
            continue
        if kind == "open":
            fill = colours.scopes[(level - 1) % len(colours.scopes)]
            tip = _tip(scope_facts(shown.scopes[key], drawing.repeats.get(key, 1)))
            lines.append(
                f"{indent}subgraph cluster_{count} {{ label={_quoted(heads[key].line())}; "
                f'labeljust=l; fillcolor="{fill}"; tooltip={tip};'
            )
            count += 1
            continue
        node = shown.graph.nodes[key]
        paint = colours.paints.get(node["category"], colours.paints["other"])
        repeat = drawing.repeats.get(key, 1)
        edges = ", peripheries=2" if is_scope_node(node) else ""
        lines.append(
            f"{indent}{number[key]} [label={_quoted(_label(words[key], repeat))}, "
            f'fillcolor="{paint.fill}", color="{paint.line}", '
            f"tooltip={_tip(node_facts(shown, key, repeat))}{edges}]"
        )
    for source, target, data in shown.graph.edges(data=True):
        label = shorten(edge_text(data), 40) if shapes else ""
        lines.append(
            f"  {number[source]} -> {number[target]}"
            + (f" [label={_quoted(label)}]" if label else "")
        )
    return "\n".join([*lines, "}\n"])


def _label(caption: Caption, repeat: int) -> str:
    title = f"{caption.title} ×{repeat}" if repeat > 1 else caption.title
    return f"{title}\n{caption.detail}" if caption.detail else title


def _tip(facts: list[tuple[str, str]]) -> str:
    return _quoted("\n".join(f"{name}: {shorten(value, 400)}" for name, value in facts))


def _quoted(text: str) -> str:
    """Quotes a text: dot reads backslash escapes and HTML entities inside quotes."""
    text = text.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("\n", "\\n") + '"'
