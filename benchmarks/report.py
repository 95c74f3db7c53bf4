"""Measures everything, and writes docs/benchmarks.md: ``python -m benchmarks.report``."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.growth import LIMIT, NODES, TIMES, growth
from benchmarks.peers import installed
from visuai.metrics import NETWORKS, Row, geometric_mean, measure

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
REPEAT = int(os.environ.get("REPEAT", "5"))
SMALL = ("ThreeLayerMLP", "ThreeLayerConvNet")
GROWN = {
    "chain": "residual blocks one after the other",
    "nest": "100,000 modules, one in the other",
    "wide": "10,000 children of the root",
    "chain-untold": "the chain from a source that does not tell calls apart",
}
"""The synthetic networks in the report, and what they are at a million nodes."""

REFERENCE_KB = dict(
    zip(
        NETWORKS,
        (19.00, 22.31, 242.46, 1490, 1470, 2800, 735.41, 625.82, 542.38, 1090, 1100, 520.47),
        strict=True,
    )
)
"""Size in kB of an earlier tool's saved graph of the same networks: the yardstick for size."""

IMPORT = (
    "import sys, time; start = time.perf_counter(); import visuai; "
    "print(time.perf_counter() - start, 'torch' in sys.modules)"
)


def main() -> None:
    rows = measure(repeat=REPEAT, peers=installed(), progress=tell)
    llamas = [llama(size) for size in ("70B", "405B")]
    grown = [grow(case) for case in GROWN]
    most_pages = max(each["at_hand"]["pages"] for each in grown)
    text = "\n".join(
        [
            "# Benchmarks",
            "",
            "Written by `make bench`; do not edit. What is measured, and how, is told in",
            "[Metrics](metrics.md).",
            "",
            machine(),
            "",
            "## Targets",
            "",
            *targets(rows, llamas, grown),
            "",
            "## Time",
            "",
            f"Median of {REPEAT} rounds after one that does not count, in milliseconds; the "
            "fastest round in brackets.",
            "A build and a meta forward take turns; the other tools come after, in the same "
            "process. Garbage is collected before each run.",
            "",
            *times(rows),
            "",
            "## Each pass",
            "",
            "Median, in milliseconds.",
            "",
            *passes(rows),
            "",
            "## Space",
            "",
            'Size of `topology.save("net.json.gz")`, in kB of 1,000 bytes, beside the saved '
            "graphs of an earlier tool.",
            "",
            *space(rows),
            "",
            "## Llama on the meta device",
            "",
            "`LlamaForCausalLM` of `transformers`, 1x128 ids. Extra memory is the peak during the "
            "first build over what the process held before it.",
            "",
            *llama_table(llamas),
            "",
            "## Growth of passes 3 to 6",
            "",
            f"Synthetic networks of {NODES:,} nodes and of {TIMES} times as many, each run in a "
            "process of its own, two small ones to a large one in turn. Medians, in seconds of "
            "the processor; the fastest in brackets. Extra memory is the peak over what the "
            "process held before, the dictionary IR included.",
            "",
            "As it comes, the kernel's time to come up with memory is in it: in a virtual machine "
            "a page costs several times as much when more are asked for, as the host has to give "
            "them. *At hand* is with memory that the process has before the clock starts, so that "
            f"it asks for none ({most_pages:,.0f} pages at most). `benchmarks/growth.py` says "
            "more.",
            "",
            *growth_table(grown),
            "",
        ]
    )
    PAGE.write_text(text, encoding="utf-8")
    print(f"Wrote {PAGE}")


def tell(what: str, done: int, total: int) -> None:
    print(f"[{done}/{total}] {what}", file=sys.stderr, flush=True)


def llama(size: str) -> dict[str, Any]:
    tell(f"Llama {size}", 0, 0)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.llama", size, str(REPEAT)],
        capture_output=True,
        text=True,
        check=True,
        cwd=PAGE.parents[1],
    )
    return json.loads(done.stdout.splitlines()[-1])


