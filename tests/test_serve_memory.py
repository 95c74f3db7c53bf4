"""A server that runs for weeks: thousands of requests leave its memory as it was."""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
from pathlib import Path

import pytest
from rendering import residual
from serving import built_viewer

__all__ = ["built_viewer"]

STATUS = Path("/proc/self/statm")
PATHS = (
    *("/", "/static/viewer.js", "/api/networks", "/api/networks/KEY", "/api/networks/nothing"),
    *("/api/networks/KEY/compare/KEY", "/../etc/passwd", "/static/%2e%2e", "/%ff", "/?query"),
)
WARM, MEASURED = 300, 2_000


@pytest.mark.skipif(not STATUS.exists(), reason="memory is read from /proc")
def test_thousands_of_requests_leave_memory_flat(tmp_path: Path, built_viewer: Path) -> None:
    residual().save(tmp_path / "net.json.gz")
    code = (
        "import pathlib, sys; from visuai import cli, viewer; "
        f"viewer.FOLDER = pathlib.Path({str(built_viewer)!r}); sys.exit(cli.main(sys.argv[1:]))"
    )
    words = ("serve", "-l", str(tmp_path), "--port", "0", "--no-browser")
    with subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            (port,) = re.findall(r":(\d+)/", process.stdout.readline())
            link = http.client.HTTPConnection("127.0.0.1", int(port), timeout=20)
            key = re.findall(rb'"id": "(\w+)"', _ask(link, "/api/networks")[1])[0].decode()

            def many(count: int) -> int:
                for number in range(count):
                    path = PATHS[number % len(PATHS)].replace("KEY", key)
                    assert _ask(link, path)[0] in (200, 404)
                return _resident_pages(process.pid) * 4096

            before = many(WARM)
            after = many(MEASURED)
            link.close()
        finally:
            process.kill()
    assert after - before < 4 * 2**20, f"grew by {(after - before) / MEASURED:.0f} bytes a request"


def _ask(link: http.client.HTTPConnection, path: str) -> tuple[int, bytes]:
    link.request("GET", path)
    answer = link.getresponse()
    return answer.status, answer.read()


def _resident_pages(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1])
