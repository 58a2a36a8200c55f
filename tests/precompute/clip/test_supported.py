"""Towers that cannot be decomposed exactly are refused by name."""

import json

import pytest

from precompute import clip
from precompute.inputs import model_specs
from precompute.inputs.model_specs import ModelError
from tests.support.towers import FACTS, resolved, small_config, small_model


@pytest.mark.parametrize(
    ("vision", "reason"),
    [
        ({"attentional_pool": True, "attn_pooler_heads": 2}, "attentional pooling"),
        ({"pool_type": "avg"}, "pooling is 'avg'"),
        ({"pool_type": "none"}, "pooling is 'none'"),
        ({"final_ln_after_pool": True}, "final_ln_after_pool"),
        ({"qk_norm": True}, "qk_norm"),
        ({"scaled_cosine_attn": True}, "scaled_cosine_attn"),
        ({"scale_heads": True}, "scale_heads"),
        ({"scale_attn_inner": True}, "scale_attn_inner"),
        ({"scale_attn": True}, "scale_attn"),
        ({"scale_fc": True}, "scale_fc"),
        ({"norm_kwargs": {"elementwise_affine": False}}, "no weight or bias"),
        ({"image_size": [32, 48]}, "not squares"),
        ({"patch_size": [16, 8]}, "not squares"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_tower_that_cannot_be_decomposed_exactly_is_refused_by_name(vision, reason, tmp_path):
    config = tmp_path / "small.json"
    config.write_text(json.dumps(small_config(**vision)))

    with pytest.raises(ModelError, match=f"small/mine .*{reason}"):
        clip.load(resolved(config, tmp_path / "never-read.pt"))


def test_a_tower_without_an_output_projection_is_refused():
    model = small_model()
    model.visual.proj = None

    with pytest.raises(ModelError, match="no output projection"):
        clip.from_model(model_specs.ModelSpec("small", "made-up", **FACTS), model)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("RN50/openai", "ModifiedResNet"),
        ("coca_ViT-B-32/laion2b_s13b_b90k", "attentional pooling"),
        ("ViT-B-16-SigLIP/webli", "timm"),
        ("convnext_base/laion400m_s13b_b51k", "timm"),
        ("ViT-L-14-CLIPA/datacomp1b", "'avg'"),
    ],
)
def test_known_models_that_cannot_be_decomposed_are_refused_before_a_download(name, reason):
    with pytest.raises(ModelError, match=f"{name} .*{reason}"):
        clip.load(model_specs.resolve(name, clip.catalog()))
