"""Pass prune-nodes, rule by rule."""

from __future__ import annotations

from itertools import pairwise

import pytest
from strategies import edge, network, node, parameter

from visuai.errors import PassError
from visuai.ir import IR, Edge, Node
from visuai.passes.prune_nodes import prune_nodes
from visuai.passes.prune_rules import RULES

IN = {"x": node("placeholder", kind="placeholder")}
OUT = {"output": node("output", kind="output", outputs=[])}


def wires(ir: IR) -> list[str]:
    """Edges as text: ``source:output -> target:input (ops passed through)``."""
    return [
        f"{e['source']}:{e['source_output']} -> {e['target']}:{e['target_input']}"
        + (f" ({' '.join(e['pruned'])})" if "pruned" in e else "")
        for e in ir.edges
    ]


def chain(*middle: Node, **more: Node) -> IR:
    """x -> each of ``middle`` -> output."""
    nodes = {**IN, **{f"n{index}": each for index, each in enumerate(middle)}, **more, **OUT}
    keys = [key for key in nodes if key not in more]
    return network(nodes, [edge(a, b) for a, b in pairwise(keys)])


def test_every_rule_has_a_name_of_its_own_and_says_what_it_does() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert all(rule.what.endswith(".") for rule in RULES)


def test_identities_are_joined_through_in_order() -> None:
    ir = chain(node("contiguous"), node("clone"), node("relu"), node("to"))
    assert wires(prune_nodes(ir)) == [
        "x:0 -> n2:0 (contiguous clone)",
        "n2:0 -> output:0 (to)",
    ]


def test_a_cast_that_changes_something_stays() -> None:
    half = {"shape": [2, 4], "dtype": "float16"}
    assert "n0" in prune_nodes(chain(node("to", outputs=[half]))).nodes
    assert "n0" in prune_nodes(chain(node("to", outputs=[None]))).nodes
    assert "n0" not in prune_nodes(chain(node("to"))).nodes


@pytest.mark.parametrize("op", ["view", "reshape", "detach", "dropout", "relu"])
def test_what_says_something_stays(op: str) -> None:
    assert "n0" in prune_nodes(chain(node(op))).nodes


def test_dropout_goes_on_demand_as_rule_and_any_op_by_name() -> None:
    ir = chain(node("Dropout", kind="call_module", fqn="d"), node("relu"), node("dropout"))
    assert wires(prune_nodes(ir, drop=["dropout"])) == [
        "x:0 -> n1:0 (Dropout)",
        "n1:0 -> output:0 (dropout)",
    ]
    assert wires(prune_nodes(ir, drop=["ReLU"])) == [
        "x:0 -> n0:0", "n0:0 -> n2:0 (relu)", "n2:0 -> output:0",
    ]  # fmt: skip


def test_keep_names_ops_and_rules() -> None:
    ir = chain(node("clone"), node("Identity", kind="call_module", fqn="i"))
    assert list(prune_nodes(ir).nodes) == ["x", "output"]
    assert list(prune_nodes(ir, keep=["clone"]).nodes) == ["x", "n0", "output"]
    assert prune_nodes(ir, keep=["identity"]).nodes == ir.nodes


def test_parallel_edges_are_kept() -> None:
    ir = network(
        {**IN, "c": node("clone"), "mul": node("mul"), **OUT},
        [edge("x", "c"), edge("c", "mul"), edge("c", "mul", 1), edge("mul", "output")],
    )
    assert wires(prune_nodes(ir))[:2] == ["x:0 -> mul:0 (clone)", "x:0 -> mul:1 (clone)"]


