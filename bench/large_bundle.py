"""Makes a bundle of full size from a small one, to measure the pages with: `python -m bench.large_bundle`.

    python -m bench.large_bundle /tmp/large                          # 6 models x 50,000 images x 64 heads
    python -m bench.large_bundle /tmp/million --models 1 --images 1000000 --no-thumbnails
    python -m bench.pages --bundle /tmp/large --target 1

Tables are those of the demo bundle, its heads and images repeated; vectors are random numbers of the shapes
of ViT-L-14 with its last four layers decomposed. Nothing in it means anything: times and sizes alone do.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from bench import argument_parser, timed
from bench.neighbors import image_batches, memory_gb, random_space
from dashboard import DEFAULT_BUNDLE
from db.connection import Bundle, open_bundle, query
from db.layout import MANIFEST
from db.store import BundleWriter, ImageTokens
from db.vectors import HeadSpace, gallery

GRID = 16
"""Rows and columns of patches."""

HEAD_TABLES = (
    "head", "head_text", "head_label", "judgement", "head_metric", "head_selectivity", "head_validation",
    "property_head", "replicate_head_metric",
)  # fmt: skip
MODEL_TABLES = ("model_metric", "replicate_metric", "rotated_metric", "run", "first_view")
POOL_TABLES = ("text_pool", "text", "text_property", "property", "metric", "class_text", "published")
IMAGES_PER_WRITE = 10_000


class Size(NamedTuple):
    """Size of the bundle. Layers are those of the small bundle."""

    images: int
    heads: int
    """Heads of one layer, a multiple of those of the small bundle."""

    rank: int
    d_out: int
    gallery: int
    """Images with maps."""

    thumbnails: bool


def main() -> int:
    """Makes the bundle and prints its size; the exit code is 1 without a small one."""
    parser = argument_parser(__doc__)
    parser.add_argument("out", type=Path, help="the bundle to make")
    parser.add_argument("--small", type=Path, default=Path(DEFAULT_BUNDLE), help="bundle to start from")
    parser.add_argument("--models", type=int, default=6)
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--heads", type=int, default=16, help="heads of one layer")
    parser.add_argument("--rank", type=int, default=72)
    parser.add_argument("--d-out", type=int, default=768)
    parser.add_argument("--gallery", type=int, default=240, help="images with maps")
    parser.add_argument("--no-thumbnails", action="store_true")
    options = parser.parse_args()
    if not (options.small / MANIFEST).exists():
        print(f"{options.small} is no bundle. Make the demo first: headlight demo", file=sys.stderr)
        return 1
    size = Size(
        options.images, options.heads, options.rank, options.d_out, options.gallery, not options.no_thumbnails
    )
    small = open_bundle(options.small)
    seconds, _ = timed(lambda: write(small, options.out, options.models, size))
    gigabytes = sum(path.stat().st_size for path in options.out.rglob("*") if path.is_file()) / 1e9
    print(f"{options.out}: {gigabytes:.2f} GB in {seconds.wall:.0f} s; peak memory {memory_gb():.1f} GB")
    return 0


def write(small: Bundle, out: Path, count: int, size: Size) -> None:
    """Writes the large bundle."""
    models = rows_of(small, "model")
    models = models[~models["is_control"] & models["has_vectors"]].head(count).reset_index(drop=True)
    if len(models) < count:
        raise SystemExit(f"{small.path} has {len(models)} models with vectors; give --models {len(models)}.")
    keys = {old: f"ViT-L-14-made-{number}-{number:08x}" for number, old in enumerate(models["model_key"])}
    with BundleWriter(out, input_id="large", replace=True) as writer:
        ids = write_images(writer, small, size)
        for table in POOL_TABLES:
            writer.write(table, rows_of(small, table))
        writer.write("model", made_models(models, keys, size))
        for table, rows in model_rows(small, keys, models["heads"].iloc[0], size, ids):
            writer.write(table, rows)
        for old, key in keys.items():
            print(f"vectors of {key}", flush=True)
            write_vectors(writer, small, old, key, size, ids)
        writer.finish({"software": {}, "method_versions": {}})


def rows_of(bundle: Bundle, table: str) -> pd.DataFrame:
    """Returns all rows of a table."""
    return query(bundle, f'from "{table}"')


def made_models(models: pd.DataFrame, keys: Mapping[str, str], size: Size) -> pd.DataFrame:
    """Returns rows of the table `model`."""
    return models.assign(
        model_key=models["model_key"].map(keys),
        model=[f"ViT-L-14/made-{number}" for number in range(len(models))],
        architecture="ViT-L-14",
        weights=[f"made-{number}" for number in range(len(models))],
        weights_sha256=[f"{number:064x}" for number in range(len(models))],  # of no file
        heads=size.heads,
        rank=size.rank,
        d_head=64,
        d_model=1024,
        d_out=size.d_out,
        image_size=14 * GRID,
        patch_size=14,
        grid_rows=GRID,
        grid_columns=GRID,
        images=size.images,
        gallery_images=size.gallery,
    )


def write_images(writer: BundleWriter, small: Bundle, size: Size) -> dict[str, str]:
    """Writes the tables of images; returns the new id of each image of the small bundle."""
    tables = {name: rows_of(small, name) for name in ("image", "image_file", "image_attribute")}
    # Images with maps come first, so that they are among any number of images.
    first = dict.fromkeys(gallery(small, small.model_keys[0]))
    old = [*first, *(i for i in tables["image"]["image_id"] if i not in first)]
    if not size.thumbnails:
        tables["image"]["thumbnail"] = None
    tables["image_file"] = tables["image_file"].drop_duplicates("image_id")
    made = dict(images=size.images, files=size.images, failed=0)
    writer.write("image_set", rows_of(small, "image_set").assign(**made))
    for start in range(0, size.images, IMAGES_PER_WRITE):
        numbers = range(start, min(start + IMAGES_PER_WRITE, size.images))
        new = pd.DataFrame({"image_id": [old[n % len(old)] for n in numbers], "made_id": image_ids(numbers)})
        for table, rows in tables.items():
            repeated = new.merge(rows, on="image_id").drop(columns="image_id")
            repeated = repeated.rename(columns={"made_id": "image_id"})
            if table == "image_file":
                repeated["path"] = repeated["image_id"].str[-8:] + "/" + repeated["path"]
            writer.write(table, repeated)
    return dict(zip(old, image_ids(range(min(len(old), size.images))), strict=False))


def image_ids(numbers: Sequence[int]) -> list[str]:
    """Returns the ids of images by number, as `bench.neighbors` makes them."""
    return [f"{number:016x}" for number in numbers]


def model_rows(
    small: Bundle, keys: Mapping[str, str], heads: int, size: Size, ids: Mapping[str, str]
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yields the tables of models and heads, with the rows of each head repeated."""
    copies = range(0, size.heads, heads)
    for table in (*MODEL_TABLES, *HEAD_TABLES, "validation_score", "component_share", "head_match"):
        rows = rows_of(small, table)
        rows = rows[rows["model_key"].isin(keys)]
        for name in {"model_key", "other_model_key"} & set(rows):
            rows = rows[rows[name].isin(keys)].assign(**{name: lambda r, n=name: r[n].map(keys)})
        if "image_id" in rows:
            rows = rows.assign(image_id=rows["image_id"].map(ids))
        if table == "component_share":  # a model's shares sum to 1
            rows["share"] = rows["share"].where(rows["head"].isna(), rows["share"] / len(copies))
        if table in MODEL_TABLES:
            yield table, rows
            continue
        for shift in copies:
            yield table, shifted(rows if shift == 0 else rows[rows["head"].notna()], shift)


