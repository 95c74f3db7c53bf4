"""The viewer as it is served: drawn, opened, searched, traced, linked to, exported."""

from __future__ import annotations

import io
import json
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
from pages import Visit, colours, export, on_screen, picture, select, settle
from PIL import Image
from serving import serving

import visuai
from visuai.serve.shelf import Built

THEMES = ("light", "dark")


@pytest.mark.parametrize("theme", THEMES)
def test_network_is_drawn_in_either_theme(visit: Visit, served: str, theme: str) -> None:
    page = visit(served, color_scheme=theme)
    settle(page)
    found = colours(picture(page))
    ground = max(found, key=lambda colour: found[colour])
    assert (sum(ground) > 600) == (theme == "light"), ground
    boxes = [one for one, pixels in found.items() if pixels > 500]
    assert len(boxes) >= 4, found
    assert page.title() == "Network"


def test_theme_can_be_chosen(visit: Visit, served: str) -> None:
    page = visit(served, color_scheme="light")
    settle(page)
    page.get_by_role("application").focus()
    page.keyboard.press("t")
    page.keyboard.press("t")
    settle(page)
    found = colours(picture(page))
    assert sum(max(found, key=lambda colour: found[colour])) < 200


def test_nothing_is_drawn_while_nothing_changes(visit: Visit, served: str) -> None:
    page = visit(served)
    # Names are lettered in slices between frames, which a busy machine can keep far apart; a
    # viewer that draws for nothing never comes to rest, and this times out.
    settle(page, still=2000)
    before = page.evaluate("window.drawn")
    page.wait_for_timeout(1500)
    assert page.evaluate("window.drawn") == before


def test_modules_open_and_close_by_key_and_outline(visit: Visit, served: str) -> None:
    page = visit(served)
    settle(page)
    page.get_by_role("application").focus()
    page.keyboard.press("c")
    closed = on_screen(page)
    assert {"stem", "units", "last", "head"} <= closed.keys()
    assert "last.conv1" not in closed
    select(page, "last")
    page.keyboard.press("Enter")
    opened = on_screen(page)
    assert {"last.conv1", "last.conv2", "last.add"} <= opened.keys()
    assert opened["last"]["open"]
    assert opened["last"]["height"] > closed["last"]["height"]
    item = page.get_by_role("treeitem", name="last")
    assert item.get_attribute("aria-expanded") == "true"
    page.get_by_role("application").focus()
    page.keyboard.press("Enter")
    assert on_screen(page).keys() == closed.keys()


def test_double_click_opens_what_it_is_on(visit: Visit, served: str) -> None:
    page = visit(served)
    settle(page)
    page.get_by_role("application").focus()
    page.keyboard.press("c")
    select(page, "last")
    page.keyboard.press("f")
    settle(page)
    where = page.get_by_role("application").bounding_box()
    x, y = where["x"] + where["width"] / 2, where["y"] + where["height"] / 2
    page.mouse.dblclick(x, y)
    assert "last.conv1" in on_screen(page)


def test_everything_opens_and_repeats_unfold(visit: Visit, served: str) -> None:
    page = visit(served)
    settle(page)
    page.get_by_role("application").focus()
    page.keyboard.press("e")
    folded = on_screen(page)
    assert folded["units.0"]["repeat"] == 3
    assert "units.2" not in folded
    page.get_by_role("application").focus()
    page.keyboard.press("Shift+R")
    unfolded = on_screen(page)
    assert {"units.0", "units.1", "units.2"} <= unfolded.keys()
    assert unfolded["units.0"]["repeat"] == 1


def test_search_flies_to_what_it_finds(visit: Visit, served: str) -> None:
    page = visit(served)
    settle(page)
    page.get_by_role("application").focus()
    page.keyboard.press("c")
    page.keyboard.press("/")
    page.keyboard.type("last\\.conv[2]")
    hits = page.get_by_role("listbox", name="Found").get_by_role("option")
    hits.first.wait_for()
    settle(page)
    assert hits.count() == 1
    page.keyboard.press("Enter")
    shown = on_screen(page)
    assert "last.conv2" in shown
    details = page.get_by_role("complementary", name="Details")
    assert "kernel_size" in details.inner_text()
    assert "last.conv2" in details.inner_text()


