"""What is known of heads, as tables for the pages Heads and Head."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.analyses import text_directions
from dashboard.data import cached, choices, head_vectors, label_text, maps, neighbors
from dashboard.data import texts as text_data
from dashboard.data.types import Source
from dashboard.state.views import Head, HeadsView, head_name
from db import vectors

PLACE = ["layer", "head"]
NUMBERS = ["value", "low", "high"]
SHARES = ["variance_share", "cumulative_share", "margin", "stability", "share", "votes"]
"""Columns that tables show in per cent."""

PROFILE_PICKS = 10
"""As many first texts as the offline label reads."""


class Measure(NamedTuple):
    """A number that every head has."""

    title: str
    unit: str
    description: str


class Bounds(NamedTuple):
    """What a slider over some values runs over."""

    low: float
    high: float
    step: float


def measure(source: Source, name: str) -> Measure:
    """What a metric of heads, or selectivity:<attribute>, means."""
    if name.startswith(choices.SELECTIVITY):
        attribute = name.removeprefix(choices.SELECTIVITY)
        return Measure(
            f"Selectivity for {attribute}",
            "epsilon squared",
            f"Share of what the head writes that goes with the values of {attribute}, corrected for chance: "
            "0 is chance, 1 is all.",
        )
    info = maps.metric_info(source, name)
    return Measure(info.title, info.unit, info.description)


def values(source: Source, name: str) -> pd.DataFrame:
    """One row per head that has the number: layer, head, value, low, high."""
    if name.startswith(choices.SELECTIVITY):
        found = cached.head_selectivity(source)
        return found.loc[found["attribute"] == name.removeprefix(choices.SELECTIVITY), PLACE + NUMBERS]
    found = cached.head_metrics(source)
    return found.loc[found["metric"] == name, PLACE + NUMBERS]


def cells(source: Source, color: str) -> pd.DataFrame:
    """One row per head: its label as it is shown, and the number that colors it."""
    heads = cached.heads(source)
    return heads.assign(shown=[label_text.display_label(row) for row in heads.itertuples()]).merge(
        values(source, color), on=PLACE, how="left"
    )


def bounds(source: Source, name: str) -> Bounds | None:
    """Round numbers around the values that heads have; none where they all have the same."""
    found = values(source, name)["value"]
    spread = found.max() - found.min()
    if not spread > 0:
        return None
    step = 10.0 ** (np.floor(np.log10(spread)) - 2)
    low, high = np.floor(found.min() / step) * step, np.ceil(found.max() / step) * step
    return Bounds(*(float(f"{number:.6g}") for number in (low, high, step)))


def find_heads(source: Source, view: HeadsView) -> pd.DataFrame:
    """The heads that the finder is asked for: label, evidence, the chosen numbers, texts; `layer`, `head`."""
    heads = cached.heads(source)
    keep = pd.Series(True, heads.index)
    if view.labels.names:
        keep &= heads["label"].isin(view.labels.names)
    if view.over == "supported":
        keep &= heads["supported"].eq(True)
    table = heads[keep].assign(label=[label_text.display_label(row) for row in heads[keep].itertuples()])
    table = table[[*PLACE, "name", "label", "p_value", "q_value", "first_texts"]]
    if view.range:
        mine = values(source, view.head_metric)
        mine = mine[mine["value"].between(view.range.low, view.range.high)]
        table = table.merge(mine[PLACE], on=PLACE)
    if view.words.split():
        table = table.merge(matches(source, tuple(view.words.split())), on=PLACE)
    for name in dict.fromkeys(one for one in (view.head_metric, view.color) if one not in ("", "label")):
        table = _with_number(source, table, name)
    return table


def _with_number(source: Source, table: pd.DataFrame, name: str) -> pd.DataFrame:
    """The table with one more number and, where there is one, its interval."""
    title = measure(source, name).title
    mine = values(source, name)
    mine = mine.assign(interval=[interval(row.low, row.high) for row in mine.itertuples()])
    mine = mine[[*PLACE, "value", "interval"]].rename(columns={"value": title, "interval": between(title)})
    joined = table.merge(mine, on=PLACE, how="left")
    return joined if (mine[between(title)] != "").any() else joined.drop(columns=[between(title)])


def between(title: str) -> str:
    """What the column of a number's intervals is called."""
    return f"{title}, 95 %"


@cached.kept(max_entries=16)
def every_number(source: Source) -> pd.DataFrame:
    """One row per head: label, evidence, and every metric and selectivity there is."""
    table = cached.heads(source)
    for name in choices.color_titles(source):
        if name != "label":
            mine = values(source, name).rename(columns={"value": name})
            table = table.merge(mine[[*PLACE, name]], on=PLACE, how="left")
    return table


def interval(low: float, high: float) -> str:
    """An interval in words; empty where there is none."""
    return "" if pd.isna(low) or pd.isna(high) else f"{low:.3g} to {high:.3g}"


@cached.kept(max_entries=128)
def matches(source: Source, words: tuple[str, ...]) -> pd.DataFrame:
    """One row per head whose list has a text with all the words: the first of them, and its position."""
    hits = cached.of_model(source, "head_text_search", words=words)
    first = hits.drop_duplicates(PLACE).rename(columns={"text": "matching text"})
    return first[[*PLACE, "position", "matching text"]]


