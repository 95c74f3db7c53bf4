"""How the time of passes 3 to 6 grows from 100,000 nodes to a million.

``python -m benchmarks.growth chain`` prints one line of JSON; ``python -m benchmarks.growth
chain 100000 10`` times ten networks of 100,000 in this process.

- A million nodes are timed twice: as one network, and as ten of a tenth, one after the other,
  all of whose results are kept. So both ask for the same amount of memory. In a virtual machine
  that has its memory from a host, a page costs 1.5 microseconds as long as free ones are at
  hand, and 6 to 12 once the host has to give them (it takes back what lies idle, after seconds,
  so that a second run of a process finds them gone). One small network alone gets by with the
  first kind; how the large one compares with that is told beside it.
- Each has processes of its own, so that none inherits the heap of the other: memory that a
  larger run before has scattered makes a later one slower, whatever its size. They take turns,
  and medians are compared, so that a machine that is slow for a minute is slow for both.
- Seconds are of the processor, those of the kernel included, not of the clock: what else runs
  counts less. It does not count for nothing: it takes part of the caches, from which the small
  networks profit more than the large one.
- The IRs are made with the cycle collector off, and collected once before the clock starts. In
  the passes it is as users have it: `Pipeline.run` pauses it, and the first collection of all
  that was made is paid for.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from pathlib import Path
from statistics import mean, median
from time import process_time
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


def run(case: str, count: int, times: int = 1) -> dict[str, Any]:
    """Times networks here, one after the other, and keeps what comes of them.

    Args:
        case: A key of `CASES`.
        count: Nodes of each.
        times: Number of networks.

    Returns:
        ``seconds`` of each, and ``extra_mb``, the most memory beyond the IRs.
    """
    make = CASES[case]
    PASSES.run(make(1_000))  # Imports what the passes import.
    gc.disable()
    irs = [make(count) for _ in range(times)]
    gc.enable()
    gc.collect()
    before = resident()
    peak = peak_from_now()
    seconds: list[float] = []
    kept: list[Topology] = []
    for ir in irs:
        start = process_time()
        topology: Topology = PASSES.run(ir)
        seconds.append(process_time() - start)
        assert topology.graph.number_of_nodes() > len(ir.nodes) / 2
        kept.append(topology)
    return {"extra_mb": peak() - before, "seconds": seconds}


def growth(case: str, rounds: int = 3) -> dict[str, Any]:
    """Compares a million nodes in one network with as many in ten, and with a tenth in one.

    Args:
        case: A key of `CASES`.
        rounds: How often, each time in new processes.
    """
    alone: list[float] = []
    small: list[float] = []
    large: list[dict[str, Any]] = []
    for _ in range(rounds):
        alone += _apart(case, NODES, 1)["seconds"]
        small.append(mean(_apart(case, NODES, TIMES)["seconds"]))
        large.append(_apart(case, TIMES * NODES, 1))
    all_large = [run["seconds"][0] for run in large]
    return {
        "case": case,
        "nodes": TIMES * NODES,
        "alone": median(alone),
        "small": median(small),
        "large": median(all_large),
        "ratio": median(all_large) / median(small),
        "alone_ratio": median(all_large) / median(alone),
        "extra_mb": median(run["extra_mb"] for run in large),
        "all_alone": alone,
        "all_small": small,
        "all_large": all_large,
    }


def _apart(case: str, count: int, times: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.growth", case, str(count), str(times)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    name, *numbers = sys.argv[1:]
    print(json.dumps(run(name, *map(int, numbers)) if numbers else growth(name)))
