"""The small SigLIP tower: built by open_clip by its name, with attention pooling."""

import torch

from precompute.demo import MODELS
from precompute.demo.models.build import fresh_model


def test_open_clip_builds_the_tower_with_attention_pooling_and_no_class_token():
    model = fresh_model(MODELS["ViT-emoji-S-16-SigLIP/pictures_1"]).eval()
    trunk = model.visual.trunk

    patches = trunk.forward_features(torch.zeros(2, 3, 96, 96))

    assert patches.shape == (2, 36, 128) and trunk.cls_token is None
    pooled = trunk.attn_pool(patches)
    assert torch.allclose(pooled, model.encode_image(torch.zeros(2, 3, 96, 96)), atol=1e-6)
    assert model.logit_bias.item() == -10
