"""Sections of the start page: what Headlight is, the heads of one model, one head, and the analyses."""

from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from dashboard import images
from dashboard.data import defaults, label_text, start
from dashboard.data.types import Source
from dashboard.sections import heads as heads_sections
from dashboard.sections.gallery import draw, draw_linked
from dashboard.sections.shared import save_button
from dashboard.state.markdown import literal
from dashboard.state.url import leave_for
from dashboard.state.views import Head, HeadsView, HeadView, head_name
from db import citation

ABOUT = (
    "See what each attention head of a CLIP model reads in a picture: in words, with images, and with a test "
    "of whether the words hold."
)
TITLES = {
    "property_search": "Property search",
    "topic_segmentation": "Topic segmentation",
    "contrastive_segmentation": "Contrastive segmentation",
    "image_neighbors": "Image neighbors",
    "text_neighbors": "Text neighbors",
}
DOCS = """\
**Words of these pages**

- **Head** L5.H3: head 3 of layer 5. The outputs of all heads, and of the other parts of the model, add up
  to the embedding of an image.
- **Texts** of a head: those whose directions its outputs vary along most, in this order (TEXTSPAN).
- **Label**: the property that these texts share. *Supported*: heads rotated at random seldom get one as
  strong, and at least two texts carry it. *Weak* (~): other evidence speaks against it. *Unsupported* (?).
- **Control**: the same architecture with random weights. Do not trust what it shows too.
- **Map**: how much each patch adds to the similarity with a text. Orange adds, purple subtracts.

**More** is in the folder `docs` of Headlight: `docs/method.md` (mathematics), `docs/running.md` (your own
images and models), `docs/bundle.md` (tables and files), `docs/validation.md` (how right it is).
`headlight --help` lists the commands."""


def draw_introduction() -> None:
    """One sentence, and links to the paper, to explanations, and to a citation."""
    st.markdown(ABOUT)
    with st.container(horizontal=True, gap="small", key="start-links"):
        st.link_button("Paper", citation.PAPER, icon=":material/article:", help=citation.PAPER)
        with st.popover("Docs", icon=":material/menu_book:"):
            st.markdown(DOCS)
        with st.popover("BibTeX", icon=":material/format_quote:"):
            text = citation.bibtex()
            st.code(text, language="bibtex", wrap_lines=True)
            save_button("Save as BibTeX", text.encode, "headlight.bib", "application/x-bibtex")


def draw_heads(source: Source, head: Head) -> pd.DataFrame:
    """The heads of a model by label, one of them framed, each with a link; returns them."""
    table = label_text.heads(source)
    rank = literal(start.rank_words(source))
    st.markdown(f"{rank}Each cell is one head, and its label is what the texts that describe it share.")
    heads_sections.draw_grid(source, HeadsView(head=head), table)
    named = ((source, row.name, label_text.display_label(row)) for row in table.itertuples())
    st.html(heads_sections.links(named))
    return table[["layer", "head", "name", "label", "grade", "importance", "first_texts"]]


def draw_head_link(source: Source, head: Head) -> None:
    """A link to the page of a head, with its label."""
    row = label_text.head_row(source, head)
    link = defaults.link(source, HeadView, head=head)
    label = literal(f"{head_name(head)} · {label_text.display_label(row)}")
    st.page_link(
        "views/head.py", label=f"**{label}**", icon=":material/center_focus_strong:", query_params=link
    )


def draw_strip(source: Source, head: Head, strip: start.Strip | None) -> None:
    """The images most aligned with a head's first text; the evidence for its label without images."""
    if strip is None:
        st.caption(literal(label_text.label_evidence(source, head)))
        return
    draw_linked(source, strip.images, head, columns=8, form="+z.1f", title="Most aligned", plain=True)
    st.caption(
        f"The images most aligned with “{literal(strip.text)}”, which explains {100 * strip.share:.1f} % of "
        "the variance of this head. Click one for its neighbors."
    )


def draw_cards(source: Source) -> None:
    """A card for each analysis: its picture opens its first view."""
    cards = {card.page: card for card in start.cards(source)}
    tiles = [tile(card) for card in cards.values()]
    if page := draw(tiles, "gallery.5.analyses"):
        leave_for(page, cards[page].link)


def tile(card: start.Card) -> dict[str, str]:
    return {
        "id": card.page,
        "picture": images.as_url(card.picture) if card.picture else "",
        "alt": card.alt,
        "title": card.caption,
        "score": TITLES[card.page],
        "name": "",
        "note": card.caption,
        "href": f"{card.page}?{urlencode(card.link)}",
    }
