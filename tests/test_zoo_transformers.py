"""Architectures of `transformers` build, truly: every check of `verify` holds for each."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers_models import small_model

import visuai
from visuai.verify import verify

ON_META = """
aimv2_vision_model albert altclip apertus arcee aria_text audioflamingo3 beam beit bert
bert-generation bit bitnet blip bloom camembert chinese_clip chinese_clip_vision_model clip
clip_text_model clip_vision_model clipseg cohere cohere2 cohere2_moe cosmos3_edge_text cpmant
csm ctrl cwm data2vec-audio data2vec-text data2vec-vision deepseek_v4 deit dinov2
dinov2_with_registers dinov3_convnext dinov3_vit distilbert doge dpt electra ernie ernie4_5
eurobert exaone4 falcon flava flint fnet focalnet fsmt fun_asr_nano fuyu gemma gemma2
gemma3_text git glm glm4 glmasr_encoder glpn gpt-sw3 gpt2 gpt_bigcode gpt_neo gpt_neox
gpt_neox_japanese gpt_oss gradium_phonon_tts granite granite_docling_text granite_speech
granite_speech_plus granite_swa granitemoe granitemoe_swa granitemoeshared groupvit gte helium
hgnet_v2 hiera hubert hyperclovax ijepa internlm3 internvl_vision iquestcoder jais2
jina_embeddings_v3 lfm2 llama llama4_text longt5 maskformer metaclip_2 minimax
minimax_m3_vl_text ministral3 mistral mixtral mlcd mlcd_vision_model mobilebert mobilenet_v1
mobilenet_v2 modernbert modernbert-decoder molmo2_text moonshine moss_transcribe_diarize
moss_transcribe_diarize_audio mpnet mpt mt5 muse_glimmer_text musicflamingo mvp nanochat
nllb-moe nomic_bert olmo olmo2 olmo3 openai-gpt opt owlv2 owlvit persimmon phi phi3
phi4_multimodal phimoe pixio pixtral pocket_tts poolformer prophetnet pvt pvt_v2
qianfan_ocr_vision qwen2 qwen2_audio qwen2_audio_encoder qwen3 qwen3_asr qwen3_vl_moe_text
qwen3_vl_text regnet resnet roberta roberta-prelayernorm roc_bert sam2_vision_model
sam3_vit_model sam_hq_vision_model sam_vision_model seamless_m4t_v2 seed_oss segformer
siglip_vision_model smollm3 stablelm starcoder2 swiftformer t5 textnet timm_wrapper tipsv2
tipsv2_text_model tipsv2_vision_model ultrabert umt5 unispeech unispeech-sat vaultgemma
vibevoice vibevoice_asr vit vit_mae vit_msn vitdet voxtral voxtral_encoder
voxtral_realtime_encoder wav2vec2 wav2vec2-conformer wavlm whisper xglm xlm-roberta
xlm-roberta-xl yolos zaya
"""

# Their forward, or its gradient, needs data.
WITH_DATA = """
bart big_bird bigbird_pegasus biogpt blenderbot blenderbot-small canine convbert deberta
deberta-v2 detr diffllama dpr flaubert higgs_audio_v2 ibert layoutlm led longformer m2m_100
marian markuplm mbart megatron-bert moshi mra nystromformer pegasus plbart rembert roformer
splinter squeezebert tapas visual_bert xlm yoso
"""


@pytest.mark.parametrize(
    ("kind", "device"),
    [*((k, "meta") for k in ON_META.split()), *((k, "cpu") for k in WITH_DATA.split())],
)
def test_transformers_builds_truly(kind: str, device: str) -> None:
    torch.manual_seed(0)
    model, inputs = small_model(kind, device)
    kept: dict[str, Any] = {}
    topology = visuai.build(
        model, kwargs=inputs, after=lambda step, value: kept.update({step.name: value})
    )
    assert verify(kept["to-dict"], model, (), inputs) == []
    assert topology.num_parameters == sum(p.numel() for p in model.parameters())


def test_without_inputs_the_models_own_dummies_are_used() -> None:
    model, _ = small_model("bert")
    topology = visuai.build(model)
    assert topology.inputs == ["input_ids"]
    assert any("dummy_inputs" in note for note in topology.report.notes)
