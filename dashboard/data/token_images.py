"""Images token by token: from the bundle where their maps are stored, otherwise from the model."""

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
    """One image token by token: from the bundle where its maps are stored, otherwise the model is asked."""
    if images.info(source, image_id).stored:
        found = _stored_tokens(source, image_id)
        return TokenImage(found.coordinates, found.rest, _stored_picture(source, image_id), "")
    if image_id in images.uploads():  # the file itself, even where the bundle has a thumbnail of it
        return _decomposed(source, live_model.decompose(source, images.uploads()[image_id][0]), "")
    data = images.thumbnails(source, [image_id])[image_id]
    if data is None:
        raise live.LiveError(
            "This bundle stores neither maps nor a thumbnail of this image. Upload the file, or choose an "
            "image whose maps are stored."
        )
    now = live_model.decompose(source, data)
    return _decomposed(source, now, _thumbnail_note(source, image_id, now.embedding))


def _decomposed(source: Source, now: live.LiveImage, note: str) -> TokenImage:
    """One image that the model was asked about, with the picture as the model's own decoder read it."""
    return TokenImage(now.tokens, now.rest, _covered(source, now.image), note)


def _thumbnail_note(source: Source, image_id: str, embedding: NDArray) -> str:
    """How far a thumbnail stands for the file: said wherever its numbers are shown."""
    stored = vectors.image_embeddings(source.bundle, source.key, [image_id])[1][0]
    alike = float(stored @ embedding / np.linalg.norm(stored) / np.linalg.norm(embedding))
    return (
        "Maps of this image are not stored, so the model was asked now, with the thumbnail in place of the "
        f"file. The cosine of its embedding with the stored one is {alike:.3f}. Upload the file itself for "
        "exact numbers."
    )


@kept(max_entries=64)
def _stored_picture(source: Source, image_id: str) -> Image.Image:
    """What the patches of an image of the bundle cover; plain gray where there is no thumbnail."""
    data = images.thumbnails(source, [image_id])[image_id]
    if data is None:
        rows, columns = source.grid
        return Image.new("RGB", (32 * columns, 32 * rows), "#bbbbbb")
    return _covered(source, image_drawing.read(data))


def _covered(source: Source, picture: Image.Image) -> Image.Image:
    """The part of a picture that the patches cover."""
    rows, columns = source.grid
    return image_drawing.model_view(picture, source.info.resize_mode, columns / rows)
