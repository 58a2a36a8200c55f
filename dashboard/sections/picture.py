"""Section of the page Head: one picture, large, with what is known of it, and its nearest texts."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from dashboard.charts import projections as charts
from dashboard.data import defaults, digits, projections
from dashboard.data import images as image_data
from dashboard.data.picture_words import parsed
from dashboard.data.projections import Place
from dashboard.data.types import Source
from dashboard.sections.shared import draw_chart, draw_table, draw_thumbnail, image_words
from dashboard.state.markdown import literal
from dashboard.state.url import set_widget
from dashboard.state.views import HeadView, ImageNeighborsView, ReadsView, head_name

STEPS = {
    "More aligned": (":material/arrow_back:", "Left"),
    "Less aligned": (":material/arrow_forward:", "Right"),
}
"""Icon and key of the buttons for the neighbors of a picture along the text."""


def close() -> None:
    """Closes the picture."""
    set_widget("picture", "")


def open_picture(image_id: str) -> None:
    """Shows a picture large."""
    set_widget("picture", image_id)


@st.dialog("Picture", width="large", on_dismiss=close)
def draw_picture(source: Source, view: HeadView) -> None:
    """The picture over the page; arrow keys lead to its neighbors along the text, Escape closes it."""
    place = projections.place(source, view)
    if draw_steps(source, place):
        st.rerun()
    left, right = st.columns([2, 3], gap="large")
    info = image_data.info(source, view.picture)
    score = f"{digits.number(place.score, '+z.2f')} standard deviations"
    with left:
        thumbnail = image_data.thumbnails(source, (view.picture,))[view.picture]
        with st.container(key="large"):
            draw_thumbnail(thumbnail, alt=image_words(info, f"score {score}", "shown large"))
        draw_facts(info.path, info.attributes)
    with right:
        text = projections.text_of(source, replace(view, onto=""))
        st.markdown(
            f"**{place.rank:,}** of {source.images:,} images along “{literal(text)}” in "
            f"{head_name(view.head)}: {score}."
        )
        draw_histogram(source, replace(view, onto=""), "The picture among all images", height=240)
        st.markdown(f"**Nearest texts in {head_name(view.head)}**")
        nearest = projections.nearest_texts(source, view.head, view.picture)
        columns = {
            "score": st.column_config.NumberColumn("cosine", format="%.2f", width=70),
            "text": st.column_config.TextColumn("text", width=420),
        }
        draw_table(nearest, columns, "Nearest texts to the picture", column_order=list(columns))
    draw_links(source, view)


def draw_steps(source: Source, place: Place) -> bool:
    """Buttons for the neighbors of the picture; True if one was pressed, which reruns the dialog alone."""
    pressed = False
    with st.container(horizontal=True, gap="small"):
        for (label, (icon, key)), target in zip(STEPS.items(), (place.before, place.after), strict=True):
            pressed |= st.button(
                label,
                key=f"picture.{key}",
                icon=icon,
                shortcut=key,
                disabled=not target,
                on_click=open_picture,
                args=(target,),
            )
    return pressed


def draw_facts(path: str, attributes: str) -> None:
    """The path of an image, and its attributes, one a line."""
    lines = [
        f"**{literal(name)}** {literal(', '.join(values))}" for name, values in parsed(attributes).items()
    ]
    st.markdown("  \n".join(lines))
    st.caption(literal(path))


def draw_links(source: Source, view: HeadView) -> None:
    """Links to other pages with this picture."""
    to_neighbors = defaults.link(source, ImageNeighborsView, head=view.head, image=view.picture)
    to_reads = defaults.link(source, ReadsView, form="image", image=view.picture)
    pages = [
        (
            "image_neighbors",
            f"Image neighbors in {head_name(view.head)}",
            ":material/grid_view:",
            to_neighbors,
        ),
        ("which_head", "Which heads read this image", ":material/troubleshoot:", to_reads),
    ]
    with st.container(horizontal=True, gap="medium"):
        for page, label, icon, link in pages:
            st.page_link(f"views/{page}.py", label=label, icon=icon, query_params=link)


def draw_histogram(source: Source, view: HeadView, title: str, height: int = 320) -> pd.DataFrame:
    """Number of images by their position along the text of the view, with the place of the picture.

    `title` begins the description for screen readers.
    """
    result = projections.histogram(source, view)
    mark = projections.mark(source, view)
    chart = charts.histogram(
        result.bars, result.groups, others=projections.OTHER_GROUP, mark=mark, height=height
    )
    fullest = result.bars.loc[result.bars["top"].idxmax()]
    split = f", split by {result.attribute}: {', '.join(result.groups)}" * bool(result.attribute)
    at = "" if mark is None else f" The picture lies at {digits.number(mark, '+z.2f')}."
    draw_chart(
        chart,
        f"{title}: number by position along the text in standard deviations{split}. Most images, "
        f"{fullest['top']:,}, at {digits.number(fullest['begin'], '+z.1f')}.{at}",
    )
    return result.bars
