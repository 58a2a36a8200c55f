"""Sections of the pages Topic segmentation and Contrastive segmentation."""

from collections.abc import Sequence
from functools import partial
from urllib.parse import urlencode

import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from dashboard import images
from dashboard.analyses.maps import beyond
from dashboard.charts import maps as map_charts
from dashboard.charts import theme
from dashboard.data import digits
from dashboard.data import images as image_data
from dashboard.data import maps as map_data
from dashboard.data.types import Source
from dashboard.sections.shared import draw_chart, draw_numbers, save_button, short
from dashboard.state.markdown import literal
from dashboard.state.views import ContrastView, MapView
from db.queries import Ran

CAUTION = (
    "Do not read it as a cause: a patch may act through other heads or earlier layers. Automatic limit: "
    "the next round number above 95 % of the values of all patches shown."
)
WIDTHS = {2: 340, 3: 304, 4: 248}
"""Width of a panel, pixels, by the number of panels: one row at 1440 pixels, one panel a row on a phone."""

BAR = "height: 12px; border-radius: 2px; background: linear-gradient(to right, {colors})"
SCALE = """<div style="max-width: 340px; font-size: 0.875rem; line-height: 1.3">
  <div style="{bar}"></div>
  <div style="display: flex; justify-content: space-between">{numbers}</div>
  <div>{unit}</div>
</div>"""


def draw_maps(source: Source, result: map_data.MapPanel, view: MapView) -> None:
    """The picture, the maps over it on one scale, and a button to save them."""
    limit, opacity = view.scale / 1000 or result.limit, view.opacity / 100
    muted = images.data_url(images.muted(result.picture))
    panels: list[tuple[str, str, NDArray | None]] = [
        (panel.title, muted, panel.map.grid) for panel in result.panels
    ]
    name, named = image_data.info(source, view.image).path, ""
    if len(panels) < max(WIDTHS):
        panels.insert(0, (short(name, 40), images.data_url(result.picture), None))
    else:
        named = f"Picture: {literal(short(name, 40))}. "
    width = WIDTHS[len(panels)]
    rows, columns = source.grid
    size = width, round(width * rows / columns)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        for title, url, grid in panels:
            with st.container(width=width, gap="xxsmall"):
                st.markdown(f"**{literal(title)}**")
                chart = map_charts.map_panel(url, grid, limit=limit, opacity=opacity, size=size)
                draw_chart(chart, map_data.in_words(title, grid), width="content")
    st.html(color_scale(limit))
    clipped = beyond(limit, *(panel.map.grid for panel in result.panels))
    lie = "patch lies" if clipped == 1 else "patches lie"
    sides = " In A − B, orange patches match A more, purple patches B." * isinstance(view, ContrastView)
    ends = f" {clipped} {lie} beyond the color limit." if clipped else ""
    st.caption(
        f"{named}Orange patches add to the similarity with the text, purple patches subtract.{sides}{ends}",
        help=CAUTION,
    )
    if result.note:
        st.info(literal(result.note), icon=":material/info:")
    note = f"{name}, {source.info.model}, heads {view.heads}, bundle {source.name}\n{address()}"
    save_button("Save as PNG", partial(png, result, limit, opacity, note), "maps.png", "image/png")


def address() -> str:
    """Returns the link of this page with its parameters."""
    return f"{st.context.url or ''}?{urlencode(st.query_params.to_dict())}"


def color_scale(limit: float) -> str:
    """Returns HTML of the colors from -limit to limit, with its numbers in thousandths."""
    numbers = "".join(f"<span>{digits.signed(1000 * limit * part)}</span>" for part in (-1, -0.5, 0, 0.5, 1))
    bar = BAR.format(colors=", ".join(images.DIVERGING))
    return SCALE.format(bar=bar, numbers=numbers, unit=theme.UNIT)


def png(result: map_data.MapPanel, limit: float, opacity: float, note: str) -> bytes:
    """Returns the maps as one PNG; the download button calls it on a click."""
    panels = [("Input of the model", images.enlarge(result.picture))]
    panels += [
        (panel.title, images.overlay(result.picture, panel.map.grid, limit, opacity))
        for panel in result.panels
    ]
    numbers = [digits.signed(1000 * end) for end in (-limit, 0, limit)]
    return images.sheet(panels, limit, numbers, theme.UNIT, note)


def draw_parts(panel: map_data.LabeledMap, title: str) -> None:
    """The signed parts of the score of one map, and their sum."""
    table = map_data.parts_table([panel])
    table = table.rename(columns={table.columns[1]: "value"})
    st.header(title)
    *terms, total = (digits.number(value, ".2f") for value in table["value"])
    words = ", ".join(f"{name} {term}" for name, term in zip(table["part"], terms, strict=False))
    draw_chart(
        map_charts.signed_bars(table), f"{title}: {words}; sum {total} thousandths of cosine similarity."
    )
    st.caption(f"{' + '.join(terms).replace('+ −', '− ')} = {total}, in thousandths of cosine similarity.")


def draw_map_numbers(
    result: map_data.MapPanel, queries: Sequence[Ran], *, name: str, **more: pd.DataFrame
) -> None:
    """The parts and patches of maps, and `more` tables by title."""
    tables = {"patches": map_data.patches_table(result.panels)} | more
    draw_numbers(
        map_data.parts_table(result.panels).drop(columns=["total"]),
        queries,
        file_name=f"{name}_score.csv",
        method="The number of a patch is its contribution through the shown heads, times the text, x 1000; "
        "from the stored vectors.",
        more={f"{name} {title}": table for title, table in tables.items()},
    )
