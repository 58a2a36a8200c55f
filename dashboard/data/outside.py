"""Words on queries outside what the images, or a head, are about; empty for the others."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from dashboard.analyses import neighbors, outside
from dashboard.analyses.outside import Block, Reading
from dashboard.data import cached, head_vectors, images, texts
from dashboard.data.neighbors import query_coordinates, query_embedding
from dashboard.data.types import Source
from dashboard.state.views import Head, head_name
from db import vectors

SAMPLE, MIN_SAMPLE, BUDGET = 500, 100, 2e10
"""Images whose nearest image is looked for: as many as BUDGET products allow, within two bounds."""


def of_image(source: Source, image_id: str, heads: tuple[Head, ...]) -> tuple[str, str]:
    """Returns how far an uploaded image is from the image set, and a warning if that is too far."""
    if image_id not in images.uploads() or source.images < outside.MIN_IMAGES:
        return "", ""
    coordinates, embedding = query_coordinates(source, image_id, heads), query_embedding(source, image_id)
    in_heads, as_a_whole = _shares_nearer(source, image_id, heads, coordinates, embedding)
    fact = (
        f"Your image is farther from its nearest image than {100 * in_heads:.1f} % of the images are from "
        f"theirs in these heads, and {100 * as_a_whole:.1f} % by the whole embedding."
    )
    warning = f"{fact} It probably lies outside the image set: what these heads say of it may mean little."
    return fact, warning * (max(in_heads, as_a_whole) > outside.FAR)


@cached.kept(max_entries=256)
def _shares_nearer(
    source: Source, image_id: str, heads: tuple[Head, ...], _coordinates: NDArray, _embedding: NDArray
) -> tuple[float, float]:
    """Returns the share of images that are nearer to theirs than an image: in heads, and as a whole."""
    in_heads = outside.nearest_distances(_blocks(source, heads), *_queries(source, heads, _coordinates[None]))
    whole = outside.nearest_distances(_embeddings(source), _embedding[None, None], np.ones(1))
    return (
        outside.share_nearer(float(in_heads[0]), typical_distances(source, heads)),
        outside.share_nearer(float(whole[0]), typical_distances(source, None)),
    )


@cached.kept(max_entries=64)
def typical_distances(source: Source, heads: tuple[Head, ...] | None) -> NDArray[np.float64]:
    """Returns the distance to the nearest other image for an even sample of the images, [image].

    Through heads, or between whole embeddings.
    """
    numbers = head_vectors.head_space(source, heads).mean.size if heads else int(source.info.d_out)
    count = int(np.clip(BUDGET / (source.images * numbers), MIN_SAMPLE, SAMPLE))
    own = np.unique(np.linspace(0, source.images - 1, min(count, source.images)).astype(int))
    if not heads:
        queries = _at((rows for rows, _ in _embeddings(source)), own)
        return cached.frozen(outside.nearest_distances(_embeddings(source), queries, np.ones(len(own)), own))
    queries, lengths = _queries(source, heads, _at(head_vectors.blocks(source, heads), own))
    return cached.frozen(outside.nearest_distances(_blocks(source, heads), queries, lengths, own))


def _queries(source: Source, heads: tuple[Head, ...], coordinates: NDArray) -> tuple[NDArray, NDArray]:
    """Returns vectors [image, head, rank] and lengths [image] of images as queries."""
    space = head_vectors.head_space(source, heads)
    queries = [neighbors.image_query(y, space.basis, space.mean, metric="cosine") for y in coordinates]
    return np.stack([query.vector for query in queries]), np.array([query.length for query in queries])


def _at(blocks: Iterable[Sequence[NDArray]], rows: NDArray) -> NDArray[np.float32]:
    """Returns the vectors of some images, [image, head, rank]."""
    parts, start = [], 0
    for block in blocks:
        here = rows[(rows >= start) & (rows < start + len(block[0]))] - start
        parts.append(np.stack([head[here] for head in block], axis=1))
        start += len(block[0])
    return np.concatenate(parts)


def _blocks(source: Source, heads: tuple[Head, ...]) -> Iterator[Block]:
    norms, start = head_vectors.norms(source, heads), 0
    for rows in head_vectors.blocks(source, heads):
        yield rows, norms[start : start + len(rows[0])]
        start += len(rows[0])


def _embeddings(source: Source) -> Iterator[Block]:
    """Yields the embeddings of the images as the coordinates of one head."""
    for rows in vectors.embedding_blocks(source.bundle, source.key):
        yield [rows], np.linalg.norm(rows, axis=1)


def of_text(source: Source, text: str, head: Head) -> tuple[str, str]:
    """Returns how much a head varies along a text, and a warning if that is less than by chance."""
    reading = text_reading(source, text, head)
    if reading is None:
        return "", ""
    fact = (
        f"{100 * reading.share:.2g} % of the variance of {head_name(head)} lies along this text; along "
        f"random directions of its space, {100 * reading.chance:.2g} % (median)."
    )
    warning = (
        f"{head_name(head)} varies along this text less than by chance: less than along "
        f"{100 * reading.exceeded:.0f} % of random directions. What is nearest may mean little."
    )
    return fact, warning * reading.outside


def text_reading(source: Source, text: str, head: Head) -> Reading | None:
    """Returns how much a head varies along a text, centered on the pool."""
    space = head_vectors.head_space(source, (head,))
    direction = space.basis[0] @ (texts.embedding(source, text) - texts.pool(source).mean)
    [rank] = head_vectors.own_ranks(space)
    return outside.reading(direction, space.covariance[0].astype(np.float64), int(rank))
