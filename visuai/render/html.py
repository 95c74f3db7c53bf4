"""Puts a topology and the viewer into one HTML file, which works from a disk and from a mail."""

from __future__ import annotations

import base64
import re
from hashlib import sha256
from html import escape

from visuai import viewer
from visuai.errors import RenderError
from visuai.render.label import plain, shorten
from visuai.render.options import checked
from visuai.topology import Topology
from visuai.viewer import Theme
from visuai.wire import packed, wire

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{mount}
<noscript>The viewer needs JavaScript.</noscript>
<script type="application/gzip+base64" id="visuai-wire">{wire}</script>
<script type="module">{script}</script>
<script type="text/plain" id="visuai-licences">{licences}</script>
</body>
</html>
"""

_END_OF_SCRIPT = re.compile("</(?=script)", re.IGNORECASE)
_END_OF_STYLE = re.compile("</(?=style)", re.IGNORECASE)


@checked
def render(
    topology: Topology,
    *,
    depth: int | None = None,
    expanded: set[str] | None = None,
    theme: Theme = "auto",
    title: str | None = None,
    compare: Topology | None = None,
) -> str:
    """Puts the viewer with a topology inside into one HTML file.

    The whole network is in the file, whatever is open at first. The file asks for nothing else,
    from a network or from the disk, and its policy lets it run nothing but the viewer.

    Args:
        topology: What to show.
        depth: Levels that are open at first; None leaves it to the viewer.
        expanded: Ids of scopes that are open at first, along with their ancestors.
        theme: Colours at first: ``light``, ``dark``, or ``auto`` for what the reader prefers.
        title: Title of the page; None for the network's name.
        compare: A network to compare it with.

    Returns:
        The text of an ``.html`` file.

    Raises:
        RenderError: If an option is unknown or does not fit.
        VisuaiError: If the viewer is not built.
    """
    unknown = sorted((expanded or set()) - topology.scopes.keys())
    if unknown:
        raise RenderError(
            f"Cannot open {unknown[0][:80]!r}: {topology.name[:80]!r} has no such scope. Scopes "
            "are the keys of topology.scopes, such as layer1.0 or block@1."
        )
    script = in_script(viewer.read(viewer.SCRIPT).decode("utf-8"))
    style = _END_OF_STYLE.sub(r"<\\/", _newlines(viewer.read(viewer.STYLE).decode("utf-8")))
    name = topology.name if compare is None else f"{topology.name} and {compare.name}"
    return _PAGE.format(
        policy=_policy(script, style),
        title=escape(shorten(plain(name if title is None else title), 80)),
        style=style,
        mount=viewer.mount(theme=theme, depth=depth, expanded=expanded),
        wire=base64.b64encode(packed(wire(topology, compare))).decode("ascii"),
        script=script,
        licences=in_script(viewer.LICENCES.read_text(encoding="utf-8")),
    )


def in_script(code: str) -> str:
    r"""Spells JavaScript so that HTML takes all of it, and nothing else, as the script.

    ``</script`` would end the element and ``<!--`` would begin a comment. A program has them in
    its texts and regular expressions only, where the spelling with a backslash means the same.

    Examples:
        >>> in_script('a = "</script>"; b = "<!--"')
        'a = "<\\/script>"; b = "\\x3c!--"'
    """
    code = _END_OF_SCRIPT.sub(r"<\\/", _newlines(code))
    return code.replace("<!--", "\\x3c!--").replace("\0", "\\x00")


def _newlines(text: str) -> str:
    """Writes line ends as a browser reads them, so that the hash is that of what it reads."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _policy(script: str, style: str) -> str:
    def named(text: str) -> str:
        return f"'sha256-{base64.b64encode(sha256(text.encode('utf-8')).digest()).decode()}'"

    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {named(script)}",
            f"style-src {named(style)}",
            "img-src blob: data:",
            "worker-src blob:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
