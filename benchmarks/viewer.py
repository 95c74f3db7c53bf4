"""Measures the viewer in a real Chromium, and writes what came out to docs/benchmarks-viewer.md.

Run as ``python -m benchmarks.viewer``; it takes some minutes. Needs the networks of
frontend/bench/networks.py (made at the first run, into ``--cache``), playwright, and a Chromium.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import runpy
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks import chromium
from visuai.serve import Built, start
from visuai.serve.app import app
from visuai.topology import Topology

ROOT = Path(__file__).parents[1]
OPTIONS = [*chromium.OPTIONS, "--enable-precise-memory-info", "--js-flags=--expose-gc"]

# Looks on from outside: what is measured does not know of it.
PROBE = """
window.probe = { frames: [], replies: [], keys: [], tasks: [], draws: 0 };
const { probe } = window;
for (const name of ["drawArrays", "drawElements", "drawArraysInstanced", "drawElementsInstanced"]) {
  const draw = WebGL2RenderingContext.prototype[name];
  WebGL2RenderingContext.prototype[name] = function (...all) {
    probe.draws += 1;
    return draw.apply(this, all);
  };
}
const request = window.requestAnimationFrame;
window.requestAnimationFrame = (callback) => request((time) => {
  const [begun, before] = [performance.now(), probe.draws];
  callback(time);
  probe.frames.push({ time, begun, ended: performance.now(), draws: probe.draws - before });
});
const Plain = window.Worker;
window.Worker = class extends Plain {
  constructor(...all) {
    super(...all);
    this.addEventListener("message", () => probe.replies.push(performance.now()));
  }
};
addEventListener("keydown", () => probe.keys.push(performance.now()), true);
new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) probe.tasks.push([startTime, duration]);
}).observe({ type: "longtask", buffered: true });
"""


@dataclass
class Page:
    """A page with a probe in it."""

    page: Any
    session: Any
    workers: list[str] = field(default_factory=list[str])

    def probe(self) -> dict[str, Any]:
        return self.page.evaluate("window.probe")

    def clear(self) -> None:
        self.page.evaluate("Object.assign(probe, {frames: [], replies: [], keys: [], tasks: []})")

    def script(self) -> float:
        """Milliseconds of JavaScript that the main thread ran so far."""
        metrics = self.session.send("Performance.getMetrics")["metrics"]
        return 1000 * next(one["value"] for one in metrics if one["name"] == "ScriptDuration")

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def rest(self, quiet: float = 350) -> None:
        """Waits until nothing has been drawn or answered for some milliseconds."""
        self.page.wait_for_function(
            """(quiet) => {
                const { frames, replies, keys } = window.probe;
                const drawn = frames.findLast((one) => one.draws > 0);
                if (!drawn) return false;
                const last = Math.max(drawn.ended, replies.at(-1) ?? 0, keys.at(-1) ?? 0);
                return performance.now() - last > quiet;
            }""",
            arg=quiet,
            polling=50,
            timeout=120_000,
        )

    def heap(self) -> tuple[float, float]:
        """Megabytes of JavaScript that are in use after a collection: page, and workers."""
        self.session.send("HeapProfiler.collectGarbage")
        page = self.session.send("Runtime.getHeapUsage")["usedSize"]
        buffers = self.session.send("Runtime.getHeapUsage").get("backingStorageSize", 0)
        return (page + buffers) / 1e6, sum(map(self._worker_heap, self.workers)) / 1e6

    def _worker_heap(self, worker: str) -> float:
        found: list[dict[str, Any]] = []

        def answered(event: dict[str, Any]) -> None:
            message = json.loads(event["message"])
            if message.get("id") == 2:
                found.append(message["result"])

        self.session.on("Target.receivedMessageFromTarget", answered)
        for number, method in ((1, "HeapProfiler.collectGarbage"), (2, "Runtime.getHeapUsage")):
            message = json.dumps({"id": number, "method": method})
            self.session.send(
                "Target.sendMessageToTarget", {"sessionId": worker, "message": message}
            )
        for _ in range(100):
            if found:
                break
            self.page.wait_for_timeout(50)
        self.session.remove_listener("Target.receivedMessageFromTarget", answered)
        return found[0]["usedSize"] + found[0].get("backingStorageSize", 0) if found else 0.0


@contextmanager
def opened(browser: Any, url: str) -> Iterator[Page]:
    """Opens a page of its own; without animation, so that what is timed is the work."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, reduced_motion="reduce", color_scheme="light"
    )
    page = context.new_page()
    session = context.new_cdp_session(page)
    made = Page(page, session)
    session.on("Target.attachedToTarget", lambda event: made.workers.append(event["sessionId"]))
    attach = {"autoAttach": True, "waitForDebuggerOnStart": False, "flatten": False}
    session.send("Target.setAutoAttach", attach)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.add_init_script(PROBE)
    page.goto(url, wait_until="commit")
    try:
        yield made
    finally:
        context.close()


