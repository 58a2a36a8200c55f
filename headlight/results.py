"""Results of the Python API beside tables: arrays with the ids of their rows."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from dashboard import images as image_drawing
from dashboard.analyses.maps import Parts, symmetric_limit
from db.errors import UnknownName
from db.layout import head_name

if TYPE_CHECKING:
    from headlight.names import HeadLike


class ImageRows(NamedTuple):
    """An array of one row per image, and the ids of its rows.

    Example:
        image_id, values = bundle.embeddings("ViT-B-32/openai")
    """

    image_id: list[str]
    """Sorted."""

    values: NDArray[np.float32]
    """[image, d_out] for embeddings, [image, rank] for coordinates."""


class HeadBasis(NamedTuple):
    """The subspace of the embedding that one head writes to, and the mean of what it writes.

    Example:
        basis, mean = bundle.basis("ViT-B-32/openai", "L11.H3")
        contribution = (bundle.coordinates("ViT-B-32/openai", "L11.H3").values + mean) @ basis
    """

    basis: NDArray[np.float32]
    """[rank, d_out] Orthonormal rows; rows past the head's own rank are zero."""

    mean: NDArray[np.float32]
    """[rank] Mean coordinates over the images of the bundle."""


class TopicMap(NamedTuple):
    """The map of one text over one image through some heads.

    Example:
        topic_map = bundle.topic_map("ViT-B-32/openai", image_id, "a red car", "L11.H3")
        topic_map.draw().save("map.png")
    """

    text: str
    grid: NDArray[np.float64]
    """[row, column] What each patch adds to the score; row 0 is at the top of the picture."""

    parts: Parts
    """The score in four parts: patches, class_token, other_heads and rest; `parts.score` is their sum."""

    picture: Image.Image
    """What the patches cover; plain gray where the bundle has no thumbnails."""

    def draw(self, *, limit: float | None = None, opacity: float = 0.7) -> Image.Image:
        """Returns the map over the picture: orange adds to the score, purple subtracts.

        Args:
            limit: value of the darkest color; use the same for maps that you compare.
            opacity: opacity of the map over the picture, 0 to 1.

        Example:
            a, b = (bundle.topic_map(model, image_id, text) for text in ("a cat", "a dog"))
            limit = max(abs(a.grid).max(), abs(b.grid).max())
            a.draw(limit=limit), b.draw(limit=limit)
        """
        limit = symmetric_limit(self.grid) if limit is None else limit
        return image_drawing.overlay(self.picture, self.grid, limit, opacity)


class Comparison(NamedTuple):
    """Two models of one bundle side by side: paired heads, and differences (first - second) of metrics.

    Intervals are paired: both models have the same random halves of images and texts.

    Example:
        comparison = bundle.compare("ViT-B-32/openai", "ViT-B-16/openai")
        comparison.heads.query("exceeds").sort_values("cka", ascending=False)
        comparison.head_metrics.query("sure")
    """

    heads: pd.DataFrame
    """One row per pair of heads: its CKA, the nulls of it, and the labels of both; see `head_match`."""

    metrics: pd.DataFrame
    """One row per model metric and set of heads: both values, difference, low, high."""

    head_metrics: pd.DataFrame
    """One row per pair of heads and metric: both values, difference, low, high, and whether it is sure."""


class Decomposition(NamedTuple):
    """Image embeddings as the sum of what each head, each MLP and all earlier layers contribute.

    `early` + all heads + `mlp` = `embedding`, for every image to within `sum_error`.

    Example:
        parts = headlight.decompose("ViT-B-32/openai", ["cat.jpg", "dog.jpg"])
        parts.contribution("L11.H3") @ parts.embedding[0]
    """

    model_key: str
    image_id: list[str]
    """In the order of `images`: first 16 hex digits of the SHA-256 of the file, as in a bundle."""

    embedding: NDArray[np.float32]
    """[image, d_out] Unit length."""

    layers: tuple[int, ...]
    """Numbers of the decomposed layers, one for each entry of the axis `layer`."""

    coordinates: NDArray[np.float32]
    """[image, layer, head, rank] Each head's contribution in its own basis, not centered."""

    basis: NDArray[np.float32]
    """[layer, head, rank, d_out] Orthonormal rows; rows past a head's own rank are zero."""

    mlp: NDArray[np.float32]
    """[image, layer, d_out] Contribution of the MLP of each decomposed layer."""

    early: NDArray[np.float32]
    """[image, d_out] Contribution of everything before the first decomposed layer."""

    sum_error: NDArray[np.float32]
    """[image] Largest entry of the difference between the embedding and the sum of all contributions."""

    def contribution(self, head: "HeadLike") -> NDArray[np.float32]:
        """Returns what one head adds to the embedding of each image, [image, d_out].

        Raises:
            UserError: the head is not among the decomposed ones.

        Example:
            parts.contribution((11, 3))
        """
        from headlight.names import parse_head

        layer, number = parse_head(head)
        heads = self.basis.shape[1]
        if layer not in self.layers or number >= heads:
            first, last = head_name(self.layers[0], 0), head_name(self.layers[-1], heads - 1)
            raise UnknownName(f"head {head_name(layer, number)} is not here. There are {first} to {last}.")
        place = self.layers.index(layer)
        return self.coordinates[:, place, number] @ self.basis[place, number]
