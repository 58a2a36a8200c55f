"""Tables of the pages Heads and Head."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.analyses import text_directions
from dashboard.data import cached, choices, column_words, digits, head_vectors, label_text, neighbors
from dashboard.data import texts as text_data
from dashboard.data.types import Source, column_title
from dashboard.state.views import Head, HeadsView
from db import vectors
from db.layout import normalize_text

PLACE = ["layer", "head"]
NUMBERS = ["value", "low", "high"]
SHARES = ["variance_share", "cumulative_share", "margin", "stability", "share", "votes"]
"""Columns shown in per cent."""


class Measure(NamedTuple):
    """A number of every head."""

    title: str
    unit: str
    description: str


def measure(source: Source, name: str) -> Measure:
    """Returns title, unit and description of a metric of heads or of selectivity:<attribute>."""
    if name.startswith(choices.SELECTIVITY):
        attribute = name.removeprefix(choices.SELECTIVITY)
        return Measure(
            f"Selectivity for {attribute}",
            "epsilon squared",
            f"Share of the head's variance that {attribute} explains, corrected for chance: 0 is chance, 1 "
            "is all.",
        )
    info = next(row for row in cached.query(source.bundle, "metrics").itertuples() if row.metric == name)
    return Measure(info.title, info.unit, info.description)


def values(source: Source, name: str) -> pd.DataFrame:
    """Returns one row per head with the number: layer, head, value, low, high."""
    if name.startswith(choices.SELECTIVITY):
        rows = cached.head_selectivity(source)
        return rows.loc[rows["attribute"] == name.removeprefix(choices.SELECTIVITY), PLACE + NUMBERS]
    rows = cached.head_metrics(source)
    return rows.loc[rows["metric"] == name, PLACE + NUMBERS]


def cells(source: Source, color: str, passing: pd.DataFrame) -> pd.DataFrame:
    """Returns one row per head: its label with sign and support in words, and the number that colors it.

    Heads that are not among `passing`, the result of the filters, are dim.
    """
    heads = label_text.heads(source)
    cells = heads.assign(
        shown=[label_text.cell_label(row) for row in heads.itertuples()],
        support=[label_text.label_support(row) for row in heads.itertuples()],
        passes=pd.MultiIndex.from_frame(heads[PLACE]).isin(pd.MultiIndex.from_frame(passing[PLACE])),
    )
    return cells if color == "label" else cells.merge(values(source, color), on=PLACE, how="left")


def bounds(source: Source, name: str) -> tuple[float, ...] | None:
    """Returns ends and step of a slider over the values of the heads; None if all values are equal."""
    numbers = values(source, name)["value"]
    spread = numbers.max() - numbers.min()
    if not spread > 0:
        return None
    step = 10.0 ** (np.floor(np.log10(spread)) - 2)
    low, high = np.floor(numbers.min() / step) * step, np.ceil(numbers.max() / step) * step
    return tuple(float(f"{number:.6g}") for number in (low, high, step))


def find_heads(source: Source, view: HeadsView) -> pd.DataFrame:
    """Returns the heads that pass the filters: label, support, chosen numbers, texts, `layer`, `head`.

    The most important heads are first; imported results have no importance: their last layer.
    """
    heads = label_text.heads(source).sort_values(
        ["importance", "layer"], ascending=False, kind="stable", na_position="last"
    )
    keep = pd.Series(True, heads.index)
    if view.labels.names:
        keep &= heads["label"].isin(view.labels.names)
    if view.over == "supported":
        keep &= heads["supported"].eq(True)
    rows = list(heads[keep].itertuples())
    table = heads.loc[keep, [*PLACE, "name", "first_texts"]].assign(
        label=[label_text.display_label(row) for row in rows],
        support=[label_text.label_support(row) for row in rows],
    )
    table = table[[*PLACE, "name", "label", "support", "first_texts"]]
    if view.range:
        numbers = values(source, view.head_metric)
        numbers = numbers[numbers["value"].between(view.range.low, view.range.high)]
        table = table.merge(numbers[PLACE], on=PLACE)
    if view.words.split():
        table = table.merge(matches(source, tuple(view.words.split())), on=PLACE)
    for name in dict.fromkeys((view.head_metric, view.color)):
        if name not in ("", "label"):
            table = _with_number(source, table, name)
    return table


def _with_number(source: Source, table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Returns the table with one more number and its intervals, if any."""
    title, rows = column_title(measure(source, name).title, table), values(source, name)
    numbers = rows[PLACE].assign(**{title: rows["value"]})
    intervals = [interval(row.low, row.high) for row in rows.itertuples()]
    if any(intervals):
        numbers[interval_title(title)] = intervals
    return table.merge(numbers, on=PLACE, how="left")


