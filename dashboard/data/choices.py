"""Valid values of the options, for one bundle and one of its models."""

from typing import Any

import pandas as pd

from dashboard.data import cached, head_vectors, images, label_text
from dashboard.data.types import Source
from dashboard.state.choices import Choices
from dashboard.state.markdown import literal
from dashboard.state.views import MAX_K, OF_ATTRIBUTE, Head, HeadView, View
from db import vectors
from db.connection import Bundle

ROTATED = "_rotated"
"""Suffix of the chance value of a metric."""

SELECTIVITY = "selectivity:"
MAX_OF_EACH = 24


def about(source: Source) -> tuple[str, str]:
    """Returns Markdown: a model in a line, and what else is known of it."""
    info, names = source.info, head_names(source)
    layers = sorted({layer for layer, _ in names})
    line = f"{len(names)} heads of layers {layers[0]} to {layers[-1]}"
    if not source.has_vectors:
        return f"{line}, imported", (
            "Imported results: texts, labels and metrics, but no images and no vectors."
        )
    error = f"{info.max_sum_error:.2g}".replace("e-0", "e-")
    # Counts are floats if an imported model of the same bundle has none.
    return f"{line}, {source.images:,} images", (
        f"**{literal(info.model)}**: {info.heads} heads a layer. {int(info.gallery_images):,} images with "
        f"stored maps. Decomposition exact to {error}.{_precision(info)}"
    )


def licenses(source: Source) -> str:
    """Returns Markdown: the licenses of images and texts, as the maker of the bundle stated them."""
    stated = source.bundle.manifest["licenses"]
    return ". ".join(
        f"{part.capitalize()}: {literal(license)}" for part, license in stated.items() if license
    )


def unverified(source: Source) -> str:
    """Returns a note on weights that came from a file which may not be what its name says."""
    if pd.isna(source.info.weights_verified) or source.info.weights_verified:
        return ""
    return "Weights not verified: from a file, and no hash of the published weights is known."


def _precision(info: Any) -> str:
    """Returns a note on a precision below float32 and its effect on the texts."""
    if info.precision == "float32":
        return ""
    mean, minimum = (f"{100 * share:.0f} %" for share in (info.overlap_5, info.min_overlap_5))
    return (
        f" Decomposed in {literal(info.precision)}: {mean} of the first five texts of a head are those of "
        f"float32 (minimum {minimum}), on {int(info.precision_images):,} images."
    )


def choices(source: Source, kind: type[View], head: Head) -> Choices:
    """Returns the valid values of links to a page over this model; `head` is that of the link."""
    return Choices(
        heads=tuple(head_names(source)),
        properties=tuple(property_titles(source)),
        metrics=tuple(cached.leaderboard(source.bundle)["metric"].unique()),
        attributes=attributes(source),
        head_metrics=tuple(head_metric_titles(source)),
        colors=tuple(color_titles(source)),
        labels=labels(source),
        positions=len(cached.of_head(source, "head_texts", head)),
        max_k=max_of_each(source) if kind is HeadView else max_neighbors(source),
        others=tuple(other_models(source)),
        tables=tuple(cached.query(source.bundle, "table_comments")["table_name"]),
        grid=source.grid if source.has_vectors else (0, 0),
        has_image=lambda image_id: images.exists(source, image_id),
        kinds=kind.kinds,
        has_picture=lambda image_id: has_picture(source, image_id),
        splits=tuple(split_titles(source)),
    )


def has_picture(source: Source, image_id: str) -> bool:
    """Returns True for an image that the model has decomposed."""
    if not source.has_vectors:
        return False
    return head_vectors.row_of(image_id, vectors.image_ids(source.bundle, source.key)) is not None


def split_titles(source: Source) -> dict[str, str]:
    """Returns titles of what can split a histogram of the images."""
    first = {"most": "what the head varies with most", "none": "nothing"}
    return first | {f"{OF_ATTRIBUTE}{name}": name for name in images.attribute_names(source)}


def other_models(source: Source) -> dict[str, str]:
    """Returns the names of the other models of the bundle by key, controls last."""
    titles = model_titles(source.bundle)
    return {key: title for key, title in titles.items() if key != source.key}


def model_titles(bundle: Bundle) -> dict[str, str]:
    """Returns the names of the models of a bundle by key; controls say so first, since long names are cut."""
    models = cached.models(bundle).itertuples()
    return {row.model_key: "Control · " * row.is_control + row.model for row in models}


@cached.kept(max_entries=16)
def head_names(source: Source) -> dict[Head, str]:
    """Returns every stored head with its name and label."""
    return {
        (row.layer, row.head): f"{row.name} · {label_text.display_label(row)}"
        for row in label_text.heads(source).itertuples(index=False)
    }


@cached.kept(max_entries=16)
def property_titles(source: Source) -> dict[str, str]:
    """Returns the labels of this model's heads, the most supported heads first."""
    rows = cached.of_model(source, "properties").query("heads > 0")
    rows = rows.sort_values(["supported_heads", "heads"], ascending=False, kind="stable")
    return {
        row.property: f"{row.property} · {row.supported_heads} of {row.heads} heads supported"
        for row in rows.itertuples()
    }


@cached.kept(max_entries=16)
def labels(source: Source) -> tuple[str, ...]:
    """Returns the labels of the model's heads, the most frequent first."""
    return tuple(str(label) for label in cached.heads(source)["label"].value_counts().index)


@cached.kept(max_entries=16)
def head_metric_titles(source: Source) -> dict[str, str]:
    """Returns titles of the metrics of heads, in the order of the pages, without those of rotated heads."""
    rows = cached.head_metrics(source).drop_duplicates("metric")
    rows = rows[~rows["metric"].str.endswith(ROTATED)]
    return dict(zip(rows["metric"], rows["title"], strict=True))


@cached.kept(max_entries=16)
def color_titles(source: Source) -> dict[str, str]:
    """Returns titles of the colors of the grid of heads."""
    attributes = cached.head_selectivity(source)["attribute"].unique()
    selectivity = {SELECTIVITY + attribute: f"Selectivity for {attribute}" for attribute in attributes}
    return {"label": "Label"} | head_metric_titles(source) | selectivity


def max_neighbors(source: Source) -> int:
    """Returns the largest number of neighbors that a page can show."""
    return max(1, min(MAX_K, source.images - 1))


def max_of_each(source: Source) -> int:
    """Returns the largest number of images at each end of a direction, so that the ends stay disjoint."""
    return max(1, min(MAX_OF_EACH, source.images // 2))


def attributes(source: Source) -> tuple[str, ...]:
    """Returns the attributes with class texts."""
    return tuple(cached.query(source.bundle, "class_texts")["attribute"].unique())
