"""The one door to the model: free text and uploaded images. Imports torch only when it is opened.

Knows `precompute.live` by its functions and nothing else of the offline stage.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from db.errors import UserError
from db.vectors import HeadSpace


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


def load(info: Any, space: HeadSpace) -> Any:
    """Loads the model that `info`, its row of the table `model`, and `space`, its stored heads, are about.

    Raises:
        LiveError: there are no weights, or others than those the bundle was made from.
    """
    return _ask(
        "load",
        info.model,
        weights_sha256=info.weights_sha256,
        layers=sorted(set(space.layer.tolist())),
        basis=space.basis,
        activation=info.activation,
        mean=info.mean,
        std=info.std,
        interpolation=info.interpolation,
        resize_mode=info.resize_mode,
    )


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
            'Run pip install "headlight-clip[precompute]", or choose a text of the pool and an image of the '
            "bundle."
        ) from error
    try:
        return getattr(live, function)(*args, **options)
    except live.LiveError as error:
        raise LiveError(str(error)) from error
