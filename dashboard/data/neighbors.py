"""Nearest images and texts, as tables for the pages."""

import pandas as pd

from dashboard.analyses import neighbors
from dashboard.data import cached
from dashboard.data.types import Source
from dashboard.state.views import Head


def neighbors_of_image(
    source: Source, image_id: str, heads: tuple[Head, ...], by: str, k: int
) -> pd.DataFrame:
    """The images nearest to one through a set of heads; the image itself is left out."""
    space = cached.head_space(source, heads)
    query = cached.query_coordinates(source, image_id)[space.place]
    rows = [cached.head_vectors(source, head) for head in heads]
    norms = cached.norms(source, heads)
    score = neighbors.scores(query, rows, space.basis, space.mean, norms, metric=by)
    own = cached.image_places(source).get(image_id)
    return with_images(source, neighbors.top(score, k, leave_out=own))


def neighbors_of_text(
    source: Source, text: str, head: Head, by: str, k: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The images, and the descriptions of the pool, nearest to a text inside one head."""
    space = cached.head_space(source, (head,))
    basis, mean = space.basis[0], space.mean[0]
    pool = cached.pool(source)
    query = basis @ cached.text_embedding(source, text)  # [rank]
    pool_mean = basis @ pool.mean
    score = neighbors.text_scores(query, cached.head_vectors(source, head), mean, pool_mean, metric=by)
    images = with_images(source, neighbors.top(score, k))
    rows = cached.head_text_vectors(source, head)
    near = neighbors.top(neighbors.text_scores(query, rows, pool_mean, pool_mean, metric=by), k)
    return images, pd.DataFrame({"text": [pool.texts[row] for row in near.row], "score": near.score})


def with_images(source: Source, found: neighbors.Ranking) -> pd.DataFrame:
    """Ranked rows of the vectors as images with path and attributes."""
    ids, known = list(cached.image_places(source)), cached.image_rows(source)
    rows = [(ids[row], known[ids[row]].path, known[ids[row]].attributes) for row in found.row]
    return pd.DataFrame(rows, columns=["image_id", "path", "attributes"]).assign(score=found.score)
