"""The server, asked over a real socket: what it gives, and whom it refuses."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rendering import HOSTILE, hostile, residual, topology_of
from serving import PLACEHOLDER, built_viewer, get, port_of, send, serving

from visuai import viewer
from visuai.errors import VisuaiError
from visuai.serve import Background, Built, LogDir, start
from visuai.serve.app import app
from visuai.serve.headers import HEADERS
from visuai.topology import Topology
from visuai.wire import wire

__all__ = ["built_viewer"]
pytestmark = pytest.mark.usefixtures("built_viewer")


@pytest.fixture(scope="module")
def server(built_viewer: Path) -> Iterator[Background]:
    with serving(Built([residual(), residual(4)])) as running:
        yield running


class TestWhatItGives:
    def test_the_page_and_its_files(self, server: Background) -> None:
        status, headers, body = get(server, "/")
        assert status == 200
        assert headers["content-type"] == "text/html; charset=utf-8"
        assert b'<div id="visuai"></div>' in body
        for name, kind in ((viewer.SCRIPT, "text/javascript"), (viewer.STYLE, "text/css")):
            assert f'"static/{name}"'.encode() in body
            status, headers, file = get(server, f"/static/{name}")
            assert (status, file) == (200, viewer.read(name))
            assert headers["content-type"] == f"{kind}; charset=utf-8"

    def test_the_list(self, server: Background) -> None:
        status, headers, body = get(server, "/api/networks")
        assert (status, headers["content-type"]) == (200, "application/json")
        first, second = json.loads(body)
        assert first == {"id": "0", "name": "Residuals", "parameters": 2024, "nodes": 13} | {
            "error": None
        }
        assert second["nodes"] == 16

    def test_a_network(self, server: Background) -> None:
        status, headers, body = get(server, "/api/networks/1", {"Accept-Encoding": "gzip"})
        assert status == 200
        assert headers["content-type"] == "application/json"
        assert headers["content-encoding"] == "gzip"
        assert json.loads(gzip.decompress(body)) == json.loads(json.dumps(wire(residual(4))))

    def test_two_networks_to_compare(self, server: Background) -> None:
        _, _, body = get(server, "/api/networks/0/compare/1")
        document = json.loads(body)
        assert [len(one["topology"]["nodes"]["id"]) for one in document["networks"]] == [13, 16]
        assert document["diff"]["changes"]

    @pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "gzip; q=0.0"])
    def test_plain_for_who_does_not_take_gzip(self, server: Background, accepted: str) -> None:
        _, headers, body = get(server, "/api/networks/0", {"Accept-Encoding": accepted})
        assert "content-encoding" not in headers
        assert int(headers["content-length"]) == len(body)
        assert json.loads(body)["schema"] == "visuai/wire@1"

    @pytest.mark.parametrize("accepted", ["gzip", "br, GZIP", "*", "gzip;q=0.5, br"])
    def test_gzip_for_who_takes_it(self, server: Background, accepted: str) -> None:
        _, headers, _ = get(server, "/api/networks/0", {"Accept-Encoding": accepted})
        assert headers["content-encoding"] == "gzip"
        assert headers["vary"] == "accept-encoding"

    @pytest.mark.parametrize("path", ["/", "/static/viewer.js", "/api/networks/0"])
    def test_what_is_known_is_not_sent_again(self, server: Background, path: str) -> None:
        _, headers, _ = get(server, path)
        status, again, body = get(server, path, {"If-None-Match": headers["etag"]})
        assert (status, body, again["etag"]) == (304, b"", headers["etag"])
        status, _, body = get(server, path, {"If-None-Match": '"something else"'})
        assert (status, bool(body)) == (200, True)
        _, packed, _ = get(server, path, {"Accept-Encoding": "gzip"})
        assert packed["etag"] != headers["etag"], "other bytes have another name"

    @pytest.mark.parametrize(
        "path", ["/", "/static/viewer.css", "/api/networks", "/api/networks/0"]
    )
    def test_head(self, server: Background, path: str) -> None:
        _, of_get, body = get(server, path)
        status, of_head, nothing = get(server, path, method="HEAD")
        assert (status, nothing) == (200, b"")
        assert of_head["content-length"] == of_get["content-length"] == str(len(body))

    def test_every_answer_carries_the_headers(self, server: Background) -> None:
        wrong_host = {"Host": "evil.example"}
        for path, headers in (("/", None), ("/nothing", None), ("/", wrong_host)):
            found = get(server, path, headers)[1]
            assert HEADERS.items() <= found.items()
            assert "server" not in found
            assert not [name for name in found if name.startswith("access-control-")]
        policy = HEADERS["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy


class TestWhomItRefuses:
    @pytest.mark.parametrize(
        "host",
        [
            *("evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost"),
            *("127.0.0.1.evil.example:{port}", "0.0.0.0:{port}", "[::1]", "2130706433:{port}"),
            *("localhost:{port}, evil.example", "user@localhost:{port}", "", " "),
        ],
    )
    def test_another_host(self, server: Background, host: str) -> None:
        named = host.format(port=port_of(server))
        for path in ("/", "/api/networks", "/static/viewer.js", "/nothing"):
            status, _, body = get(server, path, {"Host": named})
            assert status == 403
            assert b"127.0.0.1" in body, "it tells what to open instead"

    @pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}"])
    def test_not_itself(self, server: Background, host: str) -> None:
        named = host.format(port=port_of(server))
        assert get(server, "/api/networks", {"Host": named})[0] == 200
        assert get(server, "/api/networks", {"Origin": f"http://{named}"})[0] == 200

    @pytest.mark.parametrize(
        "origin",
        [
            *("https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1"),
            *("https://127.0.0.1:{port}", "http://localhost:{port}.evil.example", "file://"),
        ],
    )
    def test_another_origin(self, server: Background, origin: str) -> None:
        headers = {"Origin": origin.format(port=port_of(server))}
        assert get(server, "/api/networks", headers)[0] == 403
        assert get(server, "/", headers)[0] == 403

    def test_a_page_elsewhere_that_loads_from_here(self, server: Background) -> None:
        for site in ("cross-site", "same-site"):
            there = {"Sec-Fetch-Site": site}
            assert get(server, "/api/networks", there)[0] == 403
            assert (
                get(server, "/static/viewer.js", {**there, "Sec-Fetch-Mode": "no-cors"})[0] == 403
            )
            assert get(server, "/api/networks", {**there, "Sec-Fetch-Mode": "navigate"})[0] == 403
            assert get(server, "/", {**there, "Sec-Fetch-Mode": "navigate"})[0] == 200
        for site in ("same-origin", "none"):
            assert get(server, "/api/networks", {"Sec-Fetch-Site": site})[0] == 200

    def test_two_hosts(self, server: Background) -> None:
        own = f"127.0.0.1:{port_of(server)}"
        request = f"GET / HTTP/1.1\r\nHost: {own}\r\nHost: evil.example\r\n\r\n"
        assert send(server, request.encode()).split()[1] in (b"400", b"403")
        assert send(server, b"GET / HTTP/1.0\r\n\r\n").split()[1] == b"403"

    def test_it_listens_on_this_machine_alone(self, server: Background) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # Another address of the same machine: the loopback network has many.
            assert probe.connect_ex(("127.0.0.2", port_of(server))) != 0

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
    def test_other_methods(self, server: Background, method: str) -> None:
        assert get(server, "/api/networks/0", method=method)[0] == 405

    @pytest.mark.parametrize(
        "path",
        [
            *("/../pyproject.toml", "/static/../viewer.py", "/static/..%2fviewer.py"),
            *(
                "/static/%2e%2e/viewer.py",
                "/static/%252e%252e%252fviewer.py",
                "/static//etc/passwd",
            ),
            *("/static/..\\viewer.py", "/static/..%5cviewer.py", "/static/%00", "/static/"),
            *("/static/viewer.js%00.css", "/static/.", "/static/viewer.js/", "//etc/passwd"),
            *("/api/networks/..%2f..%2fetc%2fpasswd", "/api/networks/%2fetc%2fpasswd"),
            *("/api/networks/../../secret", "/api/networks/0/compare/..%2f0", "/api/networks/"),
            *("/api/networks/2", "/api/networks/-1", "/api/networks/%00", "/api/networks/0/"),
            *("/api/networks/0/compare/7", "/%ff%fe", "/api/networks/%ff", "/%", "/%zz", "/?../.."),
        ],
    )
    def test_paths_lead_nowhere_else(self, server: Background, path: str) -> None:
        status, _, body = get(server, path)
        assert (status == 404) or (path == "/?../.." and status == 200)
        assert b"root:" not in body
        assert b"import" not in body


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.binary(max_size=60).map(lambda junk: b"GET /" + junk + b" HTTP/1.1\r\n\r\n"),
        st.tuples(st.binary(max_size=40), st.binary(max_size=80)).map(
            lambda pair: b"GET / HTTP/1.1\r\n" + pair[0] + b": " + pair[1] + b"\r\n\r\n"
        ),
        st.text(max_size=60).map(
            lambda text: f"GET /api/networks/{text} HTTP/1.1\r\nHost: HERE\r\n\r\n".encode(
                "utf-8", "surrogatepass"
            )
        ),
        st.from_regex(rb"/(static|api/networks)/[\x21-\x7e]{0,40}", fullmatch=True).map(
            lambda path: b"GET " + path + b" HTTP/1.1\r\nHost: HERE\r\n\r\n"
        ),
    )
)
def test_garbage_is_refused(server: Background, data: bytes) -> None:
    answer = send(server, data.replace(b"HERE", f"127.0.0.1:{port_of(server)}".encode()))
    for line in answer.splitlines():
        if line.startswith(b"HTTP/1."):
            assert line.split()[1][:1] in (b"2", b"4")
    assert get(server, "/api/networks")[0] == 200, "and the server goes on"


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\nHost: HERE\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: HERE\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: HERE\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: HERE\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: HERE\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: HERE\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: HERE\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: HERE\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=lambda data: data[:30].decode("latin-1"),
)
def test_strange_requests(server: Background, data: bytes) -> None:
    answer = send(server, data.replace(b"HERE", f"127.0.0.1:{port_of(server)}".encode()))
    if answer:
        assert answer.split()[1][:1] in (b"2", b"4")
    assert b"101 Switching" not in answer
    assert get(server, "/api/networks")[0] == 200


class TestShelves:
    def test_hostile_names(self) -> None:
        with serving(Built([hostile()])) as server:
            (listed,) = json.loads(get(server, "/api/networks")[2])
            assert listed["name"] == "".join(HOSTILE)
            document = json.loads(get(server, "/api/networks/0")[2])
            assert document["networks"][0]["topology"]["name"] == "".join(HOSTILE)

    def test_a_network_without_nodes_or_edges(self) -> None:
        with serving(Built([topology_of("Nothing", {}, [])])) as server:
            topology = json.loads(get(server, "/api/networks/0")[2])["networks"][0]["topology"]
            assert topology["nodes"]["op_kind"] == {"rows": []}
            assert topology["edges"]["source_output"] == {"rows": []}

    def test_a_topology_that_does_not_hold_together_is_told(self) -> None:
        broken = residual()
        broken.inputs.append("nowhere")
        with serving(Built([broken])) as server:
            status, _, body = get(server, "/api/networks/0")
            assert status == 422
            assert "does not hold together" in json.loads(body)["error"]


class TestLogDir:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "mlp" / "deep").mkdir(parents=True)
        residual().save(tmp_path / "a.json.gz")
        residual(4).save(tmp_path / "mlp" / "deep" / "b.json")
        return tmp_path

    def listed(self, server: Background) -> dict[str, dict[str, object]]:
        return {one["name"]: one for one in json.loads(get(server, "/api/networks")[2])}

    def test_finds_what_was_saved_at_any_depth(self, folder: Path) -> None:
        with serving(LogDir(folder)) as server:
            listed = self.listed(server)
            assert list(listed) == ["a", "mlp/deep/b"]
            assert listed["mlp/deep/b"]["nodes"] == 16
            a, b = (one["id"] for one in listed.values())
            assert get(server, f"/api/networks/{a}")[0] == 200
            assert get(server, f"/api/networks/{a}/compare/{b}")[0] == 200

    def test_a_link_leads_there_before_the_list_was_asked_for(self, folder: Path) -> None:
        with serving(LogDir(folder)) as server:
            ids = [one["id"] for one in self.listed(server).values()]
        with serving(LogDir(folder)) as server:
            for key in ids:
                assert get(server, f"/api/networks/{key}")[0] == 200

    def test_damage_is_told_and_harms_nothing_else(self, folder: Path) -> None:
        whole = (folder / "a.json.gz").read_bytes()
        (folder / "cut.json.gz").write_bytes(whole[: len(whole) // 2])
        (folder / "empty.json.gz").write_bytes(b"")
        (folder / "noise.json.gz").write_bytes(b"\x1f\x8b" + bytes(range(256)))
        (folder / "later.json").write_text('{"schema":"visuai/topology@99"}')
        with serving(LogDir(folder)) as server:
            listed = self.listed(server)
            assert {name for name, one in listed.items() if one["error"]} == {
                *("cut", "empty", "noise", "later"),
            }
            assert listed["a"]["error"] is None
            assert "visuai/topology@99" in str(listed["later"]["error"])
            for name in ("cut", "empty", "noise", "later"):
                status, _, body = get(server, f"/api/networks/{listed[name]['id']}")
                assert status == 422
                assert json.loads(body)["error"]

    def test_other_files_are_none_of_its_business(self, folder: Path) -> None:
        (folder / "config.json").write_text('{"lr": 0.1}')
        (folder / "events.json.gz").write_bytes(gzip.compress(b"[1, 2]"))
        (folder / "notes.txt").write_text("residual")
        (folder / ".hidden").mkdir()
        residual().save(folder / ".hidden" / "c.json.gz")
        with serving(LogDir(folder)) as server:
            assert list(self.listed(server)) == ["a", "mlp/deep/b"]

    def test_links_to_elsewhere_are_not_followed(self, folder: Path, tmp_path_factory) -> None:
        elsewhere = tmp_path_factory.mktemp("elsewhere")
        residual().save(elsewhere / "secret.json.gz")
        (folder / "file.json.gz").symlink_to(elsewhere / "secret.json.gz")
        (folder / "folder").symlink_to(elsewhere, target_is_directory=True)
        with serving(LogDir(folder)) as server:
            assert list(self.listed(server)) == ["a", "mlp/deep/b"]

    def test_what_is_written_again_is_read_again(self, folder: Path) -> None:
        with serving(LogDir(folder)) as server:
            before = self.listed(server)["a"]
            path = f"/api/networks/{before['id']}"
            etag = get(server, path)[1]["etag"]
            residual(5).save(folder / "a.json.gz")
            after = self.listed(server)["a"]
            assert (after["id"], after["nodes"]) == (before["id"], 19)
            assert get(server, path, {"If-None-Match": etag})[0] == 200
            (folder / "a.json.gz").unlink()
            assert get(server, path)[0] == 404
            assert list(self.listed(server)) == ["mlp/deep/b"]

    def test_no_folder_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(VisuaiError, match="no folder"):
            LogDir(tmp_path / "gone")


class TestServer:
    def test_a_taken_port_is_left_alone(self) -> None:
        with serving(Built([residual()])) as first:
            second = start(partial(app, Built([residual()])), port_of(first), browser=False)
            assert second.url != first.url
            assert get(second, "/api/networks")[0] == 200
            assert get(first, "/api/networks")[0] == 200
            second.stop()
            assert "stopped" in repr(second)

    def test_without_a_viewer_nothing_starts(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(viewer, "FOLDER", tmp_path)
        with pytest.raises(VisuaiError, match="make frontend"), serving(Built([residual()])):
            pass

    def test_a_port_that_cannot_be_is_told(self) -> None:
        with pytest.raises(VisuaiError, match="70000"):
            residual().show(port=70_000, block=False)

    def test_from_a_topology(self, capsys: pytest.CaptureFixture[str]) -> None:
        server = residual().show(residual(4), port=0, block=False)
        assert server is not None
        try:
            assert server.url in capsys.readouterr().err
            page = get(server, "/")[2].decode()
            assert "<title>Residuals</title>" in page
            assert 'data-compare="1"' in page
            assert len(json.loads(get(server, "/api/networks")[2])) == 2
        finally:
            server.stop()

    def test_the_placeholder_is_served_as_it_is(self, server: Background) -> None:
        assert get(server, "/static/viewer.js")[2].decode() == PLACEHOLDER


def test_a_saved_topology_is_the_same_from_the_server(tmp_path: Path) -> None:
    topology = residual()
    topology.save(tmp_path / "net.json.gz")
    with serving(LogDir(tmp_path)) as server:
        (listed,) = json.loads(get(server, "/api/networks")[2])
        document = json.loads(get(server, f"/api/networks/{listed['id']}")[2])
    sent = Topology.from_dict(document["networks"][0]["topology"])
    assert sent.to_dict() == topology.to_dict()
