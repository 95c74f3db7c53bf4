"""Finds what the command line's TARGET names: a model, a file to capture, or a topology."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from visuai.errors import TargetError
from visuai.topology import Topology

FORMS = (
    "package.module:attribute, file.py:Name, a .onnx or .pt2 file, or a saved topology "
    "(.json or .json.gz)"
)


_WEIGHTS = {".pt", ".pth", ".ckpt", ".bin", ".safetensors"}


def resolve(target: str, arguments: Mapping[str, Any]) -> Any:
    """Gives what ``target`` names.

    Args:
        target: In one of the forms of `FORMS`.
        arguments: What a class or a factory is called with.

    Returns:
        A `Topology` for a saved one; a `Path` for ``.onnx`` and ``.pt2``; else the object.

    Raises:
        TargetError: If there is no such thing, or the user's code raises on the way to it.
        FormatError: If a saved topology is damaged.
    """
    path = Path(target)
    if path.is_dir():
        raise TargetError(f"{target!r} is a directory; expected {FORMS}.")
    if path.suffix in {".onnx", ".pt2"}:
        return _existing(path)
    if path.name.endswith((".json", ".json.gz")):
        return Topology.load(_existing(path))
    if path.suffix in _WEIGHTS:
        raise TargetError(
            f"{target!r} seems to hold weights or a pickled object, which Visuai does not open: "
            "that could run its code. Name what makes the network, such as net.py:Net, or save "
            "it with torch.export.save(torch.export.export(model, args), 'net.pt2'); for "
            "TorchScript, name a function that calls torch.jit.load."
        )
    place, colon, attribute = target.rpartition(":")
    if not (place and colon and attribute):
        hint = _hint(path) if path.suffix == ".py" and path.is_file() else ""
        raise TargetError(f"TARGET {target!r} is none of: {FORMS}.{hint}")
    module = _import_file(Path(place)) if place.endswith(".py") else _import_module(place)
    value = _instance(_attribute(module, attribute, target), arguments, target)
    # The only thing that can be built and not called is a message of ONNX.
    if not callable(value) and not hasattr(value, "SerializeToString"):
        raise TargetError(
            f"{target!r} is of type {type(value).__name__}, which is no network; expected an "
            "nn.Module, a class or factory that makes one, or a function of tensors."
        )
    return value


def read_arguments(texts: Sequence[str]) -> dict[str, Any]:
    """Reads ``name=value`` texts; a value that is no Python literal is a string.

    Raises:
        TargetError: If a text has no ``=`` or its name is not an identifier.

    Examples:
        >>> read_arguments(["num_classes=10", "norm=batch", "sizes=[8, 16]"])
        {'num_classes': 10, 'norm': 'batch', 'sizes': [8, 16]}
    """
    arguments: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise TargetError(f"Cannot read {text!r}; expected name=value, such as depth=4.")
        try:
            arguments[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            arguments[name] = value
    return arguments


def _hint(path: Path) -> str:
    """Tells which classes and functions of a file could be meant, without running it."""
    try:
        body = ast.parse(path.read_bytes()).body
    except (SyntaxError, ValueError, OSError):
        return ""
    kinds = (ast.ClassDef, ast.FunctionDef)
    names = [each.name for each in body if isinstance(each, kinds) and each.name[0] != "_"]
    forms = ", ".join(f"{path}:{name}" for name in names[:5])
    return f" Add which of its names is the network: {forms}." if forms else ""


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise TargetError(f"There is no file {str(path)!r} (looked in {Path.cwd()}).")
    return path


def _import_file(path: Path) -> ModuleType:
    path = _existing(path).resolve()
    spec = spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise TargetError(f"{str(path)!r} cannot be read as a Python file.")
    module = module_from_spec(spec)
    # As `python file.py` does, so that the file finds its neighbours and dataclasses work.
    sys.path.insert(0, str(path.parent))
    sys.modules.setdefault(path.stem, module)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise TargetError(f"Running {str(path)!r} failed: {_told(error)}.") from error
    except SystemExit as error:
        raise TargetError(_exited(str(path), error)) from error
    return module


def _import_module(name: str) -> ModuleType:
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        hint = f" For a file, write {name}.py:Name." if Path(f"{name}.py").is_file() else ""
        raise TargetError(
            f"Importing {name!r} failed: {error}. Is it installed in {sys.prefix}?{hint}"
        ) from error
    except Exception as error:
        raise TargetError(f"Importing {name!r} failed: {_told(error)}.") from error
    except SystemExit as error:
        raise TargetError(_exited(name, error)) from error


def _attribute(module: ModuleType, dotted: str, target: str) -> Any:
    value: Any = module
    for name in dotted.split("."):
        try:
            value = getattr(value, name)
        except AttributeError as error:
            public = sorted(each for each in vars(module) if not each.startswith("_"))
            near = _nearest(name, public)
            hint = f" Did you mean {near!r}?" if near else ""
            raise TargetError(
                f"{module.__name__!r} has no {dotted!r} (from TARGET {target!r}).{hint}"
            ) from error
    return value


def _instance(value: Any, arguments: Mapping[str, Any], target: str) -> Any:
    """Calls a class or a factory; anything else, and a function that needs inputs, stays."""
    import torch

    if isinstance(value, Mapping):
        raise TargetError(
            f"{target!r} is a mapping, which may hold weights but is no network; name the model "
            "that they are loaded into."
        )
    # A module itself is also callable, but calling it is what capture does.
    if isinstance(value, torch.nn.Module) or not callable(value):
        if arguments:
            raise TargetError(f"{target!r} is not a class or a factory, so --arg has no use.")
        return value
    is_class = inspect.isclass(value)
    if not is_class and not arguments and _missing(value, arguments):
        return value
    if missing := _missing(value, arguments):
        wanted = " ".join(f"--arg {name}=..." for name in missing)
        given = f" (given: {', '.join(arguments)})" if arguments else ""
        raise TargetError(f"{target!r} needs arguments to be made: add {wanted}{given}.")
    if unknown := _unknown(value, arguments):
        name, takes = unknown
        near = _nearest(name, takes)
        hint = f"did you mean {near!r}?" if near else f"it takes {', '.join(takes) or 'none'}."
        raise TargetError(f"{target!r} takes no argument {name!r} (from --arg); {hint}")
    # Where branches hang on the weights, the network is the same each time, and for `diff`.
    torch.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    try:
        made = value(**arguments)
    except Exception as error:
        given = ", ".join(f"{name}={given!r}" for name, given in arguments.items())
        raise TargetError(f"Calling {target!r} with ({given}) raised {_told(error)}.") from error
    except SystemExit as error:
        raise TargetError(_exited(target, error)) from error
    if made is None:
        raise TargetError(f"{target!r} was called as a factory and returned None.")
    return made


def _missing(value: Any, arguments: Mapping[str, Any]) -> list[str]:
    """Names the arguments without a default that are not given; none if it cannot be told."""
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return []
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [
        each.name
        for each in parameters
        if each.default is each.empty and each.kind not in variadic and each.name not in arguments
    ]


def _unknown(value: Any, arguments: Mapping[str, Any]) -> tuple[str, list[str]] | None:
    """Gives the first argument that is not taken, and the names of those that are."""
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(each.kind is each.VAR_KEYWORD for each in parameters):
        return None
    takes = [each.name for each in parameters if each.kind is not each.VAR_POSITIONAL]
    return next(((name, takes) for name in arguments if name not in takes), None)


def _told(error: BaseException) -> str:
    """Gives the error's type and message, and the user's line that it comes from."""
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg} at {error.filename}:{error.lineno}"
    frame = error.__traceback__
    where = ""
    while frame is not None:
        where = f" at {frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}"
        frame = frame.tb_next
    return f"{type(error).__name__}: {error}{where}"


def _exited(what: str, error: SystemExit) -> str:
    return (
        f"{what!r} ended Python (sys.exit({error.code!r})) when it was run. Put what only a script "
        "should do under: if __name__ == '__main__'"
    )


def _nearest(name: str, known: Sequence[str]) -> str | None:
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, known, n=1)), None)
