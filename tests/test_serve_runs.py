"""Runs as the server gives them: a real one, recorded here, asked for over a real socket."""

from __future__ import annotations

import base64
import http.client
import json
import re
import shutil
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rendering import residual
from serving import built_viewer, get, port_of, serving
from torch import nn

import visuai
from visuai import Visu
from visuai.errors import VisuaiError
from visuai.record.diagnosis.diagnose import diagnose
from visuai.record.measure import measure
from visuai.record.schema import series_id
from visuai.record.store import Batch, Record, Store, create_run
from visuai.record.subject import Subject
from visuai.serve import Background, Built, LogDir, Runs
from visuai.serve.answers import Answers
from visuai.serve.curves import extremes
from visuai.serve.opened import Opened
from visuai.serve.overview import overview
from visuai.serve.runs import MOST_OPEN
from visuai.wire import wire

__all__ = ["built_viewer"]
pytestmark = pytest.mark.usefixtures("built_viewer")

STEPS = 150
AWKWARD = "<script>alert(1)</script>\n‮\"'&"


class Upside(nn.Module):
    """Holds its modules in another order than it calls them in, and one that dies."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(6, 2)
        self.body = nn.Sequential(nn.Linear(4, 6), nn.ReLU())
        self.unused = nn.Linear(3, 3)
        self.add_module(AWKWARD, nn.Linear(6, 6))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.get_submodule(AWKWARD)(self.body(x)))


def train(visu: Visu, model: nn.Module, steps: int) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    x = torch.linspace(-1, 1, 64).reshape(16, 4)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (model(x) - 1).square().mean()
        loss.backward()
        optimizer.step()
        visu.scalar("loss", loss)


def record(logdir: Path, name: str = "upside", steps: int = STEPS, **options: Any) -> Path:
    """Records a training, and gives the run's file."""
    torch.manual_seed(0)
    model = Upside()
    with torch.no_grad():
        model.body[0].bias[0] = -100.0  # a unit that never gives anything
    data = torch.utils.data.TensorDataset(torch.ones(8, 4))
    loader = torch.utils.data.DataLoader(data, batch_size=4)
    given = {"every": 1, "activations": True, **options}
    with Visu(model, loader, logdir=logdir, name=name, **given) as visu:
        train(visu, model, steps)
    assert visu.path is not None
    return visu.path


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logdir")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    record(folder)
    torch.set_num_threads(threads)
    residual().save(folder / "net.json.gz")
    return folder


@pytest.fixture(scope="module")
def server(logdir: Path, built_viewer: Path) -> Iterator[Background]:
    with serving(LogDir(logdir), Runs(logdir)) as running:
        yield running


@pytest.fixture(scope="module")
def key(server: Background) -> str:
    (listed,) = asked(server, "")
    return listed["id"]


@pytest.fixture(scope="module")
def run(logdir: Path) -> Iterator[visuai.Run]:
    with visuai.open_run(logdir) as opened:
        yield opened


