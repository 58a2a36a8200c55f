"""One's own images, decomposed now and without a bundle. Imports torch when it is asked, not before."""

import os
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from db.errors import UserError
from db.layout import image_id
from db.pictures import UnreadableImage, decode, upright_rgb
from headlight.installation import how_to_install
from headlight.results import Decomposition

ImageLike = str | os.PathLike | bytes | Image.Image
"""A path, the bytes of a file, or a PIL image."""


def decompose(
    model: str,
    images: ImageLike | Iterable[ImageLike],
    *,
    layers: int | None = 4,
    checkpoint: str | os.PathLike | None = None,
    device: str = "auto",
    batch_size: int = 32,
) -> Decomposition:
    """Decomposes images of your own, without a bundle: what each head contributes to each embedding.

    Loads torch and the model, and works in this process. For more than a few thousand images make a bundle.

    Args:
        model: name of a model, as `headlight models` lists them.
        images: paths, bytes of files, or PIL images; one or several.
        layers: how many of the last layers; None for all.
        checkpoint: a file of weights, instead of a download by open_clip.
        device: auto (cuda if available, else cpu), cpu, cuda, cuda:1, mps.
        batch_size: images in one forward pass.

    Raises:
        UserError: the model, its weights or an image cannot be used, or torch is not installed.

    Example:
        parts = headlight.decompose("ViT-B-32/openai", ["cat.jpg", "dog.jpg"])
        parts.contribution("L11.H3").shape
    """
    alone = isinstance(images, (str, os.PathLike, bytes, Image.Image))
    sources: list[ImageLike] = [images] if alone else list(images)  # type: ignore[list-item, arg-type]
    if not sources:
        raise UserError("no images were given. Give at least one path, PIL image or the bytes of a file.")
    if batch_size < 1:
        raise UserError(f"batch_size is {batch_size}. Give 1 or more.")
    try:
        from precompute import live
    except ModuleNotFoundError as error:
        raise UserError(how_to_install(str(error.name).split(".")[0])) from error
    ids, pictures = zip(*(_read(source) for source in sources), strict=True)
    key, parts, spaces = live.decompose_pictures(
        model,
        pictures,
        layers=layers,
        checkpoint=None if checkpoint is None else Path(checkpoint),
        device=device,
        batch_size=batch_size,
    )
    return Decomposition(
        model_key=key,
        image_id=list(ids),
        embedding=parts.embedding.numpy(),
        layers=spaces.layers,
        coordinates=parts.head.numpy(),
        basis=spaces.basis.cpu().numpy(),
        mlp=parts.mlp.numpy(),
        early=parts.early.numpy(),
        sum_error=parts.sum_error.numpy(),
    )


def _read(source: ImageLike) -> tuple[str, Image.Image]:
    """Id and picture, decoded as in a run. Of a PIL image, the id is that of its pixels."""
    try:
        if isinstance(source, Image.Image):
            picture = upright_rgb(source)
            return image_id(picture.tobytes()), picture
        data = source if isinstance(source, bytes) else Path(source).read_bytes()
        return image_id(data), decode(data)
    except (OSError, UnreadableImage) as error:
        name = str(source) if isinstance(source, (str, os.PathLike)) else "an image"
        raise UserError(f"{name} cannot be read ({error}). Give a PNG, JPEG or other picture.") from error
