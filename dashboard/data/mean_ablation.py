"""Zero-shot classification with and without a set of heads, from cached vectors.

Cached with `cached.kept`: the class scores of an attribute, and the outcome of each set of heads.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.analyses import mean_ablation
from dashboard.analyses.mean_ablation import Outcome
from dashboard.data import cached, head_vectors
from dashboard.data.types import Source
from dashboard.state.views import Head, head_name
from db import vectors

MAX_IMAGES = 10_000
"""More images are sampled evenly: 10,000 images by 1,000 classes are 40 MB of scores."""

SHOWN_TARGETS = 3
"""Number of classes listed as targets of the lost images of a class."""


class ClassScores(NamedTuple):
    """Zero-shot scores of one attribute by one model, without ablation."""

    values: list[str]
    text: NDArray[np.float32]
    """[value, d_out]"""

    image_ids: list[str]
    target: NDArray[np.int64]
    """[image] Index of each image's value."""

    score: NDArray[np.float32]
    """[image, value]"""

    labeled_images: int
    """Number of images with exactly one of the values, before sampling."""


class MeanAblation(NamedTuple):
    """Outcomes of one set of mean-ablated heads and of its controls."""

    scores: ClassScores
    heads: tuple[Head, ...]
    before: Outcome
    after: Outcome
    control_heads: tuple[Head, ...]
    """As many random heads of similar variance; none if all heads are mean-ablated."""

    control: Outcome
    without_all: Outcome


@cached.kept(max_entries=16)
def labeled_images(source: Source, attribute: str) -> pd.DataFrame:
    """Returns the images with exactly one value of the class texts, by id: image_id, target (its index)."""
    texts = cached.query(source.bundle, "class_texts").sort_values("position")
    values = texts.loc[texts["attribute"] == attribute, "value"].tolist()
    rows = cached.query(source.bundle, "class_images", attribute=attribute)
    place = {value: row for row, value in enumerate(values)}
    return rows.assign(target=rows["value"].map(place))[["image_id", "target"]]


@cached.kept(max_entries=4)
def class_scores(source: Source, attribute: str) -> ClassScores:
    """Returns images, classes and scores without ablation."""
    values, text = vectors.class_embeddings(source.bundle, source.key, attribute)
    labeled = labeled_images(source, attribute)
    rows = labeled.iloc[mean_ablation.even_sample(labeled["target"].to_numpy(np.int64), MAX_IMAGES)]
    image_ids = rows["image_id"].tolist()
    _, embedding = vectors.image_embeddings(source.bundle, source.key, image_ids)
    score = mean_ablation.scores(embedding, text)
    target = rows["target"].to_numpy(np.int64)
    return ClassScores(values, text, image_ids, target, cached.frozen(score), len(labeled))


@cached.kept(max_entries=128)
def coordinates(source: Source, attribute: str, head: Head) -> NDArray[np.float32]:
    """Returns the centered coordinates of the scored images in one head, [image, rank]."""
    image_ids = class_scores(source, attribute).image_ids
    return cached.frozen(vectors.image_coordinates(source.bundle, source.key, image_ids, [head])[1][:, 0])


@cached.kept(max_entries=128)
def outcome(source: Source, attribute: str, heads: tuple[Head, ...]) -> Outcome:
    """Returns the classification of every image with some heads mean-ablated, or with all heads in place."""
    scores = class_scores(source, attribute)
    if not heads:
        return mean_ablation.outcome(scores.score, scores.target)
    images = [coordinates(source, attribute, head) for head in heads]
    basis = head_vectors.head_space(source, heads).basis
    return mean_ablation.mean_ablate(scores.score, scores.target, images, basis, scores.text)


def mean_ablate(source: Source, attribute: str, heads: tuple[Head, ...], seed: int) -> MeanAblation:
    """Returns the outcomes of one set of heads and of its controls."""
    control = head_vectors.random_heads(source, heads, seed)
    head_sets: tuple[tuple[Head, ...], ...] = ((), heads, control, head_vectors.all_heads(source))
    before, after, without_control, without_all = (outcome(source, attribute, heads) for heads in head_sets)
    scores = class_scores(source, attribute)
    return MeanAblation(scores, heads, before, after, control, without_control, without_all)


