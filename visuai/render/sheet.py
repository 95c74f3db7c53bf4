"""Lays out the inside of one scope: its nodes, its inner boxes, and the lines between them.

Everything here flows down the page; `visuai.render.layout` turns it for left to right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from visuai.render.box import Box, Header, Spacing
from visuai.render.page import Page, Piece
from visuai.render.ranks import rank
from visuai.render.wiring import End, Value, Wiring

_PORT_WIDTH = 8.0
_TAG_WIDTH = 56.0
_MOST_TURNS = 64  # where more lines turn than this, no side is free


@dataclass(slots=True)
class Sheet:
    """The inside of a scope, laid out from its own top left corner.

    Attributes:
        width: Width, in pixels.
        height: Height, in pixels.
        nodes: Boxes of the nodes directly inside.
        scopes: Boxes of the scopes directly inside.
        wires: (value, node that the piece ends in or None, path).
        tags: (value, x, y, is the room on the left).
        entries: Where a value enters through the upper border, by value.
        exits: Where a value leaves through the lower border, by value.
    """

    width: float = 0
    height: float = 0
    nodes: dict[str, Box] = field(default_factory=dict[str, Box])
    scopes: dict[str, Box] = field(default_factory=dict[str, Box])
    wires: list[tuple[Value, str | None, list[tuple[float, ...]]]] = field(
        default_factory=list[tuple[Value, "str | None", list[tuple[float, ...]]]]
    )
    tags: list[tuple[Value, float, float, bool]] = field(
        default_factory=list[tuple[Value, float, float, bool]]
    )
    entries: dict[Value, float] = field(default_factory=dict[Value, float])
    exits: dict[Value, float] = field(default_factory=dict[Value, float])


def draw_sheet(
    members: list[tuple[bool, str]],
    wiring: Wiring,
    sizes: dict[str, tuple[float, float]],
    sheets: dict[str, Sheet],
    *,
    inputs: set[str],
    header: Header | None,
    across: bool,
    spacing: Spacing,
    wrap: bool,
    room: Callable[[Value], float] | None,
) -> Sheet:
    """Lays out one scope whose inner scopes are laid out already.

    Args:
        members: (is a scope, id) of what lies directly inside, in execution order.
        wiring: The pieces of edges inside.
        sizes: Width and height of nodes.
        sheets: The inner scopes.
        inputs: Nodes that are inputs of the network; they stay at the top.
        header: Room for the heading; None for the root, which has none.
        across: Whether the result will be turned, so that the heading is at the side.
        spacing: Distances.
        wrap: Whether a long chain is wrapped into columns.
        room: Width of the text beside a value's line; None for no text.
    """
    ends: list[End] = [("scope" if is_scope else "node", key, 0) for is_scope, key in members]
    number = {end: index for index, end in enumerate(ends)}
    # Values made long before pass on the right, and so cross a border on the right of later ones.
    for end in (*_entries(wiring), *_exits(wiring, number, sheets)):
        number[end] = len(ends)
        ends.append(end)
    pieces: list[Piece] = []
    for (value, source, target), reads in wiring.pieces.items():
        for end in (source, target):
            if end not in number:
                number[end] = len(ends)
                ends.append(end)
        inputs_read = len(set(reads)) if target[0] == "node" else 1
        pieces.append(Piece(value, number[source], number[target], inputs_read))
    item_sizes: list[tuple[float, float]] = []
    for kind, key, _ in ends:
        if kind == "node":
            item_sizes.append(sizes[key])
        elif kind == "scope":
            item_sizes.append((sheets[key].width, sheets[key].height))
        else:
            item_sizes.append((_PORT_WIDTH, 0.0))
    fed = {piece.target for piece in pieces if piece.target != piece.source}
    ranks = rank(
        len(ends),
        {(piece.source, piece.target) for piece in pieces},
        top={index for index, end in enumerate(ends) if end[0] == "in"},
        bottom={index for index, end in enumerate(ends) if end[0] == "out"},
        floating={
            index
            for index, (kind, key, _) in enumerate(ends)
            if kind in ("node", "scope") and index not in fed and key not in inputs
        },
    )
    head = header.height if header and not across else 0.0
    ports = {
        index: (sheets[key].width, sheets[key].entries, sheets[key].exits)
        for index, (kind, key, _) in enumerate(ends)
        if kind == "scope"
    }
    page = Page(ends, item_sizes, pieces, ranks, ports, head, spacing, wrap)
    sheet = Sheet(page.width, page.height)
    offset = 0.0
    if header and across:
        offset = header.height
        sheet.width += offset
        sheet.height = max(sheet.height, header.left + header.right + 3 * spacing.pad)
    elif header:
        ports = [page.x_of(index) for index, end in enumerate(ends) if end[0] == "in"]
        side = spacing.pad * 0.7
        if ports:
            offset = max(0.0, side + header.left + 8 - min(ports))
            sheet.width = max(sheet.width + offset, max(ports) + offset + 8 + header.right + side)
        else:
            sheet.width = max(sheet.width, header.left + header.right + 3 * side)
            offset = (sheet.width - page.width) / 2
    if offset:
        page.shift = [shift + offset for shift in page.shift]
        page.right_edges = [edge + offset for edge in page.right_edges]
    if ranks.count and header and across and any(end[0] == "out" for end in ends):
        page.top[-1] = page.bottom[-1] = sheet.height
    _fill(sheet, page, sheets)
    if room and header and not across:
        ends_at = [x + 5 + room(value) for value, x, _, on_left in sheet.tags if not on_left]
        sheet.width = max([sheet.width, *(x + 4 for x in ends_at)])
    return sheet


def _entries(wiring: Wiring) -> list[End]:
    """Where values come in, from left to right: the outputs of one node in their order."""
    made: dict[str, list[End]] = {}
    for end in dict.fromkeys(end for _, end, _ in wiring.pieces if end[0] == "in"):
        made.setdefault(end[1], []).append(end)
    return [end for ends in reversed(made.values()) for end in ends]


def _exits(wiring: Wiring, number: dict[End, int], sheets: dict[str, Sheet]) -> list[End]:
    """Where values go out, from left to right: those of one item in the order they leave it."""
    found: dict[End, tuple[float, float]] = {}
    for value, source, end in wiring.pieces:
        if end[0] == "out" and end not in found:
            leaves = sheets[source[1]].exits[value] if source[0] == "scope" else value[1]
            found[end] = -number.get(source, -1), leaves
    return sorted(found, key=found.__getitem__)


def _fill(sheet: Sheet, page: Page, sheets: dict[str, Sheet]) -> None:
    """Writes boxes, ports, wires and tags of a finished page."""
    for index, (kind, key, output) in enumerate(page.ends):
        x = page.x_of(index)
        width, height = page.sizes[index]
        if kind == "in":
            sheet.entries[key, output] = x
        elif kind == "out":
            sheet.exits[key, output] = x
        else:
            box = Box(x - width / 2, page.y_of(index), width, height)
            (sheet.nodes if kind == "node" else sheet.scopes)[key] = box
    leaving = _leaving_points(page, sheets)
    arriving = _arriving_points(page, sheets, leaving)
    deepest: dict[Value, int] = {
        value: last for value, (_, last) in page.reach.items() if value in page.lanes
    }
    trunk_done: set[Value] = set()
    tagged: dict[Value, tuple[float, float, int]] = {}
    start, end = page.ranks.start, page.ranks.end
    # The longest piece of each value draws the trunk; the others branch off.
    for piece in sorted(page.pieces, key=lambda p: -start[p.target]):
        value = piece.value
        x, y = leaving[value, piece.source]
        target = page.ends[piece.target]
        for target_x, target_y in arriving[piece]:
            into = target[1] if target[0] == "node" else None
            if start[piece.target] <= end[piece.source]:
                sheet.wires.append((value, into, _way_back(sheet, page, x, y, target_x, target_y)))
                continue
            path: list[tuple[float, ...]] = [(x, y)]
            row, way_x = end[piece.source], x
            last = start[piece.target] - 1
            lanes = page.lanes.get(value, {})
            if last > row and value in trunk_done:
                way_x = lanes[page.column[last]] + page.shift[page.column[last]]
                path = [(way_x, page.bottom[last])]
                row = last
            elif last > row:
                if last + 1 == deepest[value]:
                    trunk_done.add(value)
                path.append((x, page.bottom[row]))
                while row < last:
                    lane_x = lanes[page.column[row + 1]] + page.shift[page.column[row + 1]]
                    path.extend(page.step_down(value, row, way_x, lane_x))
                    row, way_x = row + 1, lane_x
                    while row < last and row not in page.tracks:
                        row += 1
                    path.append((way_x, page.bottom[row]))
            else:
                path.append((x, page.bottom[row]))
            path.extend(page.step_down(value, row, way_x, target_x))
            path.append((target_x, target_y))
            sheet.wires.append((value, into, _straightened(path)))
        if page.ends[piece.source][0] == "node" and value not in tagged:
            tagged[value] = (x, y, end[piece.source])
    _tag(sheet, page, tagged)


def _tag(sheet: Sheet, page: Page, tagged: dict[Value, tuple[float, float, int]]) -> None:
    """Puts each tag on the side of its line where fewer lines turn."""
    turns: dict[int, list[tuple[float, float]]] = {}
    for (left, right), row in page.turns:
        turns.setdefault(row, []).append((left, right))
    for value, (x, y, row) in tagged.items():
        crowd = [0, 0]
        near = turns.get(row, ())
        for left, right in near if len(near) <= _MOST_TURNS else ():
            crowd[0] += left < x - 3 and right > x - _TAG_WIDTH
            crowd[1] += right > x + 3 and left < x + _TAG_WIDTH
        sheet.tags.append((value, x, y, crowd[1] > crowd[0]))


def _leaving_points(
    page: Page, sheets: dict[str, Sheet]
) -> dict[tuple[Value, int], tuple[float, float]]:
    """Where each value leaves the item that it comes from."""
    outputs: dict[int, dict[Value, float]] = {}  # and where they go
    for piece in page.pieces:
        lanes = page.lanes.get(piece.value)
        to = next(iter(lanes.values())) if lanes else page.centres[piece.target]
        outputs.setdefault(piece.source, {}).setdefault(piece.value, to)
    points: dict[tuple[Value, int], tuple[float, float]] = {}
    for item, ways in outputs.items():
        values = sorted(ways, key=lambda value: (ways[value], value[1]))
        kind, key, _ = page.ends[item]
        x, y = page.x_of(item), page.y_of(item)
        width, height = page.sizes[item]
        if kind == "in":
            points[values[0], item] = (x, y)
        elif kind == "scope":
            for value in values:
                points[value, item] = (x - width / 2 + sheets[key].exits[value], y + height)
        else:
            step = min(14.0, width / (len(values) + 1))
            for index, value in enumerate(values):
                points[value, item] = (x + step * (index - (len(values) - 1) / 2), y + height)
    return points


def _arriving_points(
    page: Page, sheets: dict[str, Sheet], leaving: dict[tuple[Value, int], tuple[float, float]]
) -> dict[Piece, list[tuple[float, float]]]:
    """Where each piece arrives; those from the left on the left, straight ones in the middle."""
    arriving: dict[Piece, list[tuple[float, float]]] = {}
    to_nodes: dict[int, list[tuple[float, Piece]]] = {}
    for piece in page.pieces:
        kind, key, _ = page.ends[piece.target]
        x, y = page.x_of(piece.target), page.y_of(piece.target)
        if kind == "scope":
            left = x - page.sizes[piece.target][0] / 2
            arriving[piece] = [(left + sheets[key].entries[piece.value], y)]
        elif kind == "out":
            arriving[piece] = [(x, y)]
        else:
            row = page.ranks.start[piece.target] - 1
            far = row > page.ranks.end[piece.source]
            lane = page.lanes.get(piece.value, {}).get(page.column[row]) if far else None
            if lane is None:
                column = page.column[page.ranks.start[piece.source]]
                lane = leaving[piece.value, piece.source][0] - page.shift[column]
            to_nodes.setdefault(piece.target, []).append((lane, piece))
    for item, came in to_nodes.items():
        x, y = page.x_of(item), page.y_of(item)
        came.sort(key=lambda entry: entry[0])
        slots = [(where, piece) for where, piece in came for _ in range(piece.inputs)]
        straight = [i for i, (where, _) in enumerate(slots) if abs(where - page.centres[item]) < 2]
        middle = straight[0] if len(straight) == 1 else (len(slots) - 1) / 2
        reach = max(middle, len(slots) - 1 - middle, 1)
        step = min(9.0, page.sizes[item][0] * 0.42 / reach)
        for index, (_, piece) in enumerate(slots):
            arriving.setdefault(piece, []).append((x + step * (index - middle), y))
    return arriving


def _way_back(
    sheet: Sheet, page: Page, x: float, y: float, target_x: float, target_y: float
) -> list[tuple[float, ...]]:
    """Leads a value up the page, outside of everything: only cycles need it."""
    sheet.width += 2 * page.spacing.lane
    side = sheet.width - page.spacing.lane
    turn = page.spacing.rank * 0.6
    return [
        (x, y),
        (x, y + turn, side, y + turn, side, y),
        (side, target_y),
        (side, target_y - turn, target_x, target_y - turn, target_x, target_y),
    ]


def _straightened(path: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    """Joins straight steps along one vertical, and drops those of no length."""
    clean: list[tuple[float, ...]] = [path[0]]
    for step in path[1:]:
        x, y = clean[-1][-2:]
        if len(step) == 2 and abs(step[0] - x) < 0.01:
            if abs(step[1] - y) < 0.01:
                continue
            if len(clean) > 1 and len(clean[-1]) == 2 and abs(clean[-2][-2] - x) < 0.01:
                clean[-1] = step
                continue
        clean.append(step)
    return clean
