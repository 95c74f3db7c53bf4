"""Draws a topology as a stand-alone SVG picture, fit for print."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from visuai.ops import CATEGORIES
from visuai.render.arrangement import arranged
from visuai.render.box import Box
from visuai.render.bundle import bundled
from visuai.render.caption import (
    DETAIL,
    SMALL,
    TITLE,
    Caption,
    Heading,
    captions,
    headings,
)
from visuai.render.fold import Drawn, drawn
from visuai.render.label import (
    count,
    edge_text,
    is_scope_node,
    node_facts,
    plain,
    scope_facts,
    shorten,
    text_width,
)
from visuai.render.layout import Layout, Wire
from visuai.render.options import Direction, checked
from visuai.render.palette import Palette, Theme, palette
from visuai.render.strokes import (
    NOTE_SIZE,
    arrow_data,
    notes,
    number,
    path_data,
)
from visuai.render.wiring import Value
from visuai.topology import Topology

_MARGIN = 16.0
_FONT = "Inter, 'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', sans-serif"
_BOLD = ' font-weight="600"'


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
    legend: bool = True,
    title: str | None = None,
    wrap: bool = True,
) -> str:
    """Draws a topology as SVG.

    Open scopes are boxes around what is in them, other nodes are filled by category. A value
    is one line however many nodes read it. Tooltips (``<title>``) tell the rest.

    Args:
        topology: What to draw.
        depth: Levels to show; None shows all that the topology has.
        expanded: Ids of scopes to open, on top of what ``depth`` opens.
        fold_repeats: Whether identical siblings in a row are drawn once, marked ×N.
        theme: ``light`` or ``dark``.
        direction: Data flows down (``TB``) or to the right (``LR``).
        shapes: Whether lines carry the shape of their value.
        legend: Whether to explain the colours.
        title: Heading of the picture; None for the network's name, "" for none.
        wrap: Whether long chains are wrapped into columns (``TB``) or rows (``LR``).

    Returns:
        The text of an ``.svg`` file.

    Raises:
        RenderError: If an option is unknown or does not fit.

    Examples:
        >>> import torch, visuai
        >>> topology = visuai.build(torch.nn.Linear(4, 2), torch.zeros(1, 4))
        >>> picture = topology.render("svg", theme="dark")
        >>> picture.startswith("<svg")
        True
    """
    drawing = bundled(drawn(topology, depth, expanded, fold_repeats))
    colours = palette(theme)
    prefix = f"visuai-{theme}-"  # in a notebook, all pictures of a page share their classes
    words = captions(drawing)
    heads = headings(drawing)
    layout = arranged(drawing, words, heads, direction=direction, shapes=shapes, wrap=wrap)
    name = plain(topology.name if title is None else title)
    used = {_category(node["category"]) for node in drawing.topology.graph.nodes.values()}
    width = max(layout.width, 260.0, text_width(shorten(name, 60), 15) + 120) + 2 * _MARGIN
    top = _MARGIN
    body: list[str] = []
    if name:
        body.append(_title(name, drawing, width, top, prefix))
        top += 26
    body.append(f'<g transform="translate({number((width - layout.width) / 2)} {number(top)})">')
    body.extend(_scopes(drawing, layout, heads, colours, prefix))
    body.extend(_wires(drawing, layout, direction, prefix))
    body.extend(_nodes(drawing, layout, words, prefix))
    if shapes:
        body.extend(_tags(drawing, layout, direction, prefix))
    body.append("</g>")
    top += layout.height
    if legend:
        lines, height = _legend([key for key in CATEGORIES if key in used], width, top, prefix)
        body.extend(lines)
        top += height
    size = f"{number(width)} {number(top + _MARGIN)}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{number(width)}" '
            f'height="{number(top + _MARGIN)}" font-family="{_FONT}" role="img">',
            f"<title>{escape(name or 'network')}</title>",
            _style(colours, used, prefix),
            f'<rect width="100%" height="100%" fill="{colours.ground}"/>',
            *body,
            "</svg>\n",
        ]
    )


def _style(colours: Palette, used: set[str], prefix: str) -> str:
    rules = [
        f".{prefix}w{{fill:none;stroke:{colours.wire};stroke-width:1.15}}",
        f".{prefix}a{{fill:{colours.wire}}}",
        f".{prefix}t{{fill:{colours.text}}}",
        f".{prefix}b{{fill:{colours.ground}}}",
        f".{prefix}f{{fill:{colours.faint}}}",
        f".{prefix}s{{fill:{colours.faint};stroke:{colours.ground};stroke-width:2.2;"
        "stroke-linejoin:round;paint-order:stroke}",
    ]
    rules.extend(
        f".{prefix}{name}{{fill:{paint.fill};stroke:{paint.line}}}"
        for name, paint in colours.paints.items()
        if name in used
    )
    return f"<style>{''.join(rules)}</style>"


def _title(name: str, drawing: Drawn, width: float, top: float, prefix: str) -> str:
    total = drawing.topology.num_parameters
    facts = f"{count(total)} parameters" if total else ""
    return (
        f'<text class="{prefix}t" x="{number(width / 2)}" y="{number(top + 13)}" '
        f'text-anchor="middle" font-size="15">'
        f'<tspan font-weight="600">{escape(shorten(name, 60))}</tspan>'
        f'<tspan class="{prefix}f" dx="8" font-size="10.5">{facts}</tspan></text>'
    )


def _tooltip(facts: list[tuple[str, str]]) -> str:
    text = "\n".join(f"{name}: {value}" for name, value in facts)
    return f"<title>{escape(text)}</title>"


def _frame(box: Box, radius: float, extra: str) -> str:
    return (
        f'<rect x="{number(box.x)}" y="{number(box.y)}" width="{number(box.width)}" '
        f'height="{number(box.height)}" rx="{number(radius)}" {extra}/>'
    )


def _scopes(
    drawing: Drawn, layout: Layout, heads: dict[str, Heading], colours: Palette, prefix: str
) -> Iterator[str]:
    depth = {"": -1}
    for key, box in layout.scopes.items():
        scope = drawing.topology.scopes[key]
        depth[key] = depth.get(scope.parent or "", -1) + 1
        fill = colours.scopes[depth[key] % len(colours.scopes)]
        head = heads[key]
        repeat = drawing.repeats.get(key, 1)
        parts = [_tooltip(scope_facts(scope, repeat))]
        if repeat > 1:  # a second sheet behind says that there are more
            behind = Box(box.x + 4, box.y + 4, box.width, box.height)
            parts.append(_frame(behind, 8, f'fill="{fill}" stroke="{colours.scope_line}"'))
        parts.append(_frame(box, 8, f'fill="{fill}" stroke="{colours.scope_line}"'))
        left, line = box.x + 8, box.y + 13
        parts.append(
            f'<text class="{prefix}t" x="{number(left)}" y="{number(line)}" font-size="{DETAIL}" '
            f'font-weight="600">{escape(head.title)}</text>'
        )
        if head.badge:
            left += text_width(head.title, DETAIL) * 1.08 + 5
            parts.extend(_badge(head.badge, left, box.y + 4, prefix))
        if head.name:
            parts.append(
                f'<text class="{prefix}f" x="{number(box.x + box.width - 8)}" y="{number(line)}" '
                f'font-size="{DETAIL}" text-anchor="end">{escape(head.name)}</text>'
            )
        yield f"<g>{''.join(parts)}</g>"


def _badge(text: str, x: float, y: float, prefix: str) -> Iterator[str]:
    width = text_width(text, DETAIL) * 1.08 + 8
    yield _frame(Box(x, y, width, 12), 6, f'class="{prefix}a"')
    yield (
        f'<text class="{prefix}b" x="{number(x + width / 2)}" y="{number(y + 9.4)}" font-size="9" '
        f'font-weight="700" text-anchor="middle">{escape(text)}</text>'
    )


def _wires(drawing: Drawn, layout: Layout, direction: Direction, prefix: str) -> Iterator[str]:
    graph = drawing.topology.graph
    readers: dict[Value, list[str]] = {}
    specs: dict[Value, str] = {}
    for source, target, data in graph.edges(data=True):
        value = (source, int(data.get("source_output", 0)))
        readers.setdefault(value, []).append(target)
        specs[value] = f"{edge_text(data)} {plain(data.get('dtype') or '')}".strip()
    pieces: dict[Value, list[Wire]] = {}
    for wire in layout.wires:
        pieces.setdefault(wire.value, []).append(wire)
    for value, wires in pieces.items():
        names = [plain(shorten(name, 80)) for name in readers[value][:8]]
        more = len(readers[value]) - len(names)
        facts = [
            ("from", plain(value[0])),
            ("to", ", ".join(names) + (f" and {more} more" if more else "")),
        ]
        if specs[value]:
            facts.append(("tensor", specs[value]))
        lines = "".join(path_data(wire.path) for wire in wires)
        heads = "".join(
            arrow_data(wire.path[-1][-2], wire.path[-1][-1], direction)
            for wire in wires
            if wire.target is not None
        )
        arrows = f'<path class="{prefix}a" d="{heads}"/>' if heads else ""
        yield f'<g>{_tooltip(facts)}<path class="{prefix}w" d="{lines}"/>{arrows}</g>'


def _nodes(drawing: Drawn, layout: Layout, words: dict[str, Caption], prefix: str) -> Iterator[str]:
    nodes = drawing.topology.graph.nodes
    for key, box in layout.nodes.items():
        attributes = nodes[key]
        caption = words[key]
        repeat = drawing.repeats.get(key, 1)
        paint = f'class="{prefix}{_category(attributes["category"])}"'
        parts = [_tooltip(node_facts(drawing.topology, key, repeat))]
        radius = box.height / 2 if caption.small else 5
        radius = min(radius, 11.0)
        if repeat > 1:
            parts.append(_frame(Box(box.x + 4, box.y + 4, box.width, box.height), radius, paint))
        parts.append(_frame(box, radius, paint))
        if is_scope_node(attributes):  # something is inside
            inner = Box(box.x + 2.5, box.y + 2.5, box.width - 5, box.height - 5)
            parts.append(
                _frame(inner, radius - 2, f'{paint} fill-opacity="0" stroke-opacity=".45"')
            )
        middle = box.x + box.width / 2
        size = SMALL if caption.small else TITLE
        line = box.y + box.height / 2 + size * 0.36
        if caption.detail:
            line = box.y + box.height / 2 - (1.5 if caption.small else 2.5)
        parts.append(
            f'<text class="{prefix}t" x="{number(middle)}" y="{number(line)}" font-size="{size}" '
            f'text-anchor="middle"{"" if caption.small else _BOLD}>{escape(caption.title)}</text>'
        )
        if caption.detail:
            parts.append(
                f'<text class="{prefix}f" x="{number(middle)}" y="{number(line + 12.5)}" '
                f'font-size="{DETAIL}" text-anchor="middle">{escape(caption.detail)}</text>'
            )
        if repeat > 1:
            text = f"×{repeat}"
            wide = text_width(text, DETAIL) * 1.08 + 8
            parts.extend(_badge(text, box.x + box.width - wide + 6, box.y - 6, prefix))
        yield f"<g>{''.join(parts)}</g>"


def _category(name: str) -> str:
    return name if name in CATEGORIES else "other"


def _tags(drawing: Drawn, layout: Layout, direction: Direction, prefix: str) -> Iterator[str]:
    for note in notes(drawing, layout, direction):
        anchor = "end" if note.end else "start"
        yield (
            f'<text class="{prefix}s" x="{number(note.x)}" y="{number(note.y)}" '
            f'font-size="{NOTE_SIZE}" text-anchor="{anchor}">{escape(note.text)}</text>'
        )


def _legend(used: list[str], width: float, top: float, prefix: str) -> tuple[list[str], float]:
    """Explains the colours, in as many lines as the width needs."""
    lines: list[list[tuple[float, str]]] = [[]]
    x = 0.0
    for name in used:
        room = text_width(name, DETAIL) + 30
        if lines[-1] and x + room > width - 2 * _MARGIN:
            lines.append([])
            x = 0.0
        lines[-1].append((x, name))
        x += room
    parts: list[str] = []
    y = top + 12
    for line in lines:
        if not line:
            continue
        last_x, last = line[-1]
        left = (width - last_x - text_width(last, DETAIL) - 16) / 2
        for x, name in line:
            parts.append(
                f'<g><title>{escape(CATEGORIES[name])}</title><rect class="{prefix}{name}" '
                f'x="{number(left + x)}" y="{number(y)}" width="11" height="11" rx="3"/><text '
                f'class="{prefix}f" x="{number(left + x + 16)}" y="{number(y + 9)}" '
                f'font-size="{DETAIL}">{name}</text></g>'
            )
        y += 18
    return parts, y - top if parts else 0.0