def test_search_takes_what_could_run_for_ever(visit: Visit, served: str) -> None:
    page = visit(served)
    settle(page)
    page.keyboard.press("/")
    page.keyboard.type("(.+)+(.+)+$!")
    page.get_by_text("searched as text").wait_for()
    assert page.get_by_text("Nothing found.").is_visible()


def test_trace_dims_the_rest(visit: Visit, served: str) -> None:
    page = visit(served, reduced_motion="reduce")
    settle(page)
    page.get_by_role("application").focus()
    page.keyboard.press("c")
    select(page, "units")
    page.keyboard.press("0")
    settle(page)
    before = colours(picture(page))
    page.keyboard.press("u")
    settle(page)
    after = colours(picture(page))
    assert before != after
    assert page.get_by_text("What leads to the selection is lit").is_visible()
    page.keyboard.press("Escape")
    settle(page)
    assert colours(picture(page)) == before


def test_path_between_two(visit: Visit, served: str) -> None:
    page = visit(served)
    settle(page)
    select(page, "stem")
    page.keyboard.press("p")
    select(page, "head")
    settle(page)
    assert page.get_by_text("The shortest path is lit").is_visible()


def test_link_restores_the_view(visit: Visit, served: str) -> None:
    page = visit(served)
    settle(page)
    page.get_by_role("application").focus()
    page.keyboard.press("c")
    select(page, "last")
    page.keyboard.press("Enter")
    page.get_by_label("Colour").select_option("Parameters")
    shown = on_screen(page)
    page.wait_for_function("() => location.hash.includes('last')")
    page.wait_for_timeout(500)
    again = visit(page.url)
    assert on_screen(again).keys() == shown.keys()
    assert again.get_by_label("Colour").input_value() == "parameters"
    assert again.get_by_role("treeitem", name="last").get_attribute("aria-selected") == "true"


@pytest.mark.parametrize(
    "link", ["%%%", "open=9999999~%00", "at=nobody&camera=NaN,1,2", "a" * 9000]
)
def test_a_link_that_is_garbage_opens_the_network(visit: Visit, served: str, link: str) -> None:
    page = visit(f"{served}#{link}")
    settle(page)
    assert "stem" in on_screen(page)


def test_back_and_forward(visit: Visit, served: str) -> None:
    page = visit(served)
    settle(page)
    page.get_by_role("application").focus()
    page.keyboard.press("c")
    closed = on_screen(page).keys()
    page.get_by_role("application").focus()
    page.keyboard.press("e")
    opened = on_screen(page).keys()
    assert closed < opened
    page.get_by_role("button", name="Back").click()
    assert on_screen(page).keys() == closed
    page.get_by_role("button", name="Forward").click()
    assert on_screen(page).keys() == opened


def test_exports(visit: Visit, served: str) -> None:
    page = visit(served)
    settle(page)
    shown = on_screen(page)
    for choice in ("PNG of the view", "PNG of everything open"):
        image = Image.open(export(page, choice)).convert("RGB")
        assert min(image.size) > 200
        assert len(colours(image)) > 20
    drawing = ElementTree.fromstring(export(page, "SVG").read_text(encoding="utf-8"))
    texts = "\n".join("".join(each.itertext()) for each in drawing.iter())
    for box in shown.values():
        assert box["label"] in texts
    assert not list(drawing.iter("{http://www.w3.org/2000/svg}script"))
    plain = Image.open(export(page, "PNG of everything open")).convert("RGB")
    page.get_by_label("Colour").select_option("Parameters")
    told = Image.open(export(page, "PNG of everything open")).convert("RGB")
    assert told.height > plain.height  # By the legend.
    drawing = ElementTree.fromstring(export(page, "SVG").read_text(encoding="utf-8"))
    assert "Parameters" in ["".join(each.itertext()) for each in drawing.iter()]


def test_keys_are_listed(visit: Visit, served: str) -> None:
    page = visit(served)
    settle(page)
    page.get_by_role("application").focus()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    assert "open everything" in dialog.inner_text()
    page.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_everything_is_reached_with_the_tab_key(visit: Visit, served: str) -> None:
    page = visit(served)
    settle(page)
    reached: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
        if reached.count(reached[0]) > 1:
            break
    for role in ("toolbar", "combobox", "tree ", "application"):
        assert any(role in one for one in reached), (role, reached)


