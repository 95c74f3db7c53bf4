"""Pipelines: chains of passes that are checked when made, also of others' passes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import Any, ClassVar

import pytest
from strategies import edge, network, node

from visuai import Pass, Pipeline, plugins
from visuai.errors import PassError, PipelineError, PluginError
from visuai.ir import IR
from visuai.passes.base import Context
from visuai.passes.build_hierarchy import BuildHierarchy
from visuai.passes.prune_nodes import PruneNodes
from visuai.passes.split_recycled import SplitRecycled
from visuai.report import Report
from visuai.topology import Topology

PLUGIN = Path(__file__).parent / "plugin_package"


@dataclass(frozen=True)
class Count(Pass[IR, IR]):
    name: ClassVar[str] = "count"
    consumes: ClassVar[type] = IR
    produces: ClassVar[type] = IR
    times: int = 1
    rate: float = 0.5
    loud: bool = False
    what: str = "all"
    ops: frozenset[str] = frozenset()

    def run(self, value: IR, context: Context) -> IR:
        context.removed["counted"] += self.times
        return value


@dataclass(frozen=True)
class Liar(Pass[IR, Topology]):
    name: ClassVar[str] = "liar"
    consumes: ClassVar[type] = IR
    produces: ClassVar[type] = Topology

    def run(self, value: IR, context: Context) -> Any:
        return value


def small() -> IR:
    return network(
        {
            "x": node("placeholder", kind="placeholder"),
            "c": node("clone"),
            "r": node("relu"),
            "output": node("output", kind="output", outputs=[]),
        },
        [edge("x", "c"), edge("c", "r"), edge("r", "output")],
    )


def names(pipeline: Pipeline) -> list[str]:
    return [step.name for step in pipeline]


def test_default_is_the_six_passes() -> None:
    assert names(Pipeline.default()) == [
        "export", "to-dict", "prune-nodes", "prune-modules", "split-recycled", "build-hierarchy",
    ]  # fmt: skip


def test_parse_reads_options_and_spaces() -> None:
    pipeline = Pipeline.parse(" prune-nodes{ keep = dropout + shape ; drop=relu } , split-recycled")
    assert list(pipeline) == [PruneNodes(("dropout", "shape"), ("relu",)), SplitRecycled()]
    assert pipeline == Pipeline.parse("prune-nodes{keep=dropout+shape;drop=relu},split-recycled")
    assert hash(pipeline) == hash(Pipeline(*pipeline))
    assert eval(repr(pipeline)) == pipeline


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "at least one pass"),
        ("prune-nodes split-recycled", "Cannot read the pipeline at 'prune-nodes split"),
        ("prune-nodes{keep=relu", "Cannot read"),
        ("prune-nodes{", "Cannot read"),
        ("prune-nodes,,split-recycled", "Cannot read the pipeline at ',split"),
        ("Prune-Nodes", "Cannot read"),
        ("prune-nodes{keeps=relu}", "no option 'keeps'; it has keep, drop"),
        ("split-recycled{keep=relu}", "no option 'keep'; it has none"),
        ("prune-nodes,prune-nodes", "Passes occur twice: prune-nodes"),
        ("build-hierarchy,prune-nodes", "'prune-nodes' consumes IR, but 'build-hierarchy'"),
        ("to-dict,export", "'export' consumes Source"),
    ],
)
def test_parse_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(PipelineError) as raised:
        Pipeline.parse(text)
    assert says in str(raised.value)


def test_unknown_pass_lists_the_known() -> None:
    with pytest.raises(PluginError, match=r"'prune'.*prune-nodes, prune-modules"):
        Pipeline.parse("prune")


def test_a_chain_that_does_not_fit_is_refused_before_it_runs() -> None:
    with pytest.raises(PipelineError, match="'split-recycled' consumes IR, but 'build-hierarchy'"):
        Pipeline(BuildHierarchy(), SplitRecycled())
    with pytest.raises(PipelineError, match="'prune-nodes' consumes IR, but 'export'"):
        Pipeline.default().without("to-dict")


def test_changes_give_new_pipelines() -> None:
    pipeline = Pipeline.parse("prune-nodes,split-recycled")
    assert names(pipeline.insert_before("prune-nodes", Count())) == [
        "count", "prune-nodes", "split-recycled",
    ]  # fmt: skip
    assert names(pipeline.insert_after("prune-nodes", Count())) == [
        "prune-nodes", "count", "split-recycled",
    ]  # fmt: skip
    assert names(pipeline.replace("prune-nodes", Count())) == ["count", "split-recycled"]
    assert names(pipeline.without("prune-nodes")) == ["split-recycled"]
    assert names(pipeline) == ["prune-nodes", "split-recycled"]
    assert len(pipeline) == 2
    with pytest.raises(PipelineError, match=r"No pass 'count'.*prune-nodes, split-recycled"):
        pipeline.without("count")
    with pytest.raises(PipelineError, match="at least one"):
        pipeline.without("prune-nodes", "split-recycled")


def test_run_reports_each_pass() -> None:
    pipeline = Pipeline(Count(times=3), PruneNodes(), SplitRecycled(), BuildHierarchy())
    context, told = Context(), list[tuple[str, int, int]]()
    context.progress = lambda *what: told.append(what)
    snapshots: dict[str, Any] = {}
    ir = small()
    pipeline.run(ir, context, lambda step, value: snapshots.update({step.name: value}))
    records = context.report.passes
    assert [(r.name, r.nodes, r.edges, r.removed) for r in records] == [
        ("count", 4, 3, {"counted": 3}),
        ("prune-nodes", 3, 2, {"clone": 1}),
        ("split-recycled", 3, 2, {}),
        ("build-hierarchy", 3, 2, {}),
    ]
    assert all(record.seconds >= 0 for record in records)
    assert snapshots["count"] is ir
    assert list(snapshots["prune-nodes"].nodes) == ["x", "r", "output"]
    assert isinstance(snapshots["build-hierarchy"], Topology)
    assert told[0] == ("count", 0, 4)
    assert told[-1] == ("done", 4, 4)
    assert Report.from_dict(context.report.to_dict()) == context.report


def test_a_pass_runs_alone() -> None:
    context = Context()
    assert list(PruneNodes().run(small(), context).nodes) == ["x", "r", "output"]
    assert context.removed == {"clone": 1}


def test_run_checks_what_goes_in_and_what_comes_out() -> None:
    with pytest.raises(PassError, match="'prune-nodes' consumes IR, got str"):
        Pipeline(PruneNodes()).run("model")
    with pytest.raises(PassError, match="'liar' promises Topology, but gave IR"):
        Pipeline(Liar()).run(small())


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Installs the plug-in package as pip would: its metadata on sys.path."""
    info = tmp_path / "visuai_shout-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: visuai-shout\nVersion: 0.1\n")
    text = (PLUGIN / "pyproject.toml").read_text(encoding="utf-8")
    lines = [
        line.replace('[project.entry-points."', "[").replace('"]', "]").replace('"', "")
        for part in text.split("[project.entry-points.")[1:]
        for line in ("[project.entry-points." + part).split("\n[tool")[0].splitlines()
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    assert {point.group for point in PathDistribution(info).entry_points} == {
        plugins.PASSES, plugins.RENDERERS,
    }  # fmt: skip
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(PLUGIN / "src"))
    plugins._table.cache_clear()
    yield
    plugins._table.cache_clear()
    sys.modules.pop("visuai_shout", None)


