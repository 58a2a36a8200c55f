"""Time and size of vectors at full size: `python -m bench.neighbors`.

50,000 images, 64 heads of rank 72, embeddings of 768, as ViT-L-14 with its last four layers taken
apart. Numbers are random: neither the time of a flat search nor the size of float16 depends on them.
"""

import argparse
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from db import lance_tables, vector_encoding, vectors
from db.connection import Bundle
from db.layout import MANIFEST, VECTORS, lance_table
from db.store import ImageVectors
from db.vectors import HeadSpace

TARGET_MS = 30.0
TARGET_GB = 0.6
KEY = "bench-00000000"


def main() -> int:
    """Print times and sizes; the exit code is 0 if the targets are met."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--heads", type=int, default=16, help="heads of one layer")
    parser.add_argument("--rank", type=int, default=72)
    parser.add_argument("--d-out", type=int, default=768)
    parser.add_argument("--queries", type=int, default=60, help="searches to take the median of")
    parser.add_argument("--folder", type=Path, help="where to write; default: a temporary folder")
    options = parser.parse_args()

    folder = Path(tempfile.mkdtemp(prefix="headlight-bench-", dir=options.folder))
    try:
        space = made_up(options.layers, options.heads, options.rank, options.d_out)
        small = write(folder, space, options.images)
        quick = read(folder, space, options.queries)
    finally:
        shutil.rmtree(folder)
    return 0 if small and quick else 1


def write(folder: Path, space: HeadSpace, images: int) -> bool:
    """Write the vectors as the writer does, and print size, time and memory; whether they are small."""
    schema, began, made_in = vector_encoding.image_schema(space), time.perf_counter(), 0.0

    def packed() -> Iterator[pa.RecordBatch]:
        nonlocal made_in
        random = image_batches(space, images)
        while True:
            start = time.perf_counter()
            batch = next(random, None)
            made_in += time.perf_counter() - start  # drawing random numbers is no part of writing
            if batch is None:
                return
            yield vector_encoding.pack_images(space, batch.image_id, batch.embedding, batch.coordinates)

    batches = packed()
    lance_tables.write_table(folder / VECTORS, lance_table("images", KEY), schema, batches)
    spaces = vector_encoding.pack_spaces(space)
    lance_tables.write_table(folder / VECTORS, lance_table("heads", KEY), spaces.schema, [spaces])
    seconds = time.perf_counter() - began - made_in
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e9
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    heads, rank, d_out = space.basis.shape
    raw = images * (heads + 1) * d_out * 4 / 1e9
    print(f"vectors: {images:,} images, {heads} heads of rank {rank}, embeddings of {d_out}: ", end="")
    print(
        f"{size:.3f} GB (target: {TARGET_GB} at 50,000), {raw / size:.1f} times smaller than raw float32 ",
        end="",
    )
    print(f"contributions ({raw:.2f} GB)")
    print(
        f"written in {seconds:.1f} s: {images / seconds:,.0f} images/s, "
        f"{images * (heads + 1) / seconds:,.0f} vectors/s; peak memory {peak:.1f} GB"
    )
    return size <= TARGET_GB * max(images, 50_000) / 50_000


def read(folder: Path, space: HeadSpace, queries: int) -> bool:
    """Search and read back, and print times; whether searches are quick enough."""
    (folder / MANIFEST).write_text("{}")
    state = (folder / MANIFEST).stat()
    stamp = (state.st_dev, state.st_ino, state.st_mtime_ns, state.st_size)
    facts = {"models": [{"model_key": KEY, "model": "bench", "has_vectors": True}]}
    bundle = Bundle(folder, facts, None, stamp)  # type: ignore[arg-type]  # no tables are asked
    heads = list(zip(space.layer.tolist(), space.head.tolist(), strict=True))
    random = np.random.default_rng(1)
    asked = random.standard_normal((queries, space.mean.shape[1])).astype(np.float32)

    quick = True
    for metric in vectors.METRICS:

        def search(i: int, metric: str = metric) -> object:
            return vectors.nearest(bundle, KEY, *heads[i % len(heads)], asked[i], metric=metric, k=50)

        taken = timed(queries, search)
        quick &= taken[0] <= TARGET_MS
        print(f"neighbors in one head by {metric}: {shown(taken)} (target: {TARGET_MS:.0f} ms)")
    ids, _ = vectors.image_coordinates(bundle, KEY, None, heads[:1])
    reads: dict[str, tuple[int, Callable[[int], object]]] = {
        "coordinates of all images in 1 head": (
            5,
            lambda i: vectors.image_coordinates(bundle, KEY, None, heads[i : i + 1]),
        ),
        "coordinates of 20 images in all heads": (
            9,
            lambda i: vectors.image_coordinates(bundle, KEY, ids[i::97][:20], heads),
        ),
        "embeddings of all images": (3, lambda i: vectors.image_embeddings(bundle, KEY)),
    }
    for what, (count, call) in reads.items():
        print(f"{what}: {shown(timed(count, call))}")
    return quick


def timed(count: int, call: Callable[[int], object]) -> tuple[float, float]:
    """Median and slowest of `count` calls in milliseconds, after one that warms up."""
    call(0)
    taken = []
    for number in range(count):
        began = time.perf_counter()
        call(number)
        taken.append((time.perf_counter() - began) * 1e3)
    return statistics.median(taken), max(taken)


def shown(taken: tuple[float, float]) -> str:
    """Two times in words."""
    return f"median {taken[0]:.1f} ms, slowest {taken[1]:.1f} ms"


def made_up(layers: int, heads: int, rank: int, d_out: int) -> HeadSpace:
    """Spaces of random directions; searches do not read them."""
    n = layers * heads
    basis = np.random.default_rng(0).standard_normal((n, rank, d_out), dtype=np.float32)
    layer, head = np.repeat(np.arange(layers), heads), np.tile(np.arange(heads), layers)
    mean = np.zeros((n, rank), np.float32)
    return vector_encoding.checked_space(
        KEY, HeadSpace(layer, head, basis, mean, np.full(n, 0.01, np.float32))
    )


def image_batches(space: HeadSpace, images: int, batch: int = 500) -> Iterator[ImageVectors]:
    """Images in batches, as the pipeline gives them."""
    random = np.random.default_rng(2)
    n, rank, d_out = space.basis.shape
    for start in range(0, images, batch):
        ids = [f"{number:016x}" for number in range(start, min(start + batch, images))]
        embedding = random.standard_normal((len(ids), d_out), dtype=np.float32) / np.sqrt(d_out)
        coordinates = random.standard_normal((len(ids), n, rank), dtype=np.float32) * 0.01
        yield ImageVectors(ids, embedding, coordinates)


if __name__ == "__main__":
    sys.exit(main())
