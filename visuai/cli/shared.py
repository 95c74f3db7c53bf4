"""What the commands that build have in common: their options, the build, what is told of it."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any, TypeVar

import click

import visuai
from visuai.cli.streams import say
from visuai.errors import CaptureError, TargetError

# All else is imported inside the functions, so that `visuai --help` loads no torch.
if TYPE_CHECKING:
    from visuai.topology import Topology

F = TypeVar("F", bound=Callable[..., Any])

TARGETS = """
TARGET is package.module:attribute (a module, or a class or factory, called with --arg),
file.py:Name, a .onnx or .pt2 file, or a saved topology (.json, .json.gz).
"""


def options_of_build(command: F) -> F:
    """Adds the options that every command which builds has."""
    options = (
        click.option(
            "--input",
            "inputs",
            multiple=True,
            metavar="[NAME=]SHAPE[:DTYPE]",
            help="Input tensor, such as 1x3x224x224 or ids=1x128:int64; [3x224x224+3x300x200] is a "
            "list. Repeatable.",
        ),
        click.option(
            "--arg",
            "arguments",
            multiple=True,
            metavar="NAME=VALUE",
            help="Argument of a class or factory. Repeatable.",
        ),
        click.option("--eval", "in_eval", is_flag=True, help="Put the model in eval mode first."),
        click.option(
            "--capture",
            default="auto",
            show_default=True,
            help="Route: auto, eager, symbolic, export, onnx, or a plug-in's.",
        ),
        click.option(
            "--passes",
            metavar="PIPELINE",
            help="Passes to run, such as export,to-dict,prune-nodes{keep=dropout},build-hierarchy.",
        ),
        click.option("-q", "--quiet", is_flag=True, help="Say nothing but results and errors."),
        click.option("--debug", is_flag=True, help="Show the traceback of an error."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def built(
    target: str,
    *,
    inputs: tuple[str, ...],
    arguments: tuple[str, ...],
    in_eval: bool,
    capture: str,
    passes: str | None,
    quiet: bool,
    debug: bool,
    several: bool = False,
) -> Topology:
    """Builds what TARGET names, as the options of `options_of_build` say.

    Raises:
        TargetError: If TARGET is a saved topology, and options of the build are given that are
            not for one of ``several`` targets either; or if it is a function that seems to be a
            factory whose arguments are not given.
        VisuaiError: If it cannot be built.
    """
    from visuai.cli.inputs import make_inputs
    from visuai.cli.progress import shown
    from visuai.cli.target import read_arguments, resolve

    pipeline = None if passes is None else visuai.Pipeline.parse(passes)
    # What the user's code prints must not get into a drawing that goes to standard output.
    with shown(quiet) as progress, redirect_stdout(sys.stderr):
        progress(f"finding {target}", 0, 0)
        model = resolve(target, read_arguments(arguments))
        if isinstance(model, visuai.Topology):
            given = {
                "--input": inputs,
                "--arg": arguments,
                "--eval": in_eval,
                "--capture": capture != "auto",
                "--passes": passes is not None,
            }
            idle = [option for option, is_given in given.items() if is_given]
            if idle and not several:
                raise TargetError(
                    f"{target!r} is a saved topology, which is built already, so "
                    f"{' and '.join(idle)} {'have' if len(idle) > 1 else 'has'} no use. Build it "
                    "from the network to change it."
                )
            return model
        if in_eval and hasattr(model, "eval"):
            model.eval()
        args, kwargs = make_inputs(inputs)
        try:
            return visuai.build(
                model, args, kwargs, capture=capture, pipeline=pipeline, progress=progress
            )
        except CaptureError as error:
            if inputs or not inspect.isfunction(model):
                raise
            names = list(inspect.signature(model).parameters)
            factory, network = (
                " ".join(f"{option} {name}=..." for name in names)
                for option in ("--arg", "--input")
            )
            raise TargetError(
                f"{target!r} is a function of {', '.join(names)}. If it makes the network, call it "
                f"with {factory}; if it is the network, give its inputs with {network}, such as "
                f"--input {names[0]}=1x3x224x224."
            ) from error


def tell(topology: Topology, target: str) -> None:
    """Tells on standard error what was built, or read, if ``target`` is a saved topology."""
    report = topology.report
    saved = target.endswith((".json", ".json.gz"))
    how = f"read from {target}" if saved else f"route {report.route or 'unknown'}"
    how += "" if saved else f", {report.seconds:.2f} s"
    nodes, edges = topology.graph.number_of_nodes(), topology.graph.number_of_edges()
    say(
        printable(
            f"{topology.name}: {nodes:,} nodes, {edges:,} edges, "
            f"{topology.num_parameters:,} parameters; {how}"
        ),
        err=True,
    )
    for note in () if saved else report.notes:
        say(printable(f"Note: {note}"), err=True)


def printable(text: str) -> str:
    """Spells control characters out: names in a model must not steer the terminal."""
    text = re.sub("\x1b\\[[0-9;]*m", "", text)  # colours, which exporters put into messages
    return "".join(
        each if each.isprintable() or each == "\n" else repr(each)[1:-1] for each in text
    )
