"""The one door to the model: free text and uploaded images. Imports torch only when it is opened.

Knows `precompute.live` by its functions and nothing else of the offline stage.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from db.errors import UserError


class LiveError(UserError):
    """The model could not be asked; the message says why and what to do."""


class LiveImage(NamedTuple):
    """One image taken apart now, in the bundle's own bases."""

    image: Image.Image
    embedding: NDArray[np.float32]
    """[d_out] unit length."""

    coordinates: NDArray[np.float32]
    """[head, rank] uncentered."""

    tokens: NDArray[np.float32]
    """[head, token, rank] uncentered; they sum to `coordinates` over tokens."""

    rest: NDArray[np.float32]
    """[d_out] what no stored head contributes."""


def load(model: str, weights_sha256: str, **options: Any) -> Any:
    """Load the model of a bundle; refuses weights other than those the bundle was made from."""
    return _ask("load", model, weights_sha256=weights_sha256, **options)


def encode_texts(live: Any, texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit-length embeddings [text, d_out]."""
    return _ask("encode_texts", live, list(texts))


def decompose_image(live: Any, data: bytes) -> LiveImage:
    found = _ask("decompose_image", live, data)
    return LiveImage(found.image, found.embedding, found.coordinates, found.tokens, found.rest)


def _ask(function: str, *args: Any, **options: Any) -> Any:
    try:
        from precompute import live  # torch takes seconds to import; most sessions never need it
    except ImportError as error:
        raise LiveError(
            f"Free text and new images need the model, which cannot be loaded here ({error}). "
            'Run "pip install -r requirements.txt", or choose a text of the pool and an image of the bundle.'
        ) from error
    try:
        return getattr(live, function)(*args, **options)
    except live.LiveError as error:
        raise LiveError(str(error)) from error
