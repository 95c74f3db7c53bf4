"""What the documentation shows is run: docstring examples, and Python code in Markdown."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import shlex
from pathlib import Path

import pytest

import visuai
from visuai.cli.app import cli

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MODULES = sorted(
    each.name
    for each in pkgutil.walk_packages(visuai.__path__, "visuai.")
    if not each.name.endswith("__main__")
)

_FENCE = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("name", ["visuai", *MODULES])
def test_docstring_examples(name: str) -> None:
    result = doctest.testmod(
        importlib.import_module(name),
        optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS,
    )
    assert result.failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_in_pages(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs a page's Python fences top to bottom, in one namespace, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    namespace: dict[str, object] = {"__name__": "__page__"}
    for match in _FENCE.finditer(text):
        line = text[: match.start()].count("\n") + 1
        # Padded with newlines, so that a traceback names the page's own line.
        code = compile("\n" * line + match[1], str(page), "exec", dont_inherit=True)
        exec(code, namespace)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_pages(page: Path) -> None:
    """Reads a page's commands as the command line would, without running them."""
    text = page.read_text(encoding="utf-8")
    for line in re.findall(r"^(?:\$ )?(?:\S+ )*?(visuai [a-z].*)$", _console(text), re.MULTILINE):
        words = shlex.split(line.partition(" > ")[0], comments=True)[1:]
        command = cli.commands[words[0]]
        command.make_context(words[0], words[1:]).close()  # what it cannot read it raises


def _console(text: str) -> str:
    return "\n".join(re.findall(r"^```(?:console|sh)\n(.*?)^```", text, re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text):
        assert (page.parent / link).exists(), f"{page.name} links to {link}, which is not there"
