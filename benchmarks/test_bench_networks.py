"""Times `visuai.build` and what stands beside it on the networks of the classic table."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

import visuai
from benchmarks.peers import installed
from visuai.metrics import NETWORKS, tensorboard_export

X = torch.zeros(1, 3, 32, 32)


@pytest.fixture(scope="module", params=list(NETWORKS))
def network(request: pytest.FixtureRequest) -> torch.nn.Module:
    return NETWORKS[request.param]().eval()


@pytest.fixture(autouse=True)
def one_network_at_a_time(benchmark: Any, network: torch.nn.Module) -> None:
    benchmark.group = type(network).__name__


def test_visuai(benchmark: Any, network: torch.nn.Module) -> None:
    topology = benchmark(visuai.build, network, X)
    assert topology.num_parameters == sum(each.numel() for each in network.parameters())
    assert sum(data["flops"] or 0 for data in topology.graph.nodes.values()) > 0
    assert all(shape is not None for *_, shape in topology.graph.edges(data="shape"))


def test_meta_forward(benchmark: Any, network: torch.nn.Module) -> None:
    on_meta = copy.deepcopy(network).to("meta")
    with torch.no_grad():
        assert benchmark(on_meta, X.to("meta")).shape == (1, 10)


def test_tensorboard(benchmark: Any, network: torch.nn.Module) -> None:
    pytest.importorskip("tensorboard")
    assert benchmark(tensorboard_export, network, X)["node"]


@pytest.mark.parametrize("peer", list(installed()))
def test_peer(benchmark: Any, network: torch.nn.Module, peer: str) -> None:
    with torch.no_grad():
        assert benchmark(installed()[peer], network, X)
