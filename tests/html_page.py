"""Reads a page as a browser does."""

from __future__ import annotations

from html.parser import HTMLParser


class Page(HTMLParser):
    """What a browser makes of a page: its elements, in order, with their text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))
        self.inside = True

    def handle_endtag(self, tag: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.elements[-1][2].append(data)

    def tags(self) -> list[str]:
        return [tag for tag, _, _ in self.elements]

    def text(self, tag: str, **attributes: str) -> str:
        (found,) = [
            "".join(text)
            for name, given, text in self.elements
            if name == tag and attributes.items() <= given.items()
        ]
        return found

    def attributes(self, tag: str) -> dict[str, str | None]:
        return next(given for name, given, _ in self.elements if name == tag)
