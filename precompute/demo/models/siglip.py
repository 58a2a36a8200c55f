"""A small vision transformer with SigLIP's attention pooling, registered by name with timm.

open_clip builds the image tower of SigLIP by the name of a timm model, so that a small one needs a name too.
"""

from typing import Any

from timm.models import build_model_with_cfg, register_model
from timm.models.vision_transformer import VisionTransformer

NAME = "vit_demo_small_patch16_siglip_96"


@register_model
def vit_demo_small_patch16_siglip_96(pretrained: bool = False, **kwargs: Any) -> VisionTransformer:
    """Builds the transformer: 6 layers x 8 heads of width 16, 36 patches, pooled by attention (MAP)."""
    arguments = {
        "img_size": 96,
        "patch_size": 16,
        "embed_dim": 128,
        "depth": 6,
        "num_heads": 8,
        "mlp_ratio": 2.0,
        "class_token": False,
        "global_pool": "map",
    }
    return build_model_with_cfg(VisionTransformer, NAME, pretrained, **{**arguments, **kwargs})
