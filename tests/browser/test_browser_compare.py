"""Two networks: merged with their differences marked, and side by side."""

from __future__ import annotations

from typing import Any

import pytest
from pages import Visit, colours, on_screen, picture, settle


def compared(visit: Visit, served_two: str) -> Any:
    page = visit(served_two)
    page.get_by_role("button", name="Network", exact=False).first.click()
    settle(page)
    page.get_by_title("Networks").click()
    page.get_by_role("menuitemradio", name="Other").last.click()
    settle(page)
    return page


def test_merged_has_what_was_added_and_removed(visit: Visit, served_two: str) -> None:
    page = compared(visit, served_two)
    page.get_by_role("application").focus()
    page.keyboard.press("e")
    shown = on_screen(page)
    assert {"drop", "head.0", "head.1"} <= shown.keys()  # added
    assert "units.2.conv1" in shown or "units.2" in shown  # removed
    details = page.get_by_role("complementary", name="Details").inner_text()
    for word in ("added", "removed"):
        assert word in details.lower()


def test_a_change_in_the_list_is_flown_to(visit: Visit, served_two: str) -> None:
    page = compared(visit, served_two)
    details = page.get_by_role("complementary", name="Details")
    details.get_by_role("button", name="drop").first.click()
    settle(page)
    assert "Dropout" in page.get_by_role("complementary", name="Details").inner_text()


def test_side_by_side_moves_in_step(visit: Visit, served_two: str) -> None:
    page = compared(visit, served_two)
    page.get_by_text("Side by side").first.click()
    canvases = page.get_by_role("application")
    canvases.nth(1).wait_for()
    settle(page)
    canvases.first.focus()
    page.keyboard.press("c")
    settle(page)
    before = [canvases.nth(at).screenshot() for at in range(2)]
    page.keyboard.press("e")
    settle(page)
    after = [canvases.nth(at).screenshot() for at in range(2)]
    for one, two in zip(before, after, strict=True):
        assert one != two


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_marks_are_seen(visit: Visit, served_two: str, theme: str) -> None:
    page = visit(served_two, color_scheme=theme)
    page.get_by_role("button", name="Network", exact=False).first.click()
    settle(page)
    page.get_by_role("application").focus()
    page.keyboard.press("c")
    settle(page)
    alone = colours(picture(page))
    page.get_by_title("Networks").click()
    page.get_by_role("menuitemradio", name="Other").last.click()
    settle(page)
    marked = colours(picture(page))
    new = [one for one, pixels in marked.items() if pixels > 60 and one not in alone]
    assert new
