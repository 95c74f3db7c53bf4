"""Writes frontend/src/wire.ts from the types of visuai/wire.py; ``make frontend-types`` runs it.

With ``--check`` nothing is written, and the exit code tells whether the file is up to date.
"""

from __future__ import annotations

import inspect
import re
import sys
import types
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from visuai import wire

OUTPUT = Path(__file__).parent / "src" / "wire.ts"

HEAD = """\
// Made from visuai/wire.py by frontend/wire_types.py: do not edit, run `make frontend-types`.

/** Whatever JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
"""

PLAIN: dict[Any, str] = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    type(None): "null",
    Any: "Json",
}
COLUMNS = (wire.ConstantColumn, wire.PlainColumn, wire.TableColumn)


def spell(hint: Any) -> str:
    """Gives a Python type in TypeScript.

    Raises:
        TypeError: If it is of a kind that the wire has no use for so far.
    """
    if hint in PLAIN:
        return PLAIN[hint]
    origin, members = get_origin(hint), get_args(hint)
    if origin is Annotated and members[0] == wire.Column:
        return f"Column<{spell(members[1])}>"
    if hint == wire.Column:
        return "Column"
    if origin is Literal:
        return " | ".join(f'"{member}"' for member in members)
    if origin in (Union, types.UnionType):
        return " | ".join(dict.fromkeys(spell(member) for member in members))
    if origin is list:
        inner = spell(members[0])
        return f"({inner})[]" if " | " in inner else f"{inner}[]"
    if origin is tuple:
        return f"[{', '.join(spell(member) for member in members)}]"
    if origin is dict:
        return f"Record<{spell(members[0])}, {spell(members[1])}>"
    if isinstance(hint, type) and hasattr(hint, "__total__"):
        return hint.__name__
    raise TypeError(f"No TypeScript for {hint!r}; teach it to {__file__}.")


def interface(kind: Any) -> str:
    """Gives a TypedDict as an exported interface, its docstring as the comment."""
    head, value = kind.__name__, {}
    if kind in COLUMNS:  # they are generic, which Python's have to wait for until 3.11
        head, value = f"{head}<T = Json>", {Any: "T", list[Any]: "T[]"}
    lines = [comment(inspect.getdoc(kind) or ""), f"export interface {head} {{"]
    for name, hint in get_type_hints(kind, include_extras=True).items():
        mark = "" if name in kind.__required_keys__ else "?"
        lines.append(f"  {name}{mark}: {value.get(hint) or spell(hint)};")
    return "\n".join([*lines, "}"])


def comment(text: str) -> str:
    """Gives a docstring as a doc comment."""
    text = re.sub(r"``?([^`]+)``?", r"`\1`", text).replace("*/", "*\\/")
    lines = text.splitlines()
    if len(lines) == 1:
        return f"/** {lines[0]} */"
    return "\n".join(["/**", *(f" * {line}".rstrip() for line in lines), " */"])


def document() -> str:
    """Gives the whole file."""
    kinds = [
        kind
        for name, kind in vars(wire).items()
        if isinstance(kind, type) and hasattr(kind, "__total__") and name[0] != "_"
    ]
    columns = " | ".join(f"{kind.__name__}<T>" for kind in COLUMNS)
    parts = [HEAD.rstrip("\n")]
    for kind in kinds:
        parts.append(interface(kind))
        if kind is COLUMNS[-1]:
            parts.append(
                "/** One attribute of many rows, each distinct value written once. */\n"
                f"export type Column<T = Json> = {columns};"
            )
    return "\n\n".join(parts) + "\n"


def main() -> int:
    """Writes the file, or with ``--check`` tells whether it is up to date."""
    text = document()
    if "--check" in sys.argv[1:]:
        if not OUTPUT.is_file() or OUTPUT.read_text(encoding="utf-8") != text:
            print(f"{OUTPUT} is out of date: run `make frontend-types`.", file=sys.stderr)
            return 1
        return 0
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
