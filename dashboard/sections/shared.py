"""Sections of several pages: galleries, maps, tables, and the numbers with their queries."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, cast

import altair
import pandas as pd
import streamlit as st

from dashboard.charts import theme
from dashboard.data import (
    choices,
    column_words,
    defaults,
    digits,
    label_text,
    picture_words,
    provenance,
    scopes,
)
from dashboard.data import images as image_data
from dashboard.data.types import Source
from dashboard.state import url
from dashboard.state.markdown import literal
from dashboard.state.views import Head, Scope, head_name
from db.queries import Ran
from db.spreadsheet import harmless

MAX_LINKS = 12
"""Number of heads that a page links to."""

NO_THUMBNAIL = "no thumbnail in this bundle"


def stop_with(problem: str, icon: str = ":material/info:") -> None:
    """Shows a problem, which is Markdown, and ends the page there; does nothing if `problem` is empty."""
    if problem:
        st.info(problem, icon=icon)
        url.end_page()


def draw_image(source: Source, image_id: str, key: str = "picture") -> None:
    info = image_data.info(source, image_id)
    which = "chosen image" if key == "picture" else "other image"
    with st.container(key=key):
        draw_thumbnail(image_data.thumbnails(source, (image_id,))[image_id], alt=image_words(info, which))
    st.caption(f"**{literal(short(info.path))}**", help=describe(info.path, info.attributes))


def draw_thumbnail(picture: bytes | None, *, alt: str) -> None:
    if picture is None:
        st.caption(f":material/hide_image: {NO_THUMBNAIL}")
    else:
        st.image(picture, width="stretch", alt=alt)


def describe(path: str, attributes: str) -> str:
    """Returns Markdown: the path of an image and a line for each of its attributes."""
    return "  \n".join(literal(line) for line in [path, *attributes.split(", ")] if line)


def image_words(row: Any, *facts: str) -> str:
    """Returns the alt text of an image: what is seen, else its file or id, and what the page says of it."""
    name = picture_words.seen(row.attributes) or row.path or getattr(row, "image_id", "")
    return ", ".join(filter(None, [name, *facts]))


def short(path: str, length: int = 22) -> str:
    """Returns the end of a path, the part that differs."""
    return path if len(path) <= length else "…" + path[-length + 1 :]


def clicked_rows(event: Any, link: str | None = None) -> list[int]:
    """Returns the rows of a table in which a click selected the row, or a cell not of the column `link`."""
    selection = event["selection"]
    return [*selection["rows"], *(row for row, name in selection["cells"] if name != link)]


def draw_table(frame: pd.DataFrame, columns: dict[str, Any], alt: str | None = None, **options: Any) -> Any:
    """A table without its index; returns the selection of a table that has one."""
    return st.dataframe(frame, hide_index=True, column_config=columns, alt=alt, **options)


def draw_descriptions(texts: pd.DataFrame) -> None:
    """Texts with their scores, best first."""
    score = st.column_config.NumberColumn(format=f"%.{digits.decimals(texts['score'])}f", width=90)
    draw_table(texts, {"score": score}, column_order=["score", "text"])


def draw_heads_used(source: Source, scope: Scope, how: str = "Uses") -> None:
    """The heads of a scope, and the unsupported heads of its property that it leaves out."""
    heads, names = scopes.resolve(source, scope), choices.head_names(source)
    labels = "  \n".join(literal(names[head]) for head in heads)
    left_out = scopes.left_out(source, scope)
    only = f" Excluded as unsupported: {', '.join(map(head_name, left_out))}." if left_out else ""
    help = f"{labels}  \n?: unsupported. {label_text.GRADES}"
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.caption(f"{how} {len(heads)} of {len(names)} heads.{only}", help=help, width="content")
        draw_head_links(source, heads)
        if left_out:
            st.caption("excluded:", width="content")
            draw_head_links(source, left_out)


def draw_head_links(source: Source, heads: Sequence[Head]) -> None:
    """A link to the page of each of the first heads."""
    with st.container(horizontal=True, gap=None):
        for head, link in zip(heads, defaults.head_links(source, heads[:MAX_LINKS]), strict=False):
            st.page_link("views/head.py", label=head_name(head), query_params=link)
        if len(heads) > MAX_LINKS:
            st.caption(f"and {len(heads) - MAX_LINKS} more", width="content")


def draw_outside(words: tuple[str, str]) -> None:
    """Draws a fact about the distance of a query from the images or a head, or a warning if it is too far."""
    fact, warning = words
    if warning:
        st.warning(literal(warning), icon=":material/wrong_location:")
    elif fact:
        st.caption(literal(fact))


def score_method(by: str, of: str) -> str:
    """Returns the definition of a score in a sentence."""
    if by == "dot":
        return f"Score: dot product of {of}, as in the paper, in float32 from the stored vectors."
    return (
        f"Score: cosine of {of}, each minus its mean over the images of the bundle (a text: over the pool); "
        "in float32 from the stored vectors."
    )


def ends(names: Iterable[Any], values: Iterable[float], form: str = ".3g") -> str:
    """Returns the highest and the lowest of some named values in words, for screen readers."""
    pairs = [pair for pair in zip(names, values, strict=True) if pd.notna(pair[1])]
    if not pairs:
        return "no values"
    high, low = (choose(pairs, key=lambda pair: pair[1]) for choose in (max, min))
    words = f"highest {high[0]} with {digits.number(high[1], form)}"
    return words if high == low else f"{words}, lowest {low[0]} with {digits.number(low[1], form)}"


def draw_chart(chart: altair.Chart | theme.Layers, alt: str, **options: Any) -> Any:
    """A chart with words that are readable on both themes; `alt` states its result for screen readers."""
    chart["config"] = theme.CONFIG
    return st.altair_chart(cast(altair.Chart, Unchecked(chart)), alt=alt, **options)


class Unchecked:
    """A chart that Streamlit converts without comparing it with the schema of Vega-Lite.

    The comparison is a sixth of the time of a page; tests make it.
    """

    def __init__(self, chart: altair.Chart | theme.Layers) -> None:
        self.chart = chart

    def to_dict(self) -> dict[str, Any]:
        return self.chart.to_dict(validate=False)


def save_button(label: str, make: Callable[[], bytes], file_name: str, kind: str) -> None:
    """A button that saves a file, which it makes on a click."""
    key, icon = f"save.{file_name}", ":material/download:"
    st.download_button(label, make, file_name, kind, key=key, on_click="ignore", icon=icon)


def draw_numbers(
    frame: pd.DataFrame,
    queries: Sequence[Ran],
    *,
    file_name: str,
    method: str = "",
    more: dict[str, pd.DataFrame] | None = None,
) -> None:
    """An expander with the numbers behind a page as tables and CSV, and their queries."""
    box = st.expander("Data and SQL", icon=":material/table:", key="numbers", on_change="rerun")
    if not box.open:  # the tables are large, and most visits do not open it
        return
    with box:
        st.markdown(method)
        draw_table_to_save(frame, file_name)
        for title, table in (more or {}).items():
            if table.empty:
                continue
            st.caption(title)
            draw_table_to_save(table, f"{title.lower().replace(' ', '_')}.csv")
        for title, sql in provenance.sql_behind(queries):
            st.caption(title)
            st.code(sql, language="sql")


def draw_table_to_save(frame: pd.DataFrame, file_name: str) -> None:
    table = column_words.in_words(frame)
    st.dataframe(column_words.marked(table), hide_index=True)
    draw_saves(table, file_name.removesuffix(".csv"))


def draw_saves(table: pd.DataFrame, name: str) -> None:
    """Buttons that save a table as CSV and as Parquet."""
    with st.container(horizontal=True):
        save_button("Save as CSV", partial(csv, table), f"{name}.csv", "text/csv")
        kind = "application/vnd.apache.parquet"
        save_button("Save as Parquet", partial(parquet, table), f"{name}.parquet", kind)


def parquet(frame: pd.DataFrame) -> bytes:
    """Returns a table as Parquet; columns of several types become texts."""
    mixed = [name for name in frame if pd.api.types.infer_dtype(frame[name], skipna=True).startswith("mixed")]
    return frame.astype(dict.fromkeys(mixed, str)).to_parquet(index=False)


def csv(frame: pd.DataFrame) -> bytes:
    """Returns a table as CSV, without texts that a spreadsheet would run."""
    columns = {
        harmless(name): column if pd.api.types.is_numeric_dtype(column) else column.map(harmless)
        for name, column in frame.items()
    }
    # With this end of lines a text that holds either of its characters is quoted.
    return pd.DataFrame(columns).to_csv(index=False, lineterminator="\r\n").encode()
