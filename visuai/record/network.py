"""The network of a recorded run: from the first batch, without taking it from training."""

from __future__ import annotations

import inspect
import sys
import warnings
from typing import Any, cast

import torch
from torch import nn

from visuai.archive import save_bytes
from visuai.builder import build
from visuai.errors import VisuaiError

_NO_FORWARD = 'is missing the required "forward"'  # As torch says it.

Inputs = tuple[tuple[Any, ...], dict[str, Any]]


def unwrap(model: nn.Module) -> nn.Module:
    """Gives the module inside wrappers that compile or distribute it.

    Args:
        model: A model, perhaps in ``torch.compile``, ``DataParallel``,
            ``DistributedDataParallel``.
    """
    while True:
        inner = getattr(model, "_orig_mod", None)
        if inner is None and type(model).__name__ in ("DistributedDataParallel", "DataParallel"):
            inner = getattr(model, "module", None)
        if not isinstance(inner, nn.Module):
            return model
        model = inner


def capture(model: nn.Module, inputs: Inputs | None) -> bytes:
    """Builds the topology and gives it as the bytes of a saved one.

    Raises:
        VisuaiError: If the network cannot be captured.
    """
    args, kwargs = inputs or (None, None)
    with warnings.catch_warnings(), torch.enable_grad():
        warnings.simplefilter("ignore")
        topology = build(model, args, kwargs)
    return save_bytes(topology)


def peek(dataloader: object, model: nn.Module) -> Inputs | None:
    """Gives the first batch of a dataloader as a model's inputs, if looking changes nothing.

    Nothing is iterated: that would draw random numbers, start workers, or use up a stream.
    Only where the data are plain tensors in memory is a batch put together from them. For all
    else the answer is None, and the inputs are those of the model's first call.

    Args:
        dataloader: What the training loop iterates over.
        model: The model that its batches are for.
    """
    batch = _first(dataloader)
    return None if batch is None else _as_inputs(batch, model)


def batches(dataloader: object) -> int | None:
    """Gives the number of batches of an epoch, None if it cannot be told."""
    if not hasattr(type(dataloader), "__len__"):
        return None
    try:
        return len(cast("Any", dataloader))
    except Exception:  # A loader over a stream raises what it likes.
        return None


def _first(dataloader: object) -> object | None:
    if type(dataloader) in (list, tuple):
        sequence = cast("list[object]", dataloader)
        return sequence[0] if sequence else None
    data = sys.modules.get("torch.utils.data")
    if data is None or type(dataloader) is not data.DataLoader:
        return None
    loader: Any = dataloader
    if not _plain(loader.dataset) or not loader.batch_size:
        return None
    if loader.collate_fn is not data.default_collate:
        return None
    size = min(loader.batch_size, len(loader.dataset))
    return data.default_collate([loader.dataset[index] for index in range(size)]) if size else None


def _plain(dataset: Any) -> bool:
    """Tells whether items of a dataset are slices of tensors, and nothing else happens."""
    data = sys.modules["torch.utils.data"]
    while type(dataset) is data.Subset:
        dataset = dataset.dataset
    return type(dataset) is data.TensorDataset


def _as_inputs(batch: object, model: nn.Module) -> Inputs | None:
    """Takes what the forward asks for: as many items as it has parameters without default."""
    place = next((parameter.device for parameter in model.parameters()), None)

    def moved(value: object) -> object:
        return value.to(place) if isinstance(value, torch.Tensor) and place else value

    try:
        parameters = inspect.signature(model.forward).parameters.values()
    except (TypeError, ValueError):
        return None
    if isinstance(batch, dict):
        known = {parameter.name for parameter in parameters}
        items = cast("dict[str, object]", batch).items()
        return (), {name: moved(value) for name, value in items if name in known}
    if not isinstance(batch, (list, tuple)):
        return (moved(batch),), {}
    needed = sum(
        parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        for parameter in parameters
    )
    several = cast("list[object]", batch)
    return tuple(map(moved, several[: max(1, needed)])), {}


def why(error: Exception) -> str:
    """Says in a line why a network could not be captured."""
    first = str(error).strip().partition("\n")[0][:500]
    if _NO_FORWARD in first:
        return (
            "it has no forward of its own. All else is recorded; for a graph, give Visu the module "
            "inside that has one."
        )
    kind = type(error).__name__
    return first if isinstance(error, VisuaiError) else f"{kind}: {first}"
