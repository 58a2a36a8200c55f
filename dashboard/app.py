"""Table of contents. Start it with `python -m dashboard`, or `streamlit run dashboard/app.py`."""

from contextlib import suppress
from functools import partial
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard.controls import collection
from dashboard.controls import shared as controls
from dashboard.controls.search import search_box
from dashboard.data import choices
from dashboard.data.live import LiveError
from dashboard.data.validation_scores import has_validation
from dashboard.sections.addresses import draw_unknown
from dashboard.state import url
from dashboard.state.markdown import literal
from db.errors import BundleReplaced, StoreError

PAGES = [
    st.Page(
        "views/start.py",
        title="Start",
        icon=":material/home:",
        url_path="index",  # served at /; a hidden page has its own name
        default=True,
    ),
    st.Page("views/leaderboard.py", title="Leaderboard", icon=":material/leaderboard:"),
    st.Page("views/heads.py", title="Heads", icon=":material/apps:"),
    st.Page("views/head.py", title="Head", icon=":material/center_focus_strong:"),
    st.Page("views/which_head.py", title="Which head reads this?", icon=":material/troubleshoot:"),
    st.Page("views/property_search.py", title="Property search", icon=":material/category_search:"),
    st.Page("views/topic_segmentation.py", title="Topic segmentation", icon=":material/gradient:"),
    st.Page(
        "views/contrastive_segmentation.py", title="Contrastive segmentation", icon=":material/contrast:"
    ),
    st.Page("views/image_neighbors.py", title="Image neighbors", icon=":material/grid_view:"),
    st.Page("views/text_neighbors.py", title="Text neighbors", icon=":material/match_word:"),
    st.Page("views/mean_ablation.py", title="Mean-ablation", icon=":material/content_cut:"),
    st.Page("views/compare.py", title="Compare", icon=":material/compare_arrows:"),
    st.Page("views/validation.py", title="Validation", icon=":material/fact_check:"),
    st.Page("views/sql.py", title="SQL", icon=":material/database:"),
    st.Page("views/collection.py", title="Collection", icon=":material/bookmarks:"),
    st.Page("views/about.py", title="About this bundle", icon=":material/info:"),
]
NAMED = {page.url_path: page for page in PAGES}
# For a bundle without validation: not in the menu, but a link to it explains.
HIDDEN = st.Page("views/validation.py", title="Validation", icon=":material/fact_check:", visibility="hidden")
NO_VALIDATION = [HIDDEN if page is NAMED["validation"] else page for page in PAGES]
# Streamlit serves the default page at / only; the other names are from earlier versions.
MOVED = {"start": PAGES[0], "knock_out": NAMED["mean_ablation"], "truth": NAMED["validation"]}
FIRST = "start"
"""Name of the first page's file: its address is empty."""

NAME = "Headlight"
CONTROL_BADGE = " :gray-badge[control: random weights]"

# A file, since a browser fetches Streamlit's own icons and emoji from other servers.
ICON = Path(__file__).with_name(".streamlit") / "icon.svg"
LOGO = Path(__file__).with_name(".streamlit") / "logo.svg"
STYLE = Path(__file__).with_name(".streamlit") / "style.css"
COPY_LINK = Path(__file__).with_name(".streamlit") / "copy_link.html"
SAVE_CHARTS = Path(__file__).with_name(".streamlit") / "save_charts.html"
# A page inside another page has no sidebar: its link chooses bundle and model.
EMBEDDED = (
    "<style>[data-testid='stSidebar'], [data-testid='stExpandSidebarButton'] { display: none; }</style>"
)
ABOUT = (
    "**Headlight** decomposes the image encoder of a CLIP model into its attention heads, describes each "
    "head by short texts, and checks the descriptions. Everything on these pages is in the opened bundle."
)


def take_along() -> DeltaGenerator:
    """Draws the buttons that take a page along; returns the place of the one that pins it."""
    with st.sidebar.container(horizontal=True, gap="xsmall", key="take_along"):
        # Files of ours, without words of others.
        st.html(COPY_LINK, width="content", unsafe_allow_javascript=True)
        place = st.container(width="content")
        st.html(SAVE_CHARTS, width="content", unsafe_allow_javascript=True)
    return place


def main() -> None:
    hidden = [
        st.Page(lambda: None, title=page.title, url_path=path, visibility="hidden")
        for path, page in MOVED.items()
    ]
    # First: else the icon of the page becomes that of the tab, and browsers ask another server for it.
    st.set_page_config(page_icon=ICON, layout="wide", menu_items={"About": ABOUT})
    st.logo(LOGO, size="large", icon_image=ICON)
    known = ["index", *MOVED, *(page.url_path for page in PAGES)]  # index: the first page, by its own name
    unknown = [
        st.Page(partial(draw_unknown, name, PAGES), title="No such page", url_path=name, visibility="hidden")
        for name in [url.page_name(st.context.url or "")]
        if name not in known
    ]
    menu = st.session_state.get("menu", PAGES)
    page = st.navigation([*menu, *hidden, *unknown], expanded=True)
    if page in hidden:
        st.switch_page(MOVED[page.url_path], query_params=url.renamed(st.query_params.to_dict()))
    is_start = page.url_path == PAGES[0].url_path
    if is_start and url.is_of_old_first_page():
        st.switch_page(NAMED["leaderboard"], query_params=st.query_params.to_dict())
    st.set_page_config(page_title=NAME if is_start else f"{page.title} - {NAME}")
    try:
        url.sync_from_url(page.url_path)
        st.html(STYLE)
        if st.context.is_embedded:
            st.html(EMBEDDED)
        box = st.sidebar.container()
        source = st.session_state["source"] = controls.sidebar(best_model=is_start)
        menu = st.session_state["menu"] = PAGES if has_validation(source) else NO_VALIDATION
        # Again: only the bundle says which pages it fills.
        page = st.navigation([*menu, *hidden, *unknown], expanded=True)
        with box:
            search_box(source, menu)
        pin_place = take_along()
        st.set_page_config(menu_items={"About": f"{ABOUT}\n\n{choices.licenses(source)}"})
        st.title((NAME if is_start else page.title) + CONTROL_BADGE * source.info.is_control)
        with suppress(url.PageEnd):
            page.run()
        with pin_place:  # only now the view is known
            collection.pin_box(source, page.url_path or FIRST)
    except BundleReplaced:  # in the middle of this run: the next one opens what is there now
        st.rerun()
    except (StoreError, LiveError) as error:
        # Everything drawn so far stays, so that the options can be changed.
        st.error(literal(error), icon=":material/error:")
    url.finish()


main()
