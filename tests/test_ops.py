"""Names of ops: what they are brought to, and that a category knows the outcome."""

from __future__ import annotations

import pytest

from visuai.ops import canonical, category
from visuai.passes.onnx_names import torch_name


@pytest.mark.parametrize(
    ("method", "op"),
    [("__rand__", "and"), ("__ror__", "or"), ("__rxor__", "xor"), ("__rmod__", "remainder")],
)
def test_reflected_operators_are_the_plain_ones(method: str, op: str) -> None:
    assert canonical(method) == op
    assert category(op) == "arithmetic"


def test_random_numbers_are_still_noise() -> None:
    assert category(canonical("rand")) == "dropout"


@pytest.mark.parametrize("rank", [None, 3, 4, 5])
@pytest.mark.parametrize("op", ["MaxPool", "AveragePool", "GlobalMaxPool", "GlobalAveragePool"])
def test_onnx_pooling_is_pooling_also_where_the_rank_is_unknown(op: str, rank: int | None) -> None:
    assert category(torch_name(op, rank, (False,), {})) == "pool"
