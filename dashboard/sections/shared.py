"""How pages show what they found: galleries, maps, tables, and where the numbers came from."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import images
from dashboard.charts import maps as map_charts
from dashboard.charts import theme
from dashboard.data import choices, label_text, provenance, scopes
from dashboard.data import images as image_data
from dashboard.data import maps as map_data
from dashboard.data.types import Source
from dashboard.state.url import set_widget
from dashboard.state.views import Head, Scope, head_name
from db.queries import Ran

READ_CAUTION = (
    "A map shows where the heads *read*, not what decides the answer: a patch that adds little here may act "
    "through other heads or earlier layers."
)
MAP_WIDTHS = {1: 420, 2: 400, 3: 310, 4: 232}
"""Width of a panel by the number of panels, pixels; less where the window is too narrow for all."""


def stop_with(problem: str) -> None:
    """Say why there is nothing to show, and end the page there; goes on where there is no problem."""
    if problem:
        st.info(problem, icon=":material/info:")
        st.stop()


def draw_image(source: Source, image_id: str) -> None:
    info = image_data.info(source, image_id)
    draw_thumbnail(image_data.thumbnails(source, (image_id,))[image_id], alt=info.path)
    st.caption(f"**{short(info.path)}**", help=describe(info.path, info.attributes))


def draw_thumbnail(picture: bytes | None, *, alt: str) -> None:
    if picture is None:
        st.caption(":material/hide_image: no thumbnail in this bundle")
    else:
        st.image(picture, width="stretch", alt=alt)


def cells(count: int, columns: int) -> list[DeltaGenerator]:
    """Cells of a grid, row by row."""
    return [cell for _ in range(0, count, columns) for cell in st.columns(columns, gap="small")]


def describe(path: str, attributes: str) -> str:
    return path + "".join(f"  \n{one}" for one in attributes.split(", ") if one)


def short(path: str, length: int = 22) -> str:
    """The end of a path, which is the part that differs."""
    return path if len(path) <= length else "…" + path[-length + 1 :]


def draw_gallery(
    source: Source,
    frame: pd.DataFrame,
    *,
    columns: int = 6,
    query: bool = True,
    form: str = ".3f",
    thumbnails: dict[str, bytes | None] | None = None,
) -> None:
    """Images with a score each, best first; where images are asked by image, each can be the next query.

    `form` is how a score is written; `thumbnails` saves asking for them where several galleries share a page.
    """
    thumbnails = thumbnails or image_data.thumbnails(source, tuple(frame["image_id"]))
    for cell, row in zip(cells(len(frame), columns), frame.itertuples(), strict=False):
        with cell, st.container(gap="xsmall"):
            draw_thumbnail(thumbnails[row.image_id], alt=f"{row.path}, score {row.score:{form}}")
            name = short(row.path, 11) if query else ""  # a narrow cell has room for the score only
            st.caption(f"**{row.score:{form}}** {name}", help=describe(row.path, row.attributes))
            if query:
                key = f"query.{row.image_id}"
                st.button(
                    "Use as query",
                    key=key,
                    on_click=set_widget,
                    args=("image", row.image_id),
                    type="tertiary",
                )


def draw_descriptions(texts: pd.DataFrame) -> None:
    """Texts with a score each, best first."""
    score = st.column_config.NumberColumn(format="%.3f", width=70)
    st.dataframe(texts, hide_index=True, column_order=["score", "text"], column_config={"score": score})


def draw_label_evidence(source: Source, head: Head) -> None:
    """What a head's label is worth, and the texts it comes from."""
    st.caption(label_text.label_evidence(source, head))


def draw_heads_used(source: Source, scope: Scope, how: str = "Through") -> None:
    """Which heads a scope stands for, and which of its property it leaves out."""
    heads, gone = scopes.resolve(source, scope), scopes.left_out(source, scope)
    names = choices.head_names(source)
    listed = ", ".join(head_name(head) for head in heads[:12]) + (", and more" if len(heads) > 12 else "")
    labels = "  \n".join(names[head] for head in heads)
    left = ", ".join(head_name(head) for head in gone)
    only = f" Supported heads only: {left} of the same label left out." if gone else ""
    st.caption(
        f"{how} {len(heads)} of {len(names)} stored heads: {listed}.{only}",
        help=f'{labels}  \nA label with "?" is unsupported: rotated heads do as well at the 5 % level.',
    )


def score_method(by: str, of: str) -> str:
    """What a score is, in a sentence."""
    if by == "dot":
        return f"Score: plain dot product of {of}, as in the paper, in float32 from the stored vectors."
    return (
        f"Score: cosine of {of}, each less its mean over the images of the bundle (a text: over the pool). "
        "1 is the same direction, 0 nothing in common; in float32 from the stored vectors."
    )


