"""What a bundle and a model have to choose from, for links and pickers."""

from typing import Any

from dashboard.data import cached, images, label_text
from dashboard.data.types import Source
from dashboard.state.views import MAX_K, Choices, Head

ROTATED = "_rotated"
"""A metric of this ending is that of the name before it, by chance."""

SELECTIVITY = "selectivity:"
MAX_OF_EACH = 24


def about(source: Source) -> str:
    """What there is of a model."""
    info = source.info
    if not source.has_vectors:
        layers = sorted({layer for layer, _ in head_names(source)})
        return (
            f"**{info.model}**  \n{len(head_names(source))} heads of layers {layers[0]} to {layers[-1]}. "
            "Imported results: texts, labels and metrics, but no images and no vectors."
        )
    error = f"{info.max_sum_error:.2g}".replace("e-0", "e-")
    # Whole numbers arrive as floats where an imported model beside it has none.
    return (
        f"**{info.model}**  \nLayers {info.first_layer} to {int(info.layers) - 1}, {info.heads} heads each. "
        f"{source.images:,} images, {int(info.gallery_images):,} with maps stored. "
        f"Contributions sum to the embedding within {error}.{_precision(info)}"
    )


def _precision(info: Any) -> str:
    """What is not in float32, and how much of the texts that changes."""
    if info.precision == "float32":
        return ""
    return (
        f" Taken apart in {info.precision}: {info.overlap_5:.0%} of the first five texts of a head are those "
        f"of float32 (least {info.overlap_5_least:.0%}), on {int(info.precision_images):,} images."
    )


def choices(source: Source) -> Choices:
    """What a link to a page over this model may ask for."""
    return Choices(
        bundles=tuple(cached.bundle_paths()),
        models=tuple(cached.models(source.bundle)["model_key"]),
        heads=tuple(head_names(source)),
        properties=tuple(property_titles(source)),
        metrics=tuple(cached.leaderboard(source.bundle)["metric"].unique()),
        attributes=attributes(source),
        head_metrics=tuple(head_metric_titles(source)),
        colors=tuple(color_titles(source)),
        labels=labels(source),
        positions=int(cached.heads(source)["texts"].max()),
        images=source.images,
        has_image=lambda image_id: images.exists(source, image_id),
    )


@cached.kept(max_entries=16)
def head_names(source: Source) -> dict[Head, str]:
    """Every stored head with its label, as a picker shows it."""
    return {
        (row.layer, row.head): f"{row.name} · {label_text.display_label(row)}"
        for row in cached.heads(source).itertuples(index=False)
    }


@cached.kept(max_entries=16)
def property_titles(source: Source) -> dict[str, str]:
    """The properties that heads of this model are labeled with, best supported first."""
    found = cached.of_model(source, "properties")
    found = found[found["heads"] > 0].sort_values(
        ["supported_heads", "heads"], ascending=False, kind="stable"
    )
    return {
        row.property: f"{row.property} · {row.supported_heads} of {row.heads} heads supported"
        for row in found.itertuples()
    }


@cached.kept(max_entries=16)
def labels(source: Source) -> tuple[str, ...]:
    """Labels that heads of the model have, the commonest first."""
    return tuple(str(label) for label in cached.heads(source)["label"].value_counts().index)


@cached.kept(max_entries=16)
def head_metric_titles(source: Source) -> dict[str, str]:
    """Metrics that heads of the model have, in the order of the pages; those of rotated heads left out."""
    found = cached.head_metrics(source).drop_duplicates("metric")
    found = found[~found["metric"].str.endswith(ROTATED)]
    return dict(zip(found["metric"], found["title"], strict=True))


@cached.kept(max_entries=16)
def color_titles(source: Source) -> dict[str, str]:
    """What the grid of heads can show."""
    selective = cached.head_selectivity(source)["attribute"].unique()
    return (
        {"label": "Label"}
        | head_metric_titles(source)
        | {SELECTIVITY + one: f"Selectivity for {one}" for one in selective}
    )


def max_neighbors(source: Source) -> int:
    """As many as there are other images, within what a page can show."""
    return max(1, min(MAX_K, source.images - 1))


def max_of_each(source: Source) -> int:
    """As many images as either end of a text's direction can show without meeting the other."""
    return max(1, min(MAX_OF_EACH, source.images // 2))


def attributes(source: Source) -> tuple[str, ...]:
    """Attributes that can be asked zero-shot; none where the bundle has no class texts."""
    return tuple(cached.query(source.bundle, "class_texts")["attribute"].unique())
