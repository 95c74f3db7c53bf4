"""The viewer in one file, from a disk; in a notebook's page; and with names that attack it."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import torch
from pages import Visit, colours, on_screen, picture, settle
from serving import serving
from torch import nn

import visuai
from visuai import viewer
from visuai.serve.shelf import Built
from visuai.wire import packed, wire

NAMES = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(2)</script>",
    "<iframe srcdoc='<script>alert(3)</script>'></iframe>",
    "\u202eright to left\u202c\u200b",
    "quote\"'`${alert(4)}&lt;&amp;",
    "line\nbreak\ttab\x01",
    "x" * 10_000,
    "__proto__",
)


@pytest.fixture(scope="module")
def hostile() -> visuai.Topology:
    """A network all of whose names want something else than to be read."""
    model = nn.Sequential()
    for name in NAMES:
        kind = type(name, (nn.Sequential,), {})
        model.add_module(name, kind(nn.Linear(4, 4), nn.ReLU()))
    topology = visuai.build(model, torch.zeros(1, 4))
    for data in topology.graph.nodes.values():
        data["attributes"] = {NAMES[0]: NAMES[1], NAMES[3]: NAMES[5], "__proto__": NAMES[2]}
        data["source"] = [NAMES[1], 3]
    topology.name = NAMES[1]
    return topology


def test_file_works_from_a_disk(visit: Visit, network: visuai.Topology, tmp_path: Path) -> None:
    path = tmp_path / "network.html"
    path.write_text(str(network.render("html")), encoding="utf-8")
    page = visit(path.as_uri())
    settle(page)
    assert len(colours(picture(page))) > 20
    page.get_by_role("application").focus()
    page.keyboard.press("e")
    assert "last.conv1" in on_screen(page)


def test_file_with_two_networks_compares_them(
    visit: Visit, network: visuai.Topology, other: visuai.Topology, tmp_path: Path
) -> None:
    path = tmp_path / "two.html"
    path.write_text(str(network.render("html", compare=other)), encoding="utf-8")
    page = visit(path.as_uri())
    settle(page)
    page.get_by_role("application").focus()
    page.keyboard.press("e")
    assert {"head.0", "head.1", "drop"} <= on_screen(page).keys()


def test_hostile_file_does_nothing(visit: Visit, hostile: visuai.Topology, tmp_path: Path) -> None:
    path = tmp_path / "hostile.html"
    path.write_text(str(hostile.render("html")), encoding="utf-8")
    look_everywhere(visit(path.as_uri()))


@pytest.fixture(scope="module")
def hostile_url(hostile: visuai.Topology) -> Iterator[str]:
    """Address of a server that has it twice; it outlives the pages, which go on asking for runs."""
    with serving(Built([hostile, hostile])) as server:
        yield server.url


def test_hostile_network_does_nothing_when_served(visit: Visit, hostile_url: str) -> None:
    page = visit(hostile_url)
    page.get_by_role("button", name="alert(2)").first.click()
    look_everywhere(page)


def look_everywhere(page: Any) -> None:
    """Shows all that is known of all items, and finds that no name became an element."""
    settle(page)
    page.get_by_role("application").focus()
    page.keyboard.press("e")
    settle(page)
    page.get_by_role("application").focus()
    for _ in range(12):
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(60)
    settle(page)
    page.keyboard.press("/")
    page.keyboard.type("alert")
    page.get_by_role("listbox", name="Found").get_by_role("option").first.wait_for()
    page.keyboard.press("Enter")
    settle(page)
    for choice in ("img", "iframe", "[onerror]", "script:not([type])", "object", "embed"):
        assert page.locator(choice).count() == 0, choice
    text = page.locator("body").inner_text()
    assert "alert(" in text
    assert "\u202e" not in text
    box = on_screen(page)
    assert max(each["width"] for each in box.values() if not each["open"]) < 600
    width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert width <= 0, f"a name makes the page {width} px wider than the window"


PAGE = """<!doctype html><meta charset="utf-8"><title>Notebook</title>
<style>/*css*/</style><style>* { box-sizing: content-box } button { font-size: 40px }</style>
<p>Before</p><div id="one"></div><p>Between</p><div id="two"></div>
<script type="module">
import widget from "./viewer.js";
const bytes = Uint8Array.from(atob(document.querySelector("template").innerHTML), (letter) =>
  letter.charCodeAt(0));
const traits = { wire: new DataView(bytes.buffer), height: 500, theme: "light" };
const model = { get: (name) => traits[name], on: () => {}, off: () => {} };
window.ends = ["one", "two"].map((id) =>
  widget.render({ model, el: document.getElementById(id) }));
</script><template>/*wire*/</template>
"""


@pytest.fixture
def notebook(network: visuai.Topology) -> Iterator[str]:
    """Address of a page that shows the widget twice, as a notebook would."""
    page = PAGE.replace("/*css*/", viewer.read(viewer.STYLE).decode())
    page = page.replace("/*wire*/", base64.b64encode(packed(wire(network))).decode())
    answers = {
        "/": ("text/html", page.encode()),
        "/viewer.js": ("text/javascript", viewer.read(viewer.SCRIPT)),
    }

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, content = answers.get(self.path, ("text/plain", b""))
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_widget_is_shown_twice_and_ends(visit: Visit, notebook: str) -> None:
    page = visit(notebook, viewport={"width": 1100, "height": 1300})
    canvases = page.get_by_role("application")
    page.wait_for_function("() => window.drawn > 0")
    canvases.nth(1).wait_for()
    page.wait_for_timeout(2500)
    for number in range(2):
        assert canvases.nth(number).bounding_box()["height"] > 300
    # Keys belong to the page until a viewer has the focus, then to that viewer.
    page.keyboard.press("c")
    canvases.first.focus()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.closest('#one') !== null")
    assert page.get_by_text("Between").evaluate("(one) => getComputedStyle(one).fontFamily") == (
        page.get_by_text("Before").evaluate("(one) => getComputedStyle(one).fontFamily")
    )
    assert page.evaluate("location.hash") == ""
    page.evaluate("window.ends.forEach((end) => end())")
    assert canvases.count() == 0


def test_wire_in_the_page_is_json_of_the_network(network: visuai.Topology, tmp_path: Path) -> None:
    text = str(network.render("html"))
    found = re.search(r'id="visuai-wire">([^<]*)<', text)
    assert found is not None
    document = json.loads(gzip.decompress(base64.b64decode(found[1])))
    assert document["networks"][0]["topology"]["name"] == "Network"
