"""Tiny bundles at the ends of what one may hold: one model, one layer, no vectors, a thousand classes."""

from pathlib import Path

import numpy as np
import pandas as pd

from db.store import BundleWriter
from tests.support import bundles
from tests.support.bundles import CONTROL_KEY, IMAGE_IDS, MODEL_KEY, PAIRS
from tests.support.pages import write_vectors

LAYER = PAIRS[-1][0]


def write(
    out: Path, *, one_layer: bool = False, thumbnails: bool = True, vectors: bool = True, classes: int = 0
) -> Path:
    """Writes the tiny bundle of one model, without its control."""
    tables = of_one_model(bundles.tables())
    if one_layer:
        tables = of_one_layer(tables)
    if not thumbnails:
        tables["image"]["thumbnail"] = None
    if not vectors:
        tables = without_vectors(tables)
    if classes:
        tables = with_classes(tables, classes)
    with BundleWriter(out, input_id="extreme") as writer:
        for name, rows in tables.items():
            writer.write(name, rows)
        if classes:
            write_classes(writer, tables["class_text"])
        elif vectors:
            layers = {LAYER} if one_layer else {layer for layer, _ in PAIRS}
            write_vectors(writer, MODEL_KEY, layers, len(bundles.TEXT_IDS))
        return writer.finish({"software": {"headlight": "test"}, "method_versions": {"textspan": 1}})


def of_one_model(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {
        name: rows[rows["model_key"] != CONTROL_KEY].reset_index(drop=True) if "model_key" in rows else rows
        for name, rows in tables.items()
        if name != "head_match"
    }


def of_one_layer(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    kept = {
        name: rows[rows["layer"] == LAYER] if {"model_key", "layer", "head"} <= set(rows) else rows
        for name, rows in tables.items()
        if name not in ("component_share", "validation_score")
    }
    scores = tables["validation_score"]
    kept["validation_score"] = scores[scores["layer"].isna() | (scores["layer"] == LAYER)]
    return kept | {
        "model": kept["model"].assign(first_layer=LAYER),
        "component_share": tables["component_share"],
    }


def without_vectors(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables of results that another program made: texts, labels and metrics, and no image."""
    gone = {"image", "image_file", "image_attribute", "failed_image", "component_share", "head_selectivity"}
    gone |= {"head_validation", "validation_score", "class_text", "rotated_metric", "replicate_metric"}
    gone |= {"replicate_head_metric"}
    kept = {name: rows for name, rows in tables.items() if name not in gone}
    kept["image_set"] = kept["image_set"].assign(name="no images", images=0, files=0, failed=0, license=None)
    unknown = dict.fromkeys(("images", "gallery_images", "max_sum_error", "precision", "layers", "rank"))
    kept["model"] = kept["model"].astype(object).assign(has_vectors=False, **unknown)
    kept["head"] = kept["head"].assign(importance=None, rank=None)
    shares = dict.fromkeys(("variance_share", "cumulative_share", "margin", "stability"))
    kept["head_text"] = kept["head_text"].assign(**shares)
    return kept


def with_classes(tables: dict[str, pd.DataFrame], count: int) -> dict[str, pd.DataFrame]:
    """The tables with one more attribute of `count` values; every image has one of them."""
    values = [f"class {number:04}" for number in range(count)]
    texts = pd.DataFrame({"attribute": "class", "value": values, "position": range(count)})
    texts["text"] = "a photo of a " + texts["value"] + "."
    of_images = values[:: max(1, count // len(IMAGE_IDS))][: len(IMAGE_IDS)]
    known = pd.DataFrame({"image_id": IMAGE_IDS, "attribute": "class", "value": of_images})
    more = {"class_text": texts, "image_attribute": known}
    for name in ("head_selectivity", "head_validation"):
        rows = tables[name]
        more[name] = rows[rows["attribute"] == "color"].assign(attribute="class")
    return tables | {name: pd.concat([tables[name], rows], ignore_index=True) for name, rows in more.items()}


def write_classes(writer: BundleWriter, texts: pd.DataFrame) -> None:
    """Writes all vectors of the model, with an embedding of each of many class texts."""
    embeddings = np.random.default_rng(0).normal(size=(len(texts), bundles.D_OUT))
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    bundles.write_vectors(writer, MODEL_KEY, classes=False)
    writer.write_classes(MODEL_KEY, texts["attribute"].tolist(), texts["value"].tolist(), embeddings)
