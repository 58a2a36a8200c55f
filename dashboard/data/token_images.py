"""Token contributions of images, from the bundle if stored, else from the model."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dashboard import images as image_drawing
from dashboard.data import images, live, live_model
from dashboard.data.cached import kept
from dashboard.data.types import Source, TokenImage
from db import vectors


@kept(max_entries=64)
def _stored_tokens(source: Source, image_id: str) -> vectors.Tokens:
    return vectors.tokens(source.bundle, source.key, image_id)


def token_image(source: Source, image_id: str) -> TokenImage:
    """Returns the token contributions of one image, from the bundle if stored, else from the model."""
    if images.info(source, image_id).stored:
        tokens = _stored_tokens(source, image_id)
        return TokenImage(tokens.coordinates, tokens.rest, _stored_picture(source, image_id), "")
    upload = images.uploads().get(image_id)  # the file itself, even if the bundle has a thumbnail of it
    data = upload[0] if upload else images.thumbnails(source, [image_id])[image_id]
    if data is None:
        raise live.LiveError(
            "This bundle stores neither maps nor a thumbnail of this image. Upload the file, or choose an "
            "image whose maps are stored."
        )
    image = live_model.decompose(source, data)
    note = "" if upload else _thumbnail_note(source, image_id, image.embedding)
    return TokenImage(image.tokens, image.rest, image.image, note)


def _thumbnail_note(source: Source, image_id: str, embedding: NDArray) -> str:
    """Returns a note on the precision of numbers computed from a thumbnail instead of the file."""
    stored = vectors.image_embeddings(source.bundle, source.key, [image_id])[1][0]
    cosine = float(stored @ embedding / np.linalg.norm(stored) / np.linalg.norm(embedding))
    return (
        f"Computed now from the thumbnail (cosine of its embedding with the stored one: {cosine:.3f}). "
        "Upload the original for exact values."
    )


@kept(max_entries=64)
def _stored_picture(source: Source, image_id: str) -> Image.Image:
    """Returns the part of a stored image that the patches cover; plain gray without a thumbnail."""
    data = images.thumbnails(source, [image_id])[image_id]
    return image_drawing.covered(image_drawing.read(data) if data else None, source.info)
