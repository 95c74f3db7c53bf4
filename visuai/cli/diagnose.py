"""The command that tells what is wrong with a recorded run: ``visuai diagnose``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from visuai.cli.streams import draw, say

# All else is imported inside the command, so that `visuai --help` loads no numpy.
NOTHING, FOUND = 0, 1


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--severity",
    type=click.Choice(["error", "warning", "info"]),
    default="warning",
    show_default=True,
    help="Least severity to list, and to exit with 1 for.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing, only exit.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def diagnose(run: Path, severity: str, as_json: bool, quiet: bool, debug: bool) -> int:
    """Tells what is wrong with a recorded run.

    RUN is a run's file, or a log directory: then it is the newest run in it. It may still go on.
    Exits with 0 if nothing of that severity or worse was found, 1 if something was, 2 if there
    is trouble.

    \b
    visuai diagnose sample
    visuai diagnose sample --severity error --quiet && echo sound
    """
    from visuai.errors import VisuaiError
    from visuai.record.diagnosis.diagnose import diagnose as diagnosed
    from visuai.record.run import open_run

    try:
        opened = open_run(run)
    except FileNotFoundError as error:
        raise VisuaiError(
            f"{error} RUN is a run's file, or a folder in which Visu(model, ..., logdir=...) "
            f"recorded (looked in {Path.cwd()})."
        ) from error
    with opened:
        everything = diagnosed(opened)
        name = opened.path.name
    found = everything.at_least(severity)
    if as_json and not quiet:
        document = {
            "run": name,
            "last_step": found.last_step,
            "diagnoses": [each.to_dict() for each in found],
        }
        say(json.dumps(document, indent=2))
    elif not quiet:
        draw(found)
        if hidden := len(everything) - len(found):
            say(f"{hidden} less severe not listed; see them with --severity info.", err=True)
    return FOUND if found else NOTHING
