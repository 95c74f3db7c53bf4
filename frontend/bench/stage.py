"""Looks at the stage and measures it in Chromium: ``python bench/stage.py WIRES OUT``.

WIRES holds networks as ``NAME.json.gz`` (bench/networks.py makes them); pictures and a table of
figures go to OUT. With queries after that (``"made=1000&theme=dark"``) only these are drawn.
Needs Playwright for Python; no server: the page is answered from files.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlparse

from playwright.sync_api import Page, Route, sync_playwright

HERE = Path(__file__).parent
BUNDLE = Path(tempfile.gettempdir()) / "stage_bench.js"
FLAGS = [
    "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip


def open_page(page: Page, base: str, query: str, wires: Path) -> None:
    """Opens the stage on a network or a made picture."""

    def answer(route: Route) -> None:
        path = urlparse(route.request.url).path
        name = path.rsplit("/", 1)[1]
        if path.startswith("/wires/"):
            body = gzip.decompress((wires / f"{name}.gz").read_bytes())
            route.fulfill(body=body, content_type="application/json")
        elif name == "stage.ts":
            route.fulfill(path=BUNDLE, content_type="text/javascript")
        else:
            route.fulfill(path=HERE / "stage.html", content_type="text/html")

    page.unroute_all()
    page.route("**/*", answer)
    page.goto(f"{base}/bench/stage.html?{query}", wait_until="commit")
    page.wait_for_function("document.title === 'ready'", timeout=60_000)
    page.wait_for_timeout(1500)


def shots(page: Page, base: str, wires: Path, out: Path, wanted: list[str]) -> None:
    """Takes one picture for each query."""
    for query in wanted:
        name = query.replace("net=/wires/", "").replace(".json", "").replace("&", "-")
        open_page(page, base, query, wires)
        page.screenshot(path=out / f"{name}.png")
        print(name, page.evaluate("bench.stage.statistics()"))


def pan(page: Page, base: str, wires: Path, query: str) -> dict[str, float]:
    """Script per frame while panning and zooming, draw calls, and frames while nothing happens."""
    open_page(page, base, query, wires)
    return page.evaluate(
        """async () => {
          const { stage } = bench;
          const rest = () => new Promise((done) => requestAnimationFrame(() => done()));
          const before = stage.statistics();
          const at = stage.camera();
          const frames = 60;
          for (let i = 0; i < frames; i++) {
            stage.setCamera({ ...at, x: at.x + i * 6 / at.zoom, y: at.y + i * 9 / at.zoom },
              { animate: false });
            await rest();
          }
          await rest();
          const panned = stage.statistics();
          for (let i = 0; i < frames; i++) {
            stage.setCamera({ ...at, zoom: at.zoom * 1.05 ** i }, { animate: false });
            await rest();
          }
          await rest();
          const zoomed = stage.statistics();
          await new Promise((done) => setTimeout(done, 600));
          const settled = stage.statistics();
          await new Promise((done) => setTimeout(done, 1500));
          return {
            boxes: bench.picture.boxes.item.length,
            pan: (panned.script - before.script) / (panned.frames - before.frames),
            zoom: (zoomed.script - panned.script) / (zoomed.frames - panned.frames),
            calls: zoomed.calls,
            idle: stage.statistics().frames - settled.frames,
          };
        }"""
    )


def main() -> None:
    """Measures and takes the pictures."""
    wires, out = Path(sys.argv[1]), Path(sys.argv[2])
    base = "http://stage.test"
    subprocess.run(
        ["npx", "rolldown", "bench/stage.ts", "--format", "esm", "-o", BUNDLE],
        cwd=HERE.parent, check=True, capture_output=True,
    )  # fmt: skip
    wanted = sys.argv[3:]
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as tools:
        browser = tools.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.on("console", lambda message: print("  console:", message.text))
        page.on("pageerror", lambda error: print("  error:", error))
        if wanted:
            shots(page, base, wires, out, wanted)
        else:
            for query in ("made=1000", "made=10000", "made=100000"):
                print(query, json.dumps(pan(page, base, wires, query)))
        browser.close()


if __name__ == "__main__":
    main()
