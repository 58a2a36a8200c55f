"""Collection: the pinned views, to be put in order, noted, saved, printed and opened again."""

import streamlit as st

from dashboard.controls import collection as collection_controls
from dashboard.controls import shared as controls
from dashboard.data import collection as collection_data
from dashboard.sections import collection as collection_sections
from dashboard.state import url
from dashboard.state.views import CollectionView

st.markdown("Views that you pinned, with your notes. Put them in order, print them, or send the link.")
source, view = controls.open_page(CollectionView)
pins = collection_controls.take_link(view.pins).pins
if not pins:
    st.markdown(collection_sections.EMPTY)
views = [collection_data.shown(source, pin) for pin in pins]
for place, shown in enumerate(views, 1):
    with st.container(border=True, horizontal=True, gap="medium", key=f"pinned.{shown.pin.key}"):
        collection_sections.draw_picture(shown, place)
        with st.container(gap="xsmall", width="stretch"):
            collection_sections.draw_view(shown, place)
            collection_controls.note_box(shown)
            collection_controls.row_buttons(shown, place, len(views))
collection = collection_controls.session_pins()
view = url.write_url(view, pins=collection)
if views:
    st.caption(collection_controls.CLOSING)
    if not str(collection):
        st.caption("These are too many for a link: only the file holds them.")
    collection_sections.draw_saved(source, collection, views)
collection_controls.loader()
