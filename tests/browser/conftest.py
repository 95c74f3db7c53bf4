"""A real Chromium, and pages in it that may reach nothing but where they come from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import torch
from pages import Visit, watched
from serving import serving
from torch import nn

import visuai
from benchmarks import chromium
from visuai.serve.shelf import Built

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"


def unavailable(reason: str) -> None:
    """Skips, or fails where these tests have to run."""
    if os.environ.get("VISUAI_BROWSER_TESTS") == "required":
        pytest.fail(f"VISUAI_BROWSER_TESTS=required, but {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium that is installed on this machine; none is fetched.

    It is closed with each module: while it is open, no other test could run an event loop.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        unavailable("playwright is not installed: pip install playwright")
    path = chromium.installed()
    if path is None:
        unavailable(f"no browser is installed: looked for {', '.join(chromium.NAMES)}")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=chromium.OPTIONS)
        yield opened
        opened.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Visit]:
    """Opens pages, and fails if one reached out, threw, or asked the user something."""
    with ExitStack() as stack:

        def open_page(url: str, **options: Any) -> Any:
            return stack.enter_context(watched(browser, url, options))

        yield open_page


@pytest.fixture(scope="session")
def axe() -> str:
    """The script that looks for barriers."""
    if not AXE.exists():
        unavailable("axe-core is not installed: run npm ci in frontend/")
    return AXE.read_text(encoding="utf-8")


class Unit(nn.Module):
    """Two convolutions with a skip around them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(x + self.conv2(self.relu(self.conv1(x))))


class Network(nn.Module):
    """A stem, a run of identical units, another unit, and a head."""

    def __init__(self, width: int = 8, units: int = 3) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 7, stride=2)
        self.units = nn.Sequential(*(Unit(width) for _ in range(units)))
        self.last = Unit(width)
        self.head = nn.Linear(width, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.last(self.units(self.stem(x))).mean((2, 3)))


class Other(Network):
    """With a head of two, and dropout before it."""

    def __init__(self) -> None:
        super().__init__(units=2)
        self.drop = nn.Dropout(0.2)
        self.head = nn.Sequential(nn.Linear(8, 16), nn.Linear(16, 10))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.drop(self.last(self.units(self.stem(x))).mean((2, 3))))


def build(model: nn.Module) -> visuai.Topology:
    return visuai.build(model.eval(), torch.zeros(1, 3, 32, 32))


@pytest.fixture(scope="session")
def network() -> visuai.Topology:
    """A small network of the usual kind."""
    return build(Network())


@pytest.fixture(scope="session")
def other() -> visuai.Topology:
    """What the network became after some changes."""
    return build(Other())


@pytest.fixture(scope="session")
def served(network: visuai.Topology) -> Iterator[str]:
    """Address of a server that has the network."""
    with serving(Built([network])) as server:
        yield server.url


@pytest.fixture(scope="session")
def served_two(network: visuai.Topology, other: visuai.Topology) -> Iterator[str]:
    """Address of a server that has both."""
    with serving(Built([network, other])) as server:
        yield server.url
