"""Headlight: what every attention head of a CLIP model looks at.

    import headlight

    bundle = headlight.open("bundles/photos")
    bundle.heads("ViT-B-32/openai", label="color")

Importing this loads neither torch nor pandas: what a name needs is imported when it is used.
"""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from headlight.installation import check_siblings

check_siblings()  # before anything of another package is imported

from db import __version__  # noqa: E402
from db.errors import UserError  # noqa: E402

if TYPE_CHECKING:
    from headlight.bundle import Bundle
    from headlight.decomposition import ImageLike
    from headlight.results import Decomposition, HeadBasis, ImageRows, TopicMap

__all__ = [
    "Bundle",
    "Decomposition",
    "HeadBasis",
    "ImageRows",
    "TopicMap",
    "UserError",
    "__version__",
    "decompose",
    "open",
]


def open(path: str | os.PathLike | None = None) -> "Bundle":
    """Opens a bundle to read it.

    Args:
        path: a bundle's directory, or a zip of one. Without it, what the dashboard serves without one: the
            environment variable HEADLIGHT_BUNDLE, or bundles/demo.

    Raises:
        UserError: there is no bundle, or one that this version cannot read.

    Example:
        with headlight.open("bundles/demo") as bundle:
            print(bundle.models())
    """
    from dashboard import DEFAULT_BUNDLE
    from headlight.bundle import Bundle

    return Bundle(os.environ.get("HEADLIGHT_BUNDLE", DEFAULT_BUNDLE) if path is None else path)


def decompose(
    model: str,
    images: "ImageLike | Iterable[ImageLike]",
    *,
    layers: int | None = 4,
    checkpoint: str | os.PathLike | None = None,
    device: str = "auto",
    batch_size: int = 32,
) -> "Decomposition":
    """Decomposes images of your own, without a bundle: what each head contributes to each embedding.

    Loads torch and the model, and works in this process. For more than a few thousand images make a bundle.

    Args:
        model: name of a model, as `headlight models` lists them.
        images: paths, bytes of files, or PIL images; one or several.
        layers: how many of the last layers; None for all.
        checkpoint: a file of weights, where open_clip cannot fetch them.
        device: auto (cuda where there is one, else cpu), cpu, cuda, cuda:1, mps.
        batch_size: images in memory at a time.

    Raises:
        UserError: the model, its weights or an image cannot be used, or torch is not installed.

    Example:
        parts = headlight.decompose("ViT-B-32/openai", ["cat.jpg", "dog.jpg"])
        parts.contribution("L11.H3").shape
    """
    from headlight.decomposition import decompose

    return decompose(
        model, images, layers=layers, checkpoint=checkpoint, device=device, batch_size=batch_size
    )


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module headlight has no {name}. It has: {', '.join(__all__)}.")
    from headlight import bundle, results

    return bundle.Bundle if name == "Bundle" else getattr(results, name)
