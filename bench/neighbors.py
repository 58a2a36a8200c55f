"""Time and size of vectors at full size: `python -m bench.neighbors`.

50,000 images, 64 heads of rank 72, embeddings of 768, as ViT-L-14 with its last four layers decomposed. The
numbers are random: neither the time of a search nor the size of float16 depends on them. Searches are those
of the pages (`dashboard.data.neighbors`), without paths and attributes of the results.
"""

import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa

from bench import argument_parser, timed
from dashboard.analyses import neighbors
from dashboard.data import head_vectors
from dashboard.data import neighbors as neighbor_data
from dashboard.data.types import Source
from dashboard.state.views import Head
from db import lance_tables, vector_encoding, vector_rows, vectors
from db.connection import Bundle
from db.layout import MANIFEST, VECTORS, lance_table
from db.store import ImageVectors
from db.vectors import HeadSpace

TARGET_MS = 30.0
TARGET_GB = 0.6
KEY = "bench-00000000"


def main() -> int:
    """Prints times and sizes; the exit code is 0 if the targets are met."""
    parser = argument_parser(__doc__)
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--heads", type=int, default=16, help="heads of one layer")
    parser.add_argument("--rank", type=int, default=72)
    parser.add_argument("--d-out", type=int, default=768)
    parser.add_argument("--queries", type=int, default=60, help="number of searches for the median")
    memory = "GB of vectors that a server may keep (default: %(default).2f); a large number keeps all"
    parser.add_argument("--memory", type=float, default=head_vectors.MAX_VECTOR_BYTES / 1e9, help=memory)
    parser.add_argument("--folder", type=Path, help="folder for the vectors (default: a temporary one)")
    options = parser.parse_args()

    folder = Path(tempfile.mkdtemp(prefix="headlight-bench-", dir=options.folder))
    try:
        space = random_space(options.layers, options.heads, options.rank, options.d_out)
        small = write(folder, space, options.images)
        # In a separate process, so that its peak memory is that of a server.
        with ProcessPoolExecutor(1, get_context("spawn")) as server:
            arguments = folder, space, options.images, options.queries, options.memory
            quick = server.submit(read, *arguments).result()
    finally:
        shutil.rmtree(folder)
    return 0 if small and quick else 1


def write(folder: Path, space: HeadSpace, images: int) -> bool:
    """Writes vectors as the pipeline does, prints size, time, memory; True if the size meets the target."""
    schema, began, draw_seconds = vector_encoding.image_schema(space), time.perf_counter(), 0.0

    def packed() -> Iterator[pa.RecordBatch]:
        nonlocal draw_seconds
        random = image_batches(space, images)
        while True:
            start = time.perf_counter()
            batch = next(random, None)
            draw_seconds += time.perf_counter() - start  # drawing random numbers is no part of writing
            if batch is None:
                return
            yield vector_encoding.pack_images(space, batch.image_id, batch.embedding, batch.coordinates)

    lance_tables.write_table(folder / VECTORS, lance_table("images", KEY), schema, packed())
    spaces = vector_encoding.pack_spaces(space)
    lance_tables.write_table(folder / VECTORS, lance_table("heads", KEY), spaces.schema, [spaces])
    seconds = time.perf_counter() - began - draw_seconds
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9
    peak = memory_gb()
    heads, rank, d_out = space.basis.shape
    raw = images * (heads + 1) * d_out * 4 / 1e9
    print(
        f"vectors: {images:,} images, {heads} heads of rank {rank}, embeddings of {d_out}: {size:.3f} GB "
        f"(target: {TARGET_GB} at 50,000), {raw / size:.1f} times smaller than raw float32 contributions "
        f"({raw:.2f} GB)\nwritten in {seconds:.1f} s: {images / seconds:,.0f} images/s, "
        f"{images * (heads + 1) / seconds:,.0f} vectors/s; peak memory {peak:.1f} GB"
    )
    return size <= TARGET_GB * max(images, 50_000) / 50_000