def asked(server: Background, path: str, **query: object) -> Any:
    """Asks something of the runs, which must be answered, and reads the answer strictly."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    status, headers, body = get(server, f"/api/runs{path}{'?' * bool(query)}{urlencode(query)}")
    assert status == 200, body
    assert headers["content-type"] == "application/json"
    return json.loads(body, parse_constant=refuse)


def floats(text: str, columns: int) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype="<f4").reshape(-1, columns)


class TestWhatItGives:
    def test_the_list(self, server: Background, run: visuai.Run) -> None:
        (listed,) = asked(server, "")
        assert re.fullmatch("[0-9a-f]{16}", listed.pop("id"))
        assert listed == {
            "model": "upside",
            "name": run.id,
            "started": float(run.meta["started"]),
            "first_step": 0,
            "last_step": STEPS - 1,
            "records": STEPS,
            "live": False,
            "has_network": True,
            "error": None,
        }
        assert [one["name"] for one in json.loads(get(server, "/api/networks")[2])] == ["net"]

    def test_a_run(self, server: Background, key: str) -> None:
        about = asked(server, f"/{key}")
        assert about["id"] == key
        assert (about["model"], about["records"], about["live"]) == ("upside", STEPS, False)
        names = [each["fqn"] for each in about["parameters"]]
        assert names[:2] == ["body.0.weight", "body.0.bias"], "in the order of execution"
        assert names[2:6] == [f"{AWKWARD}.weight", f"{AWKWARD}.bias", "head.weight", "head.bias"]
        assert set(names[6:]) == {"unused.weight", "unused.bias"}
        assert about["parameters"][0] == {
            "fqn": "body.0.weight",
            "module": "body.0",
            "shape": [6, 4],
            "dtype": "float32",
            "quantities": ["weight", "gradient", "update"],
        }
        assert "gradient" not in about["parameters"][-1]["quantities"], "it never had one"
        assert [each["fqn"] for each in about["modules"]] == ["body.0", "body.1", AWKWARD, "head"]
        assert about["modules"][1]["quantities"] == ["activation", "activity"]
        assert "loss" in about["scalars"]
        assert {"norm", "rms", "ratio", "dead", "nonfinite"} <= set(about["statistics"])

    def test_the_quantities_are_those_of_the_run(
        self, server: Background, key: str, run: visuai.Run
    ) -> None:
        about = asked(server, f"/{key}")
        for each in (*about["parameters"], *about["modules"]):
            assert tuple(each["quantities"]) == run.quantities(each["fqn"])

    def test_its_network(self, server: Background, key: str, run: visuai.Run) -> None:
        assert run.topology is not None
        assert asked(server, f"/{key}/network") == json.loads(json.dumps(wire(run.topology)))

    @pytest.mark.parametrize("quantity", ["weight", "gradient", "update", "activation"])
    @pytest.mark.parametrize("statistic", ["norm", "rms", "mean", "std", "mean_abs", "zero_share"])
    def test_the_overview(
        self, server: Background, key: str, run: visuai.Run, quantity: str, statistic: str
    ) -> None:
        found = asked(server, f"/{key}/overview", quantity=quantity, statistic=statistic)
        assert found["steps"] == list(range(STEPS))
        values = floats(found["values"], STEPS)
        assert len(values) == len(found["subjects"]) > 3
        for name, row in zip(found["subjects"], values, strict=True):
            expected = getattr(run.series(name, quantity), statistic)
            np.testing.assert_allclose(row, expected, rtol=1e-6)

    def test_a_narrow_overview_merges_steps(
        self, server: Background, key: str, run: visuai.Run
    ) -> None:
        found = asked(server, f"/{key}/overview", quantity="gradient", columns=7)
        assert len(found["steps"]) == 7
        assert found["steps"][0] == 0
        row = floats(found["values"], 7)[found["subjects"].index("head.weight")]
        squares = run.series("head.weight", "gradient").norm ** 2
        parts = np.split(squares, found["steps"][1:])
        np.testing.assert_allclose(row, [np.sqrt(part.mean()) for part in parts], rtol=1e-6)

    def test_ratio_and_dead(self, server: Background, key: str, run: visuai.Run) -> None:
        found = asked(server, f"/{key}/overview", quantity="update", statistic="ratio")
        row = floats(found["values"], STEPS)[found["subjects"].index("head.weight")]
        update, weight = (run.series("head.weight", each).norm for each in ("update", "weight"))
        np.testing.assert_allclose(row, update / weight, rtol=1e-6)
        found = asked(server, f"/{key}/overview", quantity="activation", statistic="dead")
        row = floats(found["values"], STEPS)[found["subjects"].index("body.1")]
        assert (row >= 1 / 6 - 1e-6).all(), "one unit of six is dead from the start"

    def test_what_is_not_finite_is_told_from_what_was_not_recorded(self, tmp_path: Path) -> None:
        model = nn.Linear(4, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        with Visu(model, logdir=tmp_path, name="broken", every=1):
            for factor in (1.0, 1.0, torch.nan, 1.0):
                optimizer.zero_grad()
                (model(torch.ones(3, 4)).sum() * factor).backward()
                optimizer.step()
        with serving(LogDir(tmp_path), Runs(tmp_path)) as server:
            (entry,) = asked(server, "")

            def finite(**which: str) -> list[list[bool]]:
                values = floats(asked(server, f"/{entry['id']}/overview", **which)["values"], 4)
                assert not np.isnan(values).any()
                return np.isfinite(values).tolist()

            assert finite(quantity="gradient", statistic="norm") == [[True, True, False, True]] * 2
            assert finite(quantity="gradient", statistic="zero_share") == [[True] * 4] * 2
            # The weights are those that the step began with.
            assert finite(quantity="weight", statistic="rms") == [[True, True, True, False]] * 2
            assert finite(quantity="update", statistic="ratio") == [[True, True, False, False]] * 2

    def test_a_series(self, server: Background, key: str, run: visuai.Run) -> None:
        name = f"{AWKWARD}.weight"
        found = asked(server, f"/{key}/series", subject=name, quantity="gradient")
        series = run.series(name, "gradient")
        assert found["steps"] == series.steps.tolist()
        np.testing.assert_allclose(found["statistics"]["norm"], series.norm)
        edges = found["histogram"]["edges"]
        counts = floats(found["histogram"]["counts"], len(edges) - 1)
        np.testing.assert_allclose(counts.sum(axis=1), 36, rtol=1e-5)
        assert counts[:, 0].any(), "bins that nothing uses are left out"
        assert counts[:, -1].any()
        assert edges == sorted(edges)
        found = asked(server, f"/{key}/series", subject=name, quantity="update", columns=10)
        assert len(found["steps"]) == 10
        assert all(value > 0 for value in found["statistics"]["ratio"])

    def test_a_series_of_nothing(self, server: Background, key: str) -> None:
        found = asked(server, f"/{key}/series", subject="unused.weight", quantity="gradient")
        assert found["steps"] == []
        assert found["statistics"]["norm"] == []
        assert found["histogram"] == {"edges": [], "counts": ""}

    def test_the_scalars(self, server: Background, key: str, run: visuai.Run) -> None:
        found = asked(server, f"/{key}/scalars")
        assert set(found) == set(run.scalars)
        assert found["loss"]["steps"] == list(range(STEPS))
        assert found["loss"]["values"] == run.scalar("loss").values.tolist()

    def test_the_diagnoses(self, server: Background, key: str, run: visuai.Run) -> None:
        found = asked(server, f"/{key}/diagnoses")
        assert found == json.loads(json.dumps([each.to_dict() for each in diagnose(run)]))
        assert any("unused" in each["module"] for each in found)

    def test_what_is_known_is_not_sent_again(self, server: Background, key: str) -> None:
        for path in ("", "/network", "/overview", "/scalars", "/diagnoses"):
            _, headers, body = get(server, f"/api/runs/{key}{path}")
            same = {"If-None-Match": headers["etag"]}
            assert get(server, f"/api/runs/{key}{path}", same)[0] == 304
            packed = get(server, f"/api/runs/{key}{path}", {"Accept-Encoding": "gzip"})
            assert packed[1]["content-encoding"] == "gzip"
            assert len(packed[2]) <= len(body)

    def test_head(self, server: Background, key: str) -> None:
        for path in ("", f"/{key}", f"/{key}/overview", f"/{key}/events"):
            status, _, body = get(server, f"/api/runs{path}", method="HEAD")
            assert (status, body) == (200, b"")

    def test_without_a_log_directory_there_are_none(self) -> None:
        with serving(Built([residual()])) as server:
            assert asked(server, "") == []
            assert get(server, "/api/runs/0")[0] == 404


class TestWhomItRefuses:
    @pytest.mark.parametrize(
        ("path", "status"),
        [
            *(("", 200), ("/nothing", 404), ("/overview?quantity=nothing", 400)),
            *(("/overview?statistic=path", 400), ("/overview?statistic=__class__", 400)),
            *(("/overview?statistic=ratio", 400), ("/overview?statistic=dead", 400)),
            *(("/overview?columns=0", 400), ("/overview?columns=4001", 400)),
            *(("/overview?columns=-1", 400), ("/overview?columns=1e3", 400)),
            *(("/overview?columns=", 400), ("/overview?columns=%D9%A3", 400)),
            *((f"/overview?columns={'9' * 5000}", 400), ("/overview?columns=4000", 200)),
            *(("/series", 400), ("/series?subject=nothing", 400), ("/series?subject=", 400)),
            *(("/series?subject=body.0", 400), ("/series?subject=head.weight&columns=x", 400)),
            *(("/series?subject=body.1&quantity=activity", 200), ("/series?subject=%00", 400)),
            *(("/series?subject=%ff%fe", 400), ("/series?subject=' OR 1=1 --", 400)),
            *(("/overview/", 404), ("/events/", 404), ("/../../etc/passwd", 404)),
        ],
    )
    def test_what_there_cannot_be(
        self, server: Background, key: str, path: str, status: int
    ) -> None:
        found, headers, body = get(server, f"/api/runs/{key}{path.replace(' ', '%20')}")
        assert found == status
        if found == 400:
            assert headers["content-type"] == "application/json"
            assert 10 < len(json.loads(body)["error"]) < 500

    @pytest.mark.parametrize(
        "key", ["0", "-1", "%00", "..", "%2e%2e", "upside", "run-1", "a" * 500, quote(AWKWARD)]
    )
    @pytest.mark.parametrize("path", ["", "/network", "/overview", "/series", "/events"])
    def test_runs_that_there_are_not(self, server: Background, key: str, path: str) -> None:
        assert get(server, f"/api/runs/{key}{path}")[0] == 404

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
    def test_other_methods(self, server: Background, key: str, method: str) -> None:
        for path in ("", f"/{key}", f"/{key}/events"):
            assert get(server, f"/api/runs{path}", method=method)[0] == 405

    def test_another_host(self, server: Background, key: str) -> None:
        for path in ("", f"/{key}", f"/{key}/events", f"/{key}/overview"):
            assert get(server, f"/api/runs{path}", {"Host": "evil.example"})[0] == 403


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    path=st.sampled_from(["", "/overview", "/series", "/scalars", "/diagnoses", "/network"]),
    query=st.dictionaries(
        st.sampled_from(["subject", "quantity", "statistic", "columns", "other"]),
        st.one_of(
            st.text(max_size=40),
            st.sampled_from(["head.weight", "update", "ratio", "activity", "dead", "3", "4001"]),
        ),
    ),
)
def test_garbage_is_refused_or_answered(
    server: Background, key: str, path: str, query: dict[str, str]
) -> None:
    words = urlencode(query, errors="surrogatepass")
    status, _, body = get(server, f"/api/runs/{key}{path}?{words}")
    assert status in (200, 400)
    assert json.loads(body) is not None


class TestLogDirectories:
    def listed(self, server: Background) -> dict[str, dict[str, Any]]:
        return {one["model"]: one for one in asked(server, "")}

    def test_a_run_that_comes_and_goes(self, tmp_path: Path) -> None:
        with serving(LogDir(tmp_path), Runs(tmp_path)) as server:
            assert asked(server, "") == []
            path = record(tmp_path, "late", 5)
            key = self.listed(server)["late"]["id"]
            assert len(asked(server, f"/{key}/overview")["steps"]) == 5
            path.unlink()
            assert get(server, f"/api/runs/{key}/overview")[0] == 404
            assert asked(server, "") == []

    def test_a_link_leads_there_before_the_list_was_asked_for(self, logdir: Path, key: str) -> None:
        with serving(LogDir(logdir), Runs(logdir)) as server:
            assert asked(server, f"/{key}")["id"] == key

    def test_damage_is_told_and_harms_nothing_else(self, logdir: Path, tmp_path: Path) -> None:
        whole = next(logdir.glob("*/run-*.sqlite"))
        for name in ("whole", "cut", "noise", "torn", "empty"):
            (tmp_path / name).mkdir()
            shutil.copy(whole, tmp_path / name / "run-1.sqlite")
        data = whole.read_bytes()
        (tmp_path / "cut" / "run-1.sqlite").write_bytes(data[:20_000])
        (tmp_path / "noise" / "run-1.sqlite").write_bytes(b"no database at all" * 1000)
        (tmp_path / "torn" / "run-1.sqlite").write_bytes(
            data[:65_536] + bytes(len(data) - 65_536)  # opens, but what is in it is gone
        )
        (tmp_path / "empty" / "run-1.sqlite").write_bytes(b"")
        with serving(LogDir(tmp_path), Runs(tmp_path)) as server:
            listed = self.listed(server)
            assert {"cut", "noise", "empty"} <= {
                name for name, one in listed.items() if one["error"]
            }
            for one in listed.values():
                assert str(tmp_path) not in str(one["error"])
                for path in ("", "/overview", "/scalars", "/network", "/diagnoses", "/events"):
                    if path == "/events" and not one["error"]:
                        continue  # they go on
                    status, _, body = get(server, f"/api/runs/{one['id']}{path}")
                    assert status in (200, 404, 422)
                    assert str(tmp_path).encode() not in body
            assert get(server, f"/api/runs/{listed['noise']['id']}/scalars")[0] == 422

    def test_links_to_elsewhere_are_not_followed(self, logdir: Path, tmp_path: Path) -> None:
        path = next(logdir.glob("*/run-*.sqlite"))
        (tmp_path / "folder").symlink_to(path.parent, target_is_directory=True)
        (tmp_path / path.name).symlink_to(path)
        with serving(LogDir(tmp_path), Runs(tmp_path)) as server:
            assert asked(server, "") == []

    def test_many_runs_are_not_all_kept_open(self, tmp_path: Path) -> None:
        path = record(tmp_path, "first", 2)
        for number in range(2 * MOST_OPEN):
            shutil.copy(path, path.with_name(f"run-20000101-000000-{number}.sqlite"))
        runs = Runs(tmp_path)
        with serving(LogDir(tmp_path), runs) as server:
            for one in asked(server, ""):
                assert asked(server, f"/{one['id']}/overview")["steps"] == [0, 1]
            places = Path("/proc/self/fd")
            if places.exists():
                names = [str(each.readlink()) for each in places.iterdir() if each.is_symlink()]
                ours = [name for name in names if str(tmp_path) in name and "sqlite" in name]
                assert len({name.removesuffix("-wal").removesuffix("-shm") for name in ours}) <= (
                    MOST_OPEN
                )

    def test_statistics_of_runs_asked_for_long_ago_are_given_back(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of several runs at once, and the answers stay what they were."""
        monkeypatch.setattr("visuai.serve.runs.MOST_CELLS", 0)
        record(tmp_path, "first", 3)
        record(tmp_path, "second", 5)
        runs = Runs(tmp_path)
        with serving(LogDir(tmp_path), runs) as server:
            first, second = (self.listed(server)[name]["id"] for name in ("first", "second"))
            found = asked(server, f"/{first}/overview")
            with runs.reading(first) as opened:
                assert opened.cells > 0
            with runs.reading(second), runs.reading(first) as opened:
                assert opened.cells == 0
            # Of other columns: an answer that is kept would not be made again.
            assert asked(server, f"/{first}/overview", columns=399) == found
            assert len(asked(server, f"/{second}/overview")["steps"]) == 5

    def test_another_file_in_the_same_place(self, tmp_path: Path) -> None:
        path = record(tmp_path, "first", 3)
        other = record(tmp_path, "second", 4)
        with serving(LogDir(tmp_path), Runs(tmp_path)) as server:
            key = self.listed(server)["first"]["id"]
            assert asked(server, f"/{key}")["records"] == 3
            other.replace(path)
            assert asked(server, f"/{key}")["records"] == 4
            assert len(asked(server, f"/{key}/overview")["steps"]) == 4

    def test_a_run_without_a_network(self, tmp_path: Path) -> None:
        model = nn.ParameterDict({"weight": torch.ones(2, 2)})  # it has no forward
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            with Visu(model, logdir=tmp_path, name="manual", every=1) as visu:
                for _ in range(3):
                    model["weight"].grad = torch.ones(2, 2)
                    visu.step()
        with serving(LogDir(tmp_path), Runs(tmp_path)) as server:
            (one,) = asked(server, "")
            assert (one["has_network"], one["records"]) == (False, 3)
            status, _, body = get(server, f"/api/runs/{one['id']}/network")
            assert status == 404
            assert b"no network" in body
            assert asked(server, f"/{one['id']}/overview")["subjects"] == ["weight"]

    def test_a_run_without_a_step(self, tmp_path: Path) -> None:
        model = Upside()  # recording would end with it
        with (
            serving(LogDir(tmp_path), Runs(tmp_path)) as server,
            Visu(model, logdir=tmp_path, name="new") as visu,
        ):
            assert visu.flush()
            (one,) = asked(server, "")
            assert (one["first_step"], one["last_step"], one["records"]) == (None, None, 0)
            with Listener(server, one["id"]) as listener:
                assert listener.next() == {"last_step": None, "records": 0, "live": True}
            nothing = {"steps": [], "subjects": [], "values": ""}
            assert asked(server, f"/{one['id']}/overview") == nothing
            assert asked(server, f"/{one['id']}/scalars") == {}
            assert asked(server, f"/{one['id']}/diagnoses") == []

    def test_no_value_is_not_a_number(self, tmp_path: Path) -> None:
        model = nn.Linear(2, 2)
        with Visu(model, logdir=tmp_path, name="wild", every=1) as visu:
            for value in (1.0, float("nan"), float("inf")):
                model.weight.grad = torch.full((2, 2), value)
                visu.step()
                visu.scalar("loss", value)
        with serving(LogDir(tmp_path), Runs(tmp_path)) as server:
            (one,) = asked(server, "")
            found = asked(server, f"/{one['id']}/series", subject="weight", quantity="gradient")
            assert found["statistics"]["norm"] == [2.0, None, None]
            assert found["statistics"]["nonfinite"] == [0, 4, 4]
            assert asked(server, f"/{one['id']}/scalars")["loss"]["values"][1:] == [None, None]
            counted = asked(server, f"/{one['id']}/overview", statistic="nonfinite")
            assert floats(counted["values"], 3).tolist() == [[0, 4, 4]]


