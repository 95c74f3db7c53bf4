"""Counts how many awkward but legal models each tool takes, and leaves as they were.

``python -m benchmarks.patterns`` runs every model of ``tests/patterns.py`` through Visuai and
through the peers that are installed, each in a process of its own, and prints a Markdown table.
``--json FILE`` keeps what each tool said of each model.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import logging
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parent.parent / "tests"
SECONDS = 60
"""Time for one model; what takes longer counts as not taken."""

Taker = Callable[[Any, tuple[Any, ...], dict[str, Any]], object]


def _visuai(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
    import visuai

    return visuai.build(model, args, kwargs)


def _torchvista(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
    from benchmarks.peers import torchvista_trace

    if kwargs:
        raise TypeError("takes no keyword inputs")
    return torchvista_trace(model, *args)


def _torchlens(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
    import torchlens

    return torchlens.trace(model, list(args), kwargs)


def _torchview(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
    from torchview import draw_graph

    return draw_graph(model, input_data=args, **_as_it_is(model), **kwargs)


def _torchinfo(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
    from torchinfo import summary

    return summary(model, input_data=args, verbose=0, **_as_it_is(model), **kwargs)


def _as_it_is(model: Any) -> dict[str, Any]:
    """Options that keep a tool from choosing a mode and a device for the model."""
    held = next(iter(model.parameters()), None) if hasattr(model, "parameters") else None
    return {
        "mode": "train" if getattr(model, "training", False) else "eval",
        "device": "cpu" if held is None else held.device,
    }


def _tensorboard(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
    from torch.utils.tensorboard._pytorch_graph import graph

    if kwargs:
        raise TypeError("takes no keyword inputs")
    return graph(model, args)


TOOLS: dict[str, Taker] = {
    "visuai": _visuai,
    "torchvista": _torchvista,
    "torchlens": _torchlens,
    "torchview": _torchview,
    "torchinfo": _torchinfo,
    "tensorboard": _tensorboard,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", default=",".join(TOOLS))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", help="run this tool here, one line of JSON per model")
    parser.add_argument("--skip", type=int, default=0)
    options = parser.parse_args()
    if options.only:
        _run(options.only, options.skip)
        return
    found: dict[str, dict[str, str]] = {}
    for tool in options.tools.split(","):
        if importlib.util.find_spec(tool):
            found[tool] = _answers(tool)
            print(f"{tool}: done", file=sys.stderr)
    print(_table(found))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _answers(tool: str) -> dict[str, str]:
    """Runs one tool on all models, going on behind a model that ends its process."""
    answers: dict[str, str] = {}
    names = _names()
    while len(answers) < len(names):
        command = [sys.executable, "-m", "benchmarks.patterns", "--only", tool]
        done = subprocess.run(
            [*command, "--skip", str(len(answers))],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False,
        )  # fmt: skip
        for line in done.stdout.splitlines():
            if line.startswith('["'):
                name, answer = json.loads(line)
                answers[name] = answer
        if len(answers) < len(names):
            answers[names[len(answers)]] = f"ended the process ({done.returncode})"
    return answers


def _names() -> list[str]:
    sys.path.insert(0, str(TESTS))
    from patterns import PATTERNS  # pyright: ignore

    return list(PATTERNS)


def _run(tool: str, skip: int) -> None:
    names = _names()
    import torch
    from patterns import PATTERNS  # pyright: ignore
    from test_patterns import same, state_of  # pyright: ignore

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    out = os.fdopen(os.dup(1), "w")  # What tools print goes elsewhere.
    os.dup2(2, 1)
    signal.signal(signal.SIGALRM, _too_long)
    for name in names[skip:]:
        torch.manual_seed(0)
        model, args, *rest = PATTERNS[name]()
        kwargs = rest[0] if rest else {}
        before = state_of(model, (args, kwargs))
        signal.alarm(SECONDS)
        try:
            TOOLS[tool](model, args, kwargs)
            answer = "taken"
        except Exception as error:
            answer = f"{type(error).__name__}: {str(error)[:200]}"
        finally:
            signal.alarm(0)
        if answer == "taken":
            try:
                after = state_of(model, (args, kwargs))
                if before.keys() != after.keys() or not all(
                    same(before[key], after[key]) for key in before
                ):
                    answer = "taken, changed"
            except Exception:
                answer = "taken, changed"
        print(json.dumps([name, answer]), file=out, flush=True)


def _too_long(*_: object) -> None:
    raise TimeoutError(f"not done after {SECONDS} s")


def _table(found: dict[str, dict[str, str]]) -> str:
    from importlib.metadata import version

    lines = ["| tool | taken | of these, left as they were |", "|---|---:|---:|"]
    for tool, answers in found.items():
        taken = sum(answer.startswith("taken") for answer in answers.values())
        clean = sum(answer == "taken" for answer in answers.values())
        lines.append(f"| {tool} {version(tool)} | {taken} of {len(answers)} | {clean} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
