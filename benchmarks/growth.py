"""How the time of passes 3 to 6 grows from 100,000 nodes to a million.

``python -m benchmarks.growth chain`` prints one line of JSON; ``python -m benchmarks.growth
chain 100000`` times one run in this process.

- Each run has a process of its own, so that none inherits the heap of another: memory that a
  larger run before has scattered makes a later one slower, whatever its size.
- Small and large runs take turns and their medians are compared, so that a machine that is
  slow for a minute is slow for both. The small run is short, so there are two to a large one.
- Seconds are of the processor, not of the clock: what else runs counts less. It does not count
  for nothing: it takes part of the caches, from which the small network profits more than the
  large one.
- What the kernel takes of them is told apart. The passes ask it for memory and for nothing else,
  ten to eleven times as many pages for ten times the nodes. But a virtual machine has a page at
  hand in 1.5 microseconds only as long as few are asked for; more have to come from its host, at
  6 to 12 each. So all of the time grows more than the passes' own. With the memory at hand
  from the start both are one: ``PYTHONMALLOC=malloc MALLOC_TRIM_THRESHOLD_=100000000000
  MALLOC_MMAP_MAX_=0``, and six gigabytes written to and given back before, gave 11.0 for the
  nest and 10.6 for the chain without calls, with no page asked for.
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


def run(case: str, count: int) -> dict[str, float]:
    """Times a run here.

    Args:
        case: A key of `CASES`.
        count: Nodes of the network.

    Returns:
        ``seconds`` of the processor, those of the ``kernel`` among them, the ``pages`` that it
        gave, and ``extra_mb``, the most memory beyond the IR.
    """
    make = CASES[case]
    PASSES.run(make(1_000))  # Imports what the passes import.
    gc.disable()
    ir = make(count)
    gc.enable()
    gc.collect()
    before = resident()
    peak = peak_from_now()
    start = getrusage(RUSAGE_SELF)
    topology: Topology = PASSES.run(ir)
    end = getrusage(RUSAGE_SELF)
    assert topology.graph.number_of_nodes() > len(ir.nodes) / 2
    kernel = end.ru_stime - start.ru_stime
    return {
        "extra_mb": peak() - before,
        "seconds": end.ru_utime - start.ru_utime + kernel,
        "kernel": kernel,
        "pages": end.ru_minflt - start.ru_minflt,
    }


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
    all_small, all_large = ([run["seconds"] for run in runs] for runs in (small, large))
    own_small, own_large = (
        median(run["seconds"] - run["kernel"] for run in runs) for runs in (small, large)
    )
    return {
        "case": case,
        "nodes": TIMES * NODES,
        "small": median(all_small),
        "large": median(all_large),
        "ratio": median(all_large) / median(all_small),
        "own_small": own_small,
        "own_large": own_large,
        "own_ratio": own_large / own_small,
        "extra_mb": median(run["extra_mb"] for run in large),
        "all_small": all_small,
        "all_large": all_large,
        "page_us": [
            1e6 * median(run["kernel"] / max(1, run["pages"]) for run in runs)
            for runs in (small, large)
        ],
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
