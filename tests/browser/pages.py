"""Pages that are watched, and what they show."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from PIL import Image

# Counts what is drawn on any canvas, from outside of what is tested.
COUNT_DRAWS = """
window.drawn = 0;
const context = WebGL2RenderingContext.prototype;
for (const name of ["drawArrays", "drawElements", "drawArraysInstanced", "drawElementsInstanced"]) {
  const draw = context[name];
  context[name] = function (...all) {
    window.drawn += 1;
    return draw.apply(this, all);
  };
}
"""

Visit = Callable[..., Any]


@contextmanager
def watched(browser: Any, url: str, options: dict[str, Any]) -> Iterator[Any]:
    """Opens a page; fails in the end if it did what no page of ours may do.

    Args:
        browser: The browser of playwright.
        url: What to open.
        options: Those of a browser context, such as ``color_scheme``.
    """
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 720}, **options})
    page = context.new_page()
    troubles: list[str] = []
    own = urlsplit(url)[:2]
    itself = url.partition("#")[0]

    def requested(request: Any) -> None:
        there = urlsplit(request.url)
        inside = there.scheme in ("data", "blob") or there[:2] == own
        # A file may ask for nothing at all but itself.
        if not inside or (own[0] == "file" and there.scheme == "file" and request.url != itself):
            troubles.append(f"asked for {request.url[:200]}")

    def asked(dialog: Any) -> None:
        troubles.append(f"opened a dialog: {dialog.message[:200]}")
        dialog.dismiss()

    def logged(message: Any) -> None:
        if message.type in ("error", "warning") and not is_noise(message.text):
            troubles.append(f"{message.type} in the console: {message.text[:500]}")

    context.on("request", requested)
    page.on("dialog", asked)
    page.on("console", logged)
    page.on("pageerror", lambda error: troubles.append(f"threw: {error}"))
    page.on("crash", lambda: troubles.append("crashed"))
    page.add_init_script(COUNT_DRAWS)
    page.goto(url, wait_until="commit")
    try:
        yield page
    finally:
        context.close()
    assert not troubles, "\n".join(troubles)


def is_noise(text: str) -> bool:
    """Tells whether a message is the software renderer's and not the page's."""
    return "GPU stall due to ReadPixels" in text or "swiftshader" in text.lower()


def settle(page: Any, still: int = 400) -> None:
    """Waits until the network is drawn and nothing more has been for ``still`` milliseconds."""
    page.get_by_role("application").first.wait_for()
    page.wait_for_function("() => window.drawn > 0")
    page.wait_for_function(
        """(still) => {
            if (document.querySelector("canvas[aria-busy=true]")) return false;
            const now = performance.now();
            if (window.drawn !== window.drawnBefore) window.drawnAt = now;
            window.drawnBefore = window.drawn;
            return now - window.drawnAt > still;
        }""",
        arg=still,
        polling=50,
    )


def picture(page: Any) -> Image.Image:
    """Gives the canvas as it is on screen."""
    return Image.open(io.BytesIO(page.get_by_role("application").screenshot())).convert("RGB")


def colours(image: Image.Image) -> dict[tuple[int, int, int], int]:
    """Counts the pixels of each colour."""
    found = image.getcolors(image.width * image.height) or []
    return {colour: number for number, colour in found}


def export(page: Any, choice: str) -> Path:
    """Takes a file from the export menu."""
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as started:
        page.get_by_role("menuitem", name=choice).click()
    return Path(started.value.path())


def on_screen(page: Any) -> dict[str, dict[str, Any]]:
    """Gives the boxes that are drawn, by id."""
    settle(page)
    document = json.loads(export(page, "JSON of what is on screen").read_text(encoding="utf-8"))
    return {box["id"]: box for box in document["boxes"]}


def select(page: Any, name: str) -> None:
    """Selects an item by its line in the outline, and goes back to the canvas."""
    page.get_by_role("treeitem", name=name).first.click()
    page.get_by_role("application").focus()
