"""Passes 3 to 6 on synthetic networks: ten times the nodes in at most twelve times the time.

``pytest benchmarks/test_bench_passes.py`` times 100,000 and 1,000,000 nodes, about three
minutes for each case; how, `benchmarks.growth` says. With ``--benchmark-disable`` it only looks
whether 1,000 and 10,000 go through.
"""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.growth import LIMIT, growth, run
from benchmarks.synthetic import CASES


@pytest.mark.parametrize("case", CASES)
def test_ten_times_the_nodes_in_twelve_times_the_time(case: str, benchmark: Any) -> None:
    if benchmark.disabled:
        small, large = benchmark(lambda: [run(case, count) for count in (1_000, 10_000)])
        assert small["seconds"] > 0
        assert large["seconds"] > 0
        return
    found = benchmark.pedantic(growth, args=(case,), rounds=1)
    benchmark.extra_info.update(found)
    print(f"{case}: {found['small']:.2f} s, {found['large']:.2f} s, x{found['ratio']:.1f}")
    assert found["at_hand"]["ratio"] <= LIMIT, found
