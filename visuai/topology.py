"""The topology: a network as a networkx graph and a tree of modules. What users hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import prod
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

import networkx as nx

from visuai.errors import VisuaiError
from visuai.ir import Parameter, TensorSpec
from visuai.report import Report

if TYPE_CHECKING:
    from visuai.analysis.summary import Summary
    from visuai.serve.server import Background
    from visuai.widget import TopologyWidget


@dataclass(slots=True)
class Flow:
    """Edges lifted to one level: what flows between two children of the same scope.

    Attributes:
        source: Id of a child scope or node.
        target: Id of a child scope or node.
        values: Number of distinct values.
        spec: Shape and dtype of the first of them.
    """

    source: str
    target: str
    values: int
    spec: TensorSpec | None


@dataclass(slots=True)
class Scope:
    """One call of a module as a box in the hierarchy; the root's id is "".

    Attributes:
        id: Call-site (``layer1.0``, ``block@1``).
        fqn: The module called, as in ``named_modules``.
        type: Qualified class name, "" if unknown.
        call: Which call of the module this is, from 0; None if not known.
        parent: Id of the enclosing scope, None for the root.
        children: Ids of the nodes and scopes directly inside, in execution order.
        flows: Edges lifted to the children.
        repeat: Number of identical blocks in the run that this scope starts; 1 for a scope
            that is not repeated, 0 for one that repeats a sibling before it.
        config: The module's ``extra_repr``.
    """

    id: str
    fqn: str
    type: str
    call: int | None
    parent: str | None
    children: list[str] = field(default_factory=list[str])
    flows: list[Flow] = field(default_factory=list[Flow])
    repeat: int = 1
    config: str = ""


@dataclass(eq=False, repr=False)
class Topology:
    """A network as a graph of ops in a tree of modules.

    Attributes:
        name: Name of the network.
        graph: One node per op occurrence. Node ids are call-sites. Node attributes: those of
            `visuai.ir.Node` (``op_kind``, ``op``, ``target``, ``fqn``, ``call``, ``scope``,
            ``category``, ``parameters``, ``outputs``, ``attributes``, ``source``, ``flops``),
            and ``shared_with``: ids of the nodes that read the same parameter or are calls
            of the same module, this one included, empty if there is no other. Edge
            attributes: ``source_output``, ``target_input``, ``shape``, ``dtype`` and, if
            anything was pruned there, ``pruned``.
        scopes: Module calls by id, parents before children, the root "" first.
        modules: Alias of ``scopes``.
        parameters: Parameters, buffers and constants by FQN.
        inputs: Ids of the input nodes.
        outputs: Ids of the output nodes.
        origin: Where it comes from: route and versions.
        report: How it came about.
    """

    name: str
    graph: nx.MultiDiGraph[str]
    scopes: dict[str, Scope]
    parameters: dict[str, Parameter] = field(default_factory=dict[str, Parameter])
    inputs: list[str] = field(default_factory=list[str])
    outputs: list[str] = field(default_factory=list[str])
    origin: dict[str, str] = field(default_factory=dict[str, str])
    report: Report = field(default_factory=Report)

    @property
    def modules(self) -> dict[str, Scope]:
        """The module tree: every module call as a box, by id."""
        return self.scopes

    @property
    def num_parameters(self) -> int:
        """Number of elements of all parameters, a shared tensor counted once.

        A parameter whose shape is not known in numbers counts 0.
        """
        return sum(
            prod(size for size in parameter["shape"] if isinstance(size, int))
            for parameter in self.parameters.values()
            if parameter["kind"] == "parameter"
            and parameter["alias_of"] is None
            and all(isinstance(size, int) for size in parameter["shape"])
        )

    def view(self, depth: int | None = None, expanded: Iterable[str] | None = None) -> Topology:
        """Gives the same network at a coarser level: closed scopes become single nodes.

        Args:
            depth: Levels to show: 1 shows the children of the root, 2 opens those, and so on;
                0 is the same as 1. None opens what ``expanded`` says, or everything.
            expanded: Ids of scopes to open, along with their ancestors.

        Raises:
            VisuaiError: If ``depth`` is negative or ``expanded`` names a scope that is not
                there.

        Examples:
            >>> import torch, visuai
            >>> inner = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU())
            >>> model = torch.nn.Sequential(inner, torch.nn.Linear(8, 2))
            >>> topology = visuai.build(model, torch.zeros(1, 4))
            >>> list(topology.view(depth=1).graph)
            ['input', '0', '1', 'output']
            >>> list(topology.view(expanded={"0"}).graph)
            ['input', '0.0', '0.1', '1', 'output']
        """
        from visuai.view import view

        return view(self, depth, expanded)

    def subgraph(self, scope: str) -> Topology:
        """Gives one scope as a topology of its own.

        Values that enter it come from placeholders, values that leave it end in one output
        node. Ids inside stay what they are; ``""`` is the whole network.

        Args:
            scope: Id of a scope, a key of `scopes`: ``layer1.0``, ``block@1``.

        Raises:
            VisuaiError: If there is no such scope.
        """
        from visuai.subgraph import subgraph

        return subgraph(self, scope)

    def render(self, name: str, **options: Any) -> str | bytes:
        """Draws the network.

        Args:
            name: A renderer: ``html``, ``pyvis``, ``threejs``, ``svg``, ``dot``, ``mermaid``,
                ``text``, ``model-explorer``, or one that a plug-in adds.
            options: Those of the renderer.

        Returns:
            The drawing: text, or bytes for a binary format.

        Raises:
            PluginError: If there is no such renderer.
            RenderError: If it cannot draw this topology or does not know an option.
        """
        from visuai import plugins

        renderer: Callable[..., str | bytes] = plugins.load(plugins.RENDERERS, name)
        return renderer(self, **options)

    def summary(self, depth: int | None = None, *, fold: bool = True) -> Summary:
        """Gives a table of the modules: class, output shape, parameters, FLOPs, calls.

        It prints itself, with ``print`` as plain text and in colour on a rich console.

        Args:
            depth: Levels of modules to list, None for all.
            fold: Whether a run of identical blocks is one row with its count.

        Raises:
            VisuaiError: If ``depth`` is negative.
        """
        from visuai.analysis.summary import Summary

        return Summary(self, depth=depth, fold=fold)

    def to_dict(self) -> dict[str, Any]:
        """Gives the topology as one JSON-able dictionary, in the compact form of the files."""
        from visuai import archive

        return archive.to_dict(self)

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Topology:
        """Reads what `to_dict` wrote, and checks it.

        Raises:
            FormatError: If it is of another version, or does not hold together.
        """
        from visuai import archive

        return archive.from_dict(document)

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the topology to a file as compressed JSON; the same bytes each time.

        Args:
            path: Where to; by custom it ends in ``.json.gz``. A path that ends in ``.json``
                gives plain JSON.

        Raises:
            OSError: If the file cannot be written.
        """
        from visuai import archive

        archive.save(self, path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Topology:
        """Reads what `save` wrote, compressed or plain, and checks it.

        Raises:
            FormatError: If it is no saved topology, is damaged, or is of another version.
            OSError: If the file cannot be read.
        """
        from visuai import archive

        return archive.load(path)

    def __repr__(self) -> str:
        return (
            f"Topology({self.name[:80]!r}, {self.graph.number_of_nodes()} nodes, "
            f"{self.graph.number_of_edges()} edges, {len(self.scopes)} modules, "
            f"{self.num_parameters:,} parameters)"
        )

    def show(
        self,
        other: Topology | None = None,
        *,
        port: int | None = None,
        block: bool | None = None,
    ) -> Background | None:
        """Opens the network in the viewer: in the browser, or in the notebook.

        In a notebook with anywidget the viewer appears in the cell. Elsewhere a server on this
        machine, reached from nowhere else, shows it in the browser. It ends with the process,
        so a script waits here until Ctrl-C.

        Args:
            other: A network to compare it with.
            port: Where the server listens; a free port is taken if it is taken. None is 8765.
            block: Whether to wait until Ctrl-C; None waits in a script, and does not where
                Python goes on: at a prompt or in a notebook.

        Returns:
            The server, with its ``url`` and ``stop()``; None for a notebook's widget.

        Raises:
            VisuaiError: If the viewer is not built, ``other`` is no topology, or no port can be
                listened on.
        """
        from visuai.serve.show import show

        _check_other(other)
        return show(self, other, port=port, block=block)

    def widget(
        self,
        other: Topology | None = None,
        *,
        height: int = 600,
        theme: Literal["auto", "light", "dark"] = "auto",
    ) -> TopologyWidget:
        """Gives the viewer as a widget for a notebook; it needs ``visuai[notebook]``.

        Args:
            other: A network to compare it with.
            height: Height in pixels, 100 to 10,000.
            theme: ``auto`` goes by what the reader's system prefers.

        Raises:
            VisuaiError: If anywidget is not installed, the viewer is not built, or ``other`` is no
                topology.
        """
        from visuai.widget import TopologyWidget

        _check_other(other)
        return TopologyWidget(self, other, height=height, theme=theme)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """What a notebook shows."""
        from visuai.render.notebook import mimebundle

        return mimebundle(self)

    def _display_(self) -> Any:
        """What marimo shows."""
        from visuai.render.notebook import displayed

        return displayed(self)


def _check_other(other: Any) -> None:
    if other is not None and not isinstance(other, Topology):
        raise VisuaiError(
            f"Got a {type(other).__name__} to compare with; expected a topology: "
            "visuai.build(model, args)."
        )
