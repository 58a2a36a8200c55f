"""Values of the page of one head."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from dashboard.analyses import neighbors as ranking
from dashboard.analyses import text_directions
from dashboard.data import cached, digits, head_vectors, label_text, nearest_heads
from dashboard.data import heads as head_data
from dashboard.data.label_grades import PICKS
from dashboard.data.types import Source
from dashboard.state.views import Head, head_name
from db import vectors
from headlight.report import charts, pictures, places
from headlight.report.charts import BarRow, DotRow, Mark

TEXTS, IMAGES, MAPS = 2, 6, 2
"""Texts that sort the images, images at each end of one, and images with maps."""

BINS = 32
ATTRIBUTES = 10
"""Attributes of the chart of selectivity, the largest first; the JSON has all."""

RANDOM_SEED = 0


class Along(NamedTuple):
    """The images along one text of the head."""

    text: str
    position: int
    share: str
    rows: dict[str, list[pictures.Tile]]


class HeadPage(NamedTuple):
    """Values of the page of one head."""

    head: Head
    name: str
    row: Any
    """Row of `label_text.heads`."""

    support: str
    texts: pd.DataFrame
    along: list[Along]
    random: list[pictures.Tile]
    counts: NDArray | None
    edges: NDArray | None
    spread: Markup | None
    nearest: list[pictures.Tile]
    maps: list[pictures.MapRow]
    labels: pd.DataFrame
    judgements: pd.DataFrame
    answers: pd.DataFrame
    profile: Markup | None
    selectivity: Markup | None
    metrics: pd.DataFrame
    alike: list[dict[str, Any]]


def head_page(source: Source, row: Any, album: pictures.Album) -> HeadPage:
    """Returns the values of a head's page, and writes its pictures. `row` is one of `label_text.heads`."""
    head = (int(row.layer), int(row.head))
    texts = head_data.texts(source, head)
    images = _Images(source, head, texts, album) if source.has_vectors and len(texts) else None
    evidence = head_data.evidence(source, head)
    return HeadPage(
        head=head,
        name=head_name(head),
        row=row,
        support=label_text.label_support(row),
        texts=texts,
        along=images.along() if images else [],
        random=images.random() if images else [],
        counts=images.counts if images else None,
        edges=images.edges if images else None,
        spread=images.spread() if images else None,
        nearest=images.nearest() if images else [],
        maps=images.maps() if images else [],
        labels=evidence.get("labels", pd.DataFrame()),
        judgements=evidence.get("judgements", pd.DataFrame()),
        answers=evidence.get("answers of language models", pd.DataFrame()),
        profile=_profile(source, head),
        selectivity=_selectivity(source, head),
        metrics=head_data.metrics_table(source, head),
        alike=_alike(source, head),
    )