def interval_title(title: str) -> str:
    """Returns the title of the column of a number's intervals."""
    return f"{title}, 95 %"


@cached.kept(max_entries=16)
def every_number(source: Source) -> pd.DataFrame:
    """Returns one row per head: label, evidence, every metric and every selectivity."""
    table = cached.heads(source)
    for name in choices.color_titles(source):
        if name != "label":
            rows = values(source, name).rename(columns={"value": name})
            table = table.merge(rows[[*PLACE, name]], on=PLACE, how="left")
    return table


def interval(low: float, high: float) -> str:
    """Returns an interval as text; empty without one."""
    if pd.isna(low) or pd.isna(high):
        return ""
    return f"{digits.number(low, '.3g')} to {digits.number(high, '.3g')}"


@cached.kept(max_entries=128)
def matches(source: Source, words: tuple[str, ...]) -> pd.DataFrame:
    """Returns one row per head with a text that contains all words: the first such text and its position."""
    hits = cached.of_model(source, "head_text_search", words=words)
    first = hits.drop_duplicates(PLACE).rename(columns={"text": "matching text"})
    return first[[*PLACE, "position", "matching text"]]


def texts(source: Source, head: Head) -> pd.DataFrame:
    """Returns every text of a head, in the order of selection."""
    return cached.of_head(source, "head_texts", head)


@cached.kept(max_entries=256)
def labels(source: Source, head: Head) -> pd.DataFrame:
    """Returns every label of a head with its evidence, the chosen label first, without empty columns."""
    return cached.of_head(source, "head_labels", head).dropna(axis="columns", how="all")


@cached.kept(max_entries=256)
def judgements(source: Source, head: Head) -> pd.DataFrame:
    """Returns one row per judged label and text, one column per judge: the share of draws that agree."""
    rows = cached.of_head(source, "judgements", head)
    wide = rows.assign(agree=rows["consistent"].astype(float)).pivot_table(
        index=["label", "position", "text"], columns="judge", values="agree", aggfunc="mean"
    )
    return wide.reset_index().rename_axis(columns=None)


def agreement(share: float) -> str:
    """Returns the share of a judge's draws that agree, as text."""
    if pd.isna(share):
        return ""
    return {1.0: "✓ yes", 0.0: "✗ no"}.get(share, f"{100 * share:.0f} % yes")


@cached.kept(max_entries=256)
def evidence(source: Source, head: Head) -> dict[str, pd.DataFrame]:
    """Returns the tables behind a head's label by title: labels, judgements and answers, if there are any."""
    tables = {
        "labels": labels(source, head),
        "judgements": judgements(source, head),
        "answers of language models": cached.of_head(source, "language_model_answers", head),
    }
    return {title: table for title, table in tables.items() if not table.empty}