def first_view(browser: Any, url: str) -> dict[str, float]:
    """Times from the last byte of the network to the first picture of it."""
    with opened(browser, url) as page:
        page.rest()
        probe = page.probe()
        arrived = page.page.evaluate(
            """performance.getEntriesByType("resource")
                .filter(({ name }) => /networks\\/\\w+$/.test(name))[0].responseEnd"""
        )
        drawn = next(
            one["ended"] for one in probe["frames"] if one["draws"] > 0 and one["ended"] > arrived
        )
        script = page.script()
        heap, worker = page.heap()
        return {
            "wall": drawn - arrived,
            "script": script,
            "blocked": sum(
                min(begun + took, drawn) - max(begun, arrived)
                for begun, took in probe["tasks"]
                if begun + took > arrived and begun < drawn
            ),
            "draws": statistics.median(one["draws"] for one in probe["frames"] if one["draws"] > 0),
            "heap": heap,
            "worker heap": worker,
        }


def act(page: Page, key: str) -> tuple[float, float]:
    """Presses a key that opens something; gives script and time until it is drawn, in ms."""
    page.rest(150)
    page.clear()
    before = page.script()
    page.press(key)
    page.page.wait_for_function(
        """() => {
            const { frames, replies } = window.probe;
            return frames.some((one) => one.draws > 0 && one.ended > replies[0]);
        }""",
        polling=20,
        timeout=120_000,
    )
    page.rest(250)
    probe = page.probe()
    drawn = next(
        one["ended"]
        for one in probe["frames"]
        if one["draws"] > 0 and one["ended"] > probe["replies"][0]
    )
    return page.script() - before, drawn - probe["keys"][0]


def expansions(browser: Any, url: str, walks: int, levels: int) -> list[tuple[float, float]]:
    """Opens modules along random ways from the top down to the ops, with all else closed."""
    choose = random.Random(0)
    found: list[tuple[float, float]] = []
    with opened(browser, url) as page:
        page.rest()
        for _ in range(walks):
            page.page.get_by_role("application").focus()
            page.press("c")
            page.rest(150)
            page.page.get_by_role("treeitem").first.click()
            for level in range(levels):
                for _ in range(choose.randint(1 if level == 0 else 0, 9)):
                    page.press("ArrowDown")
                found.append(act(page, "ArrowRight"))
                page.press("ArrowRight")
    return found


def expansions_in_much(browser: Any, url: str, depth: int, times: int) -> list[tuple[float, float]]:
    """Opens modules while a thousand boxes are on the canvas."""
    found: list[tuple[float, float]] = []
    with opened(browser, url) as page:
        page.rest()
        page.page.get_by_role("application").focus()
        page.press("c")
        for _ in range(depth):
            page.rest(150)
            page.press(".")
        page.rest()
        page.page.get_by_role("treeitem", expanded=False).first.click()
        for _ in range(times):
            found.append(act(page, "ArrowRight"))
            found.append(act(page, "ArrowLeft"))
            page.press("ArrowDown")
    return found


def open_all(browser: Any, url: str) -> tuple[tuple[float, float], list[dict[str, float]]]:
    """Opens everything, then moves about in it."""
    with opened(browser, url) as page:
        page.rest()
        page.page.get_by_role("application").focus()
        taken = act(page, "e")
        return taken, moves(page)