class _Images:
    """The images of a model in one head, read once for all sections of its page."""

    def __init__(self, source: Source, head: Head, texts: pd.DataFrame, album: pictures.Album) -> None:
        self.source, self.head, self.texts, self.album = source, head, texts, album
        self.ids = vectors.image_ids(source.bundle, source.key)
        self.column = vectors.image_coordinates(source.bundle, source.key, None, [head])[1][:, 0]
        units = head_data.directions(source, head, min(TEXTS, len(texts)))
        self.places = [text_directions.along([self.column], unit) for unit in units]
        value = self.places[0].value
        self.counts, self.edges = np.histogram(value, BINS, (-limit(value), limit(value)))
        self.ends = [text_directions.ends(along.value, IMAGES) for along in self.places]
        self.drawn = text_directions.draw(len(self.ids), IMAGES, RANDOM_SEED)
        self.query = int(np.argmax(value))
        self.near, self.cosine = self._nearest()
        shown = [*np.concatenate([row for pair in self.ends for row in pair]), *self.drawn, *self.near]
        self.info = album.read(source, self.ids[np.unique([*shown, self.query]).astype(int)].tolist())

    def _nearest(self) -> tuple[NDArray, NDArray]:
        """Returns rows and cosines of the images nearest to the one most aligned with the first text."""
        space = head_vectors.head_space(self.source, (self.head,))
        query = ranking.image_query(self.column[[self.query]], space.basis, space.mean, metric="cosine")
        score = ranking.scores(query, [self.column], np.linalg.norm(self.column, axis=1))
        return ranking.top(score, IMAGES - 1, leave_out=self.query)

    def along(self) -> list[Along]:
        """Returns the images at both ends of the first texts."""
        groups = []
        for position, (along, (most, least)) in enumerate(zip(self.places, self.ends, strict=True)):
            text = str(self.texts["text"].iloc[position])
            rows = {
                "Most aligned": self._tiles(most, along.value, f"most aligned with “{text}”"),
                "Least aligned": self._tiles(least, along.value, f"least aligned with “{text}”"),
            }
            groups.append(Along(text, position, f"{100 * along.share:.1f}", rows))
        return groups

    def random(self) -> list[pictures.Tile]:
        return self._tiles(self.drawn, self.places[0].value, "random image")

    def spread(self) -> Markup:
        """Returns the chart of all images along the first text."""
        text = self.texts["text"].iloc[0]
        alt = f"Histogram of {len(self.ids):,} images along “{text}”, {BINS} bins; the mean is 0."
        return charts.histogram(self.counts, self.edges, "standard deviations along the text", alt)

    def nearest(self) -> list[pictures.Tile]:
        """Returns the image most aligned with the first text, then those nearest to it in the head."""
        query = self.album.tile(self.info[self.ids[self.query]], "query", "the query")
        near = [
            self.album.tile(self.info[self.ids[row]], digits.number(score, ".2f"), "near the query")
            for row, score in zip(self.near, self.cosine, strict=True)
        ]
        return [query, *near]

    def maps(self) -> list[pictures.MapRow]:
        """Returns the maps of the first text over the images of the gallery most aligned with it."""
        gallery = sorted(vectors.gallery(self.source.bundle, self.source.key))
        rows = np.searchsorted(self.ids, gallery)
        best = np.argsort(-self.places[0].value[rows], kind="stable")[:MAPS]
        text = self.texts["text"].iloc[0]
        return self.album.draw_maps(self.source, self.head, text, [gallery[place] for place in best])

    def _tiles(self, rows: NDArray, value: NDArray, what: str) -> list[pictures.Tile]:
        return [
            self.album.tile(self.info[self.ids[row]], digits.number(value[row], "+z.1f"), what)
            for row in rows
        ]


def limit(value: NDArray) -> float:
    """Returns the end of a symmetric axis for values in standard deviations, a whole number."""
    return float(np.ceil(np.abs(value).max(initial=0)) or 1)


def _profile(source: Source, head: Head) -> Markup | None:
    """Returns the share of the first texts by property, beside that of the pool."""
    table = cached.of_head(source, "head_profile", head, picks=PICKS)
    if table.empty:
        return None
    label = head_data.label(source, head)
    rows = [
        BarRow(
            row.property,
            f"{100 * row.share:.0f} %, pool {100 * row.pool_share:.1f} %",
            100 * row.share,
            100 * row.pool_share,
            row.property == label,
        )
        for row in table.itertuples()
    ]
    first = rows[0]
    alt = f"Properties of the first texts: most have {first.title}, {first.note}; {len(rows)} properties."
    return charts.bars(rows, "of the head's first texts (%)", alt, top=100.0)


def _selectivity(source: Source, head: Head) -> Markup | None:
    """Returns the share of the head's variance that the first attributes explain."""
    table = head_data.selectivity(source, head).head(ATTRIBUTES)
    if table.empty:
        return None
    rows = []
    for row in table.itertuples():
        words = with_interval(row.value, row.low, row.high)
        rows.append(DotRow(row.attribute, words, [Mark(row.value, row.low, row.high, words=words)]))
    alt = f"Selectivity by attribute: highest {rows[0].title}, {rows[0].note}; lowest {rows[-1].title}, "
    return charts.dots(rows, "selectivity (ε²)", f"{alt}{rows[-1].note}.", share=True)


def with_interval(value: float, low: float, high: float) -> str:
    """Returns a number and its interval in words."""
    interval = head_data.interval(low, high)
    return digits.number(value, ".3g") + (f" [{interval}]" if interval else "")


def _alike(source: Source, head: Head) -> list[dict[str, Any]]:
    """Returns the nearest heads with the paths of their pages."""
    rows = nearest_heads.nearest(source, head).to_dict("records")
    return [
        row | {"page": places.head_page(row["model_key"], (int(row["layer"]), int(row["head"])))}
        for row in rows
    ]