def grow(case: str) -> dict[str, Any]:
    tell(f"Growth of {case}", 0, 0)
    return growth(case)


def import_seconds() -> tuple[float, bool]:
    """Gives the median time of `import visuai` in a fresh interpreter, and if torch came along."""
    runs = [
        subprocess.run(
            [sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(9)
    ]
    return statistics.median(float(run[0]) for run in runs), runs[0][1] == "True"


def machine() -> str:
    versions = ", ".join(
        f"{name} {version(name)}"
        for name in ("visuai", "torch", "torchvision", "transformers", "tensorboard", "torchvista")
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"{date.today().isoformat()}; {processor()}, {os.cpu_count()} cores, {memory:.0f} GB, "
        f"{platform.system()}, load {os.getloadavg()[2]:.1f} over 15 minutes; "
        f"Python {platform.python_version()}, {versions}."
    )


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def targets(
    rows: Sequence[Row], llamas: Sequence[dict[str, Any]], grown: Sequence[dict[str, Any]]
) -> list[str]:
    faster = {row.model: row.tensorboard.median / row.visuai.median for row in rows}  # type: ignore[union-attr]
    slowest = min(faster, key=faster.__getitem__)
    large = [row for row in rows if row.model not in SMALL]
    meta = geometric_mean(row.visuai.median / row.meta_forward.median for row in large)
    board = geometric_mean(faster.values())
    shares = {row.model: row.saved_bytes / 1e3 / REFERENCE_KB[row.model] for row in rows}
    most = max((share, model) for model, share in shares.items() if model not in SMALL)
    most_small = max((share, model) for model, share in shares.items() if model in SMALL)
    seconds, with_torch = import_seconds()
    steepest = max(grown, key=lambda each: each["ratio"])
    steepest_at_hand = max(grown, key=lambda each: each["at_hand"]["ratio"])
    lines = [
        (
            "faster than TensorBoard's export, geometric mean",
            ">= 25x",
            f"{board:.1f}x",
            board >= 25,
        ),
        (
            "faster than TensorBoard's export, the least",
            ">= 5x",
            f"{faster[slowest]:.1f}x ({slowest})",
            faster[slowest] >= 5,
        ),
        ("plain meta forwards, geometric mean of the ten", "<= 1", f"{meta:.2f}", meta <= 1),
    ]
    for peer in installed():
        least = min((row.peers[peer].median / row.visuai.median, row.model) for row in rows)
        lines.append(
            (
                f"faster than {peer}, the least",
                "> 1x",
                f"{least[0]:.1f}x ({least[1]})",
                least[0] > 1,
            )
        )
    for each in llamas:
        lines += [
            (
                f"Llama {each['size']}, plain meta forwards",
                "<= 1.5",
                f"{each['ratio']:.2f}",
                each["ratio"] <= 1.5,
            ),
            (
                f"Llama {each['size']}, extra memory",
                "<= 200 MB",
                f"{each['extra_mb']:.0f} MB",
                each["extra_mb"] <= 200,
            ),
        ]
    lines += [
        ("saved size, share of the yardstick, the most", "<= 10 %", share_of(most), most[0] <= 0.1),
        ("the same, the two small ones", "<= 33 %", share_of(most_small), most_small[0] <= 1 / 3),
        (
            f"passes 3 to 6, {TIMES * NODES:,} nodes to {NODES:,}, the most",
            f"<= {LIMIT:.0f}x the time",
            f"{steepest['ratio']:.1f}x ({steepest['case']})",
            steepest["ratio"] <= LIMIT,
        ),
        (
            "the same, with the memory at hand (see below)",
            f"<= {LIMIT:.0f}x the time",
            f"{steepest_at_hand['at_hand']['ratio']:.1f}x ({steepest_at_hand['case']})",
            steepest_at_hand["at_hand"]["ratio"] <= LIMIT,
        ),
        ("`import visuai`", "< 50 ms", f"{1e3 * seconds:.1f} ms", seconds < 0.05),
        ("`import visuai` loads torch", "no", "yes" if with_torch else "no", not with_torch),
    ]
    return [
        *header("what", "target", "measured", "reached"),
        *(
            f"| {what} | {goal} | {got} | {'yes' if met else '**no**'} |"
            for what, goal, got, met in lines
        ),
    ]


def share_of(most: tuple[float, str]) -> str:
    return f"{most[0]:.1%} ({most[1]})"


def times(rows: Sequence[Row]) -> list[str]:
    peers = list(installed())
    heads = ["visuai", "meta forward", "visuai / meta", "TensorBoard", "faster"]
    for peer in peers:
        heads += [peer, "faster"]
    lines = header("model", *heads)
    for row in rows:
        assert row.tensorboard is not None
        ours = row.visuai.median
        cells = [
            row.model,
            timing(row.visuai),
            timing(row.meta_forward),
            f"{ours / row.meta_forward.median:.2f}",
            timing(row.tensorboard),
            f"{row.tensorboard.median / ours:.1f}x",
        ]
        for peer in peers:
            cells += [timing(row.peers[peer]), f"{row.peers[peer].median / ours:.1f}x"]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def timing(value: Any) -> str:
    return f"{1e3 * value.median:.1f} ({1e3 * value.fastest:.1f})"


def passes(rows: Sequence[Row]) -> list[str]:
    names = list(rows[0].passes)
    return [
        *header("model", "nodes", *names),
        *(
            f"| {row.model} | {row.nodes} | "
            + " | ".join(f"{1e3 * row.passes[name]:.1f}" for name in names)
            + " |"
            for row in rows
        ),
    ]


def space(rows: Sequence[Row]) -> list[str]:
    return [
        *header("model", "saved kB", "yardstick kB", "share"),
        *(
            f"| {row.model} | {row.saved_bytes / 1e3:.2f} | {REFERENCE_KB[row.model]:.2f} | "
            f"{row.saved_bytes / 1e3 / REFERENCE_KB[row.model]:.1%} |"
            for row in rows
        ),
    ]


def llama_table(llamas: Sequence[dict[str, Any]]) -> list[str]:
    return [
        *header("size", "parameters", "nodes", "visuai s", "meta forward s", "ratio", "extra MB"),
        *(
            f"| {each['size']} | {each['parameters'] / 1e9:.1f} B | {each['nodes']:,} | "
            f"{each['visuai']:.2f} ({each['visuai_fastest']:.2f}) | "
            f"{each['meta_forward']:.2f} ({each['meta_forward_fastest']:.2f}) | "
            f"{each['ratio']:.2f} | {each['extra_mb']:.0f} |"
            for each in llamas
        ),
    ]


def growth_table(grown: Sequence[dict[str, Any]]) -> list[str]:
    return [
        *header(
            "network",
            f"{NODES:,} s",
            f"{TIMES * NODES:,} s",
            "ratio",
            "microseconds a page",
            "extra MB",
            f"{NODES:,} at hand s",
            f"{TIMES * NODES:,} at hand s",
            "ratio",
        ),
        *(
            f"| {each['case']}: {GROWN[each['case']]} | "
            f"{each['small']:.2f} ({min(each['all_small']):.2f}) | "
            f"{each['large']:.2f} ({min(each['all_large']):.2f}) | {each['ratio']:.1f} | "
            f"{each['page_us'][0]:.1f}, {each['page_us'][1]:.1f} | {each['extra_mb']:,.0f} | "
            f"{each['at_hand']['small']:.2f} | {each['at_hand']['large']:.2f} | "
            f"{each['at_hand']['ratio']:.1f} |"
            for each in grown
        ),
    ]


def header(*heads: str) -> list[str]:
    first, *rest = heads
    return [
        "| " + " | ".join((first, *rest)) + " |",
        "|---|" + "---:|" * len(rest),
    ]


if __name__ == "__main__":
    main()
