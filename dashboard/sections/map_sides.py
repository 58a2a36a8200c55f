"""Maps of one or two sides on one scale: pages Topic segmentation and Contrastive segmentation."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard.data import maps as map_data
from dashboard.data import outside, scopes
from dashboard.data.maps import MapPanel
from dashboard.data.versus import Side
from dashboard.sections import maps as map_sections
from dashboard.sections import shared as sections
from dashboard.sections import versus as versus_sections
from dashboard.state.markdown import literal


def draw_sides(sides: Sequence[Side], results: Sequence[MapPanel | None]) -> None:
    """The maps of every side on one color scale."""
    shown = map_data.common_limit(sides[0].view.limit, results)
    for column, side, result in zip(versus_sections.columns(sides), sides, shown, strict=True):
        with column:
            if side.name:
                st.header(literal(side.name))
            versus_sections.draw_note(side)
            if result is None:
                continue
            sections.draw_heads_used(side.source, side.view.heads)
            heads = scopes.resolve(side.source, side.view.heads)
            sections.draw_outside(outside.of_image(side.source, side.view.image, heads))
            map_sections.draw_maps(side.source, result, side.view, side.place if side.name else "")


def draw_parts(sides: Sequence[Side], results: Sequence[MapPanel | None], title: str) -> None:
    """The parts of the score of every side, on one axis."""
    ends = map_data.parts_ends([result.total for result in results if result])
    for column, side, result in zip(versus_sections.columns(sides, "parts"), sides, results, strict=True):
        with column:
            if result is not None:
                named = f"{title}: {side.name}" if side.name else title
                map_sections.draw_parts(result.total, named, ends if side.name else None)


def tables(sides: Sequence[Side], results: Sequence[Any]) -> dict[str, pd.DataFrame]:
    """Returns parts and patches of the other side by title, if there is one."""
    other = [result for result in results[1:] if result is not None]
    if not other:
        return {}
    parts = map_data.parts_table(other[0].panels).drop(columns=["total"])
    return {
        "parts of the other side": parts,
        "patches of the other side": map_data.patches_table(other[0].panels),
    }