def test_unpack_takes_the_element_at_its_offset() -> None:
    specs = [{"shape": [size], "dtype": "float32"} for size in (1, 2, 3)]
    ir = network(
        {
            **IN,
            "split": node("split", outputs=specs),
            "a": node("unpack", outputs=specs[1:2], attributes={"offset": 1}),
            "b": node("unpack", outputs=specs[1:], attributes={"offset": 1}),
            "c": node("unpack", outputs=specs[2:], attributes={"offset": 1}),
            "add": node("add"),
            **OUT,
        },
        [
            edge("x", "split"),
            *[edge("split", key, i, i) for key in "ab" for i in range(3)],
            *[edge("b", "c", i, i) for i in range(2)],
            edge("a", "add"),
            edge("c", "add", 1),
            edge("add", "output"),
        ],
    )
    assert wires(prune_nodes(ir)) == [
        "x:0 -> split:0",
        "split:1 -> add:0 (unpack)",
        "split:2 -> add:1 (unpack unpack)",
        "add:0 -> output:0",
    ]


def test_pack_hands_on_each_element() -> None:
    ir = network(
        {**IN, "r": node("relu"), "p": node("pack", outputs=[None, None]), "s": node("sub"), **OUT},
        [
            edge("x", "r"), edge("x", "p"), edge("r", "p", 1),
            edge("p", "s", 0, 1), edge("p", "s", 1, 0), edge("s", "output"),
        ],
    )  # fmt: skip
    assert wires(prune_nodes(ir)) == [
        "x:0 -> r:0", "r:0 -> s:0 (pack)", "x:0 -> s:1 (pack)", "s:0 -> output:0",
    ]  # fmt: skip


def test_a_size_asked_of_what_flows_in_anyway_adds_nothing() -> None:
    ir = network(
        {**IN, "s": node("size", outputs=[]), "r": node("relu"), "v": node("view"), **OUT},
        [edge("x", "s"), edge("x", "r"), edge("r", "v"), edge("s", "v", 1), edge("v", "output")],
    )
    assert wires(prune_nodes(ir)) == ["x:0 -> r:0", "r:0 -> v:0", "v:0 -> output:0"]


def test_a_size_asked_of_something_else_leaves_an_edge_without_spec() -> None:
    ir = network(
        {
            **IN,
            "y": node("placeholder", kind="placeholder"),
            "s": node("size", outputs=[None]),
            "n": node("floordiv", outputs=[None]),
            "v": node("view"),
            **OUT,
        },
        [edge("y", "s"), edge("s", "n", spec=None), edge("x", "v"), edge("n", "v", 1, spec=None),
         edge("v", "output")],
    )  # fmt: skip
    after = prune_nodes(ir)
    assert wires(after) == ["x:0 -> v:0", "y:0 -> v:1 (size floordiv)", "v:0 -> output:0"]
    assert after.edges[1]["spec"] is None


def test_constants_become_parameters_of_what_reads_them() -> None:
    ir = network(
        {
            **IN,
            "w": node("get_attr", kind="get_attr", fqn="lin.weight", parameters=["lin.weight"]),
            "t": node("t"),
            "mm": node("matmul", parameters=["own"]),
            "m": node("get_attr", kind="get_attr", fqn="mask", parameters=["mask"]),
            "z": node("arange"),
            "lt": node("lt"),
            "add": node("add"),
            **OUT,
        },
        [
            edge("w", "t"), edge("x", "mm"), edge("t", "mm", 1), edge("m", "lt"),
            edge("z", "lt", 1), edge("mm", "add"), edge("lt", "add", 1), edge("add", "output"),
        ],
        parameters={"lin.weight": parameter(), "mask": parameter("buffer"), "own": parameter()},
    )  # fmt: skip
    ir.nodes["t"]["category"] = "shape"
    after = prune_nodes(ir)
    assert list(after.nodes) == ["x", "mm", "add", "output"]
    assert after.nodes["mm"]["parameters"] == ["own", "lin.weight"]
    assert after.nodes["add"]["parameters"] == ["mask"]
    assert after.parameters == ir.parameters


