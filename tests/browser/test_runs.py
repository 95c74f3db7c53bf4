"""A training that is watched while it goes on, and what its page shows afterwards."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import torch
from pages import Visit, colours, picture, settle
from serving import serving
from torch import nn

import visuai
from visuai.serve import Runs
from visuai.serve.shelf import Built

TRAINING = '''
import sys
import time
from pathlib import Path

import torch
from torch import nn

from visuai import Visu

torch.manual_seed(0)
torch.set_num_threads(1)


class Unit(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(16, 16)
        self.squash = nn.Sigmoid()

    def forward(self, x):
        return self.squash(self.linear(x))


class Deep(nn.Module):
    """So many sigmoids in a row that no gradient comes to the first of them."""

    def __init__(self):
        super().__init__()
        self.units = nn.Sequential(*(Unit() for _ in range(9)))
        self.head = nn.Linear(16, 4)

    def forward(self, x):
        return self.head(self.units(x))


folder, stop = Path(sys.argv[1]), Path(sys.argv[2])
model = Deep()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
x, y = torch.randn(32, 16), torch.randint(4, (32,))
with Visu(model, [(x, y)], logdir=folder, name="deep", every=1) as visu:
    for step in range(20_000):
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        visu.scalar("loss", loss)
        print(step, flush=True)
        time.sleep(0.05)
        if stop.exists():
            break
'''


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log directory with one run that has ended: a healthy one."""
    folder = tmp_path_factory.mktemp("runs")
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.randn(64, 8)
    y = x[:, :4].argmax(1)
    with visuai.Visu(model, [(x, y)], logdir=folder, name="healthy", every=1) as visu:
        for _ in range(40):
            loss = nn.functional.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            visu.scalar("loss", loss)
    return folder


@pytest.fixture(scope="module")
def url(logdir: Path) -> Iterator[str]:
    with serving(Built([]), Runs(logdir)) as server:
        yield server.url


def run_of(url: str, model: str) -> dict[str, Any]:
    with urlopen(f"{url}api/runs") as answer:
        return next(one for one in json.load(answer) if one["model"] == model)


def step_of(page: Any) -> int:
    """Gives the step that the slider says."""
    said = page.get_by_role("slider", name="Step", exact=True).get_attribute("aria-valuetext")
    return int(re.sub(r"\D", "", said) or -1)


def wait_until(page: Any, holds: Any, what: str) -> None:
    """Waits until something holds; how long that takes is not tested."""
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, f"never came: {what}"
        page.wait_for_timeout(100)


@pytest.fixture
def training(logdir: Path, tmp_path: Path) -> Iterator[Any]:
    """A training in a process of its own, which has done some steps; a file ends it."""
    stop = tmp_path / "stop"
    process = subprocess.Popen(
        [sys.executable, "-c", TRAINING, str(logdir), str(stop)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) >= 5:
                break

        def end() -> None:
            stop.touch()
            process.communicate(timeout=60)
            assert process.returncode == 0

        yield end
    finally:
        process.kill()
        process.communicate()


def test_a_training_is_followed(visit: Visit, url: str, training: Any) -> None:
    page = visit(url)
    page.get_by_role("button", name="deep").click()
    settle(page)
    dock = page.get_by_role("region", name="Run", exact=True)
    dock.get_by_text("live").wait_for()

    # The page follows by itself, and stays at the end.
    first = step_of(page)
    wait_until(page, lambda: step_of(page) > first + 10, "later steps")

    # Who goes back stays there while it goes on.
    slider = page.get_by_role("slider", name="Step", exact=True)
    slider.focus()
    page.keyboard.press("Home")
    assert step_of(page) == 0
    reached = run_of(url, "deep")["last_step"]
    wait_until(page, lambda: run_of(url, "deep")["last_step"] > reached + 5, "more records")
    assert step_of(page) == 0

    # Playing moves on from there.
    page.get_by_role("button", name="Play").click()
    wait_until(page, lambda: step_of(page) > 3, "steps that are played")
    page.get_by_role("button", name="Pause").click()

    # A diagnosis leads to its box and its step.
    entry = dock.get_by_role("button", name=re.compile("gradient vanishes")).first
    entry.wait_for(timeout=60_000)
    where = re.search(r"units\.\d+\.linear", entry.inner_text())
    assert where is not None
    entry.click()
    settle(page)
    panel = page.get_by_role("complementary", name="Details")
    assert where.group() in panel.inner_text()
    assert "In this run" in panel.inner_text()

    # The end of the training is seen as well.
    training()
    dock.get_by_text("ended").wait_for(timeout=60_000)


def opened(visit: Visit, url: str, more: str = "", **options: Any) -> Any:
    page = visit(f"{url}#run={run_of(url, 'healthy')['id']}{more}", **options)
    settle(page)
    wait_until(page, lambda: step_of(page) >= 0, "records")
    page.wait_for_timeout(300)
    settle(page)
    return page


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_boxes_have_the_colours_of_the_measure(visit: Visit, url: str, theme: str) -> None:
    page = opened(visit, url, color_scheme=theme)
    covered = colours(picture(page))
    page.get_by_role("checkbox", name="colour boxes").uncheck()
    settle(page)
    plain = colours(picture(page))
    strong = [one for one in covered if covered[one] > 100 and one not in plain]
    assert strong

    page.get_by_role("combobox", name="Measure").select_option(label="Weight: norm")
    settle(page)
    assert page.get_by_role("checkbox", name="colour boxes").is_checked()


def test_a_link_leads_to_the_step_and_the_measure(visit: Visit, url: str) -> None:
    page = opened(visit, url, "&measure=weight-norm&step=7")
    assert step_of(page) == 7
    assert page.get_by_role("combobox", name="Measure").input_value() == "weight-norm"
    page.get_by_role("application").focus()
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_function("() => location.hash.includes('step=8')")


def test_a_press_on_the_overview_selects_and_sets_the_step(visit: Visit, url: str) -> None:
    page = opened(visit, url)
    field = page.get_by_role("slider", name=re.compile("of all tensors"))
    box = field.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + 3)
    settle(page)
    assert 15 <= step_of(page) <= 24
    panel = page.get_by_role("complementary", name="Details")
    assert "In this run" in panel.inner_text()
    panel.get_by_role("button", name="update").click()
    panel.get_by_text("÷ weight").wait_for()


