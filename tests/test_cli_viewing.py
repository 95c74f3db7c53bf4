"""`visuai view` and `visuai serve` as processes: the address they print, and how they end."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rendering import residual
from serving import built_viewer

from visuai.cli import main

__all__ = ["built_viewer"]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    residual().save("a.json.gz")
    residual(4).save("b.json.gz")
    return tmp_path


@contextmanager
def running(viewer: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Runs the command line in a process of its own, and gives the address that it prints."""
    code = (
        "import pathlib, sys; from visuai import cli, viewer; "
        f"viewer.FOLDER = pathlib.Path({str(viewer)!r}); sys.exit(cli.main(sys.argv[1:]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words, "--no-browser"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            lines = ""
            while "Visuai is at" not in lines:
                line = process.stdout.readline()
                assert line, process.stderr and process.stderr.read()
                lines += line
            yield process, lines
        finally:
            process.kill()


def ask(lines: str, path: str) -> tuple[int, bytes]:
    (port,) = re.findall(r"http://127\.0\.0\.1:(\d+)/", lines)
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_view_until_it_is_ended(folder: Path, built_viewer: Path, number: signal.Signals) -> None:
    with running(built_viewer, "view", "a.json.gz", "--port", "0") as (process, lines):
        status, page = ask(lines, "/")
        assert (status, b"<title>Residuals</title>" in page) == (200, True)
        assert len(json.loads(ask(lines, "/api/networks")[1])) == 1
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert process.returncode in ((0, 130) if number == signal.SIGINT else (0, -number))
        assert "Traceback" not in out + err
        assert "13 nodes" in err


def test_view_of_two_to_compare(folder: Path, built_viewer: Path) -> None:
    words = ("view", "a.json.gz", "--compare", "b.json.gz", "--depth", "2", "--port", "0", "-q")
    with running(built_viewer, *words) as (_, lines):
        page = ask(lines, "/")[1].decode()
        assert 'data-depth="2"' in page
        assert 'data-compare="1"' in page
        document = json.loads(ask(lines, "/api/networks/0/compare/1")[1])
        assert document["diff"]["changes"]


def test_serve_a_log_directory(folder: Path, built_viewer: Path) -> None:
    with running(built_viewer, "serve", "-l", str(folder), "--port", "0") as (process, lines):
        assert [one["name"] for one in json.loads(ask(lines, "/api/networks")[1])] == ["a", "b"]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert process.returncode in (0, 130)
        assert (out + err).strip() == ""


def test_a_taken_port_is_told_and_another_used(folder: Path, built_viewer: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = ("serve", "-l", str(folder), "--port", str(port))
        with running(built_viewer, *words) as (_, lines):
            assert f"Port {port} is taken" in lines
            assert f":{port}/" not in lines
            assert ask(lines, "/")[0] == 200


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["serve"], 2, "--logdir"),
        (["serve", "-l", "gone"], 1, "no folder 'gone'"),
        (["view", "gone.json.gz"], 1, "no file"),
        (["view", "a.json.gz", "--compare", "gone.onnx"], 1, "no file"),
        (["view", "a.json.gz", "--port", "70000"], 2, "70000"),
    ],
)
def test_trouble_is_told(
    folder: Path, built_viewer: Path, capsys, words: list[str], code: int, message: str
) -> None:
    assert main(words) == code
    err = capsys.readouterr().err
    assert message in err
    assert "Traceback" not in err


def test_a_viewer_that_is_not_built_is_told_before_the_network_is(
    folder: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.setattr("visuai.viewer.FOLDER", tmp_path)
    (folder / "slow.py").write_text("raise SystemExit('ran')")
    assert main(["view", "slow.py:net"]) == 1
    assert "make frontend" in capsys.readouterr().err
