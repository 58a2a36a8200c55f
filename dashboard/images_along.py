"""Images sorted along the texts of a head: vectors from `data` through `picks`, kept with `data.kept`."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard import answers, data, head_tables
from dashboard.analyses import picks
from dashboard.analyses.neighbors import Ranking
from dashboard.source import Source
from dashboard.view_state import Head


class Sorted(NamedTuple):
    """Images along the direction of one text of a head, each with its place in standard deviations."""

    share: float
    """Share of the head's variance along this direction, from the stored vectors."""

    most: pd.DataFrame
    least: pd.DataFrame
    random: pd.DataFrame


def sorted_images(source: Source, head: Head, position: int, k: int, seed: int) -> Sorted:
    """Images at both ends of one text's direction, and as many at random."""
    found = along(source, head, position)
    most, least = picks.ends(found.value, k)
    drawn = picks.draw(len(found.value), k, seed)
    rows = (Ranking(row, found.value[row].astype(np.float32)) for row in (most, least, drawn))
    return Sorted(found.share, *(answers.with_images(source, one) for one in rows))


@data.kept(max_entries=64)
def along(source: Source, head: Head, position: int) -> picks.Along:
    """Every image along the direction of one text."""
    return picks.along(data.head_vectors(source, head), directions(source, head)[position])


@data.kept(max_entries=64)
def directions(source: Source, head: Head) -> NDArray[np.float64]:
    """Unit residual directions of the head's texts -> [text, rank]."""
    pool = data.pool(source)
    rows = [pool.row[data.normal(text)] for text in head_tables.texts(source, head)["text"]]
    return data.frozen(picks.directions(pool.embedding[rows] @ data.head_space(source, (head,)).basis[0].T))