FOCUSED = """() => {
    const element = document.activeElement;
    const bar = element.closest("[role=toolbar]") ? "toolbar " : "";
    return bar + (element.getAttribute("role") ?? element.tagName) + " " +
        (element.getAttribute("aria-label") ?? element.textContent).slice(0, 40);
}"""


def test_outline_is_walked_with_arrow_keys(visit: Visit, served: str) -> None:
    page = visit(served)
    settle(page)
    page.get_by_role("application").focus()
    page.keyboard.press("c")
    page.get_by_role("treeitem", name="units").click()
    page.keyboard.press("ArrowDown")
    assert focused_item(page).startswith("last")
    page.keyboard.press("ArrowRight")
    settle(page)
    assert focused_item(page).startswith("last")
    page.keyboard.press("ArrowRight")
    assert "conv1" in focused_item(page)
    assert "last.conv1" in on_screen(page)


def focused_item(page: Any) -> str:
    return page.evaluate(
        """() => {
            const focused = document.activeElement;
            const id = focused.getAttribute("aria-activedescendant");
            return (id ? document.getElementById(id) : focused).textContent;
        }"""
    )


def test_three_dimensions(visit: Visit, served: str) -> None:
    page = visit(served)
    settle(page)
    flat = colours(picture(page))
    for name in ("Nested", "Volume"):
        page.get_by_role("button", name=name).click()
        settle(page)
        deep = colours(picture(page))
        assert deep != flat
        assert len(deep) > 20
    page.get_by_role("button", name="2D").click()
    settle(page)
    assert on_screen(page)


def test_reduced_motion_moves_at_once(visit: Visit, served: str) -> None:
    drawn: dict[str, int] = {}
    for motion in ("no-preference", "reduce"):
        page = visit(served, reduced_motion=motion)
        settle(page)
        page.get_by_role("application").focus()
        page.keyboard.press("c")
        settle(page, still=1000)
        before = page.evaluate("window.drawn")
        page.keyboard.press("e")
        page.wait_for_function("before => window.drawn > before", arg=before)
        settle(page, still=1000)
        drawn[motion] = page.evaluate("window.drawn") - before
    assert drawn["reduce"] < drawn["no-preference"]


def test_paper_gets_a_drawing_on_white(visit: Visit, served: str) -> None:
    page = visit(served, color_scheme="dark")
    settle(page)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    page.wait_for_timeout(300)
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    found = colours(image)
    assert max(found, key=lambda colour: found[colour]) == (255, 255, 255)
    assert len(found) > 20


def test_json_is_what_is_drawn(visit: Visit, served: str) -> None:
    page = visit(served)
    settle(page)
    text = export(page, "JSON of what is on screen").read_text(encoding="utf-8")
    document = json.loads(text)
    ids = {box["id"] for box in document["boxes"]}
    for wire in document["wires"]:
        assert {wire["source"], wire["target"]} <= ids | {""}


def test_a_start_page_longer_than_the_window_scrolls_to_its_top(
    visit: Visit, network: visuai.Topology
) -> None:
    with serving(Built([network] * 20)) as server:
        page = visit(server.url, viewport={"width": 800, "height": 500})
        heading = page.get_by_role("heading", name="Networks")
        heading.wait_for()
        assert heading.bounding_box()["y"] >= 0
        page.get_by_role("button", name="Compare").nth(12).click()
        assert 0 <= page.get_by_role("status").bounding_box()["y"] < 500
        page.get_by_role("button", name="Compare with this").nth(2).click()
        settle(page)
        page.get_by_role("button", name="Side by side").wait_for()


@pytest.mark.parametrize("width", [400, 760, 800, 890, 1100, 1400])
def test_no_tool_lies_on_another(visit: Visit, served_two: str, width: int) -> None:
    page = visit(served_two, viewport={"width": width, "height": 600})
    page.get_by_role("button", name="Network").first.click()
    settle(page)
    ends = page.evaluate(
        """() => [...document.querySelectorAll(".vz-toolbar > *")]
            .map((tool) => tool.getBoundingClientRect())
            .filter(({ width }) => width > 0)
            .map(({ left, right }) => [left, right])"""
    )
    assert all(left >= before - 0.5 for (_, before), (left, _) in pairwise(ends)), ends
    menu = page.locator(".vz-toolbar .vz-dropdown > button").first
    menu.click()
    page.get_by_role("menu").wait_for()
