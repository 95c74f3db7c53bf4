"""How the time of passes 3 to 6 grows from 100,000 nodes to a million.

``python -m benchmarks.growth chain`` prints one line of JSON; ``python -m benchmarks.growth
chain --nodes 100000`` times one run in this process.

- Each run has a process of its own, so that none inherits the heap of another: memory that a
  larger run before has scattered makes a later one slower, whatever its size.
- Small and large runs take turns and their medians are compared, so that a machine that is
  slow for a minute is slow for both. The small run is short, so there are two to a large one.
- Seconds are of the processor, not of the clock: what else runs counts less. It does not count
  for nothing: it takes part of the caches, from which the small network profits more than the
  large one.
- Both are timed twice: as it comes, and with the memory at hand. The passes ask the kernel for
  memory and for nothing else, ten to eleven times as many pages for ten times the nodes. But a
  virtual machine has a page at hand in 2 microseconds only as long as few are asked for; more
  have to come from its host, at 6 to 12 each. So as it comes, the time grows with what the host
  takes. With the memory at hand it is the passes' own: the process has written to more than it
  will need, given it back to the C library and not to the kernel, and asks for no page at all.
- The IR is made with the cycle collector off, and collected once before the clock starts. In
  the passes it is as users have it: `Pipeline.run` pauses it, and the first collection of all
  that was made is paid for.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from statistics import median
from typing import Any

from benchmarks.memory import peak_from_now, resident
from benchmarks.synthetic import CASES
from visuai.passes.pipeline import Pipeline
from visuai.topology import Topology

NODES = 100_000
TIMES = 10
LIMIT = 12.0
"""Ten times the nodes may take this many times the time."""

PASSES = Pipeline.parse("prune-nodes,prune-modules,split-recycled,build-hierarchy")


AT_HAND = {
    "PYTHONMALLOC": "malloc",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(2**40),
}
"""Makes glibc keep what is given back to it, for the next that asks (``man mallopt``)."""

BYTES_A_NODE = 6_000
"""More than the IR and all that the passes make take."""


def run(case: str, count: int, at_hand: bool = False) -> dict[str, float]:
    """Times a run here.

    Args:
        case: A key of `CASES`.
        count: Nodes of the network.
        at_hand: Whether to have the memory at hand; the process has to be started with
            `AT_HAND` in its environment.

    Returns:
        ``seconds`` of the processor, those of the ``kernel`` among them, the ``pages`` that it
        gave, and ``extra_mb``, the most memory beyond the IR.
    """
    make = CASES[case]
    PASSES.run(make(1_000))  # Imports what the passes import.
    gc.disable()
    if at_hand:
        b"\1" * (BYTES_A_NODE * count)  # Written to, and given back at once.
    ir = make(count)
    gc.enable()
    gc.collect()
    before = resident()
    peak = peak_from_now()
    start = getrusage(RUSAGE_SELF)
    topology: Topology = PASSES.run(ir)
    end = getrusage(RUSAGE_SELF)
    assert topology.graph.number_of_nodes() > len(ir.nodes) / 2
    return {
        "extra_mb": peak() - before,
        "seconds": end.ru_utime - start.ru_utime + end.ru_stime - start.ru_stime,
        "kernel": end.ru_stime - start.ru_stime,
        "pages": end.ru_minflt - start.ru_minflt,
    }


def growth(case: str) -> dict[str, Any]:
    """Compares both sizes of a case, each run in a process of its own.

    Args:
        case: A key of `CASES`.

    Returns:
        Seconds of the ``small`` and of the ``large`` network, medians and all of them, their
        ``ratio``, microseconds of the kernel for a page in both, ``extra_mb`` of the large one,
        and ``at_hand`` the seconds, their ratio and the pages with the memory at hand.
    """
    small, large = _in_turn(case, rounds=3, at_hand=False)
    small_at_hand, large_at_hand = _in_turn(case, rounds=2, at_hand=True)
    return {
        "case": case,
        "nodes": TIMES * NODES,
        **_compared(small, large),
        "all_small": [each["seconds"] for each in small],
        "all_large": [each["seconds"] for each in large],
        "page_us": [
            1e6 * median(each["kernel"] / max(1, each["pages"]) for each in runs)
            for runs in (small, large)
        ],
        "extra_mb": median(each["extra_mb"] for each in large),
        "at_hand": {
            **_compared(small_at_hand, large_at_hand),
            "pages": max(each["pages"] for each in large_at_hand),
        },
    }


def _compared(
    small: Sequence[dict[str, float]], large: Sequence[dict[str, float]]
) -> dict[str, float]:
    seconds = [median(each["seconds"] for each in runs) for runs in (small, large)]
    return {"small": seconds[0], "large": seconds[1], "ratio": seconds[1] / seconds[0]}


def _in_turn(
    case: str, rounds: int, at_hand: bool
) -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    """Runs both sizes in turn: a small one, a large one, a small one, and so on."""
    small: list[dict[str, float]] = []
    large: list[dict[str, float]] = []
    for _ in range(rounds):
        small.append(_apart(case, NODES, at_hand))
        large.append(_apart(case, TIMES * NODES, at_hand))
        small.append(_apart(case, NODES, at_hand))
    return small, large


def _apart(case: str, count: int, at_hand: bool) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.growth", case, "--nodes", str(count)]
    done = subprocess.run(
        [*command, "--at-hand"] if at_hand else command,
        env={**os.environ, **AT_HAND} if at_hand else None,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--nodes", type=int)
    parser.add_argument("--at-hand", action="store_true")
    asked = parser.parse_args()
    print(
        json.dumps(
            run(asked.case, asked.nodes, asked.at_hand) if asked.nodes else growth(asked.case)
        )
    )
