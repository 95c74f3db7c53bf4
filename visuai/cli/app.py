"""The commands of ``visuai``, and how they end: exit codes, errors, Ctrl-C."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

import visuai
from visuai.cli.diagnose import diagnose
from visuai.cli.shared import TARGETS, built, options_of_build, printable, tell
from visuai.cli.streams import draw, say
from visuai.cli.viewing import serve, view
from visuai.errors import PARTIAL, CaptureError, InputError, ModelError, VisuaiError

# All else is imported inside the commands, so that `visuai --help` loads no torch.
OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        arguments: Words after ``visuai``; None for those of the process.

    Returns:
        The exit code: 0 if all went well, 1 for an error that is told, 2 for wrong usage, 130
        after Ctrl-C. ``visuai diff`` answers as diff(1) does: 0 same, 1 different, 2 trouble;
        and so does ``visuai diagnose``: 0 sound, 1 something found, 2 trouble.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    trouble = 2 if words[:1] in (["diff"], ["diagnose"]) else FAILED
    try:
        result = cli.main(words, prog_name="visuai", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return USAGE
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except VisuaiError as error:
        if debug:
            raise
        told = str(error).replace(PARTIAL, "").rstrip()
        _complain(f"{told}{_advice(error, words)}")
        return trouble
    except ModuleNotFoundError as error:
        if debug or error.name is None:
            raise
        _complain(
            f"This needs {error.name}, which is not installed in {sys.prefix}; try: pip install "
            f"{error.name.partition('.')[0]}. Saved topologies (.json.gz) and recorded runs are "
            "shown without torch."
        )
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


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog=TARGETS)
@click.version_option(visuai.__version__, prog_name="visuai", message="%(prog)s %(version)s")
def cli() -> None:
    """Shows what a PyTorch network really is, as data and as a picture."""


cli.add_command(view)
cli.add_command(serve)
cli.add_command(diagnose)


@cli.command(epilog=TARGETS)
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
@options_of_build
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
    topology = built(target, **shared)
    written = write(topology, output, renderer, depth, read_arguments(options))
    if not shared["quiet"]:
        tell(topology, target)
        if output is not None:
            say(f"Wrote {written}", err=True)


@cli.command(epilog=TARGETS)
@click.argument("target")
@click.option("--depth", type=click.IntRange(min=0), help="Deepest level of modules to list.")
@options_of_build
def summary(target: str, depth: int | None, **shared: Any) -> None:
    """Lists TARGET's modules with shapes, parameters, FLOPs and calls."""
    topology = built(target, **shared)
    draw(topology.summary(depth=depth))
    if not shared["quiet"]:
        tell(topology, target)


@cli.command(epilog=TARGETS)
@click.argument("a")
@click.argument("b")
@options_of_build
def diff(a: str, b: str, **shared: Any) -> int:
    """Tells how B's topology differs from A's.

    Exits with 0 if they are the same, 1 if they differ, 2 if there is trouble.
    """
    topologies = [built(each, several=True, **shared) for each in (a, b)]
    if not shared["quiet"]:
        for topology, target in zip(topologies, (a, b), strict=True):
            tell(topology, target)
    found = visuai.diff(*topologies)
    say(str(found).rstrip("\n"))
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
    """Measures building and saving of well-known networks.

    All of them take some minutes; times of the single passes need a terminal of 140 columns,
    or --json.
    """
    import json

    from visuai import metrics as measuring
    from visuai.cli.progress import shown

    names = list(measuring.NETWORKS)
    if models is not None:
        names = [name.strip() for name in models.split(",")]
    with shown(quiet) as progress:
        rows = measuring.measure(names, repeat=repeat, progress=progress)
    if as_json:
        say(json.dumps([row.to_dict() for row in rows], indent=2))
    else:
        draw(measuring.table(rows), measuring.table(rows, passes=False))


def _complain(message: str) -> None:
    say(f"visuai: {printable(message)}", err=True)


def _advice(error: VisuaiError, words: Sequence[str]) -> str:
    """Tells what the library's advice comes to on the command line."""
    given = any(word.partition("=")[0] == "--input" for word in words)
    if isinstance(error, ModelError) and given:
        return (
            "\nIts inputs were zeros of the shape and the type that --input names, float32 if it "
            "names none; token ids are such as --input ids=1x128:int64."
        )
    if isinstance(error, InputError) or (isinstance(error, CaptureError) and not given):
        advice = "\nHere, inputs are given with --input, such as --input 1x3x224x224"
        return f"{advice}; --eval puts the model in eval mode." if not given else f"{advice}."
    return ""
