"""The viewer's built files, one ES module and one style sheet, and the element it mounts on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Literal

from visuai.errors import VisuaiError

FOLDER = Path(__file__).parent / "static"
"""Where the files are; they are committed, so that a checkout needs no Node."""

SCRIPT = "viewer.js"
STYLE = "viewer.css"

LICENCES = Path(__file__).parent / "viewer_licences.txt"
"""Of what the viewer holds that others wrote; they go wherever it goes."""

Theme = Literal["auto", "light", "dark"]
"""``auto`` goes by what the reader's system prefers."""


def read(name: str) -> bytes:
    """Reads one of the viewer's files, `SCRIPT` or `STYLE`.

    Raises:
        VisuaiError: If it is not there.

    Examples:
        >>> from visuai import viewer
        >>> viewer.read("passwords.txt")
        Traceback (most recent call last):
        visuai.errors.VisuaiError: The viewer has no file 'passwords.txt'; it has viewer.js, ...
    """
    if name not in (SCRIPT, STYLE):
        raise VisuaiError(
            f"The viewer has no file {name[:80]!r}; it has {SCRIPT}, {STYLE} and nothing else."
        )
    try:
        return (FOLDER / name).read_bytes()
    except OSError as error:
        raise VisuaiError(
            f"The viewer's {name} cannot be read from {FOLDER}: {error.strerror}. In a checkout, "
            "`make frontend` builds it (it needs Node 20); otherwise install Visuai again."
        ) from error


def mount(
    *,
    theme: Theme = "auto",
    depth: int | None = None,
    expanded: Iterable[str] | None = None,
    compare: str | None = None,
) -> str:
    """Gives the element that the viewer mounts on, with how it is to open.

    Args:
        theme: Colours at first.
        depth: Levels that are open at first; None leaves it to the viewer.
        expanded: Ids of scopes that are open at first, along with their ancestors.
        compare: On a server, id of the network to compare the first one with.

    Examples:
        >>> mount(depth=2, expanded=["layer1.0"])
        '<div id="visuai" data-depth="2" data-expanded="[&quot;layer1.0&quot;]"></div>'
    """
    hints = {
        "theme": None if theme == "auto" else theme,
        "depth": None if depth is None else str(depth),
        "expanded": None if expanded is None else json.dumps(sorted(expanded)),
        "compare": compare,
    }
    words = [f' data-{name}="{escape(text)}"' for name, text in hints.items() if text is not None]
    return f'<div id="visuai"{"".join(words)}></div>'
