"""Sections of the pages Topic segmentation and Contrastive segmentation."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st
from PIL import Image

from dashboard import images
from dashboard.charts import figures, theme
from dashboard.charts import maps as map_charts
from dashboard.data import defaults, digits, picture_words, scopes
from dashboard.data import images as image_data
from dashboard.data import maps as map_data
from dashboard.data.maps import LabeledMap, MapPanel, in_words
from dashboard.data.types import ImageInfo, Source
from dashboard.sections import gallery
from dashboard.sections.heads import open_head
from dashboard.sections.map_panels import Look, clipping, color_scale, draw_panel, look, scale_numbers
from dashboard.sections.shared import draw_chart, draw_numbers, save_button, short
from dashboard.state.markdown import literal
from dashboard.state.views import ContrastView, MapView, head_name, parse_head, parse_patch
from db.queries import Ran

CAUTION = (
    "Do not read it as a cause: a patch may act through other heads or earlier layers. Automatic limit: the "
    "next round number above 99 % of the values of all patches shown, or above all; see Map options."
)
OUTLIERS = (
    "Large models keep information on the whole picture in a few patches, which then say nothing of their "
    "place (register tokens, Darcet et al. 2024). A patch is marked if what it writes through all stored "
    "heads is far longer than what other patches write, whatever the text; the bundle has no norms of the "
    "tokens themselves."
)
WIDTHS = {2: 340, 3: 304, 4: 248}
"""Width of a panel, pixels, by the number of panels: one row at 1440 pixels, one panel a row on a phone."""

HALF = 228
"""Width of a panel on one side of a comparison, pixels: two a row at 1440 pixels."""

TILE = 192
"""Width of the map of one head, pixels; the page draws it smaller."""

SAVED, SAVED_TILE = 448, 224
"""Width of a map and of the map of one head in a saved figure, pixels."""

FEW, MANY = 8, 24
"""Numbers of heads up to which maps of heads are drawn large, and from which they are drawn small."""


def draw_maps(source: Source, result: MapPanel, view: MapView, place: str = "") -> None:
    """The picture, the maps over it on one scale, what to know of them, and a button to save them.

    `place` tells one side of a comparison from the other; each has half of the page.
    """
    info, drawn = image_data.info(source, view.image), look(view, result.limit)
    caption = figure_caption(source, result, view, drawn, info)
    save = partial(
        save_button,
        f"Save the {place} as PNG" if place else "Save as PNG",
        partial(png, result, drawn, caption),
        f"maps{place}.png",
        "image/png",
    )
    if view.maps == "each":
        with st.container(horizontal=not place, gap="medium"):
            with st.container(width=WIDTHS[4]):
                _draw_alone(result, drawn, info, WIDTHS[4], place)
                st.html(color_scale(drawn.limit))
                _draw_notes(result, view, drawn, info)
                save()
            with st.container(key=f"head-maps{place}"):
                _draw_heads(source, result, view, drawn, place)
    else:
        _draw_row(result, drawn, info, place)
        with st.container(horizontal=True, vertical_alignment="center", gap="large"):
            st.html(color_scale(drawn.limit), width=340)
            save()
        _draw_notes(result, view, drawn, info)
    if result.note:
        st.info(literal(result.note), icon=":material/info:")


def _draw_row(result: MapPanel, drawn: Look, info: ImageInfo, side: str) -> None:
    """The picture, if there is room, and the maps side by side; a click in any of them chooses a patch."""
    count = len(result.panels)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        if alone := count < max(WIDTHS) and not side:
            _draw_alone(result, drawn, info, WIDTHS[count + 1], side)
        for place, panel in enumerate(result.panels):
            draw_panel(
                result.picture,
                panel,
                drawn,
                width=HALF if side else WIDTHS[count + alone],
                seen=f"{picture_words.seen(info.attributes)} {side}".strip(),
                outliers=result.outliers.mask,
                key=f"map.{side}{place}",
            )


def _draw_alone(result: MapPanel, drawn: Look, info: ImageInfo, width: int, side: str) -> None:
    """The picture without a map, where a click chooses a patch too."""
    draw_panel(
        result.picture,
        LabeledMap(short(info.path, 40), result.total.map),
        drawn._replace(opacity=0.0),
        width=width,
        seen=f"{picture_words.seen(info.attributes)} {side}".strip(),
        outliers=result.outliers.mask,
        key=f"map.{side}picture",
    )


def _draw_heads(source: Source, result: MapPanel, view: MapView, drawn: Look, side: str) -> None:
    """A map through each head; a click on one opens the page of its head."""
    st.markdown(f"**{literal(_of_each_head(view))}**")
    heads = [panel.head for panel in result.panels if panel.head]
    links = defaults.head_links(source, heads)
    tiles = list(map(_tile, result.panels, tile_pictures(result, drawn, TILE), links))
    columns = 4 if len(heads) <= FEW or side else 6 if len(heads) <= MANY else 8
    opened = gallery.draw(tiles, f"gallery.{columns}.heads{side}")
    if opened and (head := parse_head(opened)):
        open_head(source, head)


def _of_each_head(view: MapView) -> str:
    """Returns the title of maps through each head."""
    return "A − B through each head" if isinstance(view, ContrastView) else f"{view.text}: through each head"


def _tile(panel: LabeledMap, picture: Image.Image, link: dict[str, str]) -> dict[str, Any]:
    """Returns the tile of a gallery for the map through one head."""
    name, _, label = panel.title.partition(" · ")
    total = digits.number(1000 * panel.map.parts.patches, "+z.1f")
    return {
        "id": name,
        "picture": images.jpeg_url(picture),
        "title": "",
        "alt": f"{in_words(panel.title, panel.map.grid)} Sum {total}.",
        "score": name,
        "name": label,
        "note": total,
        "href": f"head?{urlencode(link)}",
    }


def tile_pictures(result: MapPanel, drawn: Look, side: int) -> list[Image.Image]:
    """Returns every map over the picture, `side` pixels wide."""
    below = images.enlarge(result.picture, side)
    return [
        images.overlay(
            below,
            panel.map.grid,
            drawn.limit,
            drawn.opacity,
            side=side,
            smooth=drawn.smooth,
            outliers=result.outliers.mask,
            chosen=parse_patch(drawn.patch),
        )
        for panel in result.panels
    ]


def _draw_notes(result: MapPanel, view: MapView, drawn: Look, info: ImageInfo) -> None:
    for line, help in notes(result, view, drawn, info):
        st.caption(literal(line), help=help)


def notes(result: MapPanel, view: MapView, drawn: Look, info: ImageInfo) -> list[tuple[str, str]]:
    """Returns the lines below maps, each with its help: the colors, values beyond the scale, and outliers."""
    named = (
        ""
        if view.maps == "each" or len(result.panels) < max(WIDTHS)
        else f"Picture: {short(info.path, 40)}. "
    )
    each = " The number below a head is the sum of its map." * (view.maps == "each")
    what = "A more, purple patches B" if isinstance(view, ContrastView) else ""
    colors = (
        f"In A − B, orange patches match {what}."
        if what
        else "Orange patches add to the similarity with the text, purple patches subtract."
    )
    clipped = clipping(drawn.limit, result.panels)
    lines = [(f"{named}{colors}{each} {clipped}".strip(), CAUTION)]
    if count := int(result.outliers.mask.sum()):
        patches = "1 outlier patch writes" if count == 1 else f"{count} outlier patches write"
        ratio = f"{result.outliers.ratio:.0f} times the median"
        lines.append((f"◇ {patches} at least {ratio}: registers, or a lone object.", OUTLIERS))
    return lines


def figure_caption(
    source: Source, result: MapPanel, view: MapView, drawn: Look, info: ImageInfo
) -> list[str]:
    """Returns the lines below a saved figure: picture, model, heads, texts, what is marked, and the link."""
    heads = scopes.resolve(source, view.heads)
    named = ", ".join(map(head_name, heads[:12])) + f" and {len(heads) - 12} more" * (len(heads) > 12)
    of = f" ({view.heads})" if view.heads.kind in ("layer", "property", "all") else ""
    names = ("A: ", "B: ") if isinstance(view, ContrastView) else ("Text: ",)
    texts = zip(names, map_data.subject(view), strict=True)
    marks = [clipping(drawn.limit, result.panels)]
    if result.outliers.mask.any():
        marks.append("Diamonds: outlier patches.")
    if view.patch:
        marks.append(f"Frame: the patch in row {view.patch.replace(',', ', column ')}.")
    seen = f" ({words})" if (words := picture_words.seen(info.attributes)) else ""
    lines = [
        f"Picture: {info.path}{seen}",
        f"Model: {source.info.model} · Heads: {named}{of} · Bundle: {source.name}",
        " · ".join(name + text for name, text in texts),
        " ".join(filter(None, marks)),
        address(),
    ]
    return [line for line in lines if line]


def address() -> str:
    """Returns the link of this page with its parameters."""
    return f"{st.context.url or ''}?{urlencode(st.query_params.to_dict())}"


def png(result: MapPanel, drawn: Look, caption: Sequence[str]) -> bytes:
    """Returns the maps as one PNG; the download button calls it on a click."""
    side = SAVED if result.panels[0].head is None else SAVED_TILE
    alone = images.enlarge(result.picture, side)
    images.mark(alone, result.outliers.mask.shape, result.outliers.mask, parse_patch(drawn.patch))
    maps = zip(result.panels, tile_pictures(result, drawn, side), strict=True)
    panels = [("Input of the model", alone), *((panel.title, picture) for panel, picture in maps)]
    return figures.sheet(
        panels,
        drawn.limit,
        scale_numbers(drawn.limit),
        theme.UNIT,
        caption,
        columns=6 if side == SAVED else 9,
    )


def draw_parts(panel: LabeledMap, title: str, axis: tuple[float, float] | None = None) -> None:
    """The signed parts of the score of one map, and their sum; on an axis with these ends."""
    table = map_data.parts_table([panel])
    table = table.rename(columns={table.columns[1]: "value"})
    st.header(literal(title))
    *terms, total = (digits.number(value, ".2f") for value in table["value"])
    words = ", ".join(f"{name} {term}" for name, term in zip(table["part"], terms, strict=False))
    draw_chart(
        map_charts.signed_bars(table, axis),
        f"{title}: {words}; sum {total} thousandths of cosine similarity.",
    )
    st.caption(f"{' + '.join(terms).replace('+ −', '− ')} = {total}, in thousandths of cosine similarity.")


def draw_map_numbers(
    result: MapPanel, queries: Sequence[Ran], *, name: str, more: dict[str, pd.DataFrame]
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
