"""The guard: only pages of this very server are answered.

A page on the web can make a browser send requests to 127.0.0.1, and, with a name whose address
changes to 127.0.0.1 (DNS rebinding), read the answers. It can do neither with the Host, Origin
and Sec-Fetch-Site that the browser adds.
"""

from __future__ import annotations

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

NAMES = ("127.0.0.1", "localhost", "[::1]")


class Guard:
    """Refuses requests that are not to this server by one of its own names, or from elsewhere."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self.app = app
        self.port = port
        self.hosts = {f"{name}:{port}" for name in NAMES}
        if port == 80:
            self.hosts |= set(NAMES)
        self.origins = {f"http://{host}" for host in self.hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or answers 403."""
        why = self.refusal(scope) if scope["type"] == "http" else None
        if why is None:
            await self.app(scope, receive, send)
        else:
            await PlainTextResponse(f"{why}\n", status_code=403)(scope, receive, send)

    def refusal(self, scope: Scope) -> str | None:
        """Tells what speaks against a request; None if nothing does."""
        if not set(_values(scope, b"host")) <= self.hosts or len(_values(scope, b"host")) != 1:
            return (
                "This server answers only to the names of its own machine. Open "
                f"http://127.0.0.1:{self.port}/ (through a tunnel: forward the same port, as "
                f"ssh -L {self.port}:127.0.0.1:{self.port} does)."
            )
        if not set(_values(scope, b"origin")) <= self.origins:
            return "This server answers only to its own page."
        # A link from elsewhere may lead to the page; what the page loads, only it may load.
        site, mode = _values(scope, b"sec-fetch-site"), _values(scope, b"sec-fetch-mode")
        link = mode == ["navigate"] and scope["path"] == "/"
        if not set(site) <= {"same-origin", "none"} and not link:
            return "This server answers only to its own page."
        return None


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1").lower() for key, value in scope["headers"] if key == name]
