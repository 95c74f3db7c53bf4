"""Architectures of `transformers` by small config: no weights are loaded."""

from __future__ import annotations

from typing import Any

import torch

SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "d_model": 32,
    "n_embd": 32,
    "dim": 32,
    "embed_dim": 32,
    "emb_dim": 32,
    "embedding_size": 32,
    "intermediate_size": 64,
    "moe_intermediate_size": 32,
    "hidden_dim": 64,
    "ffn_dim": 64,
    "d_ff": 64,
    "d_kv": 8,
    "head_dim": 8,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "n_inner": 64,
    "num_hidden_layers": 2,
    "num_layers": 2,
    "num_decoder_layers": 2,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "n_layer": 2,
    "n_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_heads": 4,
    "n_head": 4,
    "n_heads": 4,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "vocab_size": 99,
    "max_position_embeddings": 64,
    "n_positions": 64,
    "image_size": 32,
    "patch_size": 8,
    "num_experts": 4,
    "num_local_experts": 4,
    "n_routed_experts": 4,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
}


def small_config(kind: str, **overrides: Any) -> Any:
    """Gives a model type's default config, made small."""
    from transformers import AutoConfig

    config = AutoConfig.for_model(kind)
    for each in (config, *(getattr(config, name, None) for name in _PARTS)):
        if each is None or not hasattr(each, "to_dict"):
            continue
        for name, value in SMALL.items():
            if not hasattr(each, name):
                continue
            current = getattr(each, name)
            if current is None or isinstance(current, (list, tuple, dict)):
                continue
            try:
                setattr(each, name, value)
            except (AttributeError, TypeError, ValueError, NotImplementedError):
                continue
        if isinstance(getattr(each, "layer_types", None), list):
            each.layer_types = each.layer_types[:2]
    for name, value in overrides.items():
        setattr(config, name, value)
    return config


_PARTS = ("text_config", "vision_config", "audio_config", "encoder", "decoder")


def small_model(kind: str, device: str = "meta", **overrides: Any) -> tuple[Any, dict[str, Any]]:
    """Gives a model in eval mode on a device, and keyword inputs for it."""
    from transformers import AutoModel

    config = small_config(kind, **overrides)
    with torch.device(device):
        model = AutoModel.from_config(config).eval()
        return model, inputs_of(model)


def inputs_of(model: Any) -> dict[str, Any]:
    """Gives keyword inputs for a model of transformers, on the current default device."""
    config, name = model.config, model.main_input_name
    tokens = torch.zeros(1, 8, dtype=torch.int64)
    inputs: dict[str, Any]
    if name == "pixel_values":
        size = getattr(config, "image_size", 32)
        if not isinstance(size, int):
            size = size[0] if isinstance(size, (list, tuple)) else 32
        inputs = {name: torch.zeros(1, getattr(config, "num_channels", 3), size, size)}
    elif name == "input_values":
        inputs = {name: torch.zeros(1, 4000)}
    elif name == "input_features":
        inputs = {name: torch.zeros(1, getattr(config, "num_mel_bins", 80), 3000)}
    else:
        inputs = {"input_ids": tokens}
    if getattr(config, "is_encoder_decoder", False):
        inputs["decoder_input_ids"] = tokens[:, :4]
    if hasattr(config, "vision_config") and name == "input_ids":
        vision = config.vision_config
        inputs["pixel_values"] = torch.zeros(1, 3, vision.image_size, vision.image_size)
    return inputs
