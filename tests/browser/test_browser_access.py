"""Barriers that axe finds: none, in any state, in either theme."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pages import Visit, select, settle


def plain(page: Any) -> None:
    """As it opens."""


def opened(page: Any) -> None:
    page.get_by_role("application").focus()
    page.keyboard.press("e")


def selected(page: Any) -> None:
    select(page, "last")


def leaf(page: Any) -> None:
    select(page, "stem")
    page.keyboard.press("u")


def searched(page: Any) -> None:
    page.keyboard.press("/")
    page.keyboard.type("conv")
    page.get_by_role("listbox", name="Found").get_by_role("option").first.wait_for()
    page.keyboard.press("ArrowDown")


def unsearched(page: Any) -> None:
    page.get_by_role("combobox", name="Search").fill("")


def helped(page: Any) -> None:
    page.get_by_role("application").focus()
    page.keyboard.press("?")


def exported(page: Any) -> None:
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Export").click()


def counted(page: Any) -> None:
    page.keyboard.press("Escape")
    page.get_by_label("Colour").select_option("Parameters")


STATES: tuple[Callable[[Any], None], ...] = (
    plain, opened, selected, leaf, searched, unsearched, helped, exported, counted,
)  # fmt: skip


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(visit: Visit, served: str, axe: str, theme: str) -> None:
    found: list[str] = []
    page = visit(served, color_scheme=theme, reduced_motion="reduce")
    settle(page)
    for state in STATES:
        state(page)
        settle(page)
        found += [f"{state.__name__}: {each}" for each in barriers(page, axe)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("width", [600, 1280])
def test_axe_finds_nothing_at_any_width(visit: Visit, served: str, axe: str, width: int) -> None:
    page = visit(served, viewport={"width": width, "height": 720})
    settle(page)
    assert not barriers(page, axe)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_axe_finds_nothing_in_a_comparison(visit: Visit, served_two: str, axe: str) -> None:
    page = visit(served_two)
    page.get_by_role("button", name="Network", exact=False).first.wait_for()
    assert not barriers(page, axe)
    page.get_by_role("button", name="Network", exact=False).first.click()
    settle(page)
    page.get_by_title("Networks").click()
    page.get_by_role("menuitemradio", name="Other").last.click()
    settle(page)
    assert not barriers(page, axe)


def barriers(page: Any, axe: str) -> list[str]:
    """Runs axe, and tells of each barrier where it is."""
    page.evaluate(axe)
    found = page.evaluate("axe.run().then((result) => result.violations)")
    return [
        f"{each['id']}: {node['failureSummary']} at {node['target']}"
        for each in found
        for node in each["nodes"]
    ]
