"""Networks of 100,000 nodes, of 10,000 in one module, and of thousands of levels."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from pages import Visit, colours, on_screen, picture, settle
from serving import serving

from visuai.serve.shelf import Built

MADE = Path(__file__).parents[2] / "frontend" / "bench" / "networks.py"


def made(kind: str, *sizes: Any) -> Iterator[str]:
    """Address of a server that has a network of the benchmarks, packed already."""
    network = runpy.run_path(str(MADE))[kind](*sizes)
    with serving(Built([network])) as server:
        with urlopen(f"{server.url}api/networks/0") as answer:
            answer.read()
        yield server.url


@pytest.fixture(scope="module")
def nested() -> Iterator[str]:
    """A hundred thousand nodes in five levels of modules."""
    yield from made("hierarchical", [10, 10, 10, 10, 10])


@pytest.fixture(scope="module")
def flat() -> Iterator[str]:
    """Ten thousand nodes in one module."""
    yield from made("flat", 10_000)


@pytest.fixture(scope="module")
def deep() -> Iterator[str]:
    """Two thousand modules, each in the one before."""
    yield from made("deep", 2000)


def test_hundred_thousand_nodes_are_walked_through(visit: Visit, nested: str) -> None:
    page = visit(nested, reduced_motion="reduce")
    settle(page)
    assert len(colours(picture(page))) > 20
    page.get_by_role("application").focus()
    page.keyboard.press("c")
    assert "stage3" in on_screen(page)
    page.keyboard.press("/")
    page.keyboard.type("^stage3\\.group4\\.block5\\.cell6$")
    page.keyboard.press("Enter")  # at once, before anything is found
    page.wait_for_function("() => location.hash.includes('cell6')")
    page.get_by_role("application").focus()
    page.keyboard.press("Enter")
    shown = on_screen(page)
    assert shown["stage3.group4.block5.cell6"]["open"]
    inside = [key for key in shown if key.startswith("stage3.group4.block5.cell6.")]
    assert len(inside) == 10


def test_draw_calls_do_not_grow_with_the_network(visit: Visit, flat: str, served: str) -> None:
    calls: dict[str, int] = {}
    for name, url in {"small": served, "flat": flat}.items():
        page = visit(url, reduced_motion="reduce")
        settle(page)
        page.evaluate(
            """() => {
                window.frames_drawn = [];
                let before = window.drawn;
                const look = () => {
                    if (window.drawn > before) window.frames_drawn.push(window.drawn - before);
                    before = window.drawn;
                    requestAnimationFrame(look);
                };
                requestAnimationFrame(look);
            }"""
        )
        page.get_by_role("application").hover()
        for _ in range(6):
            page.mouse.wheel(0, 120)
            page.wait_for_timeout(60)
        settle(page)
        calls[name] = max(page.evaluate("window.frames_drawn"))
    assert calls["flat"] <= calls["small"] + 2, calls


def test_ten_thousand_nodes_in_one_module_are_a_readable_sheet(visit: Visit, flat: str) -> None:
    page = visit(flat)
    boxes = on_screen(page)
    assert len(boxes) >= 10_000
    width = max(box["x"] + box["width"] for box in boxes.values())
    height = max(box["y"] + box["height"] for box in boxes.values())
    assert 1 / 8 < width / height < 8


def test_thousands_of_levels_open(visit: Visit, deep: str) -> None:
    page = visit(deep, reduced_motion="reduce")
    settle(page)
    page.get_by_role("application").focus()
    page.keyboard.press("e")
    assert sum(box["open"] for box in on_screen(page).values()) >= 2000
