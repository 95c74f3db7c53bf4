"""The SVG picture, read back with an XML parser."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from rendering import Golden, residual, skips, topology_of

from visuai.render.box import Box
from visuai.render.caption import captions, header_of, headings
from visuai.render.fold import drawn
from visuai.render.label import text_width
from visuai.render.layout import lay_out
from visuai.render.strokes import NOTE_SIZE, notes

SVG = "{http://www.w3.org/2000/svg}"


def parsed(topology: Any, **options: Any) -> ElementTree.Element:
    return ElementTree.fromstring(topology.render("svg", **options))


def texts(root: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


def test_golden(golden: Golden) -> None:
    golden("render/residual.svg", str(residual().render("svg")))


def test_everything_is_there() -> None:
    root = parsed(residual(), fold_repeats=False)
    words = texts(root)
    assert words.count("Conv2d") == 4
    assert words.count("add") == 3
    assert words.count("Residual") == 3
    assert "body" in words
    assert "conv · 576" in words
    assert "1×8×16×16" in words
    titles = [title.text or "" for title in root.iter(f"{SVG}title")]
    assert any("node: body.2.conv\nclass: torch.nn.Conv2d" in title for title in titles)
    assert any(
        title.startswith("from: stem\nto: body.0.conv, body.0.add\ntensor: 1×8×16×16 float32")
        for title in titles
    )


def test_switches() -> None:
    topology = residual()
    bare = texts(parsed(topology, shapes=False, legend=False, title=""))
    assert bare.count("1×8×16×16") == 0
    assert "conv" not in bare
    assert not any("parameters" in text for text in bare)
    assert "Mine" in texts(parsed(topology, title="Mine"))[0]
    light, dark = (str(topology.render("svg", theme=theme)) for theme in ("light", "dark"))
    assert 'fill="#ffffff"' in light
    assert 'fill="#ffffff"' not in dark


@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_size_holds_the_picture(direction: str) -> None:
    root = parsed(skips(4), direction=direction)
    left, top, width, height = map(float, root.attrib["viewBox"].split())
    assert (left, top) == (0, 0)
    assert (width > height) == (direction == "LR")


def test_closed_scopes_are_nodes() -> None:
    words = texts(parsed(residual(), depth=1))
    assert "Sequential" in words
    assert "body · 1.73k" in words
    assert "Residual" not in words


def test_no_shape_lies_on_another_or_on_a_node() -> None:
    nodes = {"x": ("input", ""), "split": ("view", ""), "join": ("cat", "")}
    edges = [("x", "split"), ("join", "output")]
    for index in range(6):
        nodes[f"v{index}"] = ("view", "")
        edges += [("split", f"v{index}"), (f"v{index}", "join")]
    nodes["output"] = ("output", "")
    topology = topology_of("wide", nodes, edges, shape=[1, 64, 12, 64])
    drawing = drawn(topology, None, None, False)
    words = captions(drawing)
    layout = lay_out(
        topology, lambda key: (words[key].width, words[key].height), header_of(headings(drawing))
    )
    boxes = list(layout.nodes.values())
    found = list(notes(drawing, layout, "TB"))
    assert found
    for note in found:
        width = text_width(note.text, NOTE_SIZE)
        left = note.x - width if note.end else note.x
        box = Box(left, note.y - NOTE_SIZE * 0.8, width, NOTE_SIZE)
        for other in boxes:
            assert (
                box.x >= other.x + other.width
                or other.x >= box.x + box.width
                or box.y >= other.y + other.height
                or other.y >= box.y + box.height
            )
        boxes.append(box)


def test_a_long_chain_to_the_right_is_wrapped_into_rows() -> None:
    nodes = {f"n{index}": ("Conv2d", "") for index in range(40)}
    topology = topology_of("Chain", nodes, [(f"n{i}", f"n{i + 1}") for i in range(39)])
    shape: dict[bool, float] = {}
    for wrap in (True, False):
        root = parsed(topology, direction="LR", wrap=wrap)
        shape[wrap] = float(root.attrib["width"]) / float(root.attrib["height"])
    assert 0.8 < shape[True] < 4
    assert shape[False] > 20
