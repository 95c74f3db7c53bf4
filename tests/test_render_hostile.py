"""Names from a model come out as text, wherever they are shown."""

from __future__ import annotations

import html.parser
import http.server
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rendering import HOSTILE, hostile

from visuai.render.label import plain, shorten

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--virtual-time-budget=5000",
]
NAMES = ["pyvis", "threejs", "svg", "dot", "mermaid", "text", "model-explorer"]


def test_plain_text_has_nothing_that_cannot_be_seen() -> None:
    for name in HOSTILE:
        assert plain(name).isprintable()
        assert plain(plain(name)) == plain(name)
    assert plain("\u202e") == "\\u202e"
    assert plain("עברית 層 é") == "עברית 層 é"


def test_shortening_keeps_both_ends() -> None:
    assert shorten("x" * 41, 40) == "x" * 13 + "…" + "x" * 26
    assert shorten("short", 40) == "short"


@pytest.mark.parametrize("name", NAMES)
def test_is_utf8_without_control_characters(name: str) -> None:
    text = str(hostile().render(name))
    if name == "pyvis":
        text = text[text.index("const data = ") :]
    text.encode("utf-8")
    for bad in ("\x00", "\x1b", "\u202e", "\u2066", "\ud800", "\r"):
        assert bad not in text


@pytest.mark.parametrize("name", ["text", "dot", "mermaid"])
def test_lines_are_as_many_as_for_harmless_names(name: str) -> None:
    """No name adds a line, and thereby a statement."""
    count = str(hostile().render(name)).count("\n")
    harmless = hostile()
    for attributes in harmless.graph.nodes.values():
        if attributes["op"] in HOSTILE:
            attributes.update(op="relu", target="relu", fqn="relu")
    for scope in harmless.scopes.values():
        scope.type = "Box"
    assert str(harmless.render(name)).count("\n") == count


def test_svg_is_xml_with_the_names_as_text() -> None:
    root = ElementTree.fromstring(str(hostile().render("svg")))
    allowed = {"svg", "g", "title", "rect", "path", "text", "tspan", "style"}
    assert {element.tag.rpartition("}")[2] for element in root.iter()} == allowed
    for element in root.iter():
        assert not any(key.startswith("on") or "href" in key for key in element.attrib)
    titles = "\n".join(
        element.text or "" for element in root.iter() if element.tag.endswith("title")
    )
    for name in HOSTILE:
        assert plain(name) in titles, "the full name is in a tooltip, however long"
    labels = [
        "".join(element.itertext()) for element in root.iter() if element.tag.endswith("text")
    ]
    assert max(map(len, labels)) < 130


def test_mermaid_labels_hold_no_markup() -> None:
    for line in str(hostile().render("mermaid")).splitlines():
        label = line.partition('"')[2].rpartition('"')[0].replace("<br>", "")
        assert not set(label) & set("<>\"'`{}[]&|$\\*")


class Tags(html.parser.HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for key, value in attrs:
            if key in ("src", "href", "action", "srcset", "data"):
                self.links.append(value or "")
            if key.startswith("on"):
                self.handlers.append(key)


def test_html_has_only_its_own_elements() -> None:
    page = Tags()
    page.feed(str(hostile().render("pyvis", depth=None)))
    assert page.tags.count("script") == 2
    assert set(page.tags) <= {
        *("html", "head", "meta", "title", "style", "body", "header", "h1", "small"),
        *("input", "main", "footer", "span", "i", "script"),
    }
    assert page.links == []
    assert page.handlers == []


@pytest.fixture
def knocks() -> Iterator[tuple[int, list[str]]]:
    """A server that remembers what it is asked for."""
    asked: list[str] = []

    class Door(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def do_CONNECT(self) -> None:
            asked.append(self.path)
            self.send_error(403)

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port, asked
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
@pytest.mark.parametrize("kind", ["html", "svg"])
def test_browser_runs_nothing_and_asks_for_nothing(
    kind: str, tmp_path: Path, knocks: tuple[int, list[str]]
) -> None:
    """Opens the picture in a browser whose every request goes to a proxy of ours."""
    port, asked = knocks
    topology = hostile()
    if kind == "html":
        page = str(topology.render("pyvis", depth=None))
    else:
        picture = str(topology.render("svg"))
        page = f"<!doctype html><meta charset=utf-8><body data-ready=yes>{picture}</body>"
    # Whatever runs that should not, leaves a mark.
    trap = "<script>window.alert = () => { document.title = 'PW' + 'NED'; };</script>"
    page = page.replace("<meta charset", f"{trap}<meta charset", 1)
    file = tmp_path / "page.html"
    file.write_text(page, encoding="utf-8")
    done = subprocess.run(
        [
            str(CHROMIUM),
            *FLAGS,
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--proxy-server=127.0.0.1:{port}",
            "--proxy-bypass-list=<-loopback>",
            "--enable-logging=stderr",
            "--dump-dom",
            file.as_uri(),
        ],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    errors = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert errors == []
    body = done.stdout[done.stdout.rindex("<body") :]
    assert 'data-ready="yes"' in body, "the page's own script ran to its end"
    assert "PWNED" not in done.stdout
    if kind == "html":
        assert "<canvas" in done.stdout
    else:
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body
    # The browser itself may call home; the page may not.
    pages = [path for path in asked if not path.endswith(":443") and "google" not in path]
    assert pages == []


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_the_trap_above_catches(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(
        "<!doctype html><script>window.alert = () => { document.title = 'PW' + 'NED'; };</script>"
        f"{HOSTILE[0]}",
        encoding="utf-8",
    )
    done = subprocess.run(
        [
            *(str(CHROMIUM), *FLAGS, f"--user-data-dir={tmp_path / 'profile'}"),
            *("--dump-dom", file.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "PWNED" in done.stdout


def test_json_in_the_page_reads_back() -> None:
    page = str(hostile().render("pyvis", depth=None))
    line = next(line for line in page.splitlines() if line.startswith("  const data = "))
    data = json.loads(line.removeprefix("  const data = ").removesuffix(";"))
    shown = {fact[1] for node in data["nodes"] for fact in node["facts"]}
    assert {plain(name) for name in HOSTILE} <= shown
    assert not set(line) & set("<>&")