TRAINING = """
import sys, time, torch
from visuai import Visu
torch.set_num_threads(1)
model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
visu = Visu(model, logdir=sys.argv[1], name="live", every=1)
for line in sys.stdin:
    for _ in range(int(line)):
        optimizer.zero_grad()
        loss = model(torch.ones(2, 4)).square().mean()
        loss.backward()
        optimizer.step()
        visu.scalar("loss", loss)
    visu.flush()
    print("done", flush=True)
visu.close()
"""


class Training:
    """A process that trains as many steps as it is told."""

    def __init__(self, logdir: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(TRAINING), str(logdir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def steps(self, count: int) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(60)

    def __enter__(self) -> Training:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()


class Listener:
    """Follows the events of a run, as a browser does."""

    def __init__(self, server: Background, key: str) -> None:
        self._link = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=60)
        self._link.request("GET", f"/api/runs/{key}/events")
        self._answer = self._link.getresponse()
        assert self._answer.status == 200
        assert self._answer.headers["content-type"].startswith("text/event-stream")

    def next(self) -> dict[str, Any] | None:
        """Gives the next event, None at the end."""
        while line := self._answer.readline():
            if line.startswith(b"data: "):
                return json.loads(line[6:])
        return None

    def until(self, **wanted: object) -> dict[str, Any]:
        """Gives the first event in which this is so."""
        while (found := self.next()) is not None:
            if wanted.items() <= found.items():
                return found
        raise AssertionError(f"No event with {wanted}.")

    def close(self) -> None:
        self._answer.close()
        self._link.close()

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class TestLive:
    def test_a_run_is_followed_to_its_end(self, tmp_path: Path) -> None:
        with serving(LogDir(tmp_path), Runs(tmp_path)) as server, Training(tmp_path) as training:
            assert asked(server, "") == []
            training.steps(3)
            (one,) = asked(server, "")
            assert (one["live"], one["records"], one["last_step"]) == (True, 3, 2)
            with Listener(server, one["id"]) as listener:
                assert listener.next() == {"last_step": 2, "records": 3, "live": True}
                training.steps(2)
                listener.until(last_step=4, records=5, live=True)
                found = asked(server, f"/{one['id']}/overview")
                assert found["steps"] == [0, 1, 2, 3, 4]
                training.end()
                listener.until(last_step=4, records=5, live=False)
            (one,) = asked(server, "")
            assert one["live"] is False

    def test_what_is_carried_on_is_what_is_read_anew(self, tmp_path: Path) -> None:
        model = Upside()
        runs = Runs(tmp_path)
        with (
            serving(LogDir(tmp_path), runs) as server,
            Visu(model, logdir=tmp_path, name="live", every=1) as visu,
        ):
            for steps in (1, 7, 80, 2, 150, 11, 30):
                train(visu, model, steps)
                assert visu.flush()
                (one,) = asked(server, "")
                for statistic in ("norm", "ratio", "std"):
                    query = {"quantity": "update", "statistic": statistic}
                    shown = asked(server, f"/{one['id']}/overview", **query)
                    assert visu.path is not None
                    anew = Opened(visu.path, 0)
                    assert overview(anew, "update", statistic, 400) == shown
                    anew.close()
        assert shown["steps"] == list(range(281))

    def test_an_overview_is_of_one_moment(self, tmp_path: Path) -> None:
        """However much is written while it is made, all subjects have the newest step."""
        path = create_run(tmp_path, {"name": "fast"})
        names = [f"part{number}.weight" for number in range(80)]
        keys = np.array([series_id(number, "weight") for number in range(len(names))])
        subjects = tuple(enumerate(Subject(name, "parameter", shape=(4,)) for name in names))
        columns = measure([torch.ones(4)] * len(names)).columns(0)
        ended, started = threading.Event(), threading.Event()

        def write() -> None:
            store = Store(path)
            store.write(Batch(subjects=subjects))
            for step in range(100_000):
                at = np.full(len(names), step)
                store.write(Batch((Record(step, 0.0, replace(columns, first=at, last=at), keys),)))
                started.set()
                if ended.wait(0.005):
                    break
                if step % 64 == 63:
                    store.pack()
            store.close()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            assert started.wait(30)
            steps = 0
            for number in range(8):
                opened = Opened(path, number)
                for _ in range(3):  # read anew, then carried on
                    found = overview(opened, "weight", "norm", 400)
                    assert found["subjects"] == names
                    assert np.isfinite(floats(found["values"], len(found["steps"]))).all()
                steps = found["steps"][-1]
                opened.close()
            assert steps > 8, "it was written meanwhile"
        finally:
            ended.set()
            writer.join()

    def test_a_step_that_two_optimizers_share_comes_in_two_parts(self, tmp_path: Path) -> None:
        model = nn.ModuleDict({"one": nn.Linear(4, 4), "two": nn.Linear(4, 4)})
        optimizers = {
            name: torch.optim.SGD(part.parameters(), lr=0.1) for name, part in model.items()
        }
        for part in model.values():
            part(torch.ones(2, 4)).sum().backward()
        with (
            serving(LogDir(tmp_path), Runs(tmp_path)) as server,
            Visu(model, logdir=tmp_path, name="pair", every=1) as visu,
        ):
            for number in range(3):
                for name in ("one", "two"):
                    optimizers[name].step()
                    assert visu.flush()
                    (entry,) = asked(server, "")
                    shown = asked(server, f"/{entry['id']}/overview", quantity="gradient")
                    assert shown["steps"][-1] == number
                    last = floats(shown["values"], number + 1)[:, -1]
                    there = dict(zip(shown["subjects"], np.isfinite(last), strict=True))
                    assert there[f"{name}.weight"]
                    assert there.get("two.weight", False) == (name == "two" or number == 0)

    def test_a_killed_training_is_not_live_for_long(self, tmp_path: Path) -> None:
        model = Upside()
        with Visu(model, logdir=tmp_path, name="live", every=1) as visu:
            train(visu, model, 2)
            assert visu.flush()
            assert visu.path is not None
            seen = visuai.open_run(visu.path).glance()
            assert seen.is_live()
            assert seen.is_live(seen.written + 3600), "as its process is this one"
        with subprocess.Popen([sys.executable, "-c", ""]) as gone:
            gone.wait()
        killed = replace(seen, process=gone.pid)
        assert killed.is_live(seen.written + 1)
        assert not killed.is_live(seen.written + 15)
        elsewhere = replace(seen, host="elsewhere")
        assert elsewhere.is_live(seen.written + 60)
        assert not elsewhere.is_live(seen.written + 600)
        assert not visuai.open_run(visu.path).glance().is_live(seen.written), "it was closed"

    def test_a_resumed_run_shows_what_was_done_anew(self, tmp_path: Path) -> None:
        record(tmp_path, steps=30)
        with serving(LogDir(tmp_path), Runs(tmp_path)) as server:
            (one,) = asked(server, "")
            before = asked(server, f"/{one['id']}/overview", quantity="weight")
            record(tmp_path, steps=25, resume=10)
            (again,) = asked(server, "")
            assert (again["id"], again["last_step"]) == (one["id"], 34)
            after = asked(server, f"/{one['id']}/overview", quantity="weight")
            assert after["steps"] == list(range(35))
            row = after["subjects"].index("head.weight")
            old, new = floats(before["values"], 30)[row], floats(after["values"], 35)[row]
            np.testing.assert_array_equal(new[:10], old[:10])
            assert new[10] == old[0], "it began anew there"

    def test_the_stream_ends_with_the_server(
        self, logdir: Path, key: str, capfd: pytest.CaptureFixture[str]
    ) -> None:
        ended = threading.Event()
        with serving(LogDir(logdir), Runs(logdir)) as server:
            listener = Listener(server, key)
            assert listener.next() is not None

            def listen() -> None:
                assert listener.next() is None
                ended.set()

            thread = threading.Thread(target=listen)
            thread.start()
        thread.join(30)
        listener.close()
        assert ended.is_set()
        assert capfd.readouterr().err == ""

    def test_the_stream_ends_with_the_run(self, tmp_path: Path) -> None:
        path = record(tmp_path, steps=2)
        with serving(LogDir(tmp_path), Runs(tmp_path)) as server:
            (one,) = asked(server, "")
            with Listener(server, one["id"]) as listener:
                assert listener.next() == {"last_step": 1, "records": 2, "live": False}
                path.unlink()
                assert listener.next() is None

    def test_nothing_is_left_of_clients_that_went(self, logdir: Path, key: str) -> None:
        runs = Runs(logdir)
        looks = 0
        original = Opened.glance

        with serving(LogDir(logdir), runs) as server:
            for _ in range(20):
                with Listener(server, key) as listener:
                    assert listener.next() is not None
            assert get(server, "/api/networks")[0] == 200, "and others are answered"
            deadline = time.monotonic() + 30
            with pytest.MonkeyPatch.context() as patch:

                def counting(opened: Opened) -> Any:
                    nonlocal looks
                    looks += 1
                    return original(opened)

                patch.setattr(Opened, "glance", counting)
                while time.monotonic() < deadline:
                    looks = 0
                    time.sleep(1.2)
                    if not looks:
                        return
        raise AssertionError("The run is still looked at, though nobody listens.")


class TestAnswers:
    def test_an_answer_is_made_once_for_each_version(self) -> None:
        answers, made = Answers(), []
        for version in (1, 1, 2, 2, 1):
            answers.get("a", version, lambda: made.append(None) or {"number": len(made)})
        assert len(made) == 3

    def test_an_error_is_not_kept(self) -> None:
        answers = Answers()

        def fail() -> object:
            raise VisuaiError("no")

        for _ in range(2):
            with pytest.raises(VisuaiError):
                answers.get("a", 1, fail)
        assert answers.get("a", 1, lambda: 1).data

    def test_memory_is_bounded(self) -> None:
        answers = Answers()
        for number in range(100):
            answers.get(number, 0, lambda: np.random.default_rng(0).bytes(2**20))
        assert sum(len(each.parcel.data) for each in answers._kept.values()) <= 32 * 2**20


@given(
    st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=11, max_size=300),
    st.integers(2, 10),
)
def test_extremes_are_kept(values: list[float], most: int) -> None:
    array = np.array(values)
    kept = extremes(array, most)
    assert len(kept) <= most
    assert (np.diff(kept) > 0).all()
    finite = array[np.isfinite(array)]
    if len(finite):
        shown = array[kept][np.isfinite(array[kept])]
        assert shown.max(initial=-np.inf) == finite.max()
        if len(finite) == len(array):
            assert shown.min() == finite.min()
    if len(finite) < len(array):
        assert not np.isfinite(array[kept]).all()


