"""How the time of passes 3 to 6 grows from 100,000 nodes to a million.

``python -m benchmarks.growth chain`` prints one line of JSON; ``python -m benchmarks.growth
chain 100000`` times one run in this process.

- Each size has processes of its own, so that none inherits the heap of the other: memory that
  a larger run before has scattered makes a later one slower, whatever its size.
- The run that counts is the second of its process, as in the other tables. The first one also
  waits for the machine to come up with the memory, which in a virtual machine may have to ask
  its host: there a page took from 1 to 13 microseconds, and more when more was asked for. How
  the first runs compare is told beside it.
- Small and large runs take turns and their medians are compared, so that a machine that is
  slow for a minute is slow for both. The small run is short, so there are two to a large one.
- Seconds are of the processor, those of the kernel included, not of the clock: what else runs
  counts less. It does not count for nothing: it takes part of the caches, from which the small
  network profits more than the large one.
- The IR is made with the cycle collector off, and collected once before the clock starts. In
  the passes it is as users have it: `Pipeline.run` pauses it, and the first collection of all
  that was made is paid for.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from benchmarks.memory import peak_from_now, resident
from benchmarks.synthetic import CASES
from visuai.ir import IR
from visuai.passes.pipeline import Pipeline
from visuai.topology import Topology

NODES = 100_000
TIMES = 10
LIMIT = 12.0
"""Ten times the nodes may take this many times the time."""

PASSES = Pipeline.parse("prune-nodes,prune-modules,split-recycled,build-hierarchy")


def seconds(ir: IR) -> float:
    """Runs passes 3 to 6 and gives the processor seconds that they took."""
    gc.collect()
    start = process_time()
    topology: Topology = PASSES.run(ir)
    taken = process_time() - start
    assert topology.graph.number_of_nodes() > len(ir.nodes) / 2
    return taken


def run(case: str, count: int) -> dict[str, float]:
    """Times two runs here, and takes the memory of the first."""
    make = CASES[case]
    seconds(make(1_000))  # Imports what the passes import.
    gc.disable()
    ir = make(count)
    gc.enable()
    gc.collect()
    before = resident()
    peak = peak_from_now()
    first = seconds(ir)
    return {"extra_mb": peak() - before, "first": first, "seconds": seconds(ir)}


def growth(case: str, rounds: int = 3) -> dict[str, Any]:
    """Compares both sizes of a case, each run in a process of its own.

    Args:
        case: A key of `CASES`.
        rounds: Number of large runs; there are two small ones to each.
    """
    small: list[dict[str, float]] = []
    large: list[dict[str, float]] = []
    for _ in range(rounds):
        small.append(_apart(case, NODES))
        large.append(_apart(case, TIMES * NODES))
        small.append(_apart(case, NODES))
    taken, first = (
        [median(run[key] for run in runs) for runs in (small, large)]
        for key in ("seconds", "first")
    )
    return {
        "case": case,
        "nodes": TIMES * NODES,
        "small": taken[0],
        "large": taken[1],
        "ratio": taken[1] / taken[0],
        "first_ratio": first[1] / first[0],
        "extra_mb": median(run["extra_mb"] for run in large),
        "all_small": [run["seconds"] for run in small],
        "all_large": [run["seconds"] for run in large],
    }


def _apart(case: str, count: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.growth", case, str(count)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    name, *counts = sys.argv[1:]
    print(json.dumps(run(name, int(counts[0])) if counts else growth(name)))