@pytest.mark.usefixtures("plugin")
def test_a_plugin_adds_a_pass_and_a_renderer() -> None:
    assert plugins.names(plugins.PASSES)[-1] == "shout"
    pipeline = Pipeline.parse("prune-nodes,shout{marks=2;only=relu},split-recycled,build-hierarchy")
    topology = pipeline.run(small())
    assert [op for _, op in topology.graph.nodes(data="op")] == ["placeholder", "RELU!!", "output"]
    assert list(topology.graph) == ["x", "RELU!!", "output"]
    assert topology.render("list", separator=" ") == "placeholder RELU!! output"
    with pytest.raises(PipelineError, match="Option 'marks' of pass 'shout' is a int, got 'many'"):
        Pipeline.parse("shout{marks=many}")


@pytest.mark.usefixtures("plugin")
def test_a_name_claimed_twice_names_both(tmp_path: Path) -> None:
    info = tmp_path / "visuai_other-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: visuai-other\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text("[visuai.passes]\nshout = visuai_other:Shout\n")
    plugins._table.cache_clear()
    with pytest.raises(PluginError) as raised:
        plugins.load(plugins.PASSES, "shout")
    assert "visuai_other:Shout" in str(raised.value)
    assert "visuai_shout:Shout" in str(raised.value)


@pytest.mark.usefixtures("plugin")
def test_a_broken_plugin_says_what_it_stands_for(tmp_path: Path) -> None:
    info = tmp_path / "visuai_broken-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: visuai-broken\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text("[visuai.passes]\nbroken = visuai_absent:Pass\n")
    plugins._table.cache_clear()
    with pytest.raises(PluginError, match=r"'broken'.*visuai_absent:Pass.*ModuleNotFoundError"):
        plugins.load(plugins.PASSES, "broken")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("times=3", Count(times=3)),
        ("rate=1e-3", Count(rate=1e-3)),
        ("loud", Count(loud=True)),
        ("loud=no;what=a b", Count(what="a b")),
        ("ops=add+relu", Count(ops=frozenset({"add", "relu"}))),
        ("", Count()),
    ],
)
def test_options_are_read_as_their_annotations_say(
    options: str, expected: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(plugins.BUILT_IN[plugins.PASSES], "count", f"{__name__}:Count")
    plugins._table.cache_clear()
    try:
        (step,) = Pipeline.parse(f"count{{{options}}}")
    finally:
        plugins._table.cache_clear()
    assert step == expected
