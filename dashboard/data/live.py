"""Runs the model for free text and uploaded images: the only import of `precompute.live`, and so of torch."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from db.errors import UserError
from db.vectors import HeadSpace

FACTS = ("weights_sha256", "activation", "mean", "std", "interpolation", "resize_mode")
"""Facts of a model, beside its name, that loading needs."""


class LiveError(UserError):
    """The model could not run; the message gives the reason and the next step."""


class TextRefused(LiveError):
    """The model cannot read a text."""

    def __init__(self, reason: str, unknown: Sequence[str] = (), vocabulary: Sequence[str] = ()) -> None:
        super().__init__(reason)
        self.unknown = tuple(unknown)
        """Words outside its vocabulary, if that is the reason."""

        self.vocabulary = tuple(vocabulary)


class LiveImage(NamedTuple):
    """Decomposition of one image in the bases of the bundle."""

    image: Image.Image
    """The whole picture."""

    embedding: NDArray[np.float32]
    """[d_out] unit length."""

    coordinates: NDArray[np.float32]
    """[head, rank] uncentered."""

    tokens: NDArray[np.float32]
    """[head, token, rank] uncentered; they sum to `coordinates` over tokens."""

    rest: NDArray[np.float32]
    """[d_out] contribution of everything that is not a stored head."""


def load(info: Any, space: HeadSpace) -> Any:
    """Loads the model that `info`, its row of the table `model`, and `space`, its stored heads, are about.

    Raises:
        LiveError: there are no weights, or others than those the bundle was made from.
    """
    facts = {name: getattr(info, name) for name in FACTS}
    layers = sorted(set(space.layer.tolist()))
    return _run("load", info.model, layers=layers, basis=space.basis, **facts)


def encode_texts(live: Any, texts: Sequence[str]) -> NDArray[np.float32]:
    """Returns unit-length embeddings, [text, d_out].

    Raises:
        TextRefused: the model cannot read one of them.
    """
    try:
        return _run("encode_texts", live, list(texts))
    except LiveError as error:
        cause = error.__cause__
        words = (getattr(cause, name, ()) for name in ("unknown", "vocabulary"))
        raise TextRefused(str(error), *words) from error


def decompose_image(live: Any, data: bytes) -> LiveImage:
    """Returns the decomposition of one image."""
    image = _run("decompose_image", live, data)
    return LiveImage(image.image, image.embedding, image.coordinates, image.tokens, image.rest)


def start() -> Any:
    """Returns the module that runs models, after the import of torch. Raises LiveError if there is none."""
    try:
        from precompute import live  # torch needs seconds to import, and most sessions do not use it
    except ImportError as error:
        raise LiveError(
            f"Free text and new images need the model, which cannot be loaded here ({error}). "
            'Run pip install "headlight-clip[precompute]", or choose a text of the pool and an image of the '
            "bundle."
        ) from error
    return live


def _run(function: str, *args: Any, **options: Any) -> Any:
    live = start()
    try:
        return getattr(live, function)(*args, **options)
    except live.LiveError as error:
        raise LiveError(str(error)) from error
