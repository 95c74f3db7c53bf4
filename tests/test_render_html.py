"""One HTML file: what is in it, that nothing in it gets out, and how large it is."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from html_page import Page
from rendering import HOSTILE, hostile, residual
from serving import PLACEHOLDER, built_viewer

from visuai import viewer
from visuai.errors import RenderError, VisuaiError
from visuai.render.html import in_script
from visuai.render.label import plain, shorten
from visuai.wire import wire

__all__ = ["built_viewer"]


def sent(page: Page) -> Any:
    text = page.text("script", type="application/gzip+base64", id="visuai-wire")
    return json.loads(gzip.decompress(base64.b64decode(text, validate=True)))


@pytest.mark.usefixtures("built_viewer")
class TestPage:
    def test_the_network_is_in_it(self) -> None:
        page = Page(str(residual().render("html")))
        assert sent(page) == json.loads(json.dumps(wire(residual())))
        assert page.text("title") == "Residuals"
        assert page.attributes("div") == {"id": "visuai"}

    def test_two_networks_to_compare(self) -> None:
        page = Page(str(residual().render("html", compare=residual(4))))
        assert len(sent(page)["networks"]) == 2
        assert page.text("title") == "Residuals and Residuals"

    def test_how_it_opens(self) -> None:
        options: dict[str, Any] = {"depth": 2, "expanded": ["body"], "theme": "dark", "title": "T"}
        page = Page(str(residual().render("html", **options)))
        hints = {"data-depth": "2", "data-expanded": '["body"]', "data-theme": "dark"}
        assert page.attributes("div") == {"id": "visuai", **hints}
        assert page.text("title") == "T"

    def test_the_policy_names_the_script_and_the_style_by_their_hashes(self) -> None:
        page = Page(str(residual().render("html")))
        policy = str(page.elements[3][1]["content"])
        assert "unsafe" not in policy
        for kind, text in (
            ("script", page.text("script", type="module")),
            ("style", page.text("style")),
        ):
            digest = base64.b64encode(sha256(text.encode()).digest()).decode()
            assert f"{kind}-src 'sha256-{digest}'" in policy
        assert policy.startswith("default-src 'none'; ")
        assert "connect-src" not in policy, "so it is as the default: nothing"

    def test_the_script_arrives_whole(self) -> None:
        page = Page(str(residual().render("html")))
        script = page.text("script", type="module")
        assert script == PLACEHOLDER.replace("</s", "<\\/s").replace("<!--", "\\x3c!--")

    def test_line_ends_and_nulls_do_not_break_the_hash(self, built_viewer: Path) -> None:
        whole = (built_viewer / viewer.SCRIPT).read_bytes()
        try:
            (built_viewer / viewer.SCRIPT).write_bytes(b"let a = 1;\r\nlet b = '\0';\rlet c;\n")
            text = str(residual().render("html"))
        finally:
            (built_viewer / viewer.SCRIPT).write_bytes(whole)
        assert "\r" not in text
        assert "\0" not in text
        digest = sha256(Page(text).text("script", type="module").encode()).digest()
        assert base64.b64encode(digest).decode() in text

    def test_names_stay_in_the_wire(self) -> None:
        text = str(hostile().render("html", expanded=HOSTILE))
        page = Page(text)
        assert page.tags() == [
            *("html", "head", "meta", "meta", "meta", "meta", "title", "style"),
            *("body", "div", "noscript", "script", "script", "script"),
        ]
        assert page.text("title") == shorten(plain("".join(HOSTILE)), 80)
        assert json.loads(str(page.attributes("div")["data-expanded"])) == sorted(HOSTILE)
        outside = re.sub(r'data-expanded="[^"]*"', "", text)
        for name in HOSTILE[:3]:
            assert name not in outside
        assert sent(page)["networks"][0]["topology"]["name"] == "".join(HOSTILE)
        text.encode("utf-8")

    def test_asks_for_nothing(self) -> None:
        page = Page(str(residual().render("html")))
        for _, attributes, _ in page.elements:
            assert not attributes.keys() & {"src", "href", "action", "srcset", "data", "poster"}

    def test_same_bytes_each_time(self) -> None:
        assert residual().render("html") == residual().render("html")

    @pytest.mark.parametrize(
        ("option", "value", "expected"),
        [
            ("expanded", {"nowhere"}, "'nowhere'.*no such scope"),
            ("compare", "a", "a topology or None"),
            ("theme", "pink", "'auto' or 'light' or 'dark'"),
            ("dept", 1, "Did you mean 'depth'"),
        ],
    )
    def test_wrong_options(self, option: str, value: object, expected: str) -> None:
        with pytest.raises(RenderError, match=expected):
            residual().render("html", **{option: value})


def test_without_a_viewer_it_says_how_to_build_one(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(viewer, "FOLDER", tmp_path)
    with pytest.raises(VisuaiError, match="make frontend"):
        residual().render("html")


@pytest.mark.parametrize(
    "code",
    ["</script>", "</SCRIPT >", "<!-- <script>", "</scrIpt\n>", "<!--<script></script>-->"],
)
def test_no_code_ends_the_script(code: str) -> None:
    text = f"<script>{in_script(code)}</script><p>after</p>"
    assert Page(text).tags() == ["script", "p"]
    assert not re.search("<!--|</script", in_script(code), re.IGNORECASE)


def test_titles_are_escaped() -> None:
    from visuai.serve.page import page

    made = page("</title><script>alert(1)</script>", viewer.mount())
    assert "<script>alert" not in made
    assert html.escape("</title><script>") in made