def read(folder: Path, space: HeadSpace, images: int, queries: int, memory: float) -> bool:
    """Searches as pages do, reads back, prints times and memory; True if searches meet the target."""
    (folder / MANIFEST).write_text("{}")
    state = (folder / MANIFEST).stat()
    stamp = (state.st_dev, state.st_ino, state.st_mtime_ns, state.st_size)
    facts = {"models": [{"model_key": KEY, "model": "bench", "has_vectors": True}]}
    bundle = Bundle(folder, facts, None, stamp)  # type: ignore[arg-type]  # no tables are asked
    for kind in ("images", "heads"):  # open already: there are no tables to compare them with
        table = lance_tables.open_table(folder / VECTORS, lance_table(kind, KEY))
        vector_rows.cache_of(bundle)[kind, KEY] = table
    source = Source(bundle, "bench", KEY, SimpleNamespace(has_vectors=True, images=images))
    head_vectors.MAX_VECTOR_BYTES = int(memory * 1e9)
    heads = head_vectors.all_heads(source)
    began = memory_gb()

    quick = True
    for metric in neighbors.METRICS:
        first, again = search_heads(source, heads, metric, queries)
        quick &= again[0] <= TARGET_MS
        print(f"neighbors in one head by {metric}: {shown(again)} (target: {TARGET_MS:.0f} ms)", end="")
        print(f"; the first in each head: {shown(first)}")
    for several in (heads[:5], heads):
        seconds = times_of(3, partial(search, source, several, "cosine"))
        print(f"neighbors through {len(several)} heads by cosine, norms known: {shown(seconds)}")
    cached = head_vectors.arrays().nbytes / 1e9
    print(f"memory: {began:.2f} GB before, {memory_gb():.2f} GB at most; vectors kept: {cached:.2f} GB")
    print_reads(bundle, heads)
    return quick


def search_heads(
    source: Source, heads: Sequence[Head], metric: str, queries: int
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Returns times of the first search in each head, and of `queries` searches after it."""
    search(source, heads[-1:], metric, 0)  # opens the table
    first = times_of(len(heads) - 1, lambda i: search(source, heads[i : i + 1], metric, i), warm_up=False)
    again = times_of(queries, lambda i: search(source, heads[i % len(heads) :][:1], metric, i))
    return first, again


def search(source: Source, heads: Sequence[Head], metric: str, seed: int) -> object:
    """Returns the 50 images nearest to a random query through some heads."""
    space = head_vectors.head_space(source, heads)
    coordinates = np.random.default_rng(seed).standard_normal(space.mean.shape, dtype=np.float32)
    query = neighbors.image_query(coordinates, space.basis, space.mean, metric=metric)
    return neighbor_data.ranked_ids(source, tuple(heads), query, 50)


def print_reads(bundle: Bundle, heads: Sequence[Head]) -> None:
    """Prints times of reading vectors back."""
    ids = vectors.image_ids(bundle, KEY).tolist()
    read = partial(vectors.image_coordinates, bundle, KEY)
    reads: tuple[tuple[str, int, Callable[[int], object]], ...] = (
        ("coordinates of all images in 1 head", 5, lambda i: read(None, heads[i : i + 1])),
        ("coordinates of 20 images in all heads", 9, lambda i: read(ids[i::97][:20], heads)),
        ("embeddings of all images", 3, lambda i: vectors.image_embeddings(bundle, KEY)),
    )
    for name, count, call in reads:
        print(f"{name}: {shown(times_of(count, call))}")


def memory_gb() -> float:
    """Returns the peak memory of this process, GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def times_of(count: int, call: Callable[[int], object], *, warm_up: bool = True) -> tuple[float, float]:
    """Returns median and slowest of `count` calls in milliseconds, after one that warms up."""
    if warm_up:
        call(0)
    times = [1e3 * timed(partial(call, number))[0].wall for number in range(count)]
    return statistics.median(times), max(times)


def shown(times: tuple[float, float]) -> str:
    """Returns median and slowest time in words."""
    return f"median {times[0]:.1f} ms, slowest {times[1]:.1f} ms"


def random_space(layers: int, heads: int, rank: int, d_out: int) -> HeadSpace:
    """Returns spaces of random directions; searches do not read them."""
    n = layers * heads
    basis = np.random.default_rng(0).standard_normal((n, rank, d_out), dtype=np.float32)
    layer, head = np.repeat(np.arange(layers), heads), np.tile(np.arange(heads), layers)
    mean, scale = np.zeros((n, rank), np.float32), np.full(n, 0.01, np.float32)
    covariance, length = np.broadcast_to(np.eye(rank, dtype=np.float32) * 1e-4, (n, rank, rank)), scale
    space = HeadSpace(layer, head, basis, mean, scale, covariance, length)
    return vector_encoding.checked_space(KEY, space)


def image_batches(space: HeadSpace, images: int, batch: int = 500) -> Iterator[ImageVectors]:
    """Yields images in batches, as the pipeline does."""
    random = np.random.default_rng(2)
    n, rank, d_out = space.basis.shape
    for start in range(0, images, batch):
        ids = [f"{number:016x}" for number in range(start, min(start + batch, images))]
        embedding = random.standard_normal((len(ids), d_out), dtype=np.float32) / np.sqrt(d_out)
        coordinates = random.standard_normal((len(ids), n, rank), dtype=np.float32) * 0.01
        yield ImageVectors(ids, embedding, coordinates)


if __name__ == "__main__":
    sys.exit(main())