def texts(source: Source, head: Head) -> pd.DataFrame:
    """Every text that describes the head, in the order of choice."""
    return cached.of_head(source, "head_texts", head)


def profile(source: Source, head: Head) -> pd.DataFrame:
    """Properties of the head's first texts, beside their share of the pool."""
    return cached.of_head(source, "head_profile", head, picks=PROFILE_PICKS)


@cached.kept(max_entries=256)
def labels(source: Source, head: Head) -> pd.DataFrame:
    """Every label of the head with its evidence, the chosen one first; what no label has is left out."""
    return cached.of_head(source, "head_labels", head).dropna(axis="columns", how="all")


@cached.kept(max_entries=256)
def judgements(source: Source, head: Head) -> pd.DataFrame:
    """One row per label and text that was judged, one column per judge: the share of draws that agree."""
    rows = cached.of_head(source, "judgements", head)
    wide = rows.assign(agree=rows["consistent"].astype(float)).pivot_table(
        index=["label", "position", "text"], columns="judge", values="agree", aggfunc="mean"
    )
    return wide.reset_index().rename_axis(columns=None)


def language_model_answers(source: Source, head: Head) -> pd.DataFrame:
    """What language models were asked about the head, and what they answered."""
    return cached.of_head(source, "language_model_answers", head)


@cached.kept(max_entries=256)
def metrics_table(source: Source, head: Head) -> pd.DataFrame:
    """Every metric of one head in the order of the pages, with its interval and its value by chance."""
    mine = cached.head_metrics(source)
    mine = mine[(mine["layer"] == head[0]) & (mine["head"] == head[1])].set_index("metric")
    own = mine[~mine.index.str.endswith(choices.ROTATED)]
    chance = mine["value"].reindex(own.index + choices.ROTATED).to_numpy()
    between = [interval(row.low, row.high) for row in own.itertuples()]
    table = own[["title", "value", "unit", "description"]].assign(interval=between, chance=chance)
    return table[["title", "value", "interval", "chance", "unit", "description"]].reset_index(drop=True)


@cached.kept(max_entries=256)
def selectivity(source: Source, head: Head) -> pd.DataFrame:
    """How selective one head is for every known attribute, the most selective first."""
    found = cached.head_selectivity(source)
    mine = found[(found["layer"] == head[0]) & (found["head"] == head[1])]
    return mine.sort_values("value", ascending=False, kind="stable")


def label(source: Source, head: Head) -> str | None:
    """The chosen label; none where the head has none."""
    found = labels(source, head)
    return str(found["label"].iloc[0]) if len(found) and found["chosen"].iloc[0] else None


def text_at(source: Source, head: Head, position: int) -> str:
    return str(texts(source, head)["text"].iloc[position])


def in_percent(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its shares in per cent."""
    return table.assign(**{name: 100 * table[name] for name in SHARES if name in table})


def text_titles(source: Source, head: Head) -> dict[int, str]:
    """The head's texts by position, as a picker shows them."""
    return {
        row.position: f"{row.position} · {row.text}{_percent(row.variance_share)}"
        for row in texts(source, head).itertuples()
    }


def _percent(share: float) -> str:
    return "" if pd.isna(share) else f" · {100 * share:.1f} % of the variance"


def csv_name(head: Head) -> str:
    return f"head_{head_name(head)}.csv"


class Sorted(NamedTuple):
    """Images along the direction of one text of a head, each with its place in standard deviations."""

    share: float
    """Share of the head's variance along this direction, from the stored vectors."""

    most: pd.DataFrame
    least: pd.DataFrame
    random: pd.DataFrame


def sorted_images(source: Source, head: Head, position: int, k: int, seed: int) -> Sorted:
    """Images at both ends of one text's direction, and as many at random."""
    images = along(source, head, position)
    most, least = text_directions.ends(images.value, k)
    random = text_directions.draw(len(images.value), k, seed)
    image_ids = vectors.image_ids(source.bundle, source.key)
    tables = (
        neighbors.with_images(source, image_ids[rows].tolist(), images.value[rows].astype(np.float32))
        for rows in (most, least, random)
    )
    return Sorted(images.share, *tables)


def along(source: Source, head: Head, position: int) -> text_directions.Along:
    """Every image along the direction of one text."""

    def sort() -> text_directions.Along:
        columns = (rows for (rows,) in head_vectors.blocks(source, [head]))
        return text_directions.along(columns, directions(source, head)[position])

    return head_vectors.cached_array(source, "along", (head, position), sort)


@cached.kept(max_entries=64)
def directions(source: Source, head: Head) -> NDArray[np.float64]:
    """Unit residual directions of the head's texts -> [text, rank]."""
    pool = text_data.pool(source)
    rows = [pool.row[text_data.normal(text)] for text in texts(source, head)["text"]]
    basis = head_vectors.head_space(source, (head,)).basis[0]
    return cached.frozen(text_directions.directions(pool.embedding[rows] @ basis.T))
