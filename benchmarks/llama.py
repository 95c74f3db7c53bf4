"""What `visuai.build` costs on a Llama too large for any machine, on the meta device.

Run in a process of its own, so that the peak of the memory is this build's:
``python -m benchmarks.llama 70B`` prints one line of JSON.
"""

from __future__ import annotations

import gc
import json
import sys
from statistics import median
from time import perf_counter
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

import visuai
from benchmarks.memory import peak_from_now, resident

SIZES: dict[str, dict[str, int]] = {
    "tiny": {
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "vocab_size": 256,
    },
    "70B": {
        "hidden_size": 8192,
        "intermediate_size": 28672,
        "num_hidden_layers": 80,
        "num_attention_heads": 64,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
    },
    "405B": {
        "hidden_size": 16384,
        "intermediate_size": 53248,
        "num_hidden_layers": 126,
        "num_attention_heads": 128,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
    },
}


def llama(size: str) -> tuple[torch.nn.Module, torch.Tensor]:
    """Makes a Llama of that size and its input, 1x128 ids, on the meta device."""
    with torch.device("meta"):
        model = LlamaForCausalLM(LlamaConfig(**SIZES[size])).eval()
        return model, torch.zeros(1, 128, dtype=torch.int64)


def measure(size: str, repeat: int = 5) -> dict[str, Any]:
    """Measures one size: build and plain forward in turn, and the first build's peak memory."""
    small, ids = llama("tiny")
    visuai.build(small, ids)  # pays for imports
    model, ids = llama(size)
    with torch.no_grad():
        model(ids)
    gc.collect()
    before = resident()
    peak = peak_from_now()
    topology = visuai.build(model, ids)
    extra = peak() - before
    seconds: dict[str, list[float]] = {"visuai": [], "meta_forward": []}
    for _ in range(repeat):
        gc.collect()
        start = perf_counter()
        topology = visuai.build(model, ids)
        seconds["visuai"].append(perf_counter() - start)
        gc.collect()
        start = perf_counter()
        with torch.no_grad():
            model(ids)
        seconds["meta_forward"].append(perf_counter() - start)
    return {
        "size": size,
        "parameters": topology.num_parameters,
        "nodes": topology.graph.number_of_nodes(),
        "visuai": median(seconds["visuai"]),
        "visuai_fastest": min(seconds["visuai"]),
        "meta_forward": median(seconds["meta_forward"]),
        "meta_forward_fastest": min(seconds["meta_forward"]),
        "ratio": median(seconds["visuai"]) / median(seconds["meta_forward"]),
        "extra_mb": extra,
        "passes": {record.name: record.seconds for record in topology.report.passes},
    }


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5)))
