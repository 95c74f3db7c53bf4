"""Records the moving picture of a gradient that vanishes: ``python docs/vanishing.py``.

A small network learns handwritten digits with far too much weight decay, which the half of it
that has skips survives and the other half does not. The recorded training is played in the real
viewer, in a real browser whose clock is moved on by hand, so that each frame is of its moment
however long it takes to draw. Only the pointer is painted on top.

Needs playwright and an installed Chromium, and scikit-learn for its digits; nothing is fetched.
"""

from __future__ import annotations

import base64
import io
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from pictures import FOLDER
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Locator, Page, sync_playwright
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks import chromium
from visuai import Visu
from visuai.serve import Runs, start
from visuai.serve.app import app
from visuai.serve.shelf import Built

WIDTH = 16
SIZE = {"width": 1000, "height": 840}
SCALE = 1.25
STEPS = 72
TICK = 90  # milliseconds in the browser for each step that is played
FRAME = 50  # milliseconds that a frame is shown
THEMES = "light", "dark"

PREFERENCES = {"outline": False, "panel": False, "minimap": False, "legend": False}

POINTER = (0, 0), (0, 17), (4, 13), (7, 20), (10, 19), (7, 12), (12, 12)

Place = tuple[float, float]


class Unit(nn.Module):
    """A convolution, squashed; with a skip, added to what came in."""

    def __init__(self, *, skip: bool) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.squash = nn.Tanh()
        self.skip = skip
        # So that at first gradients come through either way.
        gain = 0.5 if skip else nn.init.calculate_gain("tanh")
        nn.init.xavier_normal_(self.convolution.weight, gain=gain)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Gives images of the same size."""
        y = self.squash(self.convolution(x))
        return x + y if self.skip else y


class Digits(nn.Module):
    """Two ways from an image to a digit, which differ in nothing but that one has skips."""

    def __init__(self, depth: int = 6) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, WIDTH, 3, padding=1)
        self.residual = nn.Sequential(*(Unit(skip=True) for _ in range(depth)))
        self.plain = nn.Sequential(*(Unit(skip=False) for _ in range(depth)))
        self.head = nn.Linear(32 * WIDTH, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Gives a score for each digit."""
        x = self.stem(x)
        both = torch.cat([self.residual(x), self.plain(x)], 1)
        return self.head(nn.functional.avg_pool2d(both, 2).flatten(1))


def train(logdir: Path) -> None:
    """Trains a network whose weights shrink faster than they learn, and records it."""
    from sklearn.datasets import load_digits

    torch.manual_seed(0)
    torch.set_num_threads(1)
    images, labels = load_digits(return_X_y=True)
    x = torch.tensor(images, dtype=torch.float32).reshape(-1, 1, 8, 8) / 8 - 1
    loader = DataLoader(TensorDataset(x, torch.tensor(labels)), batch_size=64, shuffle=True)
    model = Digits()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=60.0)
    step = 0
    with Visu(model, loader, logdir=logdir, name="digits", every=1):
        while step < STEPS:
            for inputs, targets in loader:
                loss = nn.functional.cross_entropy(model(inputs), targets)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                step += 1
                if step == STEPS:
                    break


@dataclass
class Film:
    """Frames of a page, and for how many milliseconds each is shown."""

    page: Page
    frames: list[Image.Image] = field(default_factory=list)
    durations: list[int] = field(default_factory=list)
    pointer: Place = (SIZE["width"] * 0.6, SIZE["height"] * 0.55)

    def __post_init__(self) -> None:
        self._devtools = self.page.context.new_cdp_session(self.page)

    def pass_time(self, milliseconds: int) -> None:
        """Moves the clock of the page on, and leaves it the time to draw."""
        self.page.clock.run_for(milliseconds)
        self.page.evaluate("0")

    def shoot(self, duration: int = FRAME, pressed: bool = False) -> None:
        """Takes a frame."""
        clip = {"x": 0, "y": 0, **SIZE, "scale": SCALE}
        shot = self._devtools.send("Page.captureScreenshot", {"format": "png", "clip": clip})
        frame = Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")
        paint_pointer(frame, self.pointer, pressed)
        self.frames.append(frame)
        self.durations.append(duration)

    def point(self, locator: Locator, at: Place = (0.5, 0.5)) -> None:
        """Moves the pointer to something, slower at the ends of the way, and presses there."""
        box = locator.bounding_box()
        assert box is not None
        (x0, y0), turns = self.pointer, 10
        x1, y1 = box["x"] + box["width"] * at[0], box["y"] + box["height"] * at[1]
        for turn in range(1, turns + 1):
            share = (turn / turns) ** 2 * (3 - 2 * turn / turns)
            self.pointer = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
            self.page.mouse.move(*self.pointer)
            self.pass_time(FRAME)
            self.shoot(45)
        self.shoot(260, pressed=True)
        self.page.mouse.click(*self.pointer)

    def play(self, steps: int) -> None:
        """Lets the slider go so many steps further."""
        for _ in range(steps):
            self.pass_time(TICK)
            self.shoot()

    def save(self, path: Path) -> None:
        """Writes an animated WebP that begins anew when it ends."""
        first, *others = self.frames
        first.save(
            path,
            save_all=True,
            append_images=others,
            duration=self.durations,
            loop=0,
            quality=80,
            method=4,
            kmin=0,
            kmax=0,  # No frame whole but the first.
        )


