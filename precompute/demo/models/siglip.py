"""A small vision transformer with SigLIP's attention pooling, registered by name with timm.

open_clip builds the image tower of SigLIP by the name of a timm model, so that a small one needs a name too.
"""

from typing import Any

from timm.models import build_model_with_cfg, generate_default_cfgs, register_model
from timm.models.vision_transformer import VisionTransformer

from precompute.demo import IMAGE_SIZE

NAME = "vit_demo_small_patch16_siglip_96"
TOWER: dict[str, int] = {"layers": 6, "width": 128, "head_width": 16, "patch_size": 16, "mlp_ratio": 2}
"""The tower, in the words of open_clip's configurations."""

# timm warns about a model without an entry here. It has no weights to fetch.
default_cfgs = generate_default_cfgs({NAME: {"input_size": (3, IMAGE_SIZE, IMAGE_SIZE)}})


@register_model
def vit_demo_small_patch16_siglip_96(pretrained: bool = False, **kwargs: Any) -> VisionTransformer:
    """Builds the transformer: no class token, 36 patches, pooled by attention (MAP)."""
    arguments = {
        "img_size": IMAGE_SIZE,
        "patch_size": TOWER["patch_size"],
        "embed_dim": TOWER["width"],
        "depth": TOWER["layers"],
        "num_heads": TOWER["width"] // TOWER["head_width"],
        "mlp_ratio": TOWER["mlp_ratio"],
        "class_token": False,
        "global_pool": "map",
    }
    return build_model_with_cfg(VisionTransformer, NAME, pretrained, **{**arguments, **kwargs})
