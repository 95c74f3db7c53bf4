"""Diagnoses: planted faults are found, where and when they are; sound runs are left alone."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import faults
import numpy as np
import pytest
import torch
from faults import FAULTS, HEALTHY, Task, fit, mlp
from hypothesis import given
from hypothesis import strategies as st
from recording import one_thread
from torch import nn
from torch.optim import SGD

import visuai
from visuai import Visu
from visuai.cli import main
from visuai.record.diagnosis import diagnose as diagnosing
from visuai.record.diagnosis.diagnosis import SEVERITIES, Diagnoses, Diagnosis
from visuai.record.diagnosis.rules import RULES
from visuai.record.diagnosis.span import lasting

__all__ = ["one_thread"]

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def alike() -> None:
    """The same numbers in each run of a test, whichever are run."""
    torch.manual_seed(0)


def diagnosed(path: Path) -> Diagnoses:
    with visuai.open_run(path) as run:
        return run.diagnose()


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    found = diagnosed(fault.train(tmp_path))
    places = [(each.module, each.first_step) for each in found if each.rule == fault.rule]
    assert any(module == fault.module and abs(step - fault.step) <= 1 for module, step in places), (
        f"expected {fault.rule} of {fault.module!r} at step {fault.step}; got\n{found}"
    )


@pytest.mark.parametrize("name", HEALTHY)
def test_a_sound_run_has_no_error(name: str, tmp_path: Path) -> None:
    found = diagnosed(HEALTHY[name](tmp_path))
    assert not found.at_least("error"), str(found)


@pytest.mark.parametrize(
    "name", ["plain_mlp", "transformer", "lstm", "adversaries", "large_first_steps"]
)
def test_the_usual_sound_run_has_no_warning_either(name: str, tmp_path: Path) -> None:
    found = diagnosed(HEALTHY[name](tmp_path))
    assert not found.at_least("warning"), str(found)


def test_shuffled_labels_are_no_fault_of_the_optimisation(tmp_path: Path) -> None:
    found = diagnosed(faults.shuffled_labels(tmp_path))
    assert {each.rule for each in found} <= {"loss-not-falling"}
    assert not found.at_least("warning")
    assert all("data" in each.advice for each in found)


def test_there_are_enough_faults_and_each_rule_has_one() -> None:
    assert len(FAULTS) >= 24
    assert len(HEALTHY) >= 12
    planted = {fault.rule for fault in FAULTS.values()}
    # Three are found otherwise: in the control above, and below.
    assert planted == set(RULES) - {"loss-not-falling", "records-lost", "few-records"}


def test_each_rule_names_its_source_and_is_documented() -> None:
    page = (ROOT / "docs" / "diagnoses.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^### `([a-z0-9-]+)`", page, re.MULTILINE)) == set(RULES)
    for name, rule in RULES.items():
        assert "Source:" in (rule.__doc__ or ""), name


@pytest.mark.parametrize("every", [3, 7])
def test_the_step_is_right_within_one_cadence(every: int, tmp_path: Path) -> None:
    model, task = mlp(8, 32, 32, 3), Task()

    def after(step: int) -> None:
        if step == 40:
            with torch.no_grad():
                model[2].bias.sub_(100.0)

    optimizer = SGD(model.parameters(), lr=0.05)
    path = fit(tmp_path, model, optimizer, task.loss(model), 100, after=after, every=every)
    (found,) = diagnosed(path).at_least("error")
    assert (found.rule, found.module) == ("dead-units", "2")
    assert 40 < found.first_step <= 40 + every


def test_the_first_nan_of_a_long_run_is_found_to_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records are merged where a run has too many, and told apart again where it matters."""
    from visuai.record import track

    monkeypatch.setattr(track, "_MOST_COLUMNS", 16)
    monkeypatch.setattr(track, "_FEWEST_COLUMNS", 16)
    model, task = mlp(8, 16, 3), Task(batch=4)

    def loss_of(step: int) -> torch.Tensor:
        inputs, labels = task.sample()
        return nn.functional.cross_entropy(model(inputs), labels) * (np.nan if step == 333 else 1)

    path = fit(tmp_path, model, SGD(model.parameters(), lr=0.01), loss_of, steps=400)
    (found,) = diagnosed(path).at_least("error")
    assert (found.rule, found.first_step) == ("nonfinite", 333)


def test_a_live_run_is_diagnosed_as_far_as_it_got(tmp_path: Path) -> None:
    model = mlp(8, 16, 3)
    optimizer = SGD(model.parameters(), lr=0.05)
    loss_of = Task().loss(model)
    with Visu(model, None, tmp_path, "net", every=1) as visu:
        assert visu.path is not None
        with visuai.open_run(visu.path) as run:
            assert len(run.diagnose()) == 0
            for step in range(30):
                optimizer.zero_grad()
                (loss_of(step) * (1.0 if step < 20 else float("nan"))).backward()
                optimizer.step()
                if step == 15:
                    assert visu.flush()
                    early = run.diagnose()
            assert visu.flush()
            late = run.diagnose()
    assert (len(early), early.last_step) == (0, 15)
    assert [(each.rule, each.first_step) for each in late] == [("nonfinite", 20)]


