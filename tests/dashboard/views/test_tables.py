"""Every table of every page is among its numbers, where it is saved as CSV and as Parquet."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from tests.support.pages import NUMBERS, WITH_NUMBERS, open_page

SAVED_ELSEWHERE = ("sql",)
"""Pages with buttons of their own below their table."""

STATES: list[tuple[str, dict[str, str]]] = [
    *((page, {}) for page in WITH_NUMBERS if page not in (*SAVED_ELSEWHERE, "validation")),
    *(("validation", {"section": name}) for name in ("heads", "maps", "neighbors", "mean_ablation", "texts")),
    ("head", {"head": "L1.H1"}),
    ("head", {"head": "L2.H0"}),
    ("image_neighbors", {"versus": "head:L2.H0"}),
    ("topic_segmentation", {"versus": "heads:L2.H0"}),
    ("text_neighbors", {"versus": "head:L2.H0"}),
]


def tables(block: Any, inside: bool = False) -> Iterator[tuple[bool, pd.DataFrame]]:
    """Yields the tables of a page, and whether each stands among the numbers."""
    for child in getattr(block, "children", {}).values():
        if type(child).__name__ in ("Dataframe", "Table"):
            yield inside, child.value
        yield from tables(child, inside or getattr(child, "label", "") == "Data and SQL")


def columns(table: pd.DataFrame) -> set[tuple[str, ...]]:
    return {tuple(map(str, table[name])) for name in table.columns}


@pytest.mark.parametrize(("page", "params"), STATES, ids=str)
def test_a_table_shares_a_column_with_one_that_is_saved(page, params):
    app = open_page(page, opened=NUMBERS, session={"answers": True}, **params)

    found = list(tables(app.main))
    saved = set().union(*(columns(table) for inside, table in found if inside))
    shown = [table for inside, table in found if not inside and len(table)]
    assert saved
    assert [list(table.columns) for table in shown if not columns(table) & saved] == []
    kinds = [button.proto.label for button in app.main.get("download_button")]
    assert kinds.count("Save as CSV") == kinds.count("Save as Parquet") == sum(inside for inside, _ in found)
