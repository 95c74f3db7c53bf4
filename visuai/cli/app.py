"""The commands of ``visuai``, and how they end: exit codes, errors, Ctrl-C."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

import visuai
from visuai.errors import CaptureError, InputError, VisuaiError

# All else is imported inside the commands, so that `visuai --help` loads no torch.
if TYPE_CHECKING:
    from visuai.topology import Topology

F = TypeVar("F", bound=Callable[..., Any])

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

EPILOG = """
TARGET is package.module:attribute (a module, or a class or factory, called with --arg),
file.py:Name, a .onnx or .pt2 file, or a saved topology (.json, .json.gz).
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        arguments: Words after ``visuai``; None for those of the process.

    Returns:
        The exit code: 0 if all went well, 1 for an error that is told, 2 for wrong usage, 130
        after Ctrl-C. ``visuai diff`` answers as diff(1) does: 0 same, 1 different, 2 trouble.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    trouble = 2 if words[:1] == ["diff"] else FAILED
    try:
        result = cli.main(words, prog_name="visuai", standalone_mode=False)
        # Written out here, where a closed pipe can still be answered.
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return USAGE
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        # `visuai build ... | head`: nobody is left to read, which is no error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except VisuaiError as error:
        if debug:
            raise
        _complain(f"{error}{_advice(error, words)}")
        return trouble
    except Exception as error:
        if debug:
            raise
        _complain(
            f"{type(error).__name__}: {error}\nThis is not an error that Visuai foresaw. Run the "
            "command again with --debug, and report what it prints."
        )
        return trouble
    return result if isinstance(result, int) else OK


def _shared(command: F) -> F:
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
            help="Route: auto, symbolic, eager, export, onnx, or a plug-in's.",
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


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=EPILOG)
@click.version_option(visuai.__version__, prog_name="visuai", message="%(prog)s %(version)s")
def cli() -> None:
    """Shows what a PyTorch network really is, as data and as a picture."""


@cli.command(epilog=EPILOG)
@click.argument("target")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write; its suffix names the renderer. Standard output without it.",
)
@click.option("--renderer", help="Renderer by name, instead of by the suffix of the output.")
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="Option of the renderer. Repeatable.",
)
@click.option("--depth", type=click.IntRange(min=0), help="Deepest level of modules to show.")
@_shared
def build(
    target: str,
    output: Path | None,
    renderer: str | None,
    options: tuple[str, ...],
    depth: int | None,
    **shared: Any,
) -> None:
    """Builds TARGET's topology, and draws or saves it.

    \b
    visuai build torchvision.models:resnet18 --input 1x3x224x224 -o resnet18.html
    visuai build model.onnx -o model.svg --depth 2
    visuai build net.py:Net --arg width=64 -o net.json.gz
    """
    from visuai.cli.output import check, write
    from visuai.cli.target import read_arguments

    check(output, renderer)
    topology = _topology(target, **shared)
    written = write(topology, output, renderer, depth, read_arguments(options))
    if not shared["quiet"]:
        _tell(topology)
        if output is not None:
            click.echo(f"Wrote {written}", err=True)


@cli.command(epilog=EPILOG)
@click.argument("target")
@click.option("--depth", type=click.IntRange(min=0), help="Deepest level of modules to list.")
@_shared
def summary(target: str, depth: int | None, **shared: Any) -> None:
    """Lists TARGET's modules with shapes, parameters, FLOPs and calls."""
    topology = _topology(target, **shared)
    _show(topology.summary(depth=depth))
    if not shared["quiet"]:
        _tell(topology)


@cli.command(epilog=EPILOG)
@click.argument("a")
@click.argument("b")
@_shared
def diff(a: str, b: str, **shared: Any) -> int:
    """Tells how B's topology differs from A's.

    Exits with 0 if they are the same, 1 if they differ, 2 if there is trouble.
    """
    topologies = [_topology(a, **shared), _topology(b, **shared)]
    if not shared["quiet"]:
        for topology in topologies:
            _tell(topology)
    found = visuai.diff(*topologies)
    click.echo(str(found).rstrip("\n"))
    return 1 if found else 0


@cli.command()
@click.option(
    "--models", metavar="NAME,NAME", help="Networks to measure; all of the classic table without."
)
@click.option("--repeat", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def metrics(models: str | None, repeat: int, as_json: bool, quiet: bool, debug: bool) -> None:
    """Measures each pass and the saved topology's size on well-known networks."""
    import json

    from visuai import metrics as measuring
    from visuai.cli.progress import shown

    names = [name.strip() for name in models.split(",")] if models else list(measuring.NETWORKS)
    with shown(quiet) as progress:
        rows = measuring.measure(names, repeat=repeat, progress=progress)
    if as_json:
        click.echo(json.dumps([row.to_dict() for row in rows], indent=2))
    else:
        _show(measuring.table(rows))


def _topology(
    target: str,
    *,
    inputs: tuple[str, ...],
    arguments: tuple[str, ...],
    in_eval: bool,
    capture: str,
    passes: str | None,
    quiet: bool,
    debug: bool,
) -> Topology:
    from visuai.cli.inputs import make_inputs
    from visuai.cli.progress import shown
    from visuai.cli.target import read_arguments, resolve

    pipeline = visuai.Pipeline.parse(passes) if passes else None
    # What the user's code prints must not get into a drawing that goes to standard output.
    with shown(quiet) as progress, redirect_stdout(sys.stderr):
        progress(f"finding {target}", 0, 0)
        model = resolve(target, read_arguments(arguments))
        if isinstance(model, visuai.Topology):
            return model
        if in_eval and hasattr(model, "eval"):
            model.eval()
        args, kwargs = make_inputs(inputs)
        return visuai.build(
            model, args, kwargs, capture=capture, pipeline=pipeline, progress=progress
        )


def _tell(topology: Topology) -> None:
    report = topology.report
    nodes, edges = topology.graph.number_of_nodes(), topology.graph.number_of_edges()
    click.echo(
        _printable(
            f"{topology.name}: {nodes:,} nodes, {edges:,} edges, "
            f"{topology.num_parameters:,} parameters; route {report.route or 'unknown'}, "
            f"{report.seconds:.2f} s"
        ),
        err=True,
    )
    for note in report.notes:
        click.echo(_printable(f"Note: {note}"), err=True)


def _show(what: Any) -> None:
    """Prints what draws itself: in colour on a terminal, else as plain text of full width."""
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else 160, markup=False, emoji=False).print(what)


def _complain(message: str) -> None:
    click.echo(f"visuai: {_printable(message)}", err=True)


def _advice(error: VisuaiError, words: Sequence[str]) -> str:
    """Tells what the library's advice comes to on the command line."""
    given = any(word.partition("=")[0] == "--input" for word in words)
    if isinstance(error, InputError) or (isinstance(error, CaptureError) and not given):
        advice = "\nHere, inputs are given with --input, such as --input 1x3x224x224"
        return f"{advice}; --eval puts the model in eval mode." if not given else f"{advice}."
    return ""


def _printable(text: str) -> str:
    """Spells control characters out: names in a model must not steer the terminal."""
    text = re.sub("\x1b\\[[0-9;]*m", "", text)  # colours, which exporters put into messages
    return "".join(
        each if each.isprintable() or each == "\n" else repr(each)[1:-1] for each in text
    )
