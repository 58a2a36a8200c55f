"""Exact flat search against an IVF index, by number of images: `python -m bench.index --rows 50000 500000`.

One float16 column of 64 numbers. Rows are of two kinds, which stand on either side of real ones: *clustered*
are made from a bundle's own head coordinates, each on the way from one image to one of its ten nearest;
*no clusters* are normal numbers with the covariance of those. Recall is the share of the ten nearest by exact
search that the index finds, over queries drawn as the rows are. Bundles hold no index; this says what one
would cost.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from lancedb.index import IvfFlat

from bench import argument_parser
from db import lance_tables, vectors
from db.connection import open_bundle

WIDTH = 64
NEAREST = 10
NPROBES = (1, 4, 16, 64)
BATCH = 50_000

Draw = Callable[[int, np.random.Generator], np.ndarray]
"""So many rows, [row, width] float32."""


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[50_000, 500_000])
    parser.add_argument("--bundle", type=Path, default=Path("bundles/demo"))
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--cells", type=int, default=256, help="parts that the index cuts the rows into")
    parser.add_argument("--folder", type=Path, help="where to write; default: a temporary folder")
    options = parser.parse_args()

    seen = coordinates(options.bundle)
    print(f"{seen.shape[0]} images of {options.bundle}, heads of one layer side by side: {WIDTH} numbers")
    for name, draw in (("clustered", between_neighbors(seen)), ("no clusters", normal_like(seen))):
        for rows in options.rows:
            with tempfile.TemporaryDirectory(dir=options.folder) as folder:
                measure(Path(folder), name, draw, rows, options.queries, options.cells)


def coordinates(path: Path) -> np.ndarray:
    """Centered coordinates of as many heads of a model's last layer as make up the width, [image, width]."""
    bundle = open_bundle(path)
    key = bundle.model_keys[0]
    space = vectors.head_spaces(bundle, key)
    last = space.layer.max()
    heads = [(int(last), int(head)) for head in space.head[space.layer == last]]
    found = vectors.image_coordinates(bundle, key, None, heads)[1]
    flat = found.reshape(len(found), -1)
    used = flat[:, flat.std(axis=0) > 1e-6][:, :WIDTH]  # without the padding of ranks
    return (used / used.std()).astype(np.float32)


def between_neighbors(seen: np.ndarray) -> Draw:
    """Rows on the way from one of `seen` to one of its ten nearest."""
    distance = (seen**2).sum(axis=1)[:, None] + (seen**2).sum(axis=1) - 2 * seen @ seen.T
    near = np.argsort(distance, axis=1)[:, 1 : NEAREST + 1]

    def draw(count: int, random: np.random.Generator) -> np.ndarray:
        one = random.integers(len(seen), size=count)
        other = near[one, random.integers(NEAREST, size=count)]
        way = random.random((count, 1), dtype=np.float32)
        noise = random.standard_normal((count, WIDTH), dtype=np.float32) * 0.05
        return seen[one] + way * (seen[other] - seen[one]) + noise

    return draw


def normal_like(seen: np.ndarray) -> Draw:
    """Normal numbers with the covariance of `seen`."""
    root = np.linalg.cholesky(np.cov(seen.T) + 1e-6 * np.eye(WIDTH)).astype(np.float32)
    return lambda count, random: random.standard_normal((count, WIDTH), dtype=np.float32) @ root.T


def measure(folder: Path, name: str, draw: Draw, rows: int, queries: int, cells: int) -> None:
    """Write a table, search it exactly, then with an index, and print."""
    schema = pa.schema([("image_id", pa.int64()), ("head", pa.list_(pa.float16(), WIDTH))])
    lance_tables.write_table(folder, "images", schema, batches(schema, draw, rows))
    table = lance_tables.open_table(folder, "images")
    asked = draw(queries, np.random.default_rng(7))
    asked = (asked / np.linalg.norm(asked, axis=1, keepdims=True)).astype(np.float16)

    exact, seconds = timed(asked, partial(search, table, cells=None))
    print(f"{name}, {rows:,} rows: exact search median {1e3 * seconds:.1f} ms", flush=True)
    began = time.perf_counter()
    table.create_index("head", config=IvfFlat(distance_type="cosine", num_partitions=cells))
    print(f"  index of {cells} cells, built in {time.perf_counter() - began:.1f} s", flush=True)
    for looked_at in NPROBES:
        found, seconds = timed(asked, partial(search, table, cells=looked_at))
        shares = [len(one & other) / NEAREST for one, other in zip(exact, found, strict=True)]
        recall = statistics.fmean(shares)
        print(f"    {looked_at:>3} of them read: {1e3 * seconds:.1f} ms, recall@10 {recall:.3f}", flush=True)


def batches(schema: pa.Schema, draw: Draw, rows: int) -> Iterator[pa.RecordBatch]:
    """The rows of a table."""
    random = np.random.default_rng(1)
    for start in range(0, rows, BATCH):
        drawn = draw(min(BATCH, rows - start), random).astype(np.float16)
        column = pa.FixedSizeListArray.from_arrays(pa.array(drawn.reshape(-1)), WIDTH)
        ids = pa.array(np.arange(start, start + len(drawn)))
        yield pa.record_batch([ids, column], schema=schema)


def search(table: Any, query: np.ndarray, *, cells: int | None) -> Any:
    """The nearest rows of as many cells of the index; None is exact search of all rows."""
    asked = table.search(query, vector_column_name="head").distance_type("cosine")
    asked = asked.bypass_vector_index() if cells is None else asked.nprobes(cells)
    return asked.select(["image_id", "_distance"]).limit(NEAREST)


def timed(asked: np.ndarray, search: Callable[[np.ndarray], Any]) -> tuple[list[set[int]], float]:
    """What each query finds, and the median of seconds, after one search that warms up."""
    search(asked[0]).to_arrow()
    found, seconds = [], []
    for query in asked:
        began = time.perf_counter()
        found.append(set(search(query).to_arrow()["image_id"].to_pylist()))
        seconds.append(time.perf_counter() - began)
    return found, statistics.median(seconds)


if __name__ == "__main__":
    main()
