"""ONNX: the route, models of other exporters, and what its graphs may hold."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from onnx import TensorProto, helper
from patterns import PATTERNS
from torch import nn

import visuai
from visuai.capture.onnx import from_model_proto
from visuai.errors import FormatError
from visuai.ir import IR, validate
from visuai.passes.onnx_to_dict import onnx_to_dict

SAME = [
    "called_three_times",
    "called_with_different_shapes",
    "called_back_to_back",
    "tied_weights",
    "keywords_none_strings",
    "time_loop",
    "augmented_assignment",
    "functional_with_module_weight",
    "bare_parameter",
    "tensor_times_itself",
    "checkpointed",
    "module_list_slices",
    "reused_container",
    "lstm_states",
    "buffer_updated",
]


def structure(topology: visuai.Topology) -> tuple[set[tuple[str, str]], Counter[Any]]:
    nodes = {(key, data["op"]) for key, data in topology.graph.nodes(data=True)}
    return nodes, Counter(topology.graph.edges())


@pytest.mark.parametrize("name", SAME)
def test_onnx_gives_what_the_eager_route_gives(name: str) -> None:
    model, args, *kwargs = PATTERNS[name]()
    eager = visuai.build(model, args, *kwargs, capture="eager")
    exported = visuai.build(model, args, *kwargs, capture="onnx")
    assert exported.report.route == "onnx"
    assert structure(exported) == structure(eager)


@pytest.mark.parametrize(
    ("graph", "expected"),
    [("main_graph", "ä <b>\n"), ("torch_jit", "ä <b>\n"), ("", "ä <b>\n"), ("mine", "mine")],
)
def test_a_network_whose_graph_has_any_name_is_named_by_its_file(
    tmp_path: Path, graph: str, expected: str
) -> None:
    model = model_of([helper.make_node("Relu", ["x"], ["y"])], [info("x", [2])], [info("y", [2])])
    model.graph.name = graph
    path = tmp_path / "ä <b>\n.onnx"
    onnx.save(model, path)
    assert visuai.build(path).name == expected
    assert visuai.build(str(path), capture="onnx").name == expected
    with path.open("rb") as stream:
        assert visuai.build(stream).name == expected
    assert visuai.build(model).name == (graph or "model")


def test_nothing_of_the_model_changes() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)).train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    attributes = {name: dict(module.__dict__) for name, module in model.named_modules()}
    visuai.build(model, torch.ones(3, 4), capture="onnx")
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(dict(module.__dict__) == attributes[name] for name, module in model.named_modules())
    assert model.training


def info(name: str, shape: list[int | str], kind: int = TensorProto.FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def weight(name: str, *shape: int) -> Any:
    count = 1
    for size in shape:
        count *= size
    return helper.make_tensor(name, TensorProto.FLOAT, shape, [0.5] * count)


def model_of(nodes: list[Any], inputs: list[Any], outputs: list[Any], **more: Any) -> Any:
    functions = more.pop("functions", [])
    graph = helper.make_graph(nodes, "net", inputs, outputs, **more)
    imports = [helper.make_opsetid("", 18), helper.make_opsetid("mine", 1)]
    return helper.make_model(graph, opset_imports=imports, functions=functions)


def ir_of(model: Any) -> IR:
    before = model.SerializeToString()
    ir = onnx_to_dict(from_model_proto(model))
    assert model.SerializeToString() == before
    validate(ir)
    assert IR.from_dict(ir.to_dict()) == ir
    return ir


def test_names_shapes_and_flops_of_a_foreign_model() -> None:
    """Written by no exporter of PyTorch: shapes are inferred, scopes come from names."""
    ir = ir_of(
        model_of(
            [
                helper.make_node("Conv", ["x", "w"], ["a"], "/stem/conv/Conv", pads=[1, 1, 1, 1]),
                helper.make_node("Relu", ["a"], ["b"], "/layers.0/relu/Relu"),
                helper.make_node("Relu", ["b"], ["c"], "/layers.0/relu_1/Relu"),
                helper.make_node("GlobalAveragePool", ["c"], ["d"], "/pool/GlobalAveragePool"),
                helper.make_node("Flatten", ["d"], ["e"]),
                helper.make_node("Gemm", ["e", "v", "u"], ["y"], "/head/Gemm", transB=1),
            ],
            [info("x", ["batch", 3, 8, 8])],
            [info("y", ["batch", 2])],
            initializer=[weight("w", 4, 3, 3, 3), weight("v", 2, 4), weight("u", 2)],
        )
    )
    calls = {key: node for key, node in ir.nodes.items() if node["op_kind"] == "call_function"}
    assert [(node["op"], node["scope"]) for node in calls.values()] == [
        ("conv2d", "stem.conv"),
        ("relu", "layers.0.relu"),
        ("relu", "layers.0.relu"),
        ("adaptive_avg_pool2d", "pool"),
        ("flatten", ""),
        ("linear", "head"),
    ]
    assert calls["conv2d"]["outputs"] == [{"shape": ["batch", 4, 8, 8], "dtype": "float32"}]
    assert calls["relu"]["flops"] == 0
    assert ir.parameters["w"]["bytes"] == 4 * 27 * 4
    assert list(ir.modules)[:3] == ["", "stem", "stem.conv"]
    assert (ir.inputs, ir.outputs) == (["x"], ["output"])


def test_flops_are_counted_from_shapes() -> None:
    ir = ir_of(
        model_of(
            [helper.make_node("Gemm", ["x", "v"], ["y"], transB=1)],
            [info("x", [5, 3])],
            [info("y", [5, 4])],
            initializer=[weight("v", 4, 3)],
        )
    )
    assert ir.nodes["linear"]["flops"] == 2 * 5 * 3 * 4
    ir = ir_of(
        model_of(
            [helper.make_node("Gemm", ["x", "v", "u"], ["y"])],
            [info("x", [6, 16])],
            [info("y", [6, 48])],
            initializer=[weight("v", 16, 48), weight("u", 48)],
        )
    )
    assert ir.nodes["addmm"]["flops"] == 2 * 6 * 16 * 48


def test_a_branch_reads_what_its_subgraphs_read() -> None:
    then = helper.make_graph(
        [helper.make_node("Mul", ["x", "w"], ["t"])], "t", [], [info("t", [3])]
    )
    other = helper.make_graph([helper.make_node("Neg", ["z"], ["e"])], "e", [], [info("e", [3])])
    ir = ir_of(
        model_of(
            [
                helper.make_node("Neg", ["x"], ["z"]),
                helper.make_node("If", ["c"], ["y"], then_branch=then, else_branch=other),
            ],
            [info("x", [3]), info("c", [], TensorProto.BOOL)],
            [info("y", [3])],
            initializer=[weight("w", 3)],
        )
    )
    read = {edge["source"] for edge in ir.edges if edge["target"] == "if"}
    assert read == {"c", "x", "neg", "w"}
    assert ir.nodes["if"]["flops"] is None


def test_functions_stay_one_node_and_may_call_themselves() -> None:
    inner = [helper.make_node("Loopy", ["a"], ["b"], domain="mine")]
    function = helper.make_function(
        "mine", "Loopy", ["a"], ["b"], inner, [helper.make_opsetid("mine", 1)]
    )
    ir = ir_of(
        model_of(
            [helper.make_node("Loopy", ["x"], ["y"], domain="mine")],
            [info("x", [3])],
            [helper.make_empty_tensor_value_info("y")],
            functions=[function],
        )
    )
    assert ir.nodes["Loopy"]["target"] == "mine.Loopy"


def test_sizes_are_left_out_and_kept_where_they_are_returned() -> None:
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Reshape", ["x", "s"], ["y"]),
    ]
    inner = ir_of(model_of(nodes, [info("x", [2, 3])], [info("y", [2, 3])]))
    assert set(inner.nodes) == {"x", "reshape", "output"}
    returned = [info("y", [2, 3]), info("s", [2], TensorProto.INT64)]
    outer = ir_of(model_of(nodes, [info("x", [2, 3])], returned))
    assert set(outer.nodes) == {"x", "size", "reshape", "output"}


def test_a_value_that_nothing_computes_is_told() -> None:
    damaged = model_of([helper.make_node("Relu", ["gone"], ["y"])], [], [info("y", [1])])
    with pytest.raises(FormatError, match=r"'relu' reads 'gone'.*onnx\.checker"):
        onnx_to_dict(from_model_proto(damaged))


def test_external_data_is_never_opened(tmp_path: Path) -> None:
    tensor = weight("w", 2)
    tensor.ClearField("float_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../../../etc/passwd"
    model = model_of(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        [info("x", [2])],
        [info("y", [2])],
        initializer=[tensor],
    )
    path = tmp_path / "external.onnx"
    path.write_bytes(model.SerializeToString())
    topology = visuai.build(path)
    assert topology.parameters["w"]["shape"] == [2]


def test_hostile_names_are_only_names() -> None:
    name = '<script>alert(1)</script>"\n' + "é" * 10_000
    ir = ir_of(
        model_of(
            [helper.make_node("Relu", [name], ["y"], f"/{name}/Relu")],
            [info(name, [1])],
            [info("y", [1])],
        )
    )
    assert ir.inputs == [name]


def test_scopes_of_torchs_older_exporter() -> None:
    """``/block/relu_1`` is how it wrote the second call of ``block.relu``."""
    nodes = [
        helper.make_node("Relu", ["x"], ["a"], "/block/relu/Relu"),
        helper.make_node("Neg", ["a"], ["b"], "/block/Neg"),
        helper.make_node("Relu", ["b"], ["y"], "/block/relu_1/Relu"),
    ]
    topology = visuai.build(model_of(nodes, [info("x", [1])], [info("y", [1])]))
    assert [data["scope"] for _, data in topology.graph.nodes(data=True) if data["op"] == "relu"]
    assert len([1 for _, data in topology.graph.nodes(data=True) if data["op"] == "relu"]) == 2


def test_round_trip_through_a_file(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 2)).eval()
    program = torch.onnx.export(
        model, (torch.ones(1, 3, 8, 8),), dynamo=True, verbose=False, external_data=False
    )
    path = tmp_path / "net.onnx"
    onnx.save(program.model_proto, path)
    topology = visuai.build(path)
    direct = visuai.build(model, torch.ones(1, 3, 8, 8), capture="eager")
    assert [data["op"] for _, data in topology.graph.nodes(data=True)] == [
        data["op"] for _, data in direct.graph.nodes(data=True)
    ]
    with path.open("rb") as stream:
        assert structure(visuai.build(stream)) == structure(topology)
