"""Contrastive segmentation: map of the difference of two texts, and the heads behind the difference."""

import streamlit as st

from dashboard.charts import maps as map_charts
from dashboard.controls import maps as map_controls
from dashboard.controls import shared as controls
from dashboard.controls.versus import versus_picker
from dashboard.data import maps as map_data
from dashboard.data import provenance
from dashboard.data import versus as versus_data
from dashboard.sections import map_sides
from dashboard.sections import maps as map_sections
from dashboard.sections import shared as sections
from dashboard.sections.patches import draw_patch
from dashboard.state import url
from dashboard.state.views import ContrastView

st.markdown("Where the picture matches text A more than text B, and which heads make the difference.")
source, view = controls.open_page(ContrastView)

image, column = controls.image_picker(source, view.image, gallery=True, picture=False)
with column:
    a = controls.text_picker(source, "Text A", view.text)
    b = controls.text_picker(source, "Text B", view.against, name="against")
    scope = controls.scope_picker(source, view.heads)
options = map_controls.map_controls(source, view, image, scope)
view = url.write_url(view, image=image, text=a, against=b, heads=scope, **options)
view = url.write_url(view, versus=versus_picker(source, view))
controls.stop_if_empty(source, view)

with provenance.recorded() as queries:
    sides, results = versus_data.results(
        versus_data.sides(source, view), lambda side: map_data.contrast(side.source, side.view)
    )
    table = map_data.why_table(source, view.image, view.text, view.against)
map_sides.draw_sides(sides, results)
more = draw_patch(source, view)
map_sides.draw_parts(sides, results, "Parts of the score difference")

st.header("Why A rather than B")
st.markdown(
    "What each head adds to the difference beyond the average image: all stored heads, not only those of the "
    "maps."
)
heads = table[table["kind"] == "head"]
words = sections.ends(heads["part"], heads["value"])
shown = map_data.why_shown(table, 12)
chart = map_charts.signed_bars(shown)
sections.draw_chart(chart, f"What each head adds to the difference of A and B, in thousandths: {words}.")
sections.draw_head_links(source, map_data.heads_in(shown))
more |= {"heads": table} | map_sides.tables(sides, results)
map_sections.draw_map_numbers(results[0], queries, name="contrast", more=more)
