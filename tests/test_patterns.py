"""Every awkward pattern is captured, truly, and leaves no trace; routes agree."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch
from patterns import PATTERNS, X
from torch import nn

import visuai
from visuai.capture.inputs import owner
from visuai.errors import CaptureError, InputError, ModelError
from visuai.ir import IR
from visuai.topology import Topology
from visuai.verify import verify

# Not run for real, or not as given: verified by what they are wrappers of.
_NOT_VERIFIED = {
    "on_meta": "has no data",
    "lazy_modules": "has no parameters before its first run",
    "scripted": "hooks of a scripted module are compiled",
    "compiled": "would compile",
    "exported": "is no module",
    "graph_module": "is another module than the one that is called",
    "method_other_than_forward": "is no module",
    "plain_function": "is no module",
    "batch_norm_of_one": "raises when it is run",
}


def made(name: str) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    torch.manual_seed(0)
    model, args, *rest = PATTERNS[name]()
    return model, args, rest[0] if rest else {}


def built(name: str, **options: Any) -> tuple[Topology, IR]:
    model, args, kwargs = made(name)
    kept: dict[str, Any] = {}
    topology = visuai.build(
        model, args, kwargs, after=lambda step, value: kept.update({step.name: value}), **options
    )
    return topology, kept["to-dict"]


def state_of(model: Any, args: Any) -> dict[str, Any]:
    """Everything about a model and the generators that a build might change."""
    state: dict[str, Any] = {
        "rng": torch.get_rng_state().clone(),
        "python": random.getstate(),
        "numpy": np.random.get_state()[1].copy(),
        "call": nn.Module.__call__,
        "inputs": copy.deepcopy(args),
        "grad": torch.is_grad_enabled(),
    }
    root = model if isinstance(model, nn.Module) else owner(model)
    for name, module in [] if root is None else root.named_modules():
        state[name, "class"] = type(module)
        state[name, "dict"] = {
            key: copy.copy(value) if isinstance(value, (dict, list)) else value
            for key, value in object.__getattribute__(module, "__dict__").items()
        }
        for key, tensor in (*module._parameters.items(), *module._buffers.items()):
            if tensor is not None and not torch.nn.parameter.is_lazy(tensor):
                state[name, key] = (id(tensor), tensor._version, tensor.grad)
                if not tensor.is_meta:
                    state[name, key, "value"] = tensor.detach().clone()
                state[name, key, "dict"] = dict(tensor.__dict__)
    return state


def same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        if a is b:
            return True
        if a.layout is not torch.strided:
            a, b = a.to_dense(), b.to_dense()
        return a.is_meta or (torch.equal(a, b) and a.dtype == b.dtype)
    if isinstance(a, np.ndarray):
        return bool((a == b).all())
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if hasattr(a, "__dict__") and type(a) is type(b) and not isinstance(a, (type, nn.Module)):
        return a is b or same(a.__dict__, b.__dict__)
    return a is b or a == b


def assert_unchanged(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert list(before) == list(after)
    assert [key for key in before if not same(before[key], after[key])] == []


def facts(topology: Topology) -> dict[str, Any]:
    """What two routes have to agree on."""
    return {
        "nodes": list(topology.graph),
        "edges": sorted(
            (source, data["source_output"], target, data["target_input"], str(data["shape"]))
            for source, target, data in topology.graph.edges(data=True)
        ),
        "scopes": {
            key: (scope.fqn, scope.call, scope.parent, scope.children, scope.repeat)
            for key, scope in topology.scopes.items()
        },
        "details": {
            node: (data["op"], data["fqn"], data["parameters"], data["flops"])
            for node, data in topology.graph.nodes(data=True)
        },
        "ends": (topology.inputs, topology.outputs),
    }


def nodes(topology: Topology) -> dict[str, dict[str, Any]]:
    """All that is told of each node: how the user's code spells the call, and where, included."""
    return dict(topology.graph.nodes(data=True))


@pytest.mark.parametrize("name", PATTERNS)
def test_is_captured_truly(name: str) -> None:
    model, args, kwargs = made(name)
    topology, ir = built(name)
    assert topology.outputs
    assert all(data["shape"] is not None for *_, data in topology.graph.edges(data=True))
    if name not in _NOT_VERIFIED:
        assert verify(ir, model, args, kwargs) == []


