"""The routes ``export`` and ``script``: programs that torch itself wrote down."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any

import pytest
import torch
from patterns import PATTERNS
from torch import nn

import visuai
from visuai.capture import export, script
from visuai.capture.snapshot import unchanged
from visuai.program import Program, Site, Source, Spec


def structure(topology: visuai.Topology) -> tuple[set[tuple[str, str]], Counter[Any]]:
    """Gives nodes with their ops, and edges with what they carry."""
    nodes = {(key, data["op"]) for key, data in topology.graph.nodes(data=True)}
    edges = Counter(
        (source, target, str(data.get("shape")), data.get("dtype"))
        for source, target, data in topology.graph.edges(data=True)
    )
    return nodes, edges


SAME = [
    "called_three_times",
    "called_with_different_shapes",
    "called_back_to_back",
    "one_instance_two_names",
    "tied_weights",
    "keywords_none_strings",
    "keyword_only_tensor",
    "dict_as_single_argument",
    "model_output",
    "time_loop",
    "in_place_module",
    "augmented_assignment",
    "slice_assignment",
    "writing_into_a_view",
    "functional_with_module_weight",
    "bare_parameter",
    "input_returned",
    "same_tensor_twice",
    "tensor_times_itself",
    "unused_input_and_module",
    "tensors_from_numpy",
    "checkpointed",
    "custom_autograd_function",
    "parametrised_weight",
    "no_grad_and_detach",
    "scaled_dot_product",
    "complex_and_fft",
    "vmapped",
    "on_meta",
    "einsum_and_einops",
    "activation_shared_by_all",
    "module_list_slices",
    "reused_container",
    "size_arithmetic",
    "lstm_states",
    "buffer_updated",
    "dropout_in_training",
    "batch_norm_of_one",
]


@pytest.mark.parametrize("name", SAME)
def test_export_gives_what_the_eager_route_gives(name: str) -> None:
    model, args, *kwargs = PATTERNS[name]()
    eager = visuai.build(model, args, *kwargs, capture="eager")
    exported = visuai.build(model, args, *kwargs, capture="export")
    assert exported.report.route == "export"
    assert structure(exported) == structure(eager)


class Net(nn.Module):
    """Stateful, with a module called twice, nested inputs and a constant."""

    def __init__(self) -> None:
        super().__init__()
        self.lin = nn.Linear(4, 4)
        self.bn = nn.BatchNorm1d(4)
        self.drop = nn.Dropout()
        self.scale = torch.full((4,), 2.0)

    def forward(self, x: Any, extra: Any, mode: str = "plain") -> Any:
        x = self.drop(self.bn(self.lin(self.lin(x))))
        return {"out": x * self.scale + extra["pair"][1], "mode": mode}


def net() -> tuple[Net, tuple[Any, ...]]:
    x = torch.ones(2, 4)
    return Net(), (x, {"pair": (x, x)})


def nodes(program: Program) -> list[Any]:
    return list(program.graph.nodes)  # type: ignore[union-attr]


def test_nothing_of_the_model_changes() -> None:
    model, args = net()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    attributes = {name: dict(module.__dict__) for name, module in model.named_modules()}
    state = torch.random.get_rng_state()
    visuai.build(model, args, capture="export")
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(dict(module.__dict__) == attributes[name] for name, module in model.named_modules())
    assert torch.equal(state, torch.random.get_rng_state())


def test_parameters_arguments_and_sites() -> None:
    model, args = net()
    program = export.capture(Source(model, args))
    by_op = {
        kind: [node for node in nodes(program) if node.op == kind]
        for kind in ("placeholder", "get_attr", "call_function", "output")
    }
    assert [node.target for node in by_op["placeholder"]] == ["x", "extra"]
    weights = [node for node in by_op["get_attr"] if node.target == "lin.weight"]
    assert [node.meta["site"] for node in weights] == [
        Site("lin", 0, "lin.weight"),
        Site("lin", 1, "lin.weight"),
    ]
    assert program.parameters["scale"]["kind"] == "constant"
    assert program.calls["lin"] == [("", 0), ("", 0)]
    linear = next(node for node in by_op["call_function"] if node.name == "linear")
    assert linear.meta["value"] == Spec((2, 4), "float32")
    assert linear.meta["source"][0] == __file__


def test_two_arguments_that_are_one_tensor_stay_two() -> None:
    class Sum(nn.Module):
        def forward(self, a: Any, b: Any) -> Any:
            return a - b.neg()

    x = torch.ones(3)
    topology = visuai.build(Sum(), (x, x), capture="export")
    assert set(topology.graph.edges()) == {
        ("a", "sub"),
        ("b", "neg"),
        ("neg", "sub"),
        ("sub", "output"),
    }


def test_exported_program_is_read_and_not_changed() -> None:
    model, args = net()
    exported = torch.export.export(model, args)
    before = str(exported.graph)
    own = structure(visuai.build(exported))
    assert str(exported.graph) == before
    assert own[0] == structure(visuai.build(model, args, capture="eager"))[0]
    functional = structure(visuai.build(exported.run_decompositions({})))
    assert {node for node, _ in functional[0]} >= {"lin", "lin@1", "bn", "x", "extra", "output"}


def test_a_dynamic_size_has_a_name() -> None:
    exported = torch.export.export(
        nn.Linear(4, 2), (torch.ones(3, 4),), dynamic_shapes=({0: torch.export.Dim("batch")},)
    )
    program = export.from_exported_program(exported)
    first, *_, last = (node.meta["value"] for node in nodes(program) if "value" in node.meta)
    assert isinstance(first.shape[0], str)
    assert (first.shape[0], 2) == last.shape


def test_branches_of_control_flow_stay_in_one_node() -> None:
    class Branch(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Linear(4, 4)

        def forward(self, x: Any) -> Any:
            return torch.cond(x.sum() > 0, lambda y: y + 1, lambda y: self.a(y), (x,))

    topology = visuai.build(Branch(), torch.ones(2, 4), capture="export")
    (cond,) = [key for key, data in topology.graph.nodes(data=True) if data["op"] == "cond"]
    assert {"a.weight", "a.bias"} <= set(topology.graph.nodes[cond]["parameters"])


def test_no_inputs_given_are_inferred_and_told() -> None:
    topology = visuai.build(nn.Sequential(nn.Linear(4, 2), nn.ReLU()), capture="export")
    assert "assumed 2x4" in " ".join(topology.report.notes)


def test_deep_nesting_is_no_recursion() -> None:
    model: nn.Module = nn.Linear(2, 2)
    for _ in range(60):
        model = nn.Sequential(model)
    exported = torch.export.export(model, (torch.ones(1, 2),))
    program = export.from_exported_program(exported)
    assert len(program.calls) == 60


def scripted(model: nn.Module) -> torch.jit.ScriptModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(model)


def traced(model: nn.Module, x: torch.Tensor) -> torch.jit.ScriptModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.trace(model, x)


class Scriptable(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lin = nn.Linear(4, 4)
        self.seq = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU())

    def forward(self, x: torch.Tensor, times: int = 2) -> torch.Tensor:
        for _ in range(times):
            x = self.lin(x)
        if x.dim() == 2:
            x = self.seq(x)
        a, b = x.chunk(2, -1)
        return torch.cat([a, b.neg()], -1)


@pytest.mark.parametrize("compiled", [scripted, lambda m: traced(m, torch.ones(2, 4))])
def test_script_gives_what_the_eager_route_gives(compiled: Any) -> None:
    model, x = Scriptable().eval(), torch.ones(2, 4)
    eager = structure(visuai.build(model, x, capture="eager"))
    script_module = compiled(model)
    with unchanged(model):
        assert structure(visuai.build(script_module, x)) == eager


def test_script_without_inputs_says_that_shapes_are_not_known() -> None:
    program = script.capture(Source(scripted(Scriptable())))
    assert "shapes" in program.notes[0]
    assert program.calls["lin"] == [("", 0), ("", 0)]


def test_script_branch_on_data_reads_what_its_blocks_read() -> None:
    class Branch(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Linear(4, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if bool(x.sum() > 0):
                x = self.a(x)
            return x

    topology = visuai.build(scripted(Branch()), torch.ones(2, 4))
    (branch,) = [key for key, data in topology.graph.nodes(data=True) if data["op"] == "if"]
    assert set(topology.graph.nodes[branch]["parameters"]) == {"a.weight", "a.bias"}
    assert ("x", branch) in topology.graph.edges()
