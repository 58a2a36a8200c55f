"""Outputs of one patch of an image: its score through every head, and the texts that are nearest to it."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.analyses.outliers import contribution_norms
from dashboard.data import cached, choices, head_vectors, maps, scopes, texts, token_images
from dashboard.data.types import Source
from dashboard.state.views import Head, MapView, parse_patch

TEXTS = 8
"""Texts that are listed as nearest to a patch."""


def titles(source: Source) -> dict[str, str]:
    """Returns a title for every patch, by its name in a link; the first is none."""
    rows, columns = source.grid
    places = [(row, column) for row in range(1, rows + 1) for column in range(1, columns + 1)]
    return {"": "none"} | {f"{row},{column}": f"row {row}, column {column}" for row, column in places}


def token(source: Source, view: MapView) -> int:
    """Returns the number of the token of the chosen patch; token 0 is the class token."""
    row, column = parse_patch(view.patch) or (0, 0)
    return 1 + row * source.grid[1] + column


def heads(source: Source, view: MapView) -> pd.DataFrame:
    """Returns what every stored head writes at the chosen patch, the highest score first.

    layer, head, name, label, score and size (thousandths), and whether the head is among the chosen ones. The
    score is for the text, or for A less B; the size is the length of the contribution, whatever the text.
    """
    image, place = token_images.token_image(source, view.image), token(source, view)
    direction = maps.direction(source, view, maps.subject(view))
    scores = maps.scores_of(source, image, direction).tokens[:, place]
    pairs, names = head_vectors.all_heads(source), choices.head_names(source)
    table = pd.DataFrame(
        {
            "layer": [layer for layer, _ in pairs],
            "head": [head for _, head in pairs],
            "name": [names[pair].partition(" · ")[0] for pair in pairs],
            "label": [names[pair].partition(" · ")[2] for pair in pairs],
            "score": 1000 * scores,
            "size": 1000 * np.linalg.norm(image.tokens[:, place], axis=1),
            "chosen": scopes.mask(source, view.heads),
        }
    )
    return table.sort_values("score", ascending=False, kind="stable", ignore_index=True)


def nearest_texts(source: Source, view: MapView, count: int = TEXTS) -> pd.DataFrame:
    """Returns the texts of the pool nearest to what the chosen heads write at the chosen patch.

    score and text: the cosine of the contribution with the text less the mean text of the pool.
    """
    image, shown = token_images.token_image(source, view.image), scopes.mask(source, view.heads)
    coordinates = image.tokens[shown, token(source, view)]  # [head, rank]
    basis = head_vectors.head_space(source).basis[shown]
    written = np.einsum("hr,hrd->d", coordinates, basis)
    pool, length = texts.pool(source), float(np.linalg.norm(written))
    along = pool.embedding @ written - float(pool.mean @ written)
    cosine = along / np.maximum(_lengths(source) * length, np.finfo(np.float32).tiny)
    order = np.argsort(-cosine, kind="stable")[:count]
    return pd.DataFrame({"score": cosine[order], "text": [pool.texts[row] for row in order]})


def length(source: Source, view: MapView) -> tuple[float, float]:
    """Returns the length of what the chosen heads write at the chosen patch, and the median of patches."""
    image = token_images.token_image(source, view.image)
    norms = _norms(source, view.image, scopes.resolve(source, view.heads), image.tokens)
    return float(norms[token(source, view) - 1]), float(np.median(norms))


@cached.kept(max_entries=256)
def _norms(source: Source, image_id: str, heads: tuple[Head, ...], _tokens: NDArray) -> NDArray[np.float32]:
    """Returns the length of what some heads write at every patch, [patch]."""
    shown = [head in heads for head in head_vectors.all_heads(source)]
    basis = head_vectors.head_space(source).basis[shown]
    return cached.frozen(contribution_norms(_tokens[shown], basis))


@cached.kept(max_entries=16)
def _lengths(source: Source) -> NDArray[np.float32]:
    """Returns the lengths of the texts of the pool less their mean, [text]."""
    pool = texts.pool(source)
    return cached.frozen(np.linalg.norm(pool.embedding - pool.mean.astype(np.float32), axis=1))