def accuracy(outcome: Outcome) -> float:
    """Returns the share of images classified right, per cent."""
    return 100 * float(outcome.right.mean())


def by_class(result: MeanAblation) -> pd.DataFrame:
    """Returns one row per class, largest loss first: accuracies in per cent, counts of images."""
    target, values = result.scores.target, len(result.scores.values)
    count = mean_ablation.by_class(result.before, result.after, result.control, target, values)
    share = 100 / np.maximum(count["images"], 1)
    accuracies = {name: share * count[name] for name in ("before", "after", "control")}
    table = pd.DataFrame({"class": result.scores.values} | count | accuracies)
    loss = table["before"] - table["after"]
    table = table.assign(loss=loss, row=range(values))[table["images"] > 0]
    return table.sort_values(["loss", "row"], ascending=[False, True], ignore_index=True)


def in_order(table: pd.DataFrame, first: pd.DataFrame) -> pd.DataFrame:
    """Returns the classes of a table in the order of another one."""
    places = {name: place for place, name in enumerate(first["class"])}
    return table.iloc[table["class"].map(places).argsort(kind="stable")].reset_index(drop=True)


def both_ends(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """Returns the `most` largest losses and the `most` largest gains, or all classes if they fit."""
    return table if len(table) <= 2 * most else pd.concat([table.head(most), table.tail(most)])


def lost_to(result: MeanAblation, table: pd.DataFrame) -> pd.DataFrame:
    """Returns the classes of `table` with lost images, most lost first, and their new classes."""
    losers = table[table["lost"] > 0].sort_values("lost", ascending=False, kind="stable")
    return losers[["class", "images", "before", "after", "lost", "gained"]].assign(
        went_to=[_targets(result, row) for row in losers["row"]]
    )


def _targets(result: MeanAblation, row: int) -> str:
    counts = mean_ablation.went_to(result.before, result.after, result.scores.target, row)
    classes = [f"{result.scores.values[value]} {count:,}" for value, count in counts[:SHOWN_TARGETS]]
    others = sum(count for _, count in counts[SHOWN_TARGETS:])
    return ", ".join(classes + [f"elsewhere {others:,}"] * bool(others))


def verdict(result: MeanAblation, attribute: str) -> str:
    """Returns the cost of the heads, beside the cost of random heads, in a sentence."""
    before, after, control = map(accuracy, (result.before, result.after, result.control))
    cost = f"In {attribute}, removing {_listed(result.heads)} {cost_words(after - before)}"
    if not result.control_heads:
        return f"{cost}. These are all stored heads, so there are no others to compare with."
    random = _listed(result.control_heads)
    return f"{cost}; removing random heads of similar variance ({random}) {cost_words(control - before)}."


def cost_words(points: float) -> str:
    """Returns the cost of a difference of two accuracies, with its verb."""
    if abs(points) < 0.05:
        return "costs nothing"
    return f"{'gains' if points > 0 else 'costs'} {abs(points):.1f} points"


def change(points: float) -> str:
    """Returns a difference of two accuracies in words."""
    if abs(points) < 0.05:
        return "no change"
    return f"{abs(points):.1f} points {'better' if points > 0 else 'worse'}"


def _listed(heads: tuple[Head, ...]) -> str:
    if len(heads) > 4:
        return f"{len(heads)} heads"
    return " and ".join(filter(None, [", ".join(map(head_name, heads[:-1])), head_name(heads[-1])]))


def attribute_titles(source: Source) -> dict[str, str]:
    """Returns the attributes with class texts and their number of classes."""
    counts = cached.query(source.bundle, "class_texts").groupby("attribute", sort=False)["value"].size()
    return {name: f"{name} · {count:,} classes" for name, count in counts.items()}


def class_count(source: Source, attribute: str) -> int:
    return int((cached.query(source.bundle, "class_texts")["attribute"] == attribute).sum())


def too_little(source: Source, attribute: str) -> str:
    """Returns the reason why an attribute cannot be scored, or an empty string."""
    if len(labeled_images(source, attribute)) and len(class_scores(source, attribute).values) > 1:
        return ""
    return (
        f'No image of this bundle carries exactly one "{attribute}" that could be mistaken for another, so '
        "there is nothing to score. Choose another attribute."
    )
