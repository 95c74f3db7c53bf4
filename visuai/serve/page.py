"""The page that the server gives: it holds nothing itself, and loads the viewer."""

from __future__ import annotations

from html import escape

from visuai.render.label import plain, shorten

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="static/viewer.css">
<script type="module" src="static/viewer.js"></script>
</head>
<body>
{mount}
<noscript>The viewer needs JavaScript.</noscript>
</body>
</html>
"""


def page(title: str, mount: str) -> str:
    """Gives the page.

    Args:
        title: What the browser's tab says; any text.
        mount: The element for the viewer; see `visuai.viewer.mount`.

    Examples:
        >>> "<title>&lt;b&gt;</title>" in page("<b>", '<div id="visuai"></div>')
        True
    """
    return _PAGE.format(title=escape(shorten(plain(title), 80)), mount=mount)
