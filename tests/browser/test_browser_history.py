"""The browser's own Back and Forward step through views, wherever the page is its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pages import Visit, on_screen, select, settle

import visuai

Seen = tuple[frozenset[str], str, tuple[float, ...]]


def seen(page: Any) -> Seen:
    """Gives what is drawn, what is selected, and where the camera is, by the page's address."""
    settle(page)
    page.wait_for_timeout(500)  # until the address has followed the camera
    drawn = frozenset(on_screen(page))
    said = dict(part.partition("=")[::2] for part in page.url.partition("#")[2].split("&"))
    camera = tuple(float(one) for one in said.get("camera", "").split(",") if one)
    return drawn, said.get("at", ""), camera


def comes(page: Any, expected: Seen) -> bool:
    """Tells whether something is seen in the end; the address follows the camera in a while."""
    for _ in range(20):
        now = seen(page)
        if now[:2] == expected[:2] and all(
            abs(here - there) < 1 for here, there in zip(now[2], expected[2], strict=True)
        ):
            return True
    return False


def walked(page: Any) -> list[Seen]:
    """Opens a module, zooms out, and flies to what a search finds; gives what is seen each time."""
    settle(page)
    application = page.get_by_role("application")
    application.focus()
    page.keyboard.press("c")
    found = [seen(page)]
    select(page, "last")
    found.append(seen(page))
    page.get_by_role("application").focus()
    page.keyboard.press("Enter")
    found.append(seen(page))
    application.focus()
    for _ in range(4):
        page.keyboard.press("+")
    settle(page)
    found[-1] = seen(page)  # a camera that moves is no step, but is come back to
    application.focus()
    page.keyboard.press("/")
    page.keyboard.type("units.2.conv2")
    page.get_by_role("listbox", name="Found").get_by_role("option").first.wait_for()
    page.keyboard.press("Enter")
    found.append(seen(page))
    assert len({one[0] for one in found}) == 3
    assert "units.2.conv2" in found[-1][0]
    return found


@pytest.fixture(params=["served", "file"])
def address(request: pytest.FixtureRequest, network: visuai.Topology, tmp_path: Path) -> str:
    """Address of a page with the network: from a server, and from a disk."""
    if request.param == "served":
        return request.getfixturevalue("served")
    path = tmp_path / "network.html"
    path.write_text(str(network.render("html")), encoding="utf-8")
    return path.as_uri()


def test_browser_goes_back_and_forward(visit: Visit, address: str) -> None:
    page = visit(address)
    found = walked(page)
    for expected in found[-2::-1]:
        page.go_back(wait_until="commit")
        assert comes(page, expected)
    for expected in found[1:]:
        page.go_forward(wait_until="commit")
        assert comes(page, expected)


def test_buttons_and_keys_go_the_same_way(visit: Visit, address: str) -> None:
    page = visit(address)
    found = walked(page)
    page.get_by_role("button", name="Back").click()
    assert comes(page, found[-2])
    page.get_by_role("application").focus()
    page.keyboard.press("[")
    page.keyboard.press("[")
    assert comes(page, found[-4])
    page.go_forward(wait_until="commit")
    assert comes(page, found[-3])
    page.get_by_role("application").focus()
    page.keyboard.press("]")
    assert comes(page, found[-2])
    # What was undone is gone for both once another way is taken.
    page.get_by_role("application").focus()
    page.keyboard.press("e")
    settle(page)
    assert page.get_by_role("button", name="Forward").is_disabled()
    page.go_back(wait_until="commit")
    assert comes(page, found[-2])


def test_back_after_a_reload(visit: Visit, address: str) -> None:
    page = visit(address)
    found = walked(page)
    page.go_back(wait_until="commit")
    settle(page)
    page.reload(wait_until="commit")
    assert comes(page, found[-2])
    page.go_forward(wait_until="commit")
    assert comes(page, found[-1])
    page.go_back(wait_until="commit")
    page.go_back(wait_until="commit")
    assert comes(page, found[-3])
    # The steps that follow are the page's own again.
    page.get_by_role("application").focus()
    page.keyboard.press("e")
    settle(page)
    page.get_by_role("button", name="Back").click()
    assert comes(page, found[-3])


