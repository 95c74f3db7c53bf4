"""The server: listens on this machine alone, in the foreground or in the background."""

from __future__ import annotations

import errno
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from visuai.errors import VisuaiError
from visuai.serve.heap import share_heap

PORT = 8765
"""Where the server listens if nothing else is asked for."""

ADDRESS = "127.0.0.1"

MakeApp = Callable[[int], Starlette]
"""Makes the app for a port."""


def run(make: MakeApp, port: int | None, *, browser: bool, tell: Callable[[str], None]) -> None:
    """Serves until Ctrl-C, in a process that does nothing else.

    Args:
        make: Makes the app for the port that was found.
        port: Where to listen; a free port is taken if it is taken, and for 0. None is `PORT`.
        browser: Whether to open the user's browser.
        tell: Is told the address, and of a port that was taken.

    Raises:
        KeyboardInterrupt: After Ctrl-C, once everything is closed.
        VisuaiError: If no port can be listened on.
    """
    share_heap()
    listener, url = _listen(port, tell)
    with listener:
        server = _server(make(_port(listener)))
        tell(f"Visuai is at {url} (Ctrl-C to stop)")
        if browser:
            open_browser(url)
        server.run([listener])


class Background:
    """A server in a thread of its own, which ends with the process.

    Attributes:
        url: Where it is.
    """

    def __init__(self, make: MakeApp, port: int | None, *, browser: bool) -> None:
        """Starts it; see `start`."""
        self._listener, self.url = _listen(port, lambda _: None)
        try:
            self._server = _server(make(_port(self._listener)))
        except BaseException:
            self._listener.close()
            raise
        self._thread = threading.Thread(
            target=self._server.run, args=([self._listener],), name="visuai", daemon=True
        )
        self._thread.start()
        if browser:
            open_browser(self.url)

    def stop(self) -> None:
        """Stops it, and waits until it has."""
        self._server.should_exit = True
        self._thread.join()

    def wait(self) -> None:
        """Waits until it is stopped, or until Ctrl-C."""
        self._thread.join()

    def __repr__(self) -> str:
        return f"<Visuai at {self.url}>" if self._thread.is_alive() else "<Visuai, stopped>"


def start(make: MakeApp, port: int | None = None, *, browser: bool = True) -> Background:
    """Serves in the background.

    Args:
        make: Makes the app for the port that was found.
        port: Where to listen; a free port is taken if it is taken, and for 0. None is `PORT`.
        browser: Whether to open the user's browser.

    Raises:
        VisuaiError: If no port can be listened on.
    """
    return Background(make, port, browser=browser)


def open_browser(url: str) -> None:
    """Opens the user's browser, if there is one with a window, without waiting for it."""
    windowed = sys.platform in ("darwin", "win32") or any(
        os.environ.get(name)
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME")
    )
    if windowed:
        threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _listen(port: int | None, tell: Callable[[str], None]) -> tuple[socket.socket, str]:
    wanted = PORT if port is None else port
    if not 0 <= wanted <= 65535:
        raise VisuaiError(f"There is no port {wanted}; ports are 0 (any that is free) to 65535.")
    try:
        listener = _bound(wanted)
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES) or wanted == 0:
            raise VisuaiError(
                f"Cannot listen on {ADDRESS}:{wanted}: {error.strerror}. Name another --port."
            ) from error
        listener = _bound(0)
        why = "is taken" if error.errno == errno.EADDRINUSE else "is not for you to use"
        tell(f"Port {wanted} {why}; using {_port(listener)}.")
    return listener, f"http://{ADDRESS}:{_port(listener)}/"


def _bound(port: int) -> socket.socket:
    # The protocol by name: asyncio sends small answers at once (TCP_NODELAY) only if it is given.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # Elsewhere than on Windows, this lets a server take the port of one that just ended.
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((ADDRESS, port))
        listener.listen(128)  # from here on a browser may come; it is answered a little later
    except BaseException:
        listener.close()
        raise
    return listener


def _port(listener: socket.socket) -> int:
    return listener.getsockname()[1]


def _server(app: Starlette) -> uvicorn.Server:
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=64 * 1024,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=1,
        )
    )
    app.state.ending = lambda: server.should_exit
    return server
