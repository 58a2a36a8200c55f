"""Pinned views in words: title, model, figure and picture, as far as the open bundle has them."""

from typing import NamedTuple

import numpy as np

from dashboard.data import cached, choices, head_vectors, images, label_text
from dashboard.data import heads as head_data
from dashboard.data.option_words import WORDS, plain, subject
from dashboard.data.types import Source
from dashboard.state.pins import Pin
from dashboard.state.views import Head, parse_head
from db import vectors

TITLES = {
    "start": "Headlight, with the images that {head} sees",
    "leaderboard": "Leaderboard by {metric}",
    "heads": "Heads colored by {color}",
    "head": "{head} and the images that it sees",
    "which_head": "Heads that read {subject}",
    "property_search": "Images like {image} through {heads}",
    "topic_segmentation": "Where {image} shows “{text}”, through {heads}",
    "contrastive_segmentation": "“{text}” rather than “{against}” in {image}, through {heads}",
    "image_neighbors": "Images like {image} in {head}",
    "text_neighbors": "What is nearest to “{text}” in {head}",
    "mean_ablation": "Classes of {attribute} without {heads}",
    "compare": "Compared with {other}, {head}",
    "validation": "Validation: {section}",
    "sql": "Query: {query}",
    "about": "About this bundle",
}
"""Titles of the views of a page, with options of its link."""


class Shown(NamedTuple):
    """A pinned view as a page shows it."""

    pin: Pin
    title: str
    origin: str
    """Model and bundle."""

    figure: str
    """A key figure in a line; empty if there is none at hand."""

    picture: bytes | None
    alt: str
    warning: str
    """Differences from the view that was pinned; empty if nothing is known to."""

    query: dict[str, str]
    """Parameters of the link here."""


def bundle_id(source: Source) -> str:
    return source.bundle.manifest["input_id"]


def shown(source: Source, pin: Pin) -> Shown:
    """Returns a pinned view in words; of another bundle only what its link says."""
    options, own = pin.options, source_of(source, pin)
    model = own.info.model if own else options.get("model", "")
    bundle = source.name if own else options.get("bundle", "")
    return Shown(
        pin,
        title(own, pin),
        f"{model or 'Model not stated'}, bundle {bundle or 'not stated'}",
        figure(own, pin) if own else "",
        *(picture(own, options) if own else (None, "")),
        "" if own else unknown(source, pin),
        options | {"bundle": bundle} if own else options,
    )


def source_of(source: Source, pin: Pin) -> Source | None:
    """Returns the model of a view; None if the view is not of the open bundle."""
    if pin.bundle_id != bundle_id(source):
        return None
    sources = {other.key: other for other in cached.sources(source.bundle, source.name)}
    return sources.get(pin.options.get("model", ""))


def unknown(source: Source, pin: Pin) -> str:
    """Returns why a view is not one of the open bundle."""
    name, identity = pin.options.get("bundle", ""), pin.bundle_id or "not stated"
    if pin.bundle_id == bundle_id(source):
        return f"This bundle has no model {pin.options.get('model', '')}: the link opens another one."
    if name == source.name:
        return f"Pinned in another build of this bundle (identity {identity}): its figures may differ."
    if name in cached.bundle_paths():
        return f"Of another bundle, {name}: its link opens that one."
    return f"Of another bundle, {name} (identity {identity}), which is not here: open it with that one."


def title(source: Source | None, pin: Pin) -> str:
    """Returns a view in words; without the names of labels and files if `source` is None."""
    options = pin.options
    words = {name: WORDS.get(name, plain)(source, value) for name, value in options.items()}
    words["subject"] = subject(source, options)
    beside = f", beside {words['versus']}" if words.get("versus") else ""
    return TITLES[pin.page].format_map(dict.fromkeys(NAMES, "–") | words) + beside


NAMES = [
    "metric",
    "color",
    "head",
    "image",
    "heads",
    "text",
    "against",
    "attribute",
    "other",
    "section",
    "query",
]
"""Options in titles; a link need not have them."""


def figure(source: Source, pin: Pin) -> str:
    """Returns what is known of the head of a view, or the model's value on the leaderboard."""
    head = parse_head(pin.options.get("head", ""))
    if head in choices.head_names(source):
        return label_text.label_evidence(source, head)
    if pin.page != "leaderboard":
        return ""
    rows = cached.leaderboard(source.bundle)
    counted = rows["heads_used"].eq(pin.options.get("over", "all"))
    rows = rows[counted & rows["model_key"].eq(source.key) & rows["metric"].eq(pin.options.get("metric"))]
    return "" if rows.empty else f"{rows['title'].iloc[0]}: {rows['value'].iloc[0]:.3g}"


def picture(source: Source, options: dict[str, str]) -> tuple[bytes | None, str]:
    """Returns the thumbnail of the image of a view, or of one that its head sees, and what is seen on it."""
    if not source.has_vectors:
        return None, ""
    image_id = options.get("image", "") or seen_by(source, parse_head(options.get("head", "")))
    if not image_id or not images.exists(source, image_id):
        return None, ""
    info = images.info(source, image_id)
    words = "; ".join(filter(None, [info.attributes, info.path]))
    return images.thumbnails(source, (image_id,))[image_id], words


def seen_by(source: Source, head: Head | None) -> str:
    """Returns the image that is most aligned with the first text of a head, if that takes no long search."""
    is_known = head in choices.head_names(source) and head_vectors.fit_in_memory(source)
    if head is None or not is_known or head_data.texts(source, head).empty:
        return ""
    best = int(np.argmax(head_data.along(source, head, 0).value))
    return str(vectors.image_ids(source.bundle, source.key)[best])