def test_no_barriers(visit: Visit, url: str, axe: str) -> None:
    for theme in ("light", "dark"):
        page = opened(visit, url, color_scheme=theme)
        field = page.get_by_role("slider", name=re.compile("of all tensors"))
        field.focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        settle(page)
        page.evaluate(axe)
        found = page.evaluate("() => axe.run().then((all) => all.violations)")
        said = [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found]
        assert not said, said


def test_a_run_that_starts_later_is_in_the_list(
    visit: Visit, url: str, request: pytest.FixtureRequest
) -> None:
    page = opened(visit, url)
    before = len(json.loads(urlopen(f"{url}api/runs").read()))
    end = request.getfixturevalue("training")
    page.get_by_title("Networks").wait_for()
    page.get_by_title("Networks").click()
    choices = page.get_by_role("menuitemradio")
    wait_until(page, lambda: choices.count() == before + 1, "the run that started")
    choices.filter(has_text="(live)").first.click()
    page.wait_for_function("() => document.title === 'deep'")
    settle(page)
    end()
    page.go_back(wait_until="commit")
    page.wait_for_function("() => document.title === 'healthy'")


def test_a_folded_box_says_whose_colour_it_has(visit: Visit, url: str, training: Any) -> None:
    training()
    page = visit(f"{url}#run={run_of(url, 'deep')['id']}")
    settle(page)
    wait_until(page, lambda: step_of(page) >= 0, "records")
    dock = page.get_by_role("region", name="Run", exact=True)
    assert "×N" not in dock.inner_text()
    page.get_by_role("application").focus()
    page.keyboard.press("Shift+R")
    dock.get_by_text("×N").wait_for()
    page.get_by_role("treeitem", name="0 Unit").click()
    panel = page.get_by_role("complementary", name="Details")
    panel.get_by_text("the extreme one of 9 alike").wait_for()
    extreme = panel.get_by_role("button", name=re.compile(r"^units\.[1-8] "))
    wanted = extreme.inner_text().split()[0]
    box = page.get_by_role("application").bounding_box()
    page.get_by_role("application").focus()
    page.keyboard.press("f")
    settle(page)
    page.keyboard.press("Escape")
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.locator(".vz-tooltip").get_by_text(re.compile(rf"of {wanted}")).wait_for()
    page.get_by_role("treeitem", name="0 Unit").click()
    extreme.click()
    settle(page)
    assert page.get_by_role("treeitem", name=f"{wanted[-1]} Unit").get_attribute(
        "aria-selected"
    ) == ("true")
    assert "×N" not in dock.inner_text()
