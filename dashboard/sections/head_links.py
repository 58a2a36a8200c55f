"""Names of heads in tables, each a link to the page of the head."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlencode

import pandas as pd
import streamlit as st

from dashboard.data import defaults
from dashboard.data.types import Source
from dashboard.sections import shared
from dashboard.state.views import HeadView, parse_head

LINK = "open"
"""Column of a table with links to heads: the names stay beside it, for other uses of the table."""

SHOWN = r"#head=(.+)$"
"""What a link shows: the name at its end. Tables sort by the beginning of an address, so the head is there
too, in two digits each: L9.H3 comes before L10.H0.
"""


def addresses(source: Source, names: Iterable[str]) -> list[str | None]:
    """Returns the addresses of the pages of heads, relative to that of the app; None for other names.

    What stands behind a name, after a space, is shown with it: L9.H3 cosine.
    """
    link = {name: value for name, value in defaults.link(source, HeadView).items() if name != "head"}
    return [_address(str(name), urlencode(link)) for name in names]


def _address(name: str, others: str) -> str | None:
    head = parse_head(name.partition(" ")[0])
    return head and f"head?head=L{head[0]:02}.H{head[1]:02}&{others}#head={quote(name)}"


def of_models(sources: dict[str, Source], heads: pd.DataFrame) -> list[str | None]:
    """Returns the address of every row of a table of several models' heads: columns model_key, name."""
    found = pd.Series(None, heads.index, dtype=object)
    for key, rows in heads.groupby("model_key"):
        found[rows.index] = addresses(sources[str(key)], rows["name"])
    return found.tolist()


def column(title: str = "head", width: int = 80, **options: Any) -> Any:
    """Returns the configuration of a column of addresses."""
    return st.column_config.LinkColumn(title, display_text=SHOWN, width=width, alignment="left", **options)


def clicked_rows(event: Any) -> list[int]:
    """Returns the rows that a click selected, except by the name of a head: a link opens itself."""
    return shared.clicked_rows(event, LINK)
