"""Takes the pictures of the viewer for the README and the documentation, in a real browser.

``python docs/screenshots.py`` needs playwright and an installed Chromium; none is fetched.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import torch
from pictures import FOLDER, UNet
from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from torch import nn

import visuai
from benchmarks import chromium

SIZE = {"width": 1440, "height": 900}


def networks() -> dict[str, tuple[nn.Module, torch.Tensor]]:
    """Gives model and input by name."""
    from torchvision.models import googlenet, resnet18
    from transformers import BertConfig, BertModel

    image = torch.zeros(1, 3, 224, 224)
    bert = BertModel(BertConfig(num_hidden_layers=6))
    return {
        "resnet18": (resnet18(weights=None), image),
        "bert": (bert, torch.zeros(1, 16, dtype=torch.int64)),
        "unet": (UNet(), torch.zeros(1, 3, 64, 64)),
        "googlenet": (googlenet(weights=None, init_weights=False), image),
    }


def take(browser: Browser, page_file: Path, theme: Any, key: str | None, picture: Path) -> None:
    """Opens one page, presses a key of the viewer if one is given, and keeps what is seen."""
    page = browser.new_page(viewport=SIZE, color_scheme=theme, reduced_motion="reduce")
    page.goto(page_file.as_uri(), wait_until="commit")
    page.wait_for_selector("canvas:not([aria-busy])", timeout=60_000)
    if key is not None:
        page.keyboard.press(key)
    page.wait_for_timeout(6_000)  # names are lettered between frames, which software GL delays
    shot = Image.open(io.BytesIO(page.screenshot()))
    shot.convert("RGB").save(picture, lossless=True, method=6)  # half the bytes of a PNG
    page.close()


def main() -> None:
    folder = FOLDER / "viewer"
    folder.mkdir(parents=True, exist_ok=True)
    executable = chromium.installed()
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=chromium.OPTIONS)
        for name, (model, x) in networks().items():
            page_file = Path(scratch, f"{name}.html")
            page_file.write_text(str(visuai.build(model.eval(), x).render("html")), "utf-8")
            for theme in ("light", "dark"):
                take(browser, page_file, theme, None, folder / f"{name}-{theme}.webp")
                take(browser, page_file, theme, "e", folder / f"{name}-open-{theme}.webp")
        browser.close()


if __name__ == "__main__":
    main()