def shifted(rows: pd.DataFrame, shift: int) -> pd.DataFrame:
    """Returns rows with the numbers of all heads raised by `shift`."""
    rows = rows.assign(**{name: rows[name] + shift for name in ("head", "other_head") if name in rows})
    if "component" in rows:
        of_head = rows["head"].notna()
        named = "head L" + rows["layer"].astype(str) + ".H" + rows["head"].astype(str)
        rows["component"] = rows["component"].where(~of_head, named)
    return rows


def write_vectors(
    writer: BundleWriter, small: Bundle, old: str, key: str, size: Size, ids: Mapping[str, str]
) -> None:
    """Writes random vectors of one model."""
    layers = sorted(set(query(small, "select layer from head where model_key = $key", {"key": old})["layer"]))
    space = space_of(layers, size)
    writer.write_heads(key, space)
    writer.write_images(key, image_batches_by_layer(space, len(layers), size))
    random = np.random.default_rng(3)
    texts = rows_of(small, "text")["text_id"].sort_values().tolist()
    writer.write_texts(key, texts, units(random, len(texts), size.d_out))
    classes = rows_of(small, "class_text")
    if len(classes):
        vectors = units(random, len(classes), size.d_out)
        writer.write_classes(key, classes["attribute"].tolist(), classes["value"].tolist(), vectors)
    writer.write_tokens(key, 1 + GRID**2, random_tokens(random, len(layers), size))


def space_of(layers: Sequence[int], size: Size) -> HeadSpace:
    """Returns spaces of random directions for the layers."""
    space = random_space(len(layers), size.heads, size.rank, size.d_out)
    basis = np.linalg.qr(np.swapaxes(space.basis, 1, 2))[0]
    return space._replace(layer=np.repeat(layers, size.heads), basis=np.swapaxes(basis, 1, 2))


def image_batches_by_layer(space: HeadSpace, layers: int, size: Size) -> Iterator:
    """Yields images in batches, with the coordinates of heads by layer."""
    for batch in image_batches(space, size.images):
        shape = (len(batch.image_id), layers, size.heads, size.rank)
        yield batch._replace(coordinates=batch.coordinates.reshape(shape))


def random_tokens(random: np.random.Generator, layers: int, size: Size) -> Iterator[ImageTokens]:
    """Yields the images with maps."""
    shape = (layers, size.heads, 1 + GRID**2, size.rank)
    for image_id in image_ids(range(size.gallery)):
        coordinates = random.standard_normal(shape, dtype=np.float32) * 0.001
        yield ImageTokens(image_id, coordinates, random.standard_normal(size.d_out, dtype=np.float32))


def units(random: np.random.Generator, count: int, width: int) -> np.ndarray:
    """Returns random vectors of length 1, [count, width]."""
    vectors = random.standard_normal((count, width), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


if __name__ == "__main__":
    sys.exit(main())