@pytest.mark.parametrize("name", PATTERNS)
def test_leaves_no_trace(name: str) -> None:
    model, args, kwargs = made(name)
    before = state_of(model, (args, kwargs))
    first = visuai.build(model, args, kwargs)
    assert_unchanged(before, state_of(model, (args, kwargs)))
    second = visuai.build(model, args, kwargs)
    assert_unchanged(before, state_of(model, (args, kwargs)))
    assert facts(first) == facts(second)


@pytest.mark.parametrize("name", PATTERNS)
def test_symbolic_and_eager_agree(name: str) -> None:
    try:
        symbolic, _ = built(name, capture="symbolic")
    except CaptureError as error:
        pytest.skip(f"symbolic tracing does not take it: {error.failures}")
    eager, _ = built(name, capture="eager")
    assert facts(symbolic) == facts(eager)
    assert nodes(symbolic) == nodes(eager)


class Operators(torch.nn.Module):
    """Calls what Python has an operator for, by the operator and by the method's name."""

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> list[Any]:
        z = (1 - x) / y + 2 / x - y**2 + 2**x
        z += x
        z -= 1
        z *= y
        z /= 2
        bits = ~(x == y) & (x < y) | (x >= 1) ^ (x != y)
        whole = (x.int() << 1) >> y.int()
        rests = (x // 2, 3 // x, x % 3, 3 % x)
        named = x.add(y).sub(y).mul(y).neg().eq(y).logical_not()
        first = (abs(x), 2 + x, 2 * x, x.size(0) * y, 1 & x.int(), 1 | x.int(), 1 ^ x.int())
        rest = (torch.mul(x, y), x <= y, x > y)
        return [-z @ y.T, +z[0], bits, whole, rests, named, first, rest]


def test_operators_and_methods_are_told_apart_by_both_routes() -> None:
    inputs = (torch.ones(2, 2), torch.ones(2, 2))
    symbolic = visuai.build(Operators(), inputs, capture="symbolic")
    eager = visuai.build(Operators(), inputs, capture="eager")
    assert nodes(symbolic) == nodes(eager)
    targets = {data["target"] for data in nodes(eager).values()}
    assert {"_operator.add", "torch.Tensor.add", "_operator.truediv", "_operator.pos"} <= targets
    reflected = [data for _, data in eager.graph.nodes(data=True) if data["op"] == "sub"]
    assert reflected[0]["attributes"] == {"arg0": 1}


def test_relu_used_three_times_is_three_nodes() -> None:
    topology, _ = built("called_three_times")
    assert list(topology.graph) == ["x", "a", "relu", "b", "relu@1", "c", "relu@2", "output"]
    assert set(topology.graph.nodes["relu@1"]["shared_with"]) >= {"relu", "relu@2"}


@pytest.mark.parametrize("route", ["symbolic", "eager"])
def test_what_was_written_in_place_is_what_is_read_after(route: str) -> None:
    topology, _ = built("in_place_result_unused", capture=route)
    assert list(topology.graph.predecessors("output")) == ["relu"]
    topology, _ = built("in_place_module_result_unused", capture=route)
    assert list(topology.graph.predecessors("add")) == ["relu"]


def test_autocast_dtypes_are_those_of_the_device() -> None:
    topology, _ = built("autocast")
    assert topology.graph.nodes["lin"]["outputs"][0]["dtype"] == "bfloat16"


def test_parallel_edges_are_kept() -> None:
    topology, _ = built("tensor_times_itself")
    assert topology.graph.number_of_edges("lin", "mul") == 2


def test_reused_container_is_a_scope_per_call() -> None:
    topology, _ = built("reused_container")
    assert [key for key in topology.scopes if key] == ["block", "block@1"]
    assert topology.scopes["block@1"].children == ["block.0@1", "block.1@1"]


def test_functional_read_names_its_parameter() -> None:
    topology, _ = built("functional_with_module_weight")
    assert topology.graph.nodes["linear"]["parameters"] == ["lin.weight"]


def test_shared_tensor_counts_once() -> None:
    topology, _ = built("tied_weights")
    assert topology.num_parameters == 40
    assert topology.graph.nodes["head"]["parameters"] == ["head.weight"]
    assert topology.parameters["head.weight"]["alias_of"] == "embed.weight"


class ShapeError(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 8), nn.Linear(7, 2)

    def forward(self, x: Any) -> Any:
        hidden = self.first(x).relu()
        return self.second(hidden)  # THE LINE


def test_shape_error_gives_the_models_own_error_and_the_part_before() -> None:
    model = ShapeError()
    before = state_of(model, X)
    with pytest.raises(ModelError) as caught:
        visuai.build(model, X)
    assert_unchanged(before, state_of(model, X))
    assert isinstance(caught.value.__cause__, RuntimeError)
    lines = Path(__file__).read_text().splitlines()
    line = 1 + next(i for i, text in enumerate(lines) if text.endswith("# THE LINE"))
    first = str(caught.value).splitlines()[0]
    assert f"{__file__}:{line}" in first
    assert "shapes cannot be multiplied" in first
    assert caught.value.partial is not None
    assert {node["op"] for node in caught.value.partial.nodes.values()} >= {"Linear", "relu"}


class Wrapped(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Any) -> Any:
        return self.inner(x)


@pytest.mark.parametrize("capture", ["auto", "symbolic", "eager"])
@pytest.mark.parametrize(
    ("inner", "inputs"),
    [
        (nn.Linear(4, 4), torch.ones(2, 4, dtype=torch.long)),
        (nn.Linear(4, 4), torch.ones(2, 4, dtype=torch.double)),
        (nn.Conv2d(3, 4, 3), torch.ones(1, 3, 8, 8, dtype=torch.uint8)),
        (nn.BatchNorm1d(4), torch.ones(2, 4, dtype=torch.long)),
        (nn.LSTM(4, 4), torch.ones(3, 2, 4, dtype=torch.double)),
        (nn.TransformerEncoderLayer(4, 2, 8), torch.ones(3, 2, 4, dtype=torch.double)),
    ],
    ids=["linear long", "linear double", "conv", "norm", "lstm", "transformer"],
)
def test_a_dtype_that_torch_refuses_is_refused(
    inner: nn.Module, inputs: torch.Tensor, capture: str
) -> None:
    model = Wrapped(inner)
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it is, it is the model's own
        model(inputs)
    with pytest.raises(CaptureError if capture == "symbolic" else ModelError):
        visuai.build(model, inputs, capture=capture)


def test_norms_whose_statistics_are_wider_are_taken() -> None:
    topology = visuai.build(Wrapped(nn.LayerNorm(4)), torch.ones(2, 4, dtype=torch.half))
    assert topology.graph.nodes["inner"]["outputs"][0]["dtype"] == "float16"


class Unfinished(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 8)

    def forward(self, x: Any) -> Any:
        hidden = self.first(x)
        return self.second(hidden)  # UNFINISHED


def always_raises(x: Any) -> Any:
    raise KeyError("nothing here")  # FUNCTION


class NeedsSomething(Unfinished):
    def forward(self, x: Any = None) -> Any:
        if x is None:
            raise ValueError("give me x")  # SOMETHING
        return self.first(x)


@pytest.mark.parametrize(
    ("model", "cause", "mark"),
    [
        (Unfinished(), AttributeError, "# UNFINISHED"),
        (always_raises, KeyError, "# FUNCTION"),
        (NeedsSomething(), ValueError, "# SOMETHING"),
    ],
    ids=["missing module", "function", "needs an input"],
)
def test_without_inputs_a_model_that_always_raises_gets_its_own_error(
    model: Any, cause: type[Exception], mark: str
) -> None:
    before = state_of(model, X) if isinstance(model, nn.Module) else None
    with pytest.raises(ModelError) as caught:
        visuai.build(model)
    if before is not None:
        assert_unchanged(before, state_of(model, X))
    error = caught.value
    assert isinstance(error.__cause__, cause)
    lines = Path(__file__).read_text().splitlines()
    line = 1 + next(i for i, text in enumerate(lines) if text.endswith(mark))
    assert f"{cause.__name__} at {__file__}:{line}" in str(error).splitlines()[0]
    assert set(error.failures) == {"symbolic", "eager"}
    if mark == "# UNFINISHED":
        assert error.partial is not None
        assert "first" in error.partial.nodes


class FourAtOnce(nn.Module):
    """Fits no guess: it is not the model that is wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 8)

    def forward(self, x: Any) -> Any:
        if x.sum() > 0:
            x = -x
        one, two, three, four = x.split(1, dim=1)
        return self.first(torch.cat([one, two, three, four], dim=2)[:, 0, 0, 0, :4])


def test_a_guess_that_does_not_fit_is_not_the_models_fault() -> None:
    with pytest.raises(CaptureError, match="Pass the inputs") as caught:
        visuai.build(FourAtOnce())
    assert not isinstance(caught.value, ModelError)


def test_wrong_number_of_inputs_says_what_was_expected() -> None:
    with pytest.raises(InputError, match=r"forward\(x"):
        visuai.build(ShapeError(), (X, X))


def test_nothing_to_build_says_what_can_be() -> None:
    with pytest.raises(InputError, match=r"nn\.Module"):
        visuai.build(42)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", ["deep", "wide"])
def test_five_thousand_modules(shape: str) -> None:
    if shape == "wide":
        model: nn.Module = nn.Sequential(*(nn.ReLU() for _ in range(5000)))
    else:
        model = nn.ReLU()
        for _ in range(5000):
            model = nn.Sequential(model)
    topology = visuai.build(model, X)
    relus = [n for n, data in topology.graph.nodes(data=True) if data["op"] == "ReLU"]
    assert len(relus) == (5000 if shape == "wide" else 1)


def test_two_threads_build_at_once_while_a_third_runs_the_model() -> None:
    from concurrent.futures import ThreadPoolExecutor

    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2)).eval()
    expected = model(X)
    expected_facts = facts(visuai.build(model, X))

    def run(_: int) -> bool:
        return all(torch.equal(model(X), expected) for _ in range(50))

    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(run, index) for index in range(8)]
        builds = [
            pool.submit(visuai.build, model, X, capture=route)
            for route in ("symbolic", "eager") * 8
        ]
        assert all(each.result() for each in runs)
        assert all(facts(each.result()) == expected_facts for each in builds)


def test_what_is_written_through_a_view_nobody_reads_is_no_node() -> None:
    class Skip(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lin = torch.nn.Linear(4, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = torch.nn.Identity()(self.lin(x))
            y += x
            return y / np.sqrt(8)

    graph = visuai.build(Skip(), X).graph
    assert list(graph) == ["x", "lin", "add", "div", "output"]
    assert type(graph.nodes["div"]["attributes"]["arg1"]) is float


@pytest.mark.parametrize("route", ["eager", "export"])
def test_a_write_is_seen_where_memory_is_shared_and_only_there(route: str) -> None:
    graph = built("writing_beside_a_view", capture=route)[0].graph
    left, right = sorted(graph.predecessors("output"), key=lambda name: "mul" not in name)
    assert nx.has_path(graph, "b", left)
    assert not nx.has_path(graph, "b", right)
    graph = built("writing_behind_a_view", capture=route)[0].graph
    assert list(graph.predecessors("output")) == ["write_view"]
    assert set(graph.predecessors("write_view")) == {"t", "add"}


@pytest.mark.parametrize("route", ["symbolic", "eager", "export"])
def test_one_tensor_for_several_inputs_is_each_of_them(route: str) -> None:
    graph = built("one_tensor_for_several_inputs", capture=route)[0].graph
    assert [list(graph.successors(name)) for name in "xyz"] == [["a"], ["b"], ["add@1"]]


@pytest.mark.parametrize(
    "name",
    ["differentiated_by_its_input", "pulled_back", "jacobian", "differentiated_by_its_weights"],
)
def test_what_torch_func_differentiates_comes_of_what_it_went_through(name: str) -> None:
    graph = built(name, capture="eager")[0].graph
    (gradient,) = (node for node, op in graph.nodes(data="op") if op == "grad")
    assert nx.has_path(graph, "a", gradient)
    assert nx.has_path(graph, gradient, "output")