def test_what_is_computed_of_weights_stays() -> None:
    ir = network(
        {
            "w": node("get_attr", kind="get_attr", fqn="w", parameters=["w"]),
            "n": node("norm"), "d": node("div"), **OUT,
        },
        [edge("w", "n"), edge("w", "d"), edge("n", "d", 1), edge("d", "output")],
        parameters={"w": parameter()},
    )  # fmt: skip
    after = prune_nodes(ir)
    assert list(after.nodes) == ["n", "d", "output"]
    assert [after.nodes[key]["parameters"] for key in ("n", "d")] == [["w"], ["w"]]


def test_a_constant_that_is_returned_stays() -> None:
    ir = network(
        {
            "b": node("get_attr", kind="get_attr", fqn="b", parameters=["b"]),
            "m": node("mul"), "c": node("clone"), "p": node("pack", outputs=[None]), **OUT,
        },
        [edge("b", "m"), edge("m", "c"), edge("c", "p"), edge("p", "output")],
        parameters={"b": parameter("buffer")},
    )  # fmt: skip
    after = prune_nodes(ir)
    assert list(after.nodes) == ["m", "output"]
    assert after.nodes["m"]["parameters"] == ["b"]
    assert wires(after) == ["m:0 -> output:0 (clone pack)"]


def test_randomness_and_modules_are_no_constants() -> None:
    ir = network(
        {
            "z": node("arange"),
            "e": node("Embedding", kind="call_module", fqn="e"),
            "r": node("rand"),
            "a": node("add"),
            **OUT,
        },
        [edge("z", "e"), edge("z", "r"), edge("e", "a"), edge("r", "a", 1), edge("a", "output")],
    )
    assert list(prune_nodes(ir).nodes) == ["e", "r", "a", "output"]


def test_checks_and_opaque_scalars_go_but_what_writes_stays() -> None:
    nothing = {"outputs": []}
    ir = network(
        {
            **IN,
            "a": node("_assert_async", **nothing),
            "i": node("item", **nothing),
            "w": node("setitem", **nothing),
            **OUT,
        },
        [edge("x", "a"), edge("x", "i"), edge("x", "w"), edge("x", "output")],
    )
    assert list(prune_nodes(ir).nodes) == ["x", "w", "output"]


def test_a_size_computed_of_very_many_tensors_stays() -> None:
    many = {f"y{index}": node("placeholder", kind="placeholder") for index in range(70)}
    sizes = {f"s{index}": node("size", outputs=[]) for index in range(70)}
    ir = network(
        {
            **many, **sizes, "n": node("add", outputs=[]),
            "v": node("view"), "u": node("view"), **OUT,
        },
        [
            *[edge(f"y{index}", f"s{index}") for index in range(70)],
            *[edge(f"s{index}", "n", index) for index in range(70)],
            edge("y0", "v"), edge("n", "v", 1), edge("y1", "u"), edge("n", "u", 1),
            edge("v", "output"), edge("u", "output", 1),
        ],
    )  # fmt: skip
    after = prune_nodes(ir)
    assert len(after.nodes) == 70 + 4
    assert len(after.edges) == 70 + 6
    assert prune_nodes(after) == after


def test_a_long_chain_of_trivial_nodes_needs_no_recursion() -> None:
    ops = ["clone", "pack", "contiguous", "unpack"]
    nodes = [node(ops[index % 4], attributes={"offset": 0}) for index in range(20_000)]
    after = prune_nodes(chain(*nodes))
    assert list(after.nodes) == ["x", "output"]
    assert len(after.edges[0]["pruned"]) == 20_000


def test_nodes_out_of_order_are_refused() -> None:
    ir = network({"a": node("relu"), "b": node("relu")}, [])
    ir.edges = [edge("b", "a")]
    with pytest.raises(PassError, match="'b' feeds 'a', but comes after it"):
        prune_nodes(ir)
    ir.edges = [Edge({**edge("b", "a"), "source": "nowhere"})]
    with pytest.raises(PassError, match="'nowhere', which is not there"):
        prune_nodes(ir)