STATUS = Path("/proc/self/statm")


@pytest.mark.skipif(not STATUS.exists(), reason="memory is read from /proc")
def test_following_a_run_leaves_memory_flat(tmp_path: Path, built_viewer: Path) -> None:
    """The command line's server, asked everything anew after each step of a training."""
    code = (
        "import pathlib, sys; from visuai import cli, viewer; "
        f"viewer.FOLDER = pathlib.Path({str(built_viewer)!r}); sys.exit(cli.main(sys.argv[1:]))"
    )
    words = ("serve", "-l", str(tmp_path), "--port", "0", "--no-browser")
    model = Upside()
    with (
        Visu(model, logdir=tmp_path, name="live", every=1) as visu,
        subprocess.Popen(
            [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            (port,) = re.findall(r":(\d+)/", process.stdout.readline())
            link = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)

            def ask(path: str) -> Any:
                link.request("GET", f"/api/runs{path}")
                answer = link.getresponse()
                body = answer.read()
                assert answer.status == 200, body
                return json.loads(body)

            train(visu, model, 1)
            assert visu.flush()
            (one,) = ask("")

            def rounds(count: int) -> int:
                for _ in range(count):
                    train(visu, model, 1)
                    assert visu.flush()
                    for path in ("", "/scalars", "/overview?quantity=update&statistic=ratio"):
                        ask(f"/{one['id']}{path}")
                    ask(f"/{one['id']}/series?subject=head.weight")
                pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
                return pages * 4096

            before = rounds(60)
            after = rounds(240)
            assert ask("")[0]["records"] == 301
            link.close()
        finally:
            process.kill()
    assert after - before < 6 * 2**20, f"grew by {(after - before) / 240:.0f} bytes a round"