def draw_maps(source: Source, found: map_data.MapPanel, view) -> None:
    """The picture, the maps over it on one scale, and ways to save them."""
    limit, opacity = view.scale / 1000 or found.limit, view.opacity / 100
    # Gray under a map, so that every hue on it is the map's.
    gray = images.data_url(found.picture.convert("L").convert("RGB"))
    panels: list[map_charts.Panel] = [(gray, one.title, one.map.grid) for one in found.shown]
    if len(panels) < max(MAP_WIDTHS):
        panels.insert(0, (images.data_url(found.picture), "What the model sees", None))
    width = MAP_WIDTHS[len(panels)]
    chart = map_charts.maps(panels, limit=limit, opacity=opacity, shape=source.grid, width=width)
    titles = "; ".join(one.title for one in found.shown)
    st.altair_chart(chart, alt=f"Maps over the picture: {titles}. Orange adds, purple takes away.")
    control = "".join(f" {one.title}." for one in found.shown if one.title.startswith("Control"))
    st.caption(f"Orange adds to the similarity, purple takes away.{control} {READ_CAUTION}")
    if found.note:
        st.info(found.note, icon=":material/info:")
    st.download_button(
        "Save as PNG",
        partial(png, found, limit, opacity, f"{source.info.model}, heads {view.heads}"),
        "maps.png",
        "image/png",
        on_click="ignore",
        icon=":material/download:",
    )


def png(found: map_data.MapPanel, limit: float, opacity: float, note: str) -> bytes:
    """The maps as one picture, drawn only when it is asked for."""
    drawn = [("What the model sees", images.enlarge(found.picture))]
    drawn += [(one.title, images.overlay(found.picture, one.map.grid, limit, opacity)) for one in found.shown]
    return images.sheet(drawn, limit, theme.UNIT, note)


def draw_parts(found: map_data.MapPanel, title: str, *, which: int = 0) -> None:
    """The signed parts of the score behind one map; they add up."""
    one = found.shown[which]
    table = map_data.parts_table([one]).rename(columns={one.title: "value"})
    st.subheader(title)
    st.altair_chart(
        map_charts.signed_bars(table), alt="Signed parts of the score; they add up to the last bar"
    )
    *terms, total = (f"{value:.2f}".replace("-", "−") for value in table["value"])
    summed = " + ".join(terms).replace("+ −", "− ")
    st.caption(f"{summed} = {total}, in thousandths of cosine similarity.")


def draw_why(table: pd.DataFrame, most: int = 12) -> None:
    """The heads that decide between A and B; they and the rest add up."""
    shown = map_data.why_shown(table, most)
    st.altair_chart(map_charts.signed_bars(shown), alt="Heads sorted by what they add to A over B")


def draw_map_numbers(
    found: map_data.MapPanel, queries: Sequence[Ran], *, name: str, heads: pd.DataFrame | None = None
) -> None:
    more = {f"{name} patches": map_data.patches_table(found.shown)}
    if heads is not None:
        more[f"{name} heads"] = heads
    draw_numbers(
        map_data.parts_table(found.shown).drop(columns=["total"]),
        queries,
        file_name=f"{name}_score.csv",
        method="A patch's number is its contribution through the shown heads, times the text, x 1000; "
        "recomputed from the stored vectors.",
        more=more,
    )


def draw_numbers(
    frame: pd.DataFrame,
    queries: Sequence[Ran],
    *,
    file_name: str,
    method: str = "",
    more: dict[str, pd.DataFrame] | None = None,
) -> None:
    """The numbers behind a picture, to read and to save, and the queries they came from."""
    box = st.expander(
        "Numbers and the query behind them", icon=":material/table:", key="numbers", on_change="rerun"
    )
    if not box.open:  # tables are large, and most visits do not open them
        return
    with box:
        st.markdown(method)
        draw_table_to_save(frame, file_name)
        for title, table in (more or {}).items():
            st.caption(title)
            draw_table_to_save(table, f"{title.lower().replace(' ', '_')}.csv")
        for title, sql in provenance.sql_behind(queries):
            st.caption(title)
            st.code(sql, language="sql")


def draw_table_to_save(frame: pd.DataFrame, file_name: str) -> None:
    st.dataframe(frame, hide_index=True)
    st.download_button(
        "Save as CSV",
        partial(csv, frame),
        file_name,
        "text/csv",
        key=f"csv.{file_name}",
        on_click="ignore",
        icon=":material/download:",
    )


def csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()
