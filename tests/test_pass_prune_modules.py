"""Pass prune-modules: which containers say nothing."""

from __future__ import annotations

import pytest
from strategies import edge, module, network, node, parameter

from visuai.errors import PassError
from visuai.ir import IR, Module, Node
from visuai.passes.prune_modules import prune_modules


def leaf(fqn: str, scope: str = "", call: int = 0, fqn_call: int = 0) -> Node:
    return node("Linear", kind="call_module", fqn=fqn, scope=scope, call=call, fqn_call=fqn_call)


def scopes(ir: IR) -> dict[str, tuple[str, int | None]]:
    return {key: (each["scope"], each["scope_call"]) for key, each in ir.nodes.items()}


def test_a_container_with_one_child_is_folded_and_the_child_keeps_its_name() -> None:
    ir = network(
        {
            "a": leaf("layer.0.lin", "layer.0"),
            "b": node("relu", scope="layer.0"),
            "c": leaf("head"),
        },
        [edge("a", "b"), edge("b", "c")],
        [
            module("layer"),
            module("layer.0", "layer"),
            module("layer.0.lin", "layer.0", leaf=True),
            module("head", leaf=True),
        ],
        {"layer": [("", 0)], "layer.0": [("layer", 0)]},
    )
    after = prune_modules(ir)
    assert list(after.modules) == ["", "layer.0", "layer.0.lin", "head"]
    assert after.modules["layer.0"]["parent"] == ""
    assert after.calls == {"layer.0": [("", 0)]}
    assert scopes(after) == scopes(ir)


@pytest.mark.parametrize("container", ["Sequential", "ModuleList"])
def test_a_plain_container_that_holds_all_of_a_module_is_folded_into_it(container: str) -> None:
    kind = f"torch.nn.modules.container.{container}"
    called = {"block": [("", 0)]} | ({"block.body": [("block", 0)]} if container[0] == "S" else {})
    scope = "block.body" if container[0] == "S" else "block"
    ir = network(
        {"a": leaf("block.body.0", scope), "b": leaf("block.body.1", scope), "c": leaf("head")},
        [edge("a", "b"), edge("b", "c")],
        [
            module("block", type="mine.Block"),
            module("block.body", "block", type=kind),
            *[module(f"block.body.{at}", "block.body", leaf=True) for at in range(2)],
            module("head", leaf=True),
        ],
        called,
    )
    after = prune_modules(ir)
    assert list(after.modules) == ["", "block", "block.body.0", "block.body.1", "head"]
    assert after.modules["block"]["type"] == "mine.Block"
    assert after.modules["block.body.0"]["parent"] == "block"
    assert scopes(after)["a"] == ("block", 0)
    assert prune_modules(after) == after


def test_an_empty_module_in_a_plain_container_is_dropped() -> None:
    gone = module("gone")
    ir = network({"a": leaf("lin")}, [], [module("lin", leaf=True), gone], {"gone": [("", 0)]})
    ir.modules[""]["type"] = "torch.nn.modules.container.Sequential"
    assert list(prune_modules(ir).modules) == ["", "lin"]


def test_one_node_or_one_leaf_called_often_is_one_child() -> None:
    ir = network(
        {
            "a": node("relu", scope="act"),
            "b": leaf("tie.lin", "tie"),
            "c": leaf("tie.lin", "tie", 0, 1),
            "d": leaf("tie.lin", "tie", 1, 2),
        },
        [edge("a", "b"), edge("b", "c"), edge("c", "d")],
        [module("act"), module("tie"), module("tie.lin", "tie", leaf=True)],
        {"act": [("", 0)], "tie": [("", 0), ("", 0)]},
    )
    after = prune_modules(ir)
    assert list(after.modules) == ["", "tie.lin"]
    assert set(scopes(after).values()) == {("", 0)}


