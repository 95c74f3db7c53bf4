"""A real server on a real socket, and raw requests to it."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from visuai import viewer
from visuai.serve import Background, Runs, Shelf, start
from visuai.serve.app import app

PLACEHOLDER = "export default { render() {} };\ndocument.title += '</script><!-- é';\n"


@pytest.fixture(scope="module")
def built_viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Files of a viewer that does nothing, but is as awkward to embed as a real one can be."""
    folder = tmp_path_factory.mktemp("static")
    (folder / viewer.SCRIPT).write_text(PLACEHOLDER, encoding="utf-8")
    (folder / viewer.STYLE).write_text("#visuai { color: teal }\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(viewer, "FOLDER", folder)
        yield folder


@contextmanager
def serving(shelf: Shelf, runs: Runs | None = None) -> Iterator[Background]:
    """Serves a shelf, and runs, on a free port."""
    server = start(partial(app, shelf, runs=runs), 0, browser=False)
    try:
        yield server
    finally:
        server.stop()
        if runs is not None:
            runs.close()


def port_of(server: Background) -> int:
    return int(server.url.rstrip("/").rpartition(":")[2])


def get(
    server: Background, path: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> tuple[int, dict[str, str], bytes]:
    """Asks for a path exactly as it is written, with just these headers and a right Host."""
    connection = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=20)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        given = {"Host": f"127.0.0.1:{port_of(server)}", **(headers or {})}
        for name, value in given.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, answer.read()
    finally:
        connection.close()


def send(server: Background, data: bytes) -> bytes:
    """Sends raw bytes, and gives all that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", port_of(server)), timeout=20) as link:
        parts: list[bytes] = []
        with suppress(ConnectionError):  # it may hang up before it has read everything
            link.sendall(data)
            with suppress(OSError):
                link.shutdown(socket.SHUT_WR)
            while part := link.recv(65536):
                parts.append(part)
        return b"".join(parts)
