"""Pass split-recycled: ids, calls told by the source, and calls told by connectivity."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import HOSTILE, edge, module, network, node

from visuai.errors import PassError
from visuai.ir import IR, Edge, Module, Node
from visuai.passes.split_recycled import split_recycled

Calls = dict[str, list[tuple[str, int]]]


def leaf(fqn: str, call: int | None = 0, scope: str = "", scope_call: int | None = 0) -> Node:
    return node("Linear", kind="call_module", fqn=fqn, fqn_call=call, scope=scope, call=scope_call)


def inside(op: str, scope: str, *parameters: str, flops: int | None = None) -> Node:
    made = node(op, scope=scope, call=None, parameters=list(parameters))
    made["flops"] = flops
    return made


def line(nodes: dict[str, Node]) -> list[Edge]:
    keys = list(nodes)
    return [edge(a, b) for a, b in pairwise(keys)]


def by_scope(ir: IR) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, each in ir.nodes.items():
        found.setdefault(each["scope"], []).append(key)
    return found


def test_every_call_of_a_module_is_a_node() -> None:
    nodes = {
        "x": node("placeholder", kind="placeholder"),
        "relu_1": leaf("relu"), "lin": leaf("lin"), "relu_2": leaf("relu", 1),
        "output": node("output", kind="output", outputs=[]),
    }  # fmt: skip
    after = split_recycled(
        network(nodes, line(nodes), [module("relu", leaf=True), module("lin", leaf=True)])
    )
    assert list(after.nodes) == ["x", "relu", "lin", "relu@1", "output"]
    assert [n["call"] for n in after.nodes.values()] == [None, 0, 0, 1, None]
    assert (after.inputs, after.outputs) == (["x"], ["output"])
    assert list(after.modules) == [""]
    assert after.modules[""]["call"] == 0


def test_ops_are_counted_by_name_in_their_scope_over_all_its_calls() -> None:
    ir = network(
        {
            f"n{index}": node("add", scope=scope, call=call)
            for index, (scope, call) in enumerate([("", 0), ("b", 0), ("b", 0), ("b", 1), ("", 0)])
        },
        [],
        [module("b", type="net.Block", config="4")],
        {"b": [("", 0), ("", 0)]},
    )
    after = split_recycled(ir)
    assert list(after.nodes) == ["add", "b.add", "b.add@1", "b.add@2", "add@1"]
    assert by_scope(after) == {"": ["add", "add@1"], "b": ["b.add", "b.add@1"], "b@1": ["b.add@2"]}
    assert after.modules["b@1"] == {
        "fqn": "b", "type": "net.Block", "parent": "", "leaf": False, "call": 1, "config": "4",
    }  # fmt: skip
    assert after.calls == {}


def test_a_scope_in_a_recycled_scope_lies_in_the_call_that_called_it() -> None:
    calls: Calls = {
        "outer": [("", 0), ("", 0)],
        "outer.in": [("outer", 0), ("outer", 0), ("outer", 1)],
    }
    ir = network(
        {f"n{call}": node("relu", scope="outer.in", call=call) for call in range(3)},
        [],
        [module("outer"), module("outer.in", "outer")],
        calls,
    )
    after = split_recycled(ir)
    assert {key: each["parent"] for key, each in after.modules.items()} == {
        "": None, "outer": "", "outer.in": "outer", "outer.in@1": "outer",
        "outer@1": "", "outer.in@2": "outer@1",
    }  # fmt: skip


def test_a_module_called_from_elsewhere_lies_where_it_is_called() -> None:
    ir = network(
        {
            "a": node("relu", scope="enc.norm", call=0),
            "b": node("relu", scope="enc.norm", call=1),
            "c": node("relu", scope="dec", call=0),
        },
        [edge("a", "b"), edge("b", "c")],
        [module("enc"), module("enc.norm", "enc"), module("dec")],
        {"enc": [("", 0)], "dec": [("", 0)], "enc.norm": [("enc", 0), ("dec", 0)]},
    )
    after = split_recycled(ir)
    assert {key: each["parent"] for key, each in after.modules.items()} == {
        "": None, "enc": "", "enc.norm": "enc", "dec": "", "enc.norm@1": "dec",
    }  # fmt: skip


def test_a_list_that_is_not_called_is_a_box_unless_that_would_make_a_cycle() -> None:
    modules = [
        module(name, type="torch.nn.modules.container.ModuleList") for name in ("convs", "norms")
    ] + [module(f"{name}.{i}", name, leaf=True) for name in ("convs", "norms") for i in range(2)]
    apart = {f"{name[0]}{i}": leaf(f"{name}.{i}") for name in ("convs", "norms") for i in range(2)}
    after = split_recycled(network(apart, line(apart), modules))
    assert by_scope(after) == {"convs": ["convs.0", "convs.1"], "norms": ["norms.0", "norms.1"]}
    woven = {key: apart[key] for key in ("c0", "n0", "c1", "n1")}
    after = split_recycled(network(woven, line(woven), modules))
    assert by_scope(after) == {"": ["convs.0", "norms.0", "convs.1", "norms.1"]}


def test_names_that_are_taken_get_an_underscore() -> None:
    nodes = {
        "x": node("placeholder", kind="placeholder"),
        "lin": node("placeholder", kind="placeholder"),
        "a": node("x"),
        "b": node("add", scope="block"),
        "c": leaf("block.add", scope="block"),
        "d": node("add", scope="block"),
        "e": leaf("lin"),
    }
    ir = network(
        nodes,
        [],
        [module("block"), module("block.add", "block", leaf=True), module("lin", leaf=True)],
        {"block": [("", 0)]},
    )
    after = split_recycled(ir)
    assert list(after.nodes) == [
        "x", "lin_", "x_", "block.add_", "block.add", "block.add_@1", "lin",
    ]  # fmt: skip
    assert after.inputs == ["x", "lin_"]


@pytest.mark.parametrize("name", [*HOSTILE, "x@1", "@", "_", " ", "m@1@1"])
def test_hostile_names_stay_unique(name: str) -> None:
    nodes = {
        name: node("placeholder", kind="placeholder"),
        **{f"m{index}": leaf(name, index) for index in range(3)},
        **{f"o{index}": node(name) for index in range(3)},
        **{f"k{index}": leaf("m@1" if index else "m", index) for index in range(3)},
        **{f"s{index}": node(name, scope=name, call=index) for index in range(2)},
    }
    ir = network(nodes, [], [module(name)], {name: [("", 0), ("", 0)]})
    after = split_recycled(ir)
    assert len(after.nodes) == len(ir.nodes)
    assert not after.nodes.keys() & after.modules.keys()
    assert after.inputs[0] in after.nodes


WORDS = ["a", "b", "a_", "a__", "a.b", "a.b_", "b@1", "a@1", "a.b@1", "a@1_", ".", "@", "_"]


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(["", *WORDS])), max_size=12))
def test_names_that_are_made_of_one_another_stay_unique(ops: list[tuple[str, str]]) -> None:
    scopes = dict.fromkeys(scope for _, scope in ops if scope)
    nodes = {
        **{word: node("placeholder", kind="placeholder") for word in WORDS[:5]},
        **{f"c{number}": leaf(word) for number, word in enumerate(WORDS[4:8])},
        **{f"n{number}": node(op, scope=scope) for number, (op, scope) in enumerate(ops)},
    }
    ir = network(nodes, [], [*map(module, scopes)], {scope: [("", 0)] for scope in scopes})
    after = split_recycled(ir)
    assert len(after.nodes) == len(ir.nodes)
    assert not after.nodes.keys() & after.modules.keys()
    for name, (op, scope) in zip(list(after.nodes)[len(nodes) - len(ops) :], ops, strict=True):
        wanted = f"{scope}.{op}" if scope else op
        assert re.fullmatch(r"_*(@\d+)?_*", name.removeprefix(wanted)), (name, wanted)


def test_relu_between_linears_is_two_calls_though_the_source_does_not_say() -> None:
    """The classic: one scope for both calls would make a cycle relu -> b -> relu."""
    modules = [
        module(name, leaf=True, type=f"torch.nn.{kind}")
        for name, kind in [("a", "Linear"), ("b", "Linear"), ("c", "Linear"), ("relu", "ReLU")]
    ]
    nodes = {
        "x": node("placeholder", kind="placeholder"),
        "1": inside("linear", "a", "a.weight", flops=8),
        "2": inside("relu", "relu"),
        "3": inside("linear", "b", "b.weight"),
        "4": inside("relu", "relu"),
        "5": inside("linear", "c", "c.weight"),
    }
    after = split_recycled(network(nodes, line(nodes), modules))
    assert list(after.nodes) == ["x", "a", "relu", "b", "relu@1", "c"]
    first = after.nodes["a"]
    assert (first["op"], first["op_kind"], first["target"]) == (
        "Linear", "call_module", "torch.nn.Linear",
    )  # fmt: skip
    assert (first["category"], first["parameters"], first["flops"]) == ("linear", ["a.weight"], 8)
    assert after.nodes["b"]["flops"] is None
    assert [(e["source"], e["target"]) for e in after.edges] == [
        ("x", "a"), ("a", "relu"), ("relu", "b"), ("b", "relu@1"), ("relu@1", "c"),
    ]  # fmt: skip


def test_a_leaf_becomes_one_node_with_its_inputs_and_outputs() -> None:
    wide = {"shape": [9], "dtype": "float32"}
    gelu = module("gelu", leaf=True, type="torch.nn.GELU", config="approximate='none'")
    ir = network(
        {
            "x": node("placeholder", kind="placeholder"),
            "y": node("placeholder", kind="placeholder"),
            "erf": inside("erf", "gelu", "p"),
            "other": node("relu", call=None),
            "mul": node("mul", scope="gelu", call=None, outputs=[wide], parameters=["q", "p"]),
            "out": node("add", call=None),
        },
        [
            edge("x", "erf"), edge("x", "mul"), edge("erf", "mul", 1), edge("y", "mul", 2),
            edge("x", "other"), edge("mul", "out"), edge("mul", "out", 1), edge("other", "out", 2),
            edge("erf", "out", 3),
        ],
        [gelu],
    )  # fmt: skip
    after = split_recycled(ir)
    assert list(after.nodes) == ["x", "y", "gelu", "relu", "add"]
    made = after.nodes["gelu"]
    assert made["parameters"] == ["p", "q"]
    assert made["outputs"] == [node("erf")["outputs"][0], wide]
    assert made["attributes"] == {"config": "approximate='none'"}
    wires = {(e["source"], e["source_output"], e["target"], e["target_input"]) for e in after.edges}
    assert wires == {
        ("x", 0, "gelu", 0), ("y", 0, "gelu", 1), ("x", 0, "relu", 0),
        ("gelu", 1, "add", 0), ("gelu", 1, "add", 1), ("relu", 0, "add", 2), ("gelu", 0, "add", 3),
    }  # fmt: skip


def test_a_leaf_called_back_to_back_is_told_by_its_parameters() -> None:
    def ops(*parameters: str) -> list[Node]:
        return [inside("matmul", "lin", *parameters), inside("add", "lin", "lin.bias")]

    lin = module("lin", leaf=True, type="torch.nn.Linear")
    twice = {
        "x": node("placeholder", kind="placeholder"),
        **{f"n{index}": each for index, each in enumerate(ops("w") + ops("w") + ops("w"))},
    }
    after = split_recycled(network(twice, line(twice), [lin]))
    assert list(after.nodes) == ["x", "lin", "lin@1", "lin@2"]
    once = {f"n{index}": each for index, each in enumerate(ops("w") + ops("v"))}
    assert list(split_recycled(network(once, line(once), [lin])).nodes) == ["lin"]
    act = {f"n{index}": inside("relu", "lin") for index in range(2)}
    assert list(split_recycled(network(act, line(act), [lin])).nodes) == ["lin"]


def test_an_unconnected_scope_is_several_calls() -> None:
    ir = network(
        {
            **{f"{i}{op}": node(op, scope="block", call=None) for i in range(2) for op in "ab"},
            "join": node("cat", call=None),
        },
        [edge(f"{i}a", f"{i}b") for i in range(2)] + [edge(f"{i}b", "join", i) for i in range(2)],
        [module("block", type="net.Block")],
    )
    after = split_recycled(ir)
    assert by_scope(after) == {
        "block": ["block.a", "block.b"], "block@1": ["block.a@1", "block.b@1"], "": ["cat"],
    }  # fmt: skip


def test_a_connected_scope_that_is_left_and_entered_again_is_split() -> None:
    """A callback: what is inside reads both what was inside before and what is outside."""
    ir = network(
        {
            "a": node("relu", scope="b"),
            "out": node("neg"),
            "c": node("add", scope="b.sub"),
            "d": node("mul", scope="b"),
        },
        [edge("a", "out"), edge("a", "c"), edge("out", "c", 1), edge("c", "d")],
        [module("b"), module("b.sub", "b")],
        {"b": [("", 0)], "b.sub": [("b", 0)]},
    )
    after = split_recycled(ir)
    assert by_scope(after) == {
        "b": ["b.relu"], "": ["neg"], "b.sub": ["b.sub.add"], "b@1": ["b.mul"],
    }  # fmt: skip
    assert after.modules["b.sub"]["parent"] == "b@1"


def test_nodes_without_any_module_work() -> None:
    ir = network({"a": node("relu", call=None), "b": node("relu", call=None)}, [edge("a", "b")])
    assert list(split_recycled(ir).nodes) == ["relu", "relu@1"]


def test_a_nest_of_20_000_needs_no_recursion() -> None:
    modules: list[Module] = []
    calls: Calls = {}
    nodes: dict[str, Node] = {}
    parent = ""
    for index in range(20_000):
        name = f"m{index}"
        modules.append(module(name, parent))
        calls[name] = [(parent, 0)]
        nodes[f"n{index}"] = node("relu", scope=name)
        parent = name
    after = split_recycled(network(nodes, line(nodes), modules, calls))
    assert len(after.modules) == 20_001
    untold = {key: Node({**each, "scope_call": None}) for key, each in nodes.items()}
    assert split_recycled(network(untold, line(untold), modules)).nodes.keys() == after.nodes.keys()


def test_calls_in_a_circle_do_not_hang() -> None:
    ir = network(
        {"a": node("relu", scope="p")},
        [],
        [module("p"), module("q")],
        {"p": [("q", 0)], "q": [("p", 0)]},
    )
    assert list(split_recycled(ir).nodes) == ["p.relu"]


def test_nodes_out_of_order_are_refused() -> None:
    ir = network({"a": node("relu"), "b": node("relu")}, [edge("b", "a")])
    with pytest.raises(PassError, match="not in execution order"):
        split_recycled(ir)
