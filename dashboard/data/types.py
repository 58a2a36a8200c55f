"""Types of the pages: one model of one bundle, arrays read from it, and names of columns."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dashboard.data import column_words
from db.connection import Bundle


@dataclass(frozen=True, eq=False)
class Source:
    """One model of one open bundle."""

    bundle: Bundle
    name: str
    """Name of the bundle in links."""

    key: str
    """model_key"""

    info: Any
    """Row of the model in the table `model`."""

    @property
    def has_vectors(self) -> bool:
        """False for imported results: texts, labels and metrics only."""
        return bool(self.info.has_vectors)

    @property
    def images(self) -> int:
        """Number of decomposed images; 0 for imported results."""
        return int(self.info.images) if self.has_vectors else 0

    @property
    def grid(self) -> tuple[int, int]:
        """Number of rows and columns of patches."""
        return int(self.info.grid_rows), int(self.info.grid_columns)


class PoolVectors(NamedTuple):
    """All texts of the pool with their embeddings by one model."""

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
    """Path and attributes of one image, of the bundle or uploaded."""

    path: str
    attributes: str
    stored: bool
    """True if the bundle stores its token contributions."""


class TokenImage(NamedTuple):
    """Token contributions of one image."""

    tokens: NDArray[np.float32]
    """[head, token, rank] uncentered."""

    rest: NDArray[np.float32]
    """[d_out]"""

    picture: Image.Image
    """Part of the image that the patches cover."""

    note: str
    """Origin of the numbers; empty if the bundle stores them."""


def column_title(title: str, others: Iterable[str]) -> str:
    """Returns the title of a column that stands beside others.

    In quotes if another has that name, or if a table in the words of the pages would change it.
    """
    return f'"{title}"' if title in others or column_words.changed(title) else title