def moves(page: Page) -> list[dict[str, float]]:
    """Pans and zooms; gives time in script and draw calls of each frame drawn.

    ``script`` is as the clock has it, ``mean`` the processor time of all script, that of
    pointer events included, shared among the frames.
    """
    box = page.page.get_by_role("application").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.rest(200)
    page.clear()
    before = page.script()
    page.page.mouse.move(x, y)
    page.page.mouse.down()
    for step in range(40):
        page.page.mouse.move(x + 4 * step, y + 3 * step)
    page.page.mouse.up()
    for step in range(30):
        page.page.mouse.wheel(0, -60 if step < 15 else 60)
    page.rest(200)
    spent = page.script() - before
    frames: dict[float, dict[str, float]] = {}
    for one in page.probe()["frames"]:  # all callbacks of one frame have one time
        frame = frames.setdefault(one["time"], {"script": 0.0, "draws": 0})
        frame["script"] += one["ended"] - one["begun"]
        frame["draws"] += one["draws"]
    drawn = [frame for frame in frames.values() if frame["draws"] > 0]
    for frame in drawn:
        frame["mean"] = spent / len(drawn)
    return drawn


def moving(browser: Any, url: str) -> list[dict[str, float]]:
    """Pans and zooms in the first view."""
    with opened(browser, url) as page:
        page.rest()
        return moves(page)


def idle(browser: Any, url: str) -> int:
    """Counts the frames that are drawn in three seconds in which nothing happens."""
    with opened(browser, url) as page:
        page.rest(800)
        page.clear()
        page.page.wait_for_timeout(3000)
        return sum(one["draws"] > 0 for one in page.probe()["frames"])


def searching(browser: Any, url: str, words: list[str]) -> list[float]:
    """Gives the script that each search takes, typing and list included."""
    with opened(browser, url) as page:
        page.rest()
        field = page.page.get_by_role("combobox", name="Search")
        field.fill("warm")
        page.page.wait_for_timeout(1500)
        found: list[float] = []
        for word in words:
            before = page.script()
            field.fill(word)
            page.page.wait_for_timeout(900)
            found.append(page.script() - before)
        return found


def networks(cache: Path, names: list[str]) -> dict[str, Topology]:
    """Makes the networks, or takes those that were made before."""
    cache.mkdir(parents=True, exist_ok=True)
    makers: dict[str, Callable[[], Topology]] = {}
    found: dict[str, Topology] = {}
    for name in names:
        path = cache / f"{name}.topology.json.gz"
        if not path.exists():
            makers = makers or runpy.run_path(str(ROOT / "frontend/bench/networks.py"))["NETWORKS"]
            makers[name]().save(path)
        found[name] = Topology.load(path)
        print(f"{name}: {found[name]!r}", flush=True)
    return found


def told(numbers: list[float]) -> str:
    """Median and worst, in milliseconds."""
    return f"{statistics.median(numbers):.1f} | {max(numbers):.1f}"


