"""The public names and signatures, as they are promised. A change here is a change for users."""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
from pathlib import Path
from typing import Any

import visuai
from visuai import analysis, errors, ir, passes, plugins, program, report
from visuai.passes import base

SNAPSHOT = Path(__file__).parent / "golden" / "public_api.json"


def signature(value: Any) -> str:
    """Gives the parameters' names, kinds and defaults, but no annotations (they are checked)."""
    parameters = [
        each.replace(annotation=inspect.Parameter.empty)
        for each in inspect.signature(value).parameters.values()
    ]
    # A default that is a function is told with its address, which no two runs share.
    return re.sub(r" at 0x[0-9a-f]+", "", str(inspect.Signature(parameters)))


def describe(value: Any) -> Any:
    """Gives what of a public object a user may rely on."""
    if inspect.isclass(value):
        members: dict[str, Any] = {"()": "" if issubclass(value, Exception) else signature(value)}
        if dataclasses.is_dataclass(value):
            members["fields"] = [field.name for field in dataclasses.fields(value)]
        for name, member in vars(value).items():
            if name.startswith("_"):
                continue
            if isinstance(member, property):
                members[name] = "property"
            elif callable(member) or isinstance(member, classmethod | staticmethod):
                members[name] = signature(getattr(value, name))
        return members
    return signature(value)


def api() -> dict[str, Any]:
    found: dict[str, Any] = {
        f"visuai.{name}": describe(getattr(visuai, name)) for name in visuai.__all__
    }
    homes: tuple[Any, ...] = (errors, report, program, base, analysis, passes)
    for home in homes:
        for name, value in vars(home).items():
            if inspect.isclass(value) and value.__module__ == home.__name__ and name[0] != "_":
                found[f"{home.__name__}.{name}"] = describe(value)
    found["visuai.ir.IR"] = describe(ir.IR)
    found["visuai.ir.SCHEMA"] = ir.SCHEMA
    found["plugins"] = {group: list(table) for group, table in plugins.BUILT_IN.items()}
    return found


def test_public_api_is_as_promised(request) -> None:
    now = json.dumps(api(), indent=1, sort_keys=True) + "\n"
    if request.config.getoption("--update-goldens"):
        SNAPSHOT.parent.mkdir(exist_ok=True)
        SNAPSHOT.write_text(now, encoding="utf-8")
    assert now == SNAPSHOT.read_text(encoding="utf-8"), (
        "The public API changed. If that is meant, run pytest --update-goldens, and tell users in "
        "CHANGELOG.md."
    )


def test_every_public_name_is_documented() -> None:
    undocumented = []
    for name in visuai.__all__:
        value = getattr(visuai, name)
        members = [value]
        if inspect.isclass(value):
            members += [
                member
                for key, member in vars(value).items()
                if key[0] != "_" and (callable(member) or isinstance(member, property))
            ]
        undocumented += [f"{name}: {each!r}" for each in members if not inspect.getdoc(each)]
    assert undocumented == []


def test_every_error_is_a_visuai_error() -> None:
    kinds = [each for each in vars(errors).values() if inspect.isclass(each)]
    raised = [each for each in kinds if issubclass(each, Exception)]
    assert len(raised) > 5
    assert all(issubclass(each, visuai.VisuaiError) for each in raised)
