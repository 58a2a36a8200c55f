"""Exact flat search against an IVF index, by number of images: `python -m bench.index --rows 50000 500000`.

One float16 column of 64 numbers. Real rows are between two kinds of synthetic ones: *clustered* rows are
interpolated between head coordinates of an image of a bundle and of one of its ten nearest; *no clusters* are
normal numbers with the same covariance. Recall is the share of the ten nearest rows by exact search that the
index returns, over queries with the distribution of the rows. Bundles have no index; this measures its cost.
"""

import statistics
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from lancedb.index import IvfFlat

from bench import argument_parser, timed
from db import lance_tables, vectors
from db.connection import open_bundle

WIDTH = 64
NEAREST = 10
NPROBES = (1, 4, 16, 64)
BATCH = 50_000

Draw = Callable[[int, np.random.Generator], np.ndarray]
"""Function that draws a number of rows, [row, width] float32."""


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[50_000, 500_000])
    parser.add_argument("--bundle", type=Path, default=Path("bundles/demo"))
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--cells", type=int, default=256, help="number of cells of the index")
    parser.add_argument("--folder", type=Path, help="folder for the table (default: a temporary one)")
    options = parser.parse_args()

    points = coordinates(options.bundle)
    print(f"{points.shape[0]} images of {options.bundle}, heads of one layer side by side: {WIDTH} numbers")
    for name, draw in (("clustered", between_neighbors(points)), ("no clusters", normal_like(points))):
        for rows in options.rows:
            with tempfile.TemporaryDirectory(dir=options.folder) as folder:
                measure(Path(folder), name, draw, rows, options.queries, options.cells)


def coordinates(path: Path) -> np.ndarray:
    """Returns centered coordinates of heads of a model's last layer, side by side, [image, width]."""
    bundle = open_bundle(path)
    key = bundle.model_keys[0]
    space = vectors.head_spaces(bundle, key)
    last = space.layer.max()
    heads = [(int(last), int(head)) for head in space.head[space.layer == last]]
    by_head = vectors.image_coordinates(bundle, key, None, heads)[1]
    flat = by_head.reshape(len(by_head), -1)
    used = flat[:, flat.std(axis=0) > 1e-6][:, :WIDTH]  # without the padding of ranks
    return (used / used.std()).astype(np.float32)


def between_neighbors(points: np.ndarray) -> Draw:
    """Returns a function that draws rows between a point and one of its ten nearest."""
    distance = (points**2).sum(axis=1)[:, None] + (points**2).sum(axis=1) - 2 * points @ points.T
    near = np.argsort(distance, axis=1)[:, 1 : NEAREST + 1]

    def draw(count: int, random: np.random.Generator) -> np.ndarray:
        start = random.integers(len(points), size=count)
        end = near[start, random.integers(NEAREST, size=count)]
        share = random.random((count, 1), dtype=np.float32)
        noise = random.standard_normal((count, WIDTH), dtype=np.float32) * 0.05
        return points[start] + share * (points[end] - points[start]) + noise

    return draw


def normal_like(points: np.ndarray) -> Draw:
    """Returns a function that draws normal numbers with the covariance of the points."""
    root = np.linalg.cholesky(np.cov(points.T) + 1e-6 * np.eye(WIDTH)).astype(np.float32)
    return lambda count, random: random.standard_normal((count, WIDTH), dtype=np.float32) @ root.T


def measure(folder: Path, name: str, draw: Draw, rows: int, queries: int, cells: int) -> None:
    """Writes a table, searches it exactly and with an index, and prints times and recall."""
    schema = pa.schema([("image_id", pa.int64()), ("head", pa.list_(pa.float16(), WIDTH))])
    lance_tables.write_table(folder, "images", schema, batches(schema, draw, rows))
    table = lance_tables.open_table(folder, "images")
    points = draw(queries, np.random.default_rng(7))
    points = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float16)

    exact, seconds = search_all(points, partial(search, table, cells=None))
    print(f"{name}, {rows:,} rows: exact search median {1e3 * seconds:.1f} ms", flush=True)
    config = IvfFlat(distance_type="cosine", num_partitions=cells)
    built, _ = timed(lambda: table.create_index("head", config=config))
    print(f"  index of {cells} cells, built in {built.wall:.1f} s", flush=True)
    for count in NPROBES:
        approximate, seconds = search_all(points, partial(search, table, cells=count))
        shares = [len(a & b) / NEAREST for a, b in zip(exact, approximate, strict=True)]
        recall = statistics.fmean(shares)
        print(f"    {count:>3} of them read: {1e3 * seconds:.1f} ms, recall@10 {recall:.3f}", flush=True)


def batches(schema: pa.Schema, draw: Draw, rows: int) -> Iterator[pa.RecordBatch]:
    """Yields the rows of a table."""
    random = np.random.default_rng(1)
    for start in range(0, rows, BATCH):
        drawn = draw(min(BATCH, rows - start), random).astype(np.float16)
        column = pa.FixedSizeListArray.from_arrays(pa.array(drawn.reshape(-1)), WIDTH)
        ids = pa.array(np.arange(start, start + len(drawn)))
        yield pa.record_batch([ids, column], schema=schema)


def search(table: Any, query: np.ndarray, *, cells: int | None) -> Any:
    """Returns the query for the nearest rows in `cells` cells of the index; None searches all rows."""
    builder = table.search(query, vector_column_name="head").distance_type("cosine")
    builder = builder.bypass_vector_index() if cells is None else builder.nprobes(cells)
    return builder.select(["image_id", "_distance"]).limit(NEAREST)


def search_all(points: np.ndarray, search: Callable[[np.ndarray], Any]) -> tuple[list[set[int]], float]:
    """Returns the ids that each query finds, and the median seconds, after one search that warms up."""

    def found(query: np.ndarray) -> set[int]:
        return set(search(query).to_arrow()["image_id"].to_pylist())

    found(points[0])
    runs = [timed(partial(found, query)) for query in points]
    return [ids for _, ids in runs], statistics.median(spent.wall for spent, _ in runs)


if __name__ == "__main__":
    main()
