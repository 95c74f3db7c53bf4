"""Other tools that trace a network, called so that nothing but their tracing is timed."""

from __future__ import annotations

import importlib.util
import warnings
from collections import defaultdict

import torch
from torch import nn

from visuai.metrics import Tool

FULL_DEPTH = 1000  # Else torchvista stops at the modules of torch.nn and of known libraries.


def torchvista_trace(model: nn.Module, *args: torch.Tensor) -> dict[str, object]:
    """Traces with torchvista, without the HTML page and the notebook around it.

    These are the steps that its ``trace_model`` does before it draws.
    """
    from torchvista.engine import process_graph
    from torchvista.graph_transforms import build_immediate_ancestor_map

    adjacency: dict[str, object] = {}
    ancestors: defaultdict[str, list[str]] = defaultdict(list)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        process_graph(
            model, args, adjacency, {}, {}, {}, defaultdict(list), {}, {}, {}, ancestors, set(), {},
            show_non_gradient_nodes=True, forced_module_tracing_depth=FULL_DEPTH,
        )  # fmt: skip
    build_immediate_ancestor_map(ancestors, adjacency)
    return adjacency


def installed() -> dict[str, Tool]:
    """Gives the peers that are installed, by name."""
    return {"torchvista": torchvista_trace} if importlib.util.find_spec("torchvista") else {}
