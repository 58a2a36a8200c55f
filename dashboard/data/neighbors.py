"""Tables of nearest images and texts."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.analyses import neighbors
from dashboard.analyses.neighbors import Query
from dashboard.data import head_vectors, images, live_model, texts
from dashboard.data.types import Source
from dashboard.state.views import Head
from db import vectors

SPARE = 50
"""Candidates beyond twice `k`: LanceDB rounds the query to float16, which swaps close images."""


def neighbors_of_image(
    source: Source, image_id: str, heads: tuple[Head, ...], by: str, k: int
) -> pd.DataFrame:
    """Returns the images nearest to one image through a set of heads, without the image itself."""
    space = head_vectors.head_space(source, heads)
    coordinates = query_coordinates(source, image_id, heads)
    query = neighbors.image_query(coordinates, space.basis, space.mean, metric=by)
    return nearest_images(source, heads, query, k, leave_out=image_id)


def neighbors_of_text(
    source: Source, text: str, head: Head, by: str, k: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns the images and the texts of the pool nearest to a text in one head."""
    space = head_vectors.head_space(source, (head,))
    basis, mean = space.basis[0], space.mean[0]
    pool = texts.pool(source)
    coordinates, pool_mean = basis @ texts.embedding(source, text), basis @ pool.mean  # [rank]
    query = neighbors.text_query(coordinates, pool_mean, mean, metric=by)
    rows = [texts.head_column(source, head)]
    among_texts = neighbors.text_query(coordinates, pool_mean, pool_mean, metric=by)
    near, score = neighbors.top(neighbors.scores(among_texts, rows, np.linalg.norm(rows[0], axis=1)), k)
    descriptions = pd.DataFrame({"text": [pool.texts[row] for row in near], "score": score})
    return nearest_images(source, (head,), query, k), descriptions


def query_coordinates(source: Source, image_id: str, heads: tuple[Head, ...]) -> NDArray[np.float32]:
    """Returns the centered coordinates of one image, [head, rank]; runs the model for an uploaded image."""
    if head_vectors.row_of(image_id, vectors.image_ids(source.bundle, source.key)) is not None:
        return head_vectors.stored_coordinates(source, image_id, heads)
    image = live_model.decompose(source, images.upload(image_id)[0])
    places = vectors.head_places(source.bundle, source.key, heads)
    return image.coordinates[places] - head_vectors.head_space(source, heads).mean


def query_embedding(source: Source, image_id: str) -> NDArray[np.float32]:
    """Returns the embedding of one image, [d_out]; runs the model for an uploaded image."""
    if head_vectors.row_of(image_id, vectors.image_ids(source.bundle, source.key)) is not None:
        return vectors.image_embeddings(source.bundle, source.key, [image_id])[1][0]
    return live_model.decompose(source, images.uploads()[image_id][0]).embedding


def nearest_images(
    source: Source, heads: tuple[Head, ...], query: Query, k: int, *, leave_out: str | None = None
) -> pd.DataFrame:
    """Returns the images nearest to a query through a set of heads: image_id, path, attributes, score."""
    image_ids, score = ranked_ids(source, heads, query, k, leave_out=leave_out)
    return with_images(source, image_ids, score)


def ranked_ids(
    source: Source, heads: tuple[Head, ...], query: Query, k: int, *, leave_out: str | None = None
) -> tuple[list[str], NDArray[np.float32]]:
    """Returns ids and scores of the nearest images, among all or among the candidates of LanceDB."""
    if len(heads) == 1 and not head_vectors.fit_in_memory(source):
        image_ids, score = _searched(source, heads[0], query, k)
    else:
        image_ids, score = vectors.image_ids(source.bundle, source.key), _scores(source, heads, query)
    rows, best = neighbors.top(score, k, leave_out=head_vectors.row_of(leave_out, image_ids))
    return image_ids[rows].tolist(), best


def _scores(source: Source, heads: tuple[Head, ...], query: Query) -> NDArray[np.float32]:
    """Returns the score of every image, [image]."""
    norms = head_vectors.norms(source, heads) if query.metric == "cosine" else np.empty(source.images)
    parts, start = [], 0
    for rows in head_vectors.blocks(source, heads):
        stop = start + len(rows[0])
        parts.append(neighbors.scores(query, rows, norms[start:stop]))
        start = stop
    return np.concatenate(parts)


def _searched(source: Source, head: Head, query: Query, k: int) -> tuple[NDArray, NDArray[np.float32]]:
    """Returns sorted ids of the candidates of LanceDB, and their scores in float32."""
    nearest = vectors.nearest(
        source.bundle, source.key, *head, query.vector[0], metric=query.metric, k=2 * k + SPARE
    )
    image_ids = sorted(nearest)
    rows = vectors.image_coordinates(source.bundle, source.key, image_ids, [head])[1][:, 0]
    return np.array(image_ids, object), neighbors.scores(query, [rows], np.linalg.norm(rows, axis=1))


def with_images(source: Source, image_ids: list[str], score: NDArray) -> pd.DataFrame:
    """Returns ranked images with path, attributes and score."""
    return images.described(source, image_ids).assign(score=score)