def paint_pointer(frame: Image.Image, place: Place, pressed: bool) -> None:
    """Paints a mouse pointer, and a ring around it while it is pressed."""
    large = 4  # painted larger and shrunk, for smooth edges
    side = round(56 * SCALE)
    patch = Image.new("RGBA", (side * large, side * large))
    draw = ImageDraw.Draw(patch)
    unit, middle = SCALE * large, side * large / 2
    if pressed:
        radius = 15 * unit
        circle = (middle - radius, middle - radius, middle + radius, middle + radius)
        draw.ellipse(
            circle, fill=(37, 99, 235, 70), outline=(37, 99, 235, 230), width=int(2 * unit)
        )
    points = [(middle + x * unit, middle + y * unit) for x, y in POINTER]
    draw.polygon(points, fill=(20, 20, 20, 255))
    draw.line([*points, points[0], points[1]], fill="white", width=int(1.4 * unit), joint="curve")
    patch = patch.resize((side, side), Image.Resampling.LANCZOS)
    x, y = (round(each * SCALE - side / 2) for each in place)
    frame.paste(patch, (x, y), patch)


def film(browser: Browser, url: str, theme: Any, path: Path) -> None:
    """Plays the run to its end, follows its first diagnosis, plays on, and writes the picture."""
    context = browser.new_context(viewport=SIZE, device_scale_factor=SCALE, color_scheme=theme)
    said = json.dumps(json.dumps(PREFERENCES))
    context.add_init_script(f"localStorage.setItem('visuai.preferences', {said})")
    page = context.new_page()
    page.clock.install()
    page.goto(url, wait_until="commit")
    page.wait_for_selector("canvas:not([aria-busy])", timeout=60_000)
    page.wait_for_timeout(2_000)
    page.keyboard.press(".")  # one level more
    page.wait_for_timeout(2_000)
    page.keyboard.press("0")  # everything
    slider = page.get_by_role("slider", name="Step", exact=True)
    slider.focus()
    page.keyboard.press("Home")
    slider.blur()
    page.wait_for_timeout(5_000)  # names are lettered between frames, which software GL delays
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
    taken = Film(page)
    taken.shoot(700)
    play = page.get_by_role("button", name="Play")
    taken.point(play)
    taken.play(STEPS)
    taken.shoot(600)
    dock = page.get_by_role("region", name="Run", exact=True)
    first = dock.get_by_role("button").filter(has_text="gradient vanishes").first
    taken.point(first, (0.5, 0.3))
    for _ in range(12):
        taken.pass_time(60)
        taken.shoot()
    taken.shoot(900)
    taken.point(play)
    taken.play(STEPS - 1 - step_of(page))
    taken.shoot(2_000)
    context.close()
    taken.save(path)
    seconds = sum(taken.durations) / 1e3
    print(f"{path}  {path.stat().st_size / 1e6:.2f} MB  {seconds:.1f} s")


def step_of(page: Page) -> int:
    """Gives the step that the slider is at."""
    slider = page.get_by_role("slider", name="Step", exact=True)
    return int((slider.get_attribute("aria-valuetext") or "").removeprefix("step "))


@contextmanager
def served(logdir: Path) -> Iterator[str]:
    """Serves the runs of a log directory, and gives the address."""
    runs = Runs(logdir)
    server = start(partial(app, Built(()), runs=runs), 0, browser=False)
    try:
        yield server.url
    finally:
        server.stop()
        runs.close()


def main(folder: Path) -> None:
    """Writes vanishing-light.webp and vanishing-dark.webp into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    executable = chromium.installed()
    with tempfile.TemporaryDirectory() as logdir, sync_playwright() as playwright:
        train(Path(logdir))
        browser = playwright.chromium.launch(executable_path=executable, args=chromium.OPTIONS)
        with served(Path(logdir)) as url:
            for theme in THEMES:
                film(browser, url, theme, folder / f"vanishing-{theme}.webp")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER / "runs")
