"""What goes into a pipeline (`Source`) and what a route captures of it (`Program`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import onnx
    from torch import fx

    from visuai.ir import Module, Parameter


def _nothing() -> None:
    """Restores nothing: nothing was kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A model as the user handed it over, with the inputs to run it on, if any.

    Attributes:
        model: ``nn.Module``, callable, ``fx.GraphModule``, ``ExportedProgram``,
            ``onnx.ModelProto``, or a path or binary file of an ``.onnx`` or ``.pt2``.
        args: Positional arguments of the forward; None if no inputs were given.
        kwargs: Keyword arguments of the forward; None if no inputs were given.
        restore: Puts the model and the random generators back as they were when the route was
            started. That is done after a route in any case; one that makes several attempts
            calls it between them.
    """

    model: Any
    args: tuple[Any, ...] | None = None
    kwargs: dict[str, Any] | None = None
    restore: Callable[[], None] = _nothing


class Site(NamedTuple):
    """Where an op occurs: in which call of which module, and which call of its own module.

    Kept as ``node.meta["site"]`` on the nodes of a captured ``fx.Graph``.

    Attributes:
        scope: FQN of the module in whose forward the op occurs ("" for the root).
        scope_call: Which call of ``scope`` that was, from 0; None if not known.
        fqn: FQN of the module called, or of the tensor read by a ``get_attr``; else "".
        call: Which call of module ``fqn`` this is, from 0; None if not known or none.
    """

    scope: str
    scope_call: int | None
    fqn: str = ""
    call: int | None = None


class Spec(NamedTuple):
    """Shape and dtype of a tensor, as a leaf of ``node.meta["value"]``."""

    shape: tuple[int | str, ...]
    dtype: str


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A captured program: a graph, and what is known of the model around it.

    On an ``fx.Graph``, each node may carry in its ``meta``:

    - ``site``: a `Site`;
    - ``value``: what the node returned, a tree of tuples, lists and dicts with a `Spec` in
      place of each tensor; absent where the value is not known;
    - ``source``: ``(file, line)`` of the call in the user's code;
    - ``flops``: operations counted by the route itself, where it knows better than the formula.

    Attributes:
        graph: The ``fx.Graph`` or ``onnx.ModelProto``.
        route: Name of the route that captured it.
        name: Name of the network.
        modules: Every module by FQN, parents first.
        parameters: Every parameter and buffer by FQN.
        calls: As `visuai.ir.IR.calls`.
        notes: What was assumed or worked around, one sentence each, for the report.
        versions: Versions of what made it, for `visuai.ir.IR.origin`.
    """

    graph: fx.Graph | onnx.ModelProto
    route: str
    name: str
    modules: dict[str, Module] = field(default_factory=dict[str, "Module"])
    parameters: dict[str, Parameter] = field(default_factory=dict[str, "Parameter"])
    calls: dict[str, list[tuple[str, int]]] = field(
        default_factory=dict[str, list[tuple[str, int]]]
    )
    notes: list[str] = field(default_factory=list[str])
    versions: dict[str, str] = field(default_factory=dict[str, str])
