"""Classes of the images of a bundle with and without some heads, from cached vectors.

Kept with `cached.kept`: the class scores of an attribute once, then one outcome a set of heads.
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
"""More are sampled evenly: 10,000 images by 1,000 classes are 40 MB of scores."""

SHOWN_TARGETS = 3
"""Classes named as where the lost images of one class went."""


class Asked(NamedTuple):
    """One attribute as a zero-shot question to one model."""

    values: list[str]
    text: NDArray[np.float32]
    """[value, d_out]"""

    image_ids: list[str]
    own: NDArray[np.int64]
    """[image] Which value each image has."""

    score: NDArray[np.float32]
    """[image, value]"""

    known: int
    """Images with exactly one of the values; more than are asked where they were sampled."""


class MeanAblation(NamedTuple):
    """One set of mean-ablated heads, with what it is compared to."""

    asked: Asked
    heads: tuple[Head, ...]
    before: Outcome
    after: Outcome
    control_heads: tuple[Head, ...]
    """A random set of as many heads of like variance; none where all heads are mean-ablated."""

    control: Outcome
    without_all: Outcome


@cached.kept(max_entries=16)
def carriers(source: Source, attribute: str) -> pd.DataFrame:
    """Images with exactly one of the values that are asked: image_id, own (which value); by id."""
    texts = cached.query(source.bundle, "class_texts").sort_values("position")
    values = texts.loc[texts["attribute"] == attribute, "value"].tolist()
    found = cached.query(source.bundle, "image_attributes")
    found = found[(found["attribute"] == attribute) & found["value"].isin(values)]
    found = found.drop_duplicates("image_id", keep=False)  # several values: which is right is not known
    place = {value: row for row, value in enumerate(values)}
    return found.assign(own=found["value"].map(place))[["image_id", "own"]].sort_values("image_id")


@cached.kept(max_entries=4)
def asked(source: Source, attribute: str) -> Asked:
    """The images, the classes and all scores, nothing ablated."""
    values, text = vectors.class_embeddings(source.bundle, source.key, attribute)
    known = carriers(source, attribute)
    rows = known.iloc[mean_ablation.even_sample(known["own"].to_numpy(np.int64), MAX_IMAGES)]
    image_ids = rows["image_id"].tolist()
    _, embedding = vectors.image_embeddings(source.bundle, source.key, image_ids)
    score = mean_ablation.scores(embedding, text)
    own = rows["own"].to_numpy(np.int64)
    return Asked(values, text, image_ids, own, cached.frozen(score), len(known))


@cached.kept(max_entries=128)
def coordinates(source: Source, attribute: str, head: Head) -> NDArray[np.float32]:
    """Centered coordinates of the images that are asked, in one head -> [image, rank]."""
    image_ids = asked(source, attribute).image_ids
    return cached.frozen(vectors.image_coordinates(source.bundle, source.key, image_ids, [head])[1][:, 0])


@cached.kept(max_entries=128)
def outcome(source: Source, attribute: str, heads: tuple[Head, ...]) -> Outcome:
    """How every image is classified with some heads mean-ablated; none: as the model is."""
    question = asked(source, attribute)
    if not heads:
        return mean_ablation.outcome(question.score, question.own)
    images = [coordinates(source, attribute, head) for head in heads]
    basis = head_vectors.head_space(source, heads).basis
    return mean_ablation.mean_ablate(question.score, question.own, images, basis, question.text)


def mean_ablate(source: Source, attribute: str, heads: tuple[Head, ...], seed: int) -> MeanAblation:
    """Everything that the page shows of one set of heads."""
    every, control = head_vectors.all_heads(source), head_vectors.random_heads(source, heads, seed)
    before, after, beside, none = (outcome(source, attribute, one) for one in ((), heads, control, every))
    return MeanAblation(asked(source, attribute), heads, before, after, control, beside, none)


def accuracy(found: Outcome) -> float:
    """Share of images taken for what they are, per cent."""
    return 100 * float(found.right.mean())


def by_class(found: MeanAblation) -> pd.DataFrame:
    """One row per class that images have, largest loss first: accuracies in per cent, counts of images."""
    own, values = found.asked.own, len(found.asked.values)
    count = mean_ablation.by_class(found.before, found.after, own, values)
    beside = mean_ablation.by_class(found.before, found.control, own, values)
    share = 100 / np.maximum(count.images, 1)
    table = pd.DataFrame(
        {
            "class": found.asked.values,
            "images": count.images,
            "before": share * count.before,
            "after": share * count.after,
            "control": share * beside.after,
            "lost": count.lost,
            "gained": count.gained,
        }
    )
    loss = table["before"] - table["after"]
    table = table.assign(loss=loss, row=range(values))[table["images"] > 0]
    return table.sort_values(["loss", "row"], ascending=[False, True], ignore_index=True)


def both_ends(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """The `most` largest losses and the `most` largest gains; all classes where there are no more."""
    return table if len(table) <= 2 * most else pd.concat([table.head(most), table.tail(most)])


def lost_to(found: MeanAblation, table: pd.DataFrame) -> pd.DataFrame:
    """Where the lost images of each class went, for the classes of `table` that lost any; most lost first."""
    losers = table[table["lost"] > 0].sort_values("lost", ascending=False, kind="stable")
    return losers[["class", "images", "before", "after", "lost", "gained"]].assign(
        went_to=[_targets(found, row) for row in losers["row"]]
    )


def _targets(found: MeanAblation, row: int) -> str:
    went = mean_ablation.went_to(found.before, found.after, found.asked.own, row)
    named = [f"{found.asked.values[one]} {count:,}" for one, count in went[:SHOWN_TARGETS]]
    others = sum(count for _, count in went[SHOWN_TARGETS:])
    return ", ".join(named + [f"elsewhere {others:,}"] * bool(others))


def verdict(found: MeanAblation, attribute: str) -> str:
    """What the heads cost, in a sentence, beside as many others."""
    before, after, beside = (accuracy(one) for one in (found.before, found.after, found.control))
    said = f"Without {_listed(found.heads)}, accuracy in {attribute} is {change(after - before)}"
    if not found.control_heads:
        return f"{said}. These are all stored heads, so there are no others to compare with."
    random = f"{_listed(found.control_heads)}, random heads of like variance"
    return f"{said}; without {random}, {change(beside - before)}."


def change(points: float) -> str:
    """A difference of two accuracies in words."""
    if abs(points) < 0.05:
        return "as it was"
    return f"{abs(points):.1f} points {'better' if points > 0 else 'worse'}"


def _listed(heads: tuple[Head, ...]) -> str:
    if len(heads) > 4:
        return f"{len(heads)} heads"
    return " and ".join(filter(None, [", ".join(map(head_name, heads[:-1])), head_name(heads[-1])]))


def attribute_titles(source: Source) -> dict[str, str]:
    """Attributes that can be asked zero-shot, with the number of their classes."""
    counts = cached.query(source.bundle, "class_texts").groupby("attribute", sort=False)["value"].size()
    return {name: f"{name} · {count:,} classes" for name, count in counts.items()}


def class_count(source: Source, attribute: str) -> int:
    return int((cached.query(source.bundle, "class_texts")["attribute"] == attribute).sum())


def too_little(source: Source, attribute: str) -> str:
    """Why an attribute cannot be scored; empty where it can."""
    known = carriers(source, attribute)
    if len(known) and len(asked(source, attribute).values) > 1:
        return ""
    return (
        f'No image of this bundle carries exactly one "{attribute}" that could be mistaken for another, so '
        "there is nothing to score. Choose another attribute."
    )
