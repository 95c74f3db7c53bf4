"""Memory of the server over a long live run: ``python -m benchmarks.serve_memory --minutes 60``.

A process trains and records; another serves; pages follow its events and ask anew for what
they show, no more often than a browser does. Printed is the server's resident memory over time,
and how it was spread in each quarter of it: flat is what neither trends nor swings.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

TRAINING = """
import sys, time, torch
from visuai import Visu
torch.set_num_threads(1)
parts = [torch.nn.Linear(32, 32) for _ in range(int(sys.argv[2]) // 2)]
model = torch.nn.Sequential(*parts)
optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
end = time.monotonic() + float(sys.argv[3])
with Visu(model, logdir=sys.argv[1], name="live", every=1) as visu:
    while time.monotonic() < end:
        loss = model(torch.randn(8, 32)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        visu.scalar("loss", loss)
        time.sleep(float(sys.argv[4]))
"""

SHOWN = ("", "/scalars", "/series?quantity=gradient&subject=" + quote("0.weight"))
MEASURES = (
    "quantity=gradient&statistic=norm",
    "quantity=update&statistic=ratio",
    "quantity=weight&statistic=rms",
)
NUMBERS, DIAGNOSES = 0.9, 4.0
"""Shortest seconds between two askings of a page."""

SAMPLING = 0.5
"""Seconds from one sample of the memory to the next: what swings does so with each answer."""

LINES = 30
"""Lines that are printed meanwhile."""


def ask(port: int, path: str) -> bytes:
    """Asks the server, and gives the body of its answer.

    Raises:
        RuntimeError: If it is refused.
    """
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        link.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = link.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
        return body
    finally:
        link.close()


def follow(port: int, key: str, ended: threading.Event, asked: list[int]) -> None:
    """Follows a run as a page does, until it ends."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    link.request("GET", f"/api/runs/{key}/events")
    answer = link.getresponse()
    numbers = diagnoses = 0.0
    while not ended.is_set() and (line := answer.readline()):
        if not line.startswith(b"data: "):
            continue
        now = time.monotonic()
        questions: list[str] = []
        if now >= numbers + NUMBERS:
            numbers = now
            measure = MEASURES[asked[0] % len(MEASURES)]
            questions += [*SHOWN, f"/overview?{measure}&columns=400"]
        if now >= diagnoses + DIAGNOSES:
            diagnoses = now
            questions.append("/diagnoses")
        for each in questions:
            ask(port, f"/api/runs/{key}{each}")
            asked[0] += 1
        if not json.loads(line[6:])["live"]:
            break
    link.close()


def page(port: int, key: str, ended: threading.Event, asked: list[int]) -> None:
    """Follows a run until it ends, or the server does."""
    with suppress(ConnectionError, http.client.HTTPException):
        follow(port, key, ended, asked)


def resident(process: int) -> float:
    """Gives the resident memory of a process in MiB."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def measure(
    minutes: float, parameters: int, pages: int, pause: float
) -> list[tuple[float, int, float]]:
    """Serves a live run, and samples the server's memory.

    Args:
        minutes: How long the training goes on.
        parameters: Parameters of the network.
        pages: Pages that follow it.
        pause: Seconds from one step of the training to the next.

    Returns:
        Samples: seconds since the start, requests answered so far, MiB.
    """
    samples: list[tuple[float, int, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        words = [folder, str(parameters), str(60 * minutes), str(pause)]
        training = subprocess.Popen([sys.executable, "-c", TRAINING, *words])
        serve = [sys.executable, "-m", "visuai", "serve", "-l", folder, "--port", "0"]
        server = subprocess.Popen([*serve, "--no-browser"], stdout=subprocess.PIPE, text=True)
        ended, asked = threading.Event(), [0]
        try:
            assert server.stdout is not None
            (port,) = map(int, re.findall(r":(\d+)/", server.stdout.readline()))
            while not (listed := json.loads(ask(port, "/api/runs"))) or not listed[0]["records"]:
                time.sleep(1)
            threads = [
                threading.Thread(target=page, args=(port, listed[0]["id"], ended, asked))
                for _ in range(pages)
            ]
            for thread in threads:
                thread.start()
            start = printed = time.monotonic()
            while training.poll() is None:
                time.sleep(SAMPLING)
                now = time.monotonic()
                samples.append((now - start, asked[0], resident(server.pid)))
                if now - printed >= 60 * minutes / LINES:
                    printed = now
                    print("{:8.0f} s {:8d} requests {:8.1f} MiB".format(*samples[-1]), flush=True)
            (last,) = json.loads(ask(port, "/api/runs"))
            print(f"{last['records']} steps of {parameters} parameters were recorded.")
        finally:
            ended.set()
            training.kill()
            training.wait()
            server.kill()
            server.wait()
    return samples


def spread(samples: list[float]) -> str:
    """Describes samples: the least, percentiles, the greatest."""
    ordered = sorted(samples)
    places = [round(share * (len(ordered) - 1)) for share in (0.0, 0.05, 0.5, 0.95, 1.0)]
    return "".join(f"{ordered[place]:9.1f}" for place in places)


def main() -> None:
    """Measures, and prints how the memory was spread in each quarter of the time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--parameters", type=int, default=100)
    parser.add_argument("--pages", type=int, default=1)
    parser.add_argument("--pause", type=float, default=0.2)
    given = parser.parse_args()
    samples = measure(given.minutes, given.parameters, given.pages, given.pause)
    print("MiB         least       5 %   median     95 %     most")
    for quarter in range(4):
        part = samples[quarter * len(samples) // 4 : (quarter + 1) * len(samples) // 4]
        print(f"quarter {quarter + 1}{spread([memory for _, _, memory in part])}")
    half = [memory for _, _, memory in samples[len(samples) // 2 :]]
    print(f"The second half: {half[-1] - half[0]:+.1f} MiB from its first sample to its last.")


if __name__ == "__main__":
    main()
