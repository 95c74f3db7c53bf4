"""What holds for every picture: boxes nest and never overlap, lines end where they should."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rendering import residual, skips, topology_of

from visuai.render.box import Box, Spacing
from visuai.render.caption import captions, header_of, headings
from visuai.render.fold import Drawn
from visuai.render.layout import Layout, lay_out
from visuai.render.nesting import nesting
from visuai.render.options import Direction
from visuai.topology import Scope, Topology


def laid_out(topology: Topology, **options: Any) -> Layout:
    drawing = Drawn(topology, {})
    words = captions(drawing)
    return lay_out(
        topology,
        lambda key: (words[key].width, words[key].height),
        header_of(headings(drawing)),
        **options,
    )


def overlap(one: Box, other: Box) -> bool:
    slack = 0.01
    return (
        one.x + slack < other.x + other.width
        and other.x + slack < one.x + one.width
        and one.y + slack < other.y + other.height
        and other.y + slack < one.y + one.height
    )


def within(inner: Box, outer: Box) -> bool:
    slack = 0.01
    return (
        outer.x <= inner.x + slack
        and outer.y <= inner.y + slack
        and inner.x + inner.width <= outer.x + outer.width + slack
        and inner.y + inner.height <= outer.y + outer.height + slack
    )


def check(topology: Topology, layout: Layout, direction: Direction = "TB") -> None:
    tree = nesting(topology)
    page = Box(0, 0, layout.width, layout.height)
    boxes = {**layout.scopes, "": page}
    assert set(layout.nodes) == set(topology.graph)
    for scope, members in tree.members.items():
        placed = [(layout.scopes if is_scope else layout.nodes)[key] for is_scope, key in members]
        for index, box in enumerate(placed):
            assert within(box, boxes[scope])
            assert not any(overlap(box, other) for other in placed[:index])
    reads = {
        (source, int(data["source_output"]), target, int(data["target_input"]))
        for source, target, data in topology.graph.edges(data=True)
    }
    arrows: dict[tuple[str, str], int] = {}
    for wire in layout.wires:
        x, y = wire.path[-1][-2:]
        assert all(-0.01 <= part <= max(page.width, page.height) + 0.01 for part in (x, y))
        if wire.target is not None:
            box = layout.nodes[wire.target]
            near, far = (box.y, box.x) if direction == "TB" else (box.x, box.y)
            across = box.width if direction == "TB" else box.height
            at, along = (x, y) if direction == "TB" else (y, x)
            assert along == pytest.approx(near, abs=0.02)
            assert far <= at <= far + across
            arrows[wire.value[0], wire.target] = arrows.get((wire.value[0], wire.target), 0) + 1
    expected: dict[tuple[str, str], int] = {}
    for source, _, target, _ in reads:
        expected[source, target] = expected.get((source, target), 0) + 1
    assert arrows == expected


@st.composite
def networks(draw: st.DrawFn) -> Topology:
    """Random nested networks, acyclic in the nodes; scopes may be on a cycle."""
    scopes = [""]
    kinds: dict[str, Any] = {}
    for index in range(draw(st.integers(0, 6))):
        parent = draw(st.sampled_from(scopes))
        key = f"{parent}.s{index}" if parent else f"s{index}"
        scopes.append(key)
        kinds[key] = "Some"
    count = draw(st.integers(1, 16))
    nodes: dict[str, tuple[str, str]] = {}
    for index in range(count):
        scope = draw(st.sampled_from(scopes))
        op = draw(
            st.sampled_from(["Conv2d", "add", "cat", "input", "scaled_dot_product_attention"])
        )
        nodes[f"n{index}"] = (op, scope)
    keys = list(nodes)
    edges: list[Any] = []
    for target in range(1, count):
        sources = draw(st.lists(st.integers(0, target - 1), max_size=3))
        edges += [
            (keys[source], keys[target], draw(st.integers(0, 1)), index)
            for index, source in enumerate(sources)
        ]
    return topology_of("Random", nodes, edges, kinds, shape=[1, 2, 3])


@settings(max_examples=150, deadline=None)
@given(networks(), st.sampled_from(["TB", "LR"]), st.booleans(), st.sampled_from([60, 980]))
def test_random_networks(
    topology: Topology, direction: Direction, wrap: bool, tallest: float
) -> None:
    layout = laid_out(topology, direction=direction, wrap=wrap, spacing=Spacing(tallest=tallest))
    check(topology, layout, direction)


def test_no_box_between_two_that_stand_too_close_for_it() -> None:
    """Boxes that reach down from the rank above leave no room, so it goes beside them."""
    nodes = dict.fromkeys(("n0", "n7", "n9", "n14"), ("Conv2d", ""))
    nodes |= {"n1": ("Conv2d", "s0.s4"), "n2": ("Conv2d", "s0.s5"), "n5": ("add", "s0")}
    nodes |= {"n8": ("Conv2d", "s0.s3"), "n10": ("Conv2d", "s0.s4"), "n13": ("Conv2d", "s0")}
    edges: list[Any] = [("n0", "n10"), ("n0", "n10", 0, 1), ("n1", "n9"), ("n2", "n7")]
    edges += [("n5", "n10", 0, 2), ("n8", "n14")]
    scopes = dict.fromkeys(["s0", "s0.s3", "s0.s4", "s0.s5"], "Some")
    topology = topology_of("Close", nodes, edges, scopes, shape=[1, 2, 3])
    check(topology, laid_out(topology, wrap=False))


@pytest.mark.parametrize("topology", [residual(), skips(5)], ids=["residual", "skips"])
@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_known_networks(topology: Topology, direction: Direction) -> None:
    check(topology, laid_out(topology, direction=direction, wrap=False), direction)


def test_the_spine_is_straight_and_skips_pass_beside_the_nodes() -> None:
    topology = skips(4)
    layout = laid_out(topology, wrap=False)
    centres = {round(box.x + box.width / 2, 1) for box in layout.nodes.values()}
    assert len(centres) == 1
    (spine,) = centres
    for wire in layout.wires:
        straight = [
            (one, other)
            for one, other in zip(wire.path, wire.path[1:], strict=False)
            if len(other) == 2 and other[1] - one[-1] > 30
        ]
        for one, other in straight:
            passed = [
                box
                for box in layout.nodes.values()
                if one[-1] < box.y and box.y + box.height < other[1]
            ]
            assert all(not box.x < other[0] < box.x + box.width for box in passed)
            assert not passed or other[0] > spine


def test_scopes_that_concatenate_all_before_stand_below_each_other() -> None:
    """A dense network, opened: not a staircase, though each scope has one more way in."""
    nodes = {"x": ("input", "")}
    scopes: dict[str, Any] = {}
    edges: list[Any] = []
    made = ["x"]
    for index in range(12):
        scopes[f"d{index}"] = "Dense"
        nodes[f"d{index}.cat"] = ("cat", f"d{index}")
        nodes[f"d{index}.conv"] = ("Conv2d", f"d{index}")
        edges += [(source, f"d{index}.cat", 0, at) for at, source in enumerate(made)]
        edges.append((f"d{index}.cat", f"d{index}.conv"))
        made.append(f"d{index}.conv")
    topology = topology_of("Dense", nodes, edges, scopes)
    layout = laid_out(topology, wrap=False)
    check(topology, layout)
    centres = [box.x + box.width / 2 for box in layout.nodes.values()]
    assert max(centres) - min(centres) < 30


def u_network(depth: int) -> Topology:
    """Stages in a list, of which the other list reads the last first; `head` comes after."""
    nodes = {"x": ("input", "")}
    edges: list[Any] = []
    last = "x"
    for at in range(depth):
        nodes[f"down.{at}"] = ("Conv2d", "down")
        edges.append((last, f"down.{at}"))
        last = f"down.{at}"
    for at in range(depth - 1):
        nodes[f"up.{at}"] = ("cat", "up")
        edges += [(last, f"up.{at}"), (f"down.{depth - 2 - at}", f"up.{at}", 0, 1)]
        last = f"up.{at}"
    nodes["head"] = ("Conv2d", "")
    edges.append((last, "head"))
    return topology_of("U", nodes, edges, {"down": "ModuleList", "up": "ModuleList"})


def points(path: list[Any]) -> list[tuple[float, float]]:
    """A path as a polygon, each curve in eight pieces."""
    found = [path[0]]
    for step in path[1:]:
        (x, y), ends = found[-1], [step[i : i + 2] for i in range(0, len(step), 2)]
        for part in range(1, 9) if len(ends) == 3 else ():
            t = part / 8
            shares = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
            corners = ((x, y), *ends)
            found.append(
                tuple(sum(s * c[i] for s, c in zip(shares, corners, strict=True)) for i in (0, 1))
            )
        if len(ends) == 1:
            found.append(ends[0])
    return found


def crossings(layout: Layout) -> int:
    """How often lines of different values cross."""

    def side(a: Any, b: Any, c: Any) -> float:
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    pieces = [
        (wire.value, one, other)
        for wire in layout.wires
        for one, other in pairwise(points(wire.path))
    ]
    return sum(
        value != second and side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
        for (value, a, b), (second, c, d) in combinations(pieces, 2)
    )


def test_lines_that_cross_are_counted() -> None:
    edges = [(one, other, 0, at) for at, one in enumerate("abc") for other in "uvw"]
    topology = topology_of("Utilities", dict.fromkeys("abcuvw", ("add", "")), edges)
    assert crossings(laid_out(topology)) > 0


@pytest.mark.parametrize("depth", [3, 5, 8])
def test_skips_from_one_scope_into_another_nest_and_do_not_cross(depth: int) -> None:
    layout = laid_out(u_network(depth), wrap=False)
    check(u_network(depth), layout)
    assert crossings(layout) == 0


def test_outputs_of_one_node_leave_a_scope_side_by_side() -> None:
    nodes = {
        "x": ("input", ""),
        "attend": ("op", "block"),
        "mix": ("op", "block"),
        "end": ("op", ""),
    }
    edges = [("x", "attend"), ("attend", "mix"), ("mix", "end")]
    edges += [("attend", "end", output, output) for output in (1, 2, 3)]
    topology = topology_of("Cached", nodes, edges, {"block": "Block"})
    assert crossings(laid_out(topology)) == 0


def test_what_joins_many_stands_in_the_middle_below_them() -> None:
    nodes = {"x": ("input", "")} | {f"c{i}": ("Conv2d", "all") for i in range(9)}
    edges: list[Any] = [("x", f"c{i}") for i in range(9)]
    edges += [(f"c{i}", "cat", 0, i) for i in range(9)]
    topology = topology_of("Wide", {**nodes, "cat": ("cat", "")}, edges, {"all": "ModuleList"})
    layout = laid_out(topology)
    cat, middle = layout.nodes["cat"], layout.nodes["c4"]
    assert abs(cat.x + cat.width / 2 - middle.x - middle.width / 2) < 30


def test_a_short_end_of_a_chain_gets_no_column_of_its_own() -> None:
    nodes = {f"n{index}": ("Conv2d", f"s{index // 10}") for index in range(20)}
    nodes |= {"head": ("Linear", ""), "output": ("output", "")}
    names = list(nodes)
    edges = list(pairwise(names))
    scopes = {"s0": "Stage", "s1": "Stage"}
    layout = laid_out(topology_of("Stages", nodes, edges, scopes))
    assert layout.nodes["head"].x < layout.scopes["s1"].x + layout.scopes["s1"].width


def test_one_value_is_one_line_however_many_read_it() -> None:
    nodes = {"x": ("input", ""), "mask": ("input", "")}
    scopes: dict[str, Any] = {}
    edges: list[Any] = []
    last = "x"
    for index in range(5):
        scopes[f"b{index}"] = "Part"
        nodes[f"b{index}.a"] = ("add", f"b{index}")
        nodes[f"b{index}.b"] = ("mul", f"b{index}")
        edges += [
            (last, f"b{index}.a"),
            ("mask", f"b{index}.a", 0, 1),
            (f"b{index}.a", f"b{index}.b"),
            ("mask", f"b{index}.b", 0, 1),
        ]
        last = f"b{index}.b"
    topology = topology_of("Masked", nodes, edges, scopes)
    layout = laid_out(topology, wrap=False)
    check(topology, layout)
    from_mask = [wire for wire in layout.wires if wire.value[0] == "mask" and wire.target is None]
    assert len(from_mask) == 5, "one line into each scope"


def test_two_reads_of_one_value_are_two_arrows() -> None:
    topology = topology_of(
        "Square", {"h": ("input", ""), "mul": ("mul", "")}, [("h", "mul"), ("h", "mul", 0, 1)]
    )
    layout = laid_out(topology)
    assert len({wire.path[-1] for wire in layout.wires if wire.target == "mul"}) == 2


def test_long_chain_is_wrapped() -> None:
    nodes = {f"n{index}": ("Conv2d", "") for index in range(60)}
    topology = topology_of("Chain", nodes, [(f"n{i}", f"n{i + 1}") for i in range(59)])
    wrapped, straight = laid_out(topology), laid_out(topology, wrap=False)
    check(topology, wrapped)
    assert wrapped.height < straight.height / 3
    assert 0.4 < wrapped.width / wrapped.height < 2.5


def test_depth_and_size_do_not_matter() -> None:
    """Deeper than the recursion limit, and as many nodes as a large network."""
    deep = ["s" + ".s" * index for index in range(3000)]
    nodes = {"x": ("input", ""), "y": ("relu", ""), "output": ("output", "")}
    topology = topology_of("Deep", nodes, [("x", "y"), ("y", "output")])
    for key, parent in zip(deep, ["", *deep], strict=False):
        topology.scopes[key] = Scope(key, key, "pkg.S", 0, parent)
        topology.scopes[parent].children.append(key)
    topology.graph.nodes["y"]["scope"] = deep[-1]
    for name in ("svg", "text", "dot", "mermaid", "threejs", "model-explorer"):
        assert topology.render(name)
    wide = {f"n{index}": ("relu", "") for index in range(10_000)}
    edges: list[Any] = [(f"n{i}", f"n{i + 1}") for i in range(9_999)]
    edges += [(f"n{i}", f"n{i + 10}", 0, 1) for i in range(0, 9_900, 7)]
    assert len(str(topology_of("Long", wide, edges).render("svg"))) > 1_000_000


def test_cycle_is_drawn() -> None:
    topology = topology_of(
        "Loop",
        {"a": ("add", ""), "b": ("mul", ""), "c": ("relu", "")},
        [("a", "b"), ("b", "c"), ("c", "a"), ("b", "b")],
    )
    check(topology, laid_out(topology))