def test_a_deep_link_is_where_back_begins(visit: Visit, address: str) -> None:
    page = visit(f"{address}#open=1~last&at=last")
    settle(page)
    first = seen(page)
    assert "last.conv1" in first[0]
    page.get_by_role("application").focus()
    page.keyboard.press("e")
    settle(page)
    page.go_back(wait_until="commit")
    assert comes(page, first)
    # An address that is typed is a step like others.
    page.evaluate("location.hash = 'open=1&at=stem'")
    page.wait_for_function("() => document.querySelector('[role=treeitem][aria-selected=true]')")
    assert seen(page)[1] == "stem"
    page.go_back(wait_until="commit")
    assert comes(page, first)


def test_a_walk_with_arrow_keys_is_one_step(visit: Visit, address: str) -> None:
    page = visit(address)
    settle(page)
    page.get_by_role("application").focus()
    page.keyboard.press("c")
    before = seen(page)
    page.get_by_role("application").focus()
    entries = page.evaluate("history.length")
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    settle(page)
    assert seen(page)[1] not in ("", before[1])
    assert page.evaluate("history.length") == entries + 1
    page.go_back(wait_until="commit")
    assert comes(page, before)


def test_back_leads_to_the_other_network_and_to_the_choice(visit: Visit, served_two: str) -> None:
    page = visit(served_two)
    page.get_by_role("button", name="Other").click()
    settle(page)
    page.get_by_role("application").focus()
    page.keyboard.press("c")
    settle(page)
    other = seen(page)
    page.get_by_title("Networks").click()
    page.get_by_role("menuitemradio", name="Network").first.click()
    page.get_by_role("heading", name="Network").or_(page.get_by_title("Networks")).first.wait_for()
    settle(page)
    page.wait_for_function("() => document.title === 'Network'")
    page.go_back(wait_until="commit")
    page.wait_for_function("() => document.title === 'Other'")
    assert comes(page, other)
    page.go_back(wait_until="commit")
    settle(page)
    page.go_back(wait_until="commit")
    page.get_by_role("heading", name="Networks").wait_for()
    page.go_forward(wait_until="commit")
    settle(page)
    assert page.title() == "Other"


def test_side_by_side_goes_back_on_either_side(visit: Visit, served_two: str) -> None:
    page = visit(served_two)
    page.get_by_role("button", name="Compare").first.click()
    page.get_by_role("button", name="Other").first.click()
    settle(page)
    page.get_by_role("button", name="Side by side").click()
    canvases = page.get_by_role("application")
    canvases.nth(1).wait_for()

    def both() -> list[frozenset[str]]:
        settle(page)
        found: list[frozenset[str]] = []
        for at in range(2):
            canvases.nth(at).focus()
            found.append(frozenset(on_screen(page)))
        return found

    found: list[list[frozenset[str]]] = []
    for at, key in ((0, "c"), (0, "."), (1, "Shift+R")):
        canvases.nth(at).focus()
        page.keyboard.press(key)
        settle(page)
        found.append(both())
    assert found[0] != found[1] != found[2]
    for expected in found[-2::-1]:
        page.go_back(wait_until="commit")
        assert both() == expected
    for expected in found[1:]:
        page.go_forward(wait_until="commit")
        assert both() == expected


def test_a_frame_leaves_the_history_of_the_page_around_alone(
    visit: Visit, network: visuai.Topology, tmp_path: Path
) -> None:
    text = str(network.render("html")).replace("&", "&amp;").replace('"', "&quot;")
    outer = tmp_path / "outer.html"
    outer.write_text(
        '<!doctype html><meta charset="utf-8"><title>Around</title>'
        f'<iframe width="1200" height="650" srcdoc="{text}">',
        encoding="utf-8",
    )
    page = visit(outer.as_uri())
    frame = page.frame_locator("iframe")
    canvas = frame.get_by_role("application")
    canvas.wait_for()
    frame.get_by_role("treeitem", name="last").first.wait_for()
    entries = page.evaluate("history.length")
    canvas.focus()
    for key in "ce":
        page.keyboard.press(key)
        page.wait_for_timeout(600)
    inner = frame.get_by_role("treeitem", name="conv1").first
    inner.wait_for()
    assert page.evaluate("history.length") == entries
    frame.get_by_role("button", name="Back").click()
    inner.wait_for(state="detached")
    assert page.evaluate("history.length") == entries
