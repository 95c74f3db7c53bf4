"""Times `visuai.build` on Llama configurations of 70 and 405 billion parameters."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import visuai
from benchmarks.llama import SIZES, llama


@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize("what", ["visuai", "meta_forward"])
def test_llama(benchmark: Any, size: str, what: str) -> None:
    benchmark.group = f"Llama {size}"
    model, ids = llama(size)
    if what == "visuai":
        topology = benchmark(visuai.build, model, ids)
        assert topology.num_parameters == sum(each.numel() for each in model.parameters())
    else:
        with torch.no_grad():
            assert benchmark(model, ids).logits.shape == (1, 128, SIZES[size]["vocab_size"])
