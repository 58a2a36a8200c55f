"""Coordinates of all images in heads, and cached results from them.

If all columns of a model fit into `MAX_VECTOR_BYTES`, they are read into memory, head by head on first use.
Of a larger model no column is cached: LanceDB searches one head, and several heads are read in blocks.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from threading import Lock
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard.analyses import neighbors
from dashboard.data.cached import frozen, heads, kept
from dashboard.data.types import Source
from dashboard.state.views import Head
from db import queries, vectors
from db.random_sets import random_sets

MAX_VECTOR_BYTES = 2**30
"""Bytes of all cached columns, norms, sorted images and texts of a server.

All 64 heads of ViT-L-14 over 50,000 images are 0.92 GB: they fit into 8 GB of memory beside DuckDB's 2 GB.
"""


class Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


T = TypeVar("T", bound=Sized)


class ArrayCache:
    """Arrays by key; eviction by last use. Thread-safe."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.nbytes = 0
        """Bytes of all cached arrays."""

        self._arrays: OrderedDict[Hashable, Sized] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Returns the array of a key, computed if not cached; arrays larger than the cache are not cached."""
        with self._lock:
            if key in self._arrays:
                self._arrays.move_to_end(key)
                return self._arrays[key]  # type: ignore[return-value]  # a key has one maker
        array = make()  # without the lock: reading is slow, and other threads need cached arrays
        with self._lock:
            if key not in self._arrays and array.nbytes <= self.max_bytes:
                self._arrays[key] = array
                self.nbytes += array.nbytes
                while self.nbytes > self.max_bytes:
                    self.nbytes -= self._arrays.popitem(last=False)[1].nbytes
        return array


@st.cache_resource
def arrays() -> ArrayCache:
    """Returns the cache of arrays of this server."""
    return ArrayCache(MAX_VECTOR_BYTES)


class Computed(NamedTuple):
    """An array and the queries behind it."""

    array: Any
    ran: tuple[queries.Ran, ...]

    @property
    def nbytes(self) -> int:
        return self.array.nbytes


def cached_array(source: Source, name: str, subject: object, make: Callable[[], T]) -> T:
    """Returns an array computed from a model's vectors, cached by its name and `subject`, e.g. a head.

    A cached array records its queries on every call, as results that are `kept` do.
    """

    def compute() -> Computed:
        with queries.recorded() as ran:
            return Computed(make(), tuple(ran))

    key = (str(source.bundle.path), source.bundle.stamp, source.key, name, subject)
    computed = arrays().get(key, compute)
    queries.replay(computed.ran)
    return computed.array


def column_bytes(source: Source) -> int:
    """Returns the bytes of the column of one head in memory."""
    return source.images * head_space(source).mean.shape[1] * np.dtype(np.float32).itemsize


def fit_in_memory(source: Source) -> bool:
    """Returns True if the columns of all stored heads of the model fit into the cache."""
    return column_bytes(source) * len(head_space(source).mean) <= arrays().max_bytes


def column(source: Source, head: Head) -> NDArray[np.float32]:
    """Returns the centered coordinates of all images in one head, [image, rank]."""

    def read() -> NDArray[np.float32]:
        return frozen(vectors.image_coordinates(source.bundle, source.key, None, [head])[1][:, 0])

    return cached_array(source, "column", head, read)


def blocks(source: Source, heads: Sequence[Head]) -> Iterator[list[NDArray[np.float32]]]:
    """Yields blocks of centered coordinates of all images, one [image, rank] per head."""
    if fit_in_memory(source):
        yield [column(source, head) for head in heads]
        return
    for block in vectors.coordinate_blocks(source.bundle, source.key, heads):
        yield [block[:, place] for place in range(len(heads))]


def norms(source: Source, heads: tuple[Head, ...]) -> NDArray[np.float32]:
    """Returns the length of every image's mean centered contribution through heads, [image]."""
    basis = head_space(source, heads).basis

    def measure() -> NDArray[np.float32]:
        parts = [neighbors.mixture_norms(rows, basis) for rows in blocks(source, heads)]
        return frozen(np.concatenate(parts))

    return cached_array(source, "norms", heads, measure)


def all_heads(source: Source) -> tuple[Head, ...]:
    """Returns every stored head, in the order of the axis `head`."""
    return tuple(vectors.head_spaces(source.bundle, source.key).pairs)


@kept(max_entries=128)
def random_heads(source: Source, chosen: tuple[Head, ...], seed: int) -> tuple[Head, ...]:
    """Returns as many random heads of similar variance, as control; none if all heads are chosen.

    Seed 0 gives the closest of the sets that a validation (`--seed 0`) compares with, seed 1 the next.
    """
    stored = all_heads(source)
    rows = heads(source).set_index(["layer", "head"])
    importance = rows["importance"].loc[list(stored)].to_numpy(float)
    sets = random_sets(importance**2, [stored.index(head) for head in chosen], seed=0)
    return tuple(stored[place] for place in sets[seed % len(sets)]) if sets else ()


def head_space(source: Source, heads: Sequence[Head] | None = None) -> vectors.HeadSpace:
    """Returns the spaces of some heads, or of all stored heads."""
    return vectors.head_spaces(source.bundle, source.key, heads)


def own_ranks(space: vectors.HeadSpace) -> NDArray[np.int64]:
    """Returns the dimensions of each head, [head], without those that only pad its rank."""
    return (np.linalg.norm(space.basis, axis=2) > 0.5).sum(axis=1)


def row_of(image_id: str | None, image_ids: NDArray) -> int | None:
    """Returns the row of an image among sorted ids, or None, e.g. for an uploaded image."""
    row = int(np.searchsorted(image_ids, image_id or ""))
    return row if row < len(image_ids) and image_ids[row] == image_id else None


@kept(max_entries=256)
def stored_coordinates(source: Source, image_id: str, heads: tuple[Head, ...]) -> NDArray[np.float32]:
    """Returns the centered coordinates of one image of the bundle, [head, rank]."""
    return frozen(vectors.image_coordinates(source.bundle, source.key, [image_id], heads)[1][0])


@kept(max_entries=8)
def mean_embedding(source: Source) -> NDArray[np.float64]:
    """Returns the mean embedding of the images of the bundle, [d_out]."""
    parts = vectors.embedding_blocks(source.bundle, source.key)
    return sum(part.sum(axis=0, dtype=np.float64) for part in parts) / source.images
