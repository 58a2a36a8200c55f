"""What the pages pass around: one model of one bundle, and arrays read from it. Types only."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from db.connection import Bundle


@dataclass(frozen=True, eq=False)
class Source:
    """One model of one open bundle: what every page reads from."""

    bundle: Bundle
    name: str
    """What the link calls the bundle."""

    key: str
    """model_key"""

    info: Any
    """The model's row of the table `model`, by column name."""

    @property
    def has_vectors(self) -> bool:
        """False for imported results: texts, labels and metrics only."""
        return bool(self.info.has_vectors)

    @property
    def images(self) -> int:
        """Images decomposed; none where results were imported."""
        return int(self.info.images) if self.has_vectors else 0

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        return int(self.info.grid_rows), int(self.info.grid_columns)


class Space(NamedTuple):
    """Bases and means of some heads, in the order asked for."""

    place: list[int]
    """Where each head stands among all stored heads."""

    basis: NDArray[np.float32]
    """[head, rank, d_out]"""

    mean: NDArray[np.float32]
    """[head, rank]"""


class PoolVectors(NamedTuple):
    """All texts of the pool as one model sees them."""

    texts: list[str]
    embedding: NDArray[np.float32]
    """[text, d_out]"""

    mean: NDArray[np.float64]
    """[d_out]"""

    row: dict[str, int]
    """Row of each text, by its normal form."""

    @property
    def nbytes(self) -> int:
        return self.embedding.nbytes


class ImageInfo(NamedTuple):
    """What is known about one image, of the bundle or uploaded."""

    path: str
    attributes: str
    stored: bool
    """Whether the bundle holds it token by token."""


class TokenImage(NamedTuple):
    """One image token by token, with what the patches cover."""

    tokens: NDArray[np.float32]
    """[head, token, rank] uncentered."""

    rest: NDArray[np.float32]
    """[d_out]"""

    picture: Image.Image
    note: str
    """What to know about where the numbers came from; empty for what the bundle stores."""
