"""The SVG picture, read back with an XML parser."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from conftest import Golden
from rendering import residual, skips

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