def metrics_table(source: Source, head: Head) -> pd.DataFrame:
    """Returns every metric of one head in the order of the pages, with its interval and its chance value."""
    rows = _of_head(cached.head_metrics(source), head).set_index("metric")
    metrics = rows[~rows.index.str.endswith(choices.ROTATED)]
    table = metrics.assign(
        chance=rows["value"].reindex(metrics.index + choices.ROTATED).to_numpy(),
        interval=[interval(row.low, row.high) for row in metrics.itertuples()],
    )
    return table[["title", "value", "interval", "chance", "unit", "description"]].reset_index(drop=True)


@cached.kept(max_entries=256)
def selectivity(source: Source, head: Head) -> pd.DataFrame:
    """Returns the selectivity of one head for every attribute, the largest first."""
    rows = _of_head(cached.head_selectivity(source), head)
    return rows.sort_values("value", ascending=False, kind="stable")


def _of_head(rows: pd.DataFrame, head: Head) -> pd.DataFrame:
    return rows[(rows["layer"] == head[0]) & (rows["head"] == head[1])]


def label(source: Source, head: Head) -> str | None:
    """Returns the chosen label of a head, or None."""
    rows = labels(source, head)
    return str(rows["label"].iloc[0]) if len(rows) and rows["chosen"].iloc[0] else None


def as_read(table: pd.DataFrame) -> pd.DataFrame:
    """Returns the table with shares in per cent, positions from 1, and marks in place of checkboxes."""
    percent = {name: 100 * table[name] for name in SHARES if name in table}
    return column_words.marked(column_words.from_one(table)).assign(**percent)


def text_titles(source: Source, head: Head) -> dict[int, str]:
    """Returns the head's texts by position, with their share of the variance."""
    rows = texts(source, head)
    shares = (
        (100 * rows["variance_share"])
        .map(" · {:.1f} % of the variance".format, na_action="ignore")
        .fillna("")
    )
    titles = (rows["position"] + 1).astype(str) + " · " + rows["text"] + shares.str.replace("%", " %")
    return dict(zip(rows["position"], titles, strict=True))


class Sorted(NamedTuple):
    """Images along the direction of one text of a head, with their position in standard deviations."""

    share: float
    """Share of the head's variance along this direction."""

    most: pd.DataFrame
    least: pd.DataFrame
    random: pd.DataFrame


def sorted_images(source: Source, head: Head, position: int, k: int, seed: int) -> Sorted:
    """Returns the images at both ends of one text's direction, and as many random images."""
    images = along(source, head, position)
    most, least = text_directions.ends(images.value, k)
    random = text_directions.draw(len(images.value), k, seed)
    image_ids = vectors.image_ids(source.bundle, source.key)
    tables = (
        neighbors.with_images(source, image_ids[rows].tolist(), images.value[rows].astype(np.float32))
        for rows in (most, least, random)
    )
    return Sorted(images.share, *tables)


def most_aligned_with_maps(source: Source, head: Head, position: int) -> str | None:
    """Returns the image with stored maps that is most aligned with a text; None if no maps are stored."""
    stored = sorted(vectors.gallery(source.bundle, source.key))
    if not stored:
        return None
    rows = np.searchsorted(vectors.image_ids(source.bundle, source.key), stored)
    return stored[int(np.argmax(along(source, head, position).value[rows]))]


def along(source: Source, head: Head, position: int) -> text_directions.Along:
    """Returns the position of every image along the direction of one text."""

    def sort() -> text_directions.Along:
        columns = (rows for (rows,) in head_vectors.blocks(source, [head]))
        return text_directions.along(columns, directions(source, head, position + 1)[position])

    return head_vectors.cached_array(source, "along", (head, position), sort)


@cached.kept(max_entries=64)
def directions(source: Source, head: Head, count: int) -> NDArray[np.float64]:
    """Returns the unit residual directions of the head's first texts, [text, rank]."""
    pool = text_data.pool(source)
    rows = [pool.row[normalize_text(text)] for text in texts(source, head)["text"].head(count)]
    basis = head_vectors.head_space(source, (head,)).basis[0]
    return cached.frozen(text_directions.directions(pool.embedding[rows] @ basis.T))
