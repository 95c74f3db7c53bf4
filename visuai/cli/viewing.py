"""The commands that open the viewer: ``visuai view`` and ``visuai serve``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import click

from visuai.cli.shared import TARGETS, built, options_of_build, printable, tell
from visuai.cli.streams import say


def _say(message: str) -> None:
    # Standard output, so that a script can read the address; flushed, because it goes on.
    say(printable(message))


port_option = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port to listen on, 8765 without; a free one is taken if it is taken, and for 0.",
)
browser_option = click.option(
    "--no-browser", is_flag=True, help="Print the address, and open no browser."
)


@click.command(epilog=TARGETS)
@click.argument("target")
@click.option("--compare", metavar="TARGET", help="Another network to compare it with.")
@click.option("--depth", type=click.IntRange(min=0), help="Levels of modules open at first.")
@port_option
@browser_option
@options_of_build
def view(
    target: str,
    compare: str | None,
    depth: int | None,
    port: int | None,
    no_browser: bool,
    **shared: Any,
) -> None:
    """Builds TARGET and shows it in the browser, until Ctrl-C.

    \b
    visuai view torchvision.models:resnet18 --input 1x3x224x224
    visuai view before.onnx --compare after.onnx
    """
    from visuai import viewer
    from visuai.serve.app import app
    from visuai.serve.server import run
    from visuai.serve.shelf import Built

    viewer.read(viewer.SCRIPT)  # trouble with it is told before a long build
    targets = [each for each in (target, compare) if each is not None]
    topologies = [built(each, several=len(targets) > 1, **shared) for each in targets]
    if not shared["quiet"]:
        for topology, each in zip(topologies, targets, strict=True):
            tell(topology, each)
    title = " and ".join(topology.name for topology in topologies)
    mount = viewer.mount(depth=depth, compare=None if compare is None else "1")
    shelf = Built(topologies)
    first = [listed["id"] for listed in shelf.entries()]
    make = partial(app, shelf, title=title, mount=mount, first=first)
    run(make, port, browser=not no_browser, tell=_say)


@click.command()
@click.option(
    "-l",
    "--logdir",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder that runs were recorded in, or topologies saved, or in folders inside.",
)
@port_option
@browser_option
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def serve(logdir: Path, port: int | None, no_browser: bool, debug: bool) -> None:
    """Shows a log directory in the browser, until Ctrl-C.

    It has the runs that Visu recorded in it, and the topologies saved there.

    \b
    visuai build net.py:Net -o runs/net.json.gz
    visuai serve -l runs
    """
    from visuai.serve.app import app
    from visuai.serve.logdir import LogDir
    from visuai.serve.runs import Runs
    from visuai.serve.server import run

    make = partial(app, LogDir(logdir), title=logdir.resolve().name, runs=Runs(logdir))
    run(make, port, browser=not no_browser, tell=_say)