def measure(browser: Any, urls: dict[str, str], runs: int) -> list[str]:
    """Measures everything, and gives the lines of the tables."""
    lines = [
        "## First view",
        "",
        "From the last byte of the network to its first picture on the canvas, as the clock has "
        "it: reading, layout in the worker, drawing. *Script* is the processor time of all "
        "JavaScript that the main thread ran from the first byte of the page on, *blocked* the "
        "part of the time that passed in its tasks of 50 ms and more. Memory is JavaScript in use "
        f"afterwards, buffers included. Medians of {runs} runs, in fresh pages.",
        "",
        "| network | time, ms | script, ms | blocked, ms | draw calls | memory, MB | "
        "in the worker, MB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, url in urls.items():
        rows = [first_view(browser, url) for _ in range(runs)]
        middle = {key: statistics.median(row[key] for row in rows) for key in rows[0]}
        lines.append(
            f"| {LABELS[name]} | " + " | ".join(f"{middle[key]:.0f}" for key in middle) + " |"
        )
        print(lines[-1], flush=True)
    lines += [
        "",
        "## Opening modules",
        "",
        "*Script* is processor time of the main thread in all JavaScript that follows from the "
        "key press; *time* is "
        "from the key press to the picture, as the clock has it, layout in the worker included.",
        "",
        "| what | modules | script, ms: median | worst | time, ms: median | worst |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for text, found in (
        ("100,000 nodes, from the top down", expansions(browser, urls["h100k"], 6, 4)),
        ("the same, 1,000 boxes open", expansions_in_much(browser, urls["h100k"], 2, 6)),
        ("10,000 nodes, from the top down", expansions(browser, urls["h10k"], 4, 3)),
        (
            "ResNet-152, everything closed before",
            expansions_in_much(browser, urls["resnet152"], 0, 4),
        ),
    ):
        scripts, times = [one for one, _ in found], [other for _, other in found]
        lines.append(f"| {text} | {len(found)} | {told(scripts)} | {told(times)} |")
        print(lines[-1], flush=True)
    lines += [
        "",
        "## Opening everything, and moving about",
        "",
        "*Per frame* is what runs while the drawing is dragged and zoomed: the mean in processor "
        "time, median and worst as the clock has them, with whatever else the machine did.",
        "",
        "| network | opening all, script, ms | time, ms | per frame, ms: mean | median | worst | "
        "draw calls |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name in ("resnet152", "h10k", "h100k"):
        (script, time), frames = open_all(browser, urls[name])
        costs = [frame["script"] for frame in frames]
        draws = sorted({int(frame["draws"]) for frame in frames})
        lines.append(
            f"| {LABELS[name]}, all open | {script:.0f} | {time:.0f} | "
            f"{frames[0]['mean']:.1f} | {told(costs)} | "
            f"{draws[0]} to {draws[-1]} |"
        )
        print(lines[-1], flush=True)
    for name in ("resnet18", "h100k", "flat10k", "flat50k"):
        frames = moving(browser, urls[name])
        costs = [frame["script"] for frame in frames]
        draws = sorted({int(frame["draws"]) for frame in frames})
        lines.append(
            f"| {LABELS[name]}, as it opens | | | {frames[0]['mean']:.1f} | {told(costs)} | "
            f"{draws[0]} to {draws[-1]} |"
        )
        print(lines[-1], flush=True)
    counts = {name: idle(browser, urls[name]) for name in ("resnet18", "h100k")}
    lines += [
        "",
        "Frames drawn in three seconds in which nothing happens: "
        + ", ".join(f"{number} ({LABELS[name]})" for name, number in counts.items())
        + ".",
    ]
    words = ["conv", "stage3\\.group4", "class:Linear shape:512", "(a+)+$", "."]
    spent = searching(browser, urls["h100k"], words)
    lines += [
        "",
        "## Search among 100,000 nodes",
        "",
        "Script that follows from typing, the list of hits included; worked off in slices of "
        "8 ms. The texts were made ready by a search before.",
        "",
        "| search | script, ms |",
        "| --- | ---: |",
        *(f"| `{word}` | {time:.0f} |" for word, time in zip(words, spent, strict=True)),
    ]
    return lines


LABELS = {
    "resnet18": "ResNet-18",
    "resnet152": "ResNet-152",
    "h10k": "10,000 nodes in 1,111 modules",
    "h100k": "100,000 nodes in 11,111 modules",
    "flat10k": "10,000 nodes in one module",
    "flat50k": "50,000 nodes in one module",
}

HEAD = """\
# Benchmarks of the viewer

Made by `python -m benchmarks.viewer`: the viewer as `visuai view` serves it, in a headless
Chromium with software rendering, looked at from outside, by counting draw calls, timing
animation frames, and asking the browser's own counters. Software rendering says nothing about
frames per second; what counts is JavaScript time on the main thread. *Time* is as the clock has
it, so that a load above the number of cores stretches it; *script* is processor time, which other
load does not stretch.

{machine}

"""


def main() -> None:
    """Measures, and writes the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks-viewer.md")
    parser.add_argument("--cache", type=Path, default=ROOT / ".benchmarks" / "networks")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    shown = networks(options.cache, list(LABELS))
    servers = {
        name: start(partial(app, Built([topology])), 0, browser=False)
        for name, topology in shown.items()
    }
    path = chromium.installed()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
        urls = {name: server.url for name, server in servers.items()}
        for url in urls.values():  # so that no first view waits for the server to pack
            with urlopen(f"{url}api/networks/0") as answer:
                answer.read()
        machine = (
            f"Chromium {browser.version}, {os.cpu_count()} cores ({platform.machine()}), load "
            f"{os.getloadavg()[0]:.1f} at the start"
        )
        lines = measure(browser, urls, options.runs)
        machine += f" and {os.getloadavg()[0]:.1f} at the end."
        browser.close()
    for server in servers.values():
        server.stop()
    options.out.write_text(HEAD.format(machine=machine) + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
