"""One map panel: a picture with a map over it, for any model, heads, image and text, on any page.

`data.maps.topic` and `contrast` compute maps; `data.maps.fitted_limit` gives several of them one scale.
"""

from functools import partial
from typing import NamedTuple

import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from dashboard import images
from dashboard.analyses.maps import beyond
from dashboard.charts import maps as map_charts
from dashboard.charts import theme
from dashboard.charts.maps import Marks
from dashboard.data import digits
from dashboard.data.maps import LabeledMap, in_words
from dashboard.sections.shared import draw_chart
from dashboard.state.markdown import literal
from dashboard.state.url import set_widget
from dashboard.state.views import MapView, parse_patch

BAR = "height: 12px; border-radius: 2px; background: linear-gradient(to right, {colors})"
SCALE = """<div style="max-width: 340px; font-size: 0.875rem; line-height: 1.3">
  <div style="{bar}"></div>
  <div style="display: flex; justify-content: space-between">{numbers}</div>
  <div>{unit}</div>
</div>"""


class Look(NamedTuple):
    """Options of drawing; maps of one look can be compared."""

    limit: float
    """End of the color scale, cosine similarity."""

    opacity: float
    """0 for the picture alone, 1 for the map alone."""

    smooth: bool
    patch: str
    """The chosen patch, as in a link."""


def look(view: MapView, fitted: float) -> Look:
    """Returns the look that a view asks for; `fitted` is the end of the scale if it has no own."""
    return Look(view.scale / 1000 or fitted, view.opacity / 100, view.drawing == "smooth", view.patch)


def draw_panel(
    picture: Image.Image,
    panel: LabeledMap,
    look: Look,
    *,
    width: int,
    seen: str,
    outliers: NDArray | None = None,
    key: str = "",
) -> None:
    """A map over its picture, under its title; `seen` says for screen readers what the picture shows.

    With a `key`, a click chooses a patch for the page's view.
    """
    draw = {"key": f"{key}.{look.patch}", "on_select": partial(choose_patch, f"{key}.{look.patch}")}
    seen_words = f" Picture: {seen}." if seen else ""
    alone = f"{panel.title}, the part that the model sees."
    alt = f"{in_words(panel.title, panel.map.grid) if look.opacity else alone}{seen_words}"
    with st.container(width=width, gap="xxsmall"):
        st.markdown(f"**{literal(panel.title)}**")
        chart = map_charts.map_panel(
            images.data_url(picture),
            panel.map.grid,
            limit=look.limit,
            opacity=look.opacity,
            size=(width, round(width * picture.height / picture.width)),
            smooth=look.smooth,
            marks=Marks(outliers, parse_patch(look.patch)),
            clickable=bool(key),
        )
        draw_chart(chart, alt, width="content", **draw if key else {})


def choose_patch(key: str) -> None:
    """Makes the patch that was clicked in the chart of `key` the chosen one; the chosen one is let go."""
    for cell in st.session_state[key]["selection"].get(map_charts.CLICK) or []:
        clicked = f"{int(cell['row'])},{int(cell['column'])}"
        set_widget("patch", "" if key.endswith(f".{clicked}") else clicked)


def color_scale(limit: float) -> str:
    """Returns HTML of the colors from -limit to limit, with its numbers in thousandths."""
    numbers = "".join(f"<span>{number}</span>" for number in scale_numbers(limit))
    bar = BAR.format(colors=", ".join(images.DIVERGING))
    return SCALE.format(bar=bar, numbers=numbers, unit=theme.UNIT)


def scale_numbers(limit: float) -> list[str]:
    """Returns the numbers at equal distances along the color scale, in thousandths."""
    return [digits.signed(1000 * limit * part) for part in (-1, -0.5, 0, 0.5, 1)]


def clipping(limit: float, panels: list[LabeledMap]) -> str:
    """Returns how many patches lie beyond the scale, and how far; empty if none does."""
    grids = [panel.map.grid for panel in panels]
    count = beyond(limit, *grids)
    if not count:
        return ""
    most = max((value for grid in grids for value in (grid.min(), grid.max())), key=abs)
    lie = "lies" if count == 1 else "lie"
    of, end = sum(grid.size for grid in grids), f"{1000 * limit:.3g}"
    return f"{count} of {of:,} patches {lie} beyond ±{end}, up to {digits.signed(1000 * most)}."