def test_the_call_of_a_folded_scope_is_its_callers() -> None:
    """block is called twice; its wrapper says nothing; the inner stays, with the call index."""
    ir = network(
        {
            f"{op}{call}": node(op, scope="block.wrap.inner", call=call)
            for call in range(2)
            for op in ("relu", "add")
        }
        | {f"neg{call}": node("neg", scope="block", call=call) for call in range(2)},
        [],
        [module("block"), module("block.wrap", "block"), module("block.wrap.inner", "block.wrap")],
        {
            "block": [("", 0), ("", 0)],
            "block.wrap": [("block", 0), ("block", 1)],
            "block.wrap.inner": [("block.wrap", 0), ("block.wrap", 1)],
        },
    )
    after = prune_modules(ir)
    assert list(after.modules) == ["", "block", "block.wrap.inner"]
    assert after.calls["block.wrap.inner"] == [("block", 0), ("block", 1)]


def test_what_is_never_called_goes_but_its_parameters_stay() -> None:
    ir = network(
        {"a": leaf("used"), "b": node("relu")},
        [edge("a", "b")],
        [
            module("used", leaf=True),
            module("unused", leaf=True),
            module("spare"),
            module("spare.lin", "spare", leaf=True),
            module("through"),
        ],
        {"through": [("", 0)]},
        {"unused.weight": parameter(), "spare.lin.weight": parameter()},
    )
    after = prune_modules(ir)
    assert list(after.modules) == ["", "used"]
    assert after.calls == {}
    assert after.parameters == ir.parameters


def test_root_and_leaves_are_never_folded() -> None:
    ir = network({"a": leaf("only")}, [], [module("only", leaf=True)])
    assert prune_modules(ir) == ir
    inside = network(
        {"a": node("linear", scope="only", call=None)}, [], [module("only", leaf=True)]
    )
    assert prune_modules(inside) == inside


def test_folding_may_leave_the_parent_with_one_child() -> None:
    """outer has act and wrap; wrap has act only: both are the same child in the end."""
    ir = network(
        {"a": leaf("act", "outer"), "b": leaf("act", "outer.wrap", 0, 1), "c": node("add")},
        [edge("a", "b"), edge("b", "c")],
        [module("act", leaf=True), module("outer"), module("outer.wrap", "outer")],
        {"outer": [("", 0)], "outer.wrap": [("outer", 0)]},
    )
    assert list(prune_modules(ir).modules) == ["", "act"]


def test_a_list_that_is_never_called_is_a_container_like_others() -> None:
    ir = network(
        {f"n{index}": leaf(f"many.{index}") for index in range(2)} | {"m": leaf("one.0")},
        [],
        [
            module("many", type="torch.nn.ModuleList"),
            *[module(f"many.{index}", "many", leaf=True) for index in range(2)],
            module("one", type="torch.nn.ModuleList"),
            module("one.0", "one", leaf=True),
        ],
    )
    after = prune_modules(ir)
    assert list(after.modules) == ["", "many", "many.0", "many.1", "one.0"]
    assert after.modules["one.0"]["parent"] == ""


def test_a_nest_of_20_000_folds_without_recursion() -> None:
    modules: list[Module] = []
    calls: dict[str, list[tuple[str, int]]] = {}
    parent = ""
    for index in range(20_000):
        modules.append(module(f"m{index}", parent))
        calls[f"m{index}"] = [(parent, 0)]
        parent = f"m{index}"
    ir = network({"a": node("relu", scope=parent), "b": node("relu")}, [], modules, calls)
    after = prune_modules(ir)
    assert list(after.modules) == [""]
    assert scopes(after)["a"] == ("", 0)


def test_calls_in_a_circle_do_not_hang() -> None:
    """No model makes such calls, but a damaged document may hold them."""
    ir = network(
        {"a": node("relu", scope="p"), "b": node("relu")},
        [],
        [module("p"), module("q")],
        {"p": [("q", 0)], "q": [("p", 0)]},
    )
    assert list(prune_modules(ir).modules) == [""]


def test_a_child_before_its_parent_is_refused() -> None:
    ir = network({"a": node("relu", scope="p.c")}, [], [module("p"), module("p.c", "p")])
    ir.modules = {key: ir.modules[key] for key in ("", "p.c", "p")}
    with pytest.raises(PassError, match=r"'p\.c' comes before its parent 'p'"):
        prune_modules(ir)
