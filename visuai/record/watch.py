"""Which parameters of a model are recorded, and under which number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from visuai.record.options import Matcher
from visuai.record.subject import Subject


@dataclass(frozen=True)
class Watched:
    """A parameter that is recorded.

    Attributes:
        number: The number of its subject.
        parameter: The parameter itself, as the model holds it now.
    """

    number: int
    parameter: nn.Parameter


class Watch:
    """Finds the parameters of a model anew for each record, as they may come, go and change.

    A parameter that is tied has one subject with several names. One that is replaced by another
    of the same name, shape and dtype goes on with its subject; of another shape, it has a new
    one of the same name.
    """

    def __init__(
        self, include: Matcher, exclude: Matcher, known: Mapping[int, Subject] | None = None
    ) -> None:
        self._include = include
        self._exclude = exclude
        self._known = dict(known or {})
        self._numbers = {_identity(subject): number for number, subject in self._known.items()}

    def parameters(self, model: nn.Module) -> tuple[list[Watched], list[tuple[int, Subject]]]:
        """Lists the parameters to be recorded, in the order of the model.

        Args:
            model: The model.

        Returns:
            The parameters, and those subjects that are new or have changed.
        """
        names: dict[int, list[str]] = {}
        found: dict[int, nn.Parameter] = {}
        for name, parameter in model.named_parameters(remove_duplicate=False):
            names.setdefault(id(parameter), []).append(name)
            found[id(parameter)] = parameter
        watched: list[Watched] = []
        changed: list[tuple[int, Subject]] = []
        for key, parameter in found.items():
            if isinstance(parameter, nn.UninitializedParameter) or not self._wanted(names[key]):
                continue
            subject = _describe(model, parameter, names[key])
            number = self._number(subject)
            if self._known.get(number) != subject:
                self._known[number] = subject
                changed.append((number, subject))
            watched.append(Watched(number, parameter))
        return watched, changed

    def module(self, name: str, module: nn.Module) -> tuple[int, Subject, bool]:
        """Gives the number and subject of a module, and whether it is new."""
        subject = Subject(name, "module", type=type(module).__qualname__)
        new = _identity(subject) not in self._numbers
        number = self._number(subject)
        self._known[number] = subject
        return number, subject, new

    def _wanted(self, names: list[str]) -> bool:
        return any(map(self._include.matches, names)) and not any(map(self._exclude.matches, names))

    def _number(self, subject: Subject) -> int:
        key = _identity(subject)
        return self._numbers.setdefault(key, len(self._numbers))


def _identity(subject: Subject) -> tuple[str, str, tuple[int, ...], str]:
    return subject.kind, subject.name, subject.shape, subject.dtype


def _describe(model: nn.Module, parameter: nn.Parameter, names: list[str]) -> Subject:
    owner = model.get_submodule(names[0].rpartition(".")[0])
    return Subject(
        name=names[0],
        kind="parameter",
        aliases=tuple(names[1:]),
        shape=tuple(map(int, parameter.shape)),
        dtype=str(parameter.dtype).removeprefix("torch."),
        type=type(owner).__qualname__,
        trainable=parameter.requires_grad,
    )