def test_what_is_not_trained_yet_is_no_fault(tmp_path: Path) -> None:
    """One step, two steps: too little to tell anything by."""
    for steps in (1, 2):
        model = mlp(8, 16, 16, 3)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        path = fit(tmp_path / str(steps), model, optimizer, Task().loss(model), steps)
        assert len(diagnosed(path)) == 0


def test_without_a_topology_the_order_of_the_model_serves(tmp_path: Path) -> None:
    class Odd(nn.Module):
        """Does what no route can capture: its path depends on the numbers."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = mlp(8, *[16] * 9, 3, act=nn.Sigmoid)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if not isinstance(x, torch.Tensor) or type(x) is not torch.Tensor:
                raise TypeError("real numbers only")
            return self.inner(x) if float(x.sum()) != 0.5 else self.inner(-x)

    model = Odd()
    optimizer = SGD(model.parameters(), lr=0.1)
    path = fit(tmp_path, model, optimizer, Task().loss(model), 10)
    rules = {each.rule: each for each in diagnosed(path)}
    assert rules["vanishing-gradient"].module == "inner.0"


def test_names_from_models_do_no_harm(tmp_path: Path) -> None:
    class Named(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.odd = '<script>"\n\x1b[31m\u202e[red]' + "x" * 300
            self.add_module(self.odd, nn.Linear(8, 16))
            self.head = nn.Linear(16, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(torch.tanh(self._modules[self.odd](x)))

    model = Named()
    path = fit(tmp_path, model, SGD(model.head.parameters(), lr=0.1), Task().loss(model), 10)
    found = diagnosed(path)
    assert [each.rule for each in found] == ["not-in-optimizer"]
    assert found[0].module == model.odd
    assert json.loads(found.to_json())[0]["module"] == model.odd
    text = str(found)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[red]" in text


def test_lost_records_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from visuai.record.recording import Recording

    model = mlp(8, 16, 3)
    kept = Recording._learning_rates
    broken = iter([False] * 5 + [True])

    def fail(self: Recording, optimizer: torch.optim.Optimizer) -> None:
        if next(broken, False):
            raise RuntimeError("something in the recorder")
        kept(self, optimizer)

    monkeypatch.setattr(Recording, "_learning_rates", fail)
    with pytest.warns(RuntimeWarning, match="something in the recorder"):
        path = fit(tmp_path, model, SGD(model.parameters(), lr=0.1), Task().loss(model), 10)
    assert [(each.rule, each.severity) for each in diagnosed(path)] == [("records-lost", "info")]


def test_too_few_records_are_told_since_they_prove_nothing(tmp_path: Path) -> None:
    model = mlp(8, 16, 3)
    forgotten = SGD(model[0].parameters(), lr=0.1)  # too seldom looked at to be found
    path = fit(tmp_path, model, forgotten, Task().loss(model), 90, every=30)
    (found,) = diagnosed(path)
    assert (found.rule, found.severity) == ("few-records", "info")
    assert "of 90 steps" in found.message
    assert "every=1" in found.advice


def test_a_loss_that_is_nan_between_records_is_not_laid_to_the_loss_function(
    tmp_path: Path,
) -> None:
    model, task = mlp(8, 16, 3), Task()

    def loss(step: int) -> torch.Tensor:
        return task.loss(model)(step) * (math.nan if step == 12 else 1.0)

    path = fit(tmp_path, model, SGD(model.parameters(), lr=0.1), loss, 60, every=10)
    (found,) = [each for each in diagnosed(path) if each.rule == "nonfinite"]
    assert found.first_step == 12
    assert "step 10" in found.message
    assert "inputs" in found.advice
    assert "every=1" in found.advice


def test_text_of_diagnoses_stays_text_in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich import console

    monkeypatch.setattr(console, "_is_jupyter", lambda: True)  # else it asks IPython
    text = str(Diagnoses([Diagnosis("b", "info", "w", "m", 0, 9, "told", "try")], "net", 9))
    assert text.splitlines() == [
        "net: 1 info (looked at steps up to 9)",
        "",
        "info  b  w  steps 0 to 9",
        "    told",
        "    try",
    ]


def test_diagnoses_are_a_sequence_worst_first() -> None:
    made = [
        Diagnosis("b", "info", "w", "m", 0, 9, "told", "try"),
        Diagnosis("a", "error", "w", "m", 5, 9, "told", "try", {"x": float("nan"), "y": 2.0}),
        Diagnosis("c", "error", "w", "m", 3, 9, "told", "try"),
    ]
    found = Diagnoses(made, "net", 9)
    assert [each.rule for each in found] == ["c", "a", "b"]
    assert [each.rule for each in found[1:]] == ["a", "b"]
    assert len(found.at_least("warning")) == 2
    assert json.loads(found.to_json())[1]["evidence"] == {"x": None, "y": 2.0}
    assert "2 errors, 1 info" in str(found)
    with pytest.raises(ValueError, match="fatal"):
        found.at_least("fatal")


def test_what_is_found_is_whole(tmp_path: Path) -> None:
    for name in ("sigmoids_in_depth", "rate_too_high_sgd", "module_never_called"):
        found = diagnosed(FAULTS[name].train(tmp_path / name))
        assert found
        for each in found:
            assert each.rule in RULES
            assert each.severity in SEVERITIES
            assert 0 <= each.first_step <= each.last_step <= found.last_step
            assert each.message.endswith((".", ")"))
            assert each.advice.endswith(("?", "."))
            assert each.evidence
        json.loads(found.to_json())


@given(
    holds=st.lists(st.sampled_from([True, False, None]), max_size=60),
    least=st.integers(min_value=1, max_value=8),
)
def test_what_lasts_holds_as_long_as_it_says(holds: list[bool | None], least: int) -> None:
    known = np.array([each is not None for each in holds], dtype=bool)
    states = np.array([bool(each) for each in holds], dtype=bool)
    span = lasting(states, known, least)
    if span is None:
        # Then there is no unbroken stretch of that length either.
        columns = states[known]
        runs = np.diff(np.flatnonzero(np.concatenate([[True], ~columns, [True]]))) - 1
        assert max(runs, default=0) < least
        return
    inside = states[span.first : span.last + 1] & known[span.first : span.last + 1]
    assert span.holds == inside.sum() >= least
    assert states[span.first]
    assert states[span.last]
    assert span.holds >= 0.8 * known[span.first : span.last + 1].sum() - 1


# The command line -------------------------------------------------------------------------------


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    FAULTS["nan_in_the_first_weights"].train(tmp_path)
    return tmp_path


def test_the_command_exits_as_it_found(
    broken: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diagnose", str(broken), "--severity", "error"]) == 1
    assert "nonfinite" in capsys.readouterr().out
    assert main(["diagnose", str(broken), "-q"]) == 1
    assert capsys.readouterr().out == ""
    sound = tmp_path_factory.mktemp("sound")
    HEALTHY["frozen_backbone"](sound)
    assert main(["diagnose", str(sound)]) == 0
    told = capsys.readouterr()
    assert "nothing found" in told.out
    assert "--severity info" in told.err
    assert main(["diagnose", str(sound), "--severity", "info"]) == 1
    assert "frozen" in capsys.readouterr().out


def test_the_command_prints_json(broken: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (path,) = broken.glob("*/run-*.sqlite")
    assert main(["diagnose", str(path), "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["run"] == path.name
    assert document["diagnoses"][0]["rule"] == "nonfinite"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.mkdir(),
        lambda path: None,
        lambda path: path.write_text("not a run"),
    ],
)
def test_trouble_is_told_and_exits_with_2(
    spoil: Callable[[Path], object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "run-x.sqlite"
    spoil(place)
    assert main(["diagnose", str(place)]) == 2
    assert "run" in capsys.readouterr().err


def test_diagnosing_needs_no_torch(broken: Path) -> None:
    code = (
        "import sys\n"
        "from visuai.cli import main\n"
        f"assert main(['diagnose', {str(broken)!r}]) == 1\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_what_is_much_alike_is_told_once(tmp_path: Path) -> None:
    model = mlp(8, *[16] * 12, 3, act=nn.Tanh)
    path = fit(tmp_path, model, SGD(model[-1].parameters(), lr=0.1), Task().loss(model), 8)
    found = [each for each in diagnosed(path) if each.rule == "not-in-optimizer"]
    assert len(found) == 1
    assert len(found[0].also) == 23
    assert diagnosing.MOST_ALIKE < 12


def test_what_is_frozen_in_turns_is_not_called_frozen(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Visu(model, logdir=tmp_path, every=1):
        for step in range(20):
            model[0].requires_grad_(step % 2 == 0)
            model[2].requires_grad_(step % 2 == 1)
            optimizer.zero_grad()
            model(torch.randn(16, 6)).square().mean().backward()
            optimizer.step()
    assert "frozen" not in [each.rule for each in diagnosed(tmp_path)]


@pytest.mark.parametrize("activations", [False, True])
def test_weights_that_start_at_zero_are_not_laid_to_the_units(
    activations: bool, tmp_path: Path
) -> None:
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with Visu(model, logdir=tmp_path, every=1, activations=activations):
        for _ in range(40):
            x = torch.randn(32, 8)
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), (x[:, 0] > 0).long()).backward()
            optimizer.step()
    found = diagnosed(tmp_path)
    assert "dead-units" not in [each.rule for each in found]
    (told,) = [each for each in found if each.rule == "zero-gradient"]
    assert "start at zero" in told.advice
