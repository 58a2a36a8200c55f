"""One link of each page as version 0.1.0 wrote it, on the tiny bundle: it opens the same view today."""

import pytest

from tests.support.pages import link, open_path, said

IMAGE, TEXT, COLOR = "259c6ca5eae53c39", "a photo of something red", "property:color"
MAP = {"control": "none", "seed": "5", "scale": "0", "opacity": "40"}

BOARD = {"metric": "entanglement", "over": "supported", "columns": "all", "beside": "parameters"}

LINKS = [
    ("", "Leaderboard", BOARD),  # the first page was the leaderboard
    ("start", "Leaderboard", BOARD),
    ("leaderboard", "Leaderboard", BOARD),
    ("heads", "Heads", {"color": "ccs", "labels": "color", "over": "all", "words": "red"}),
    ("head", "Head", {"head": "L2.H1", "position": "1", "k": "3", "seed": "5"}),
    ("property_search", "Property search", {"image": IMAGE, "heads": "L1.H0,L2.H1", "by": "dot", "k": "3"}),
    (
        "topic_segmentation",
        "Topic segmentation",
        {"image": IMAGE, "text": TEXT, "heads": COLOR, "reference": "relative"} | MAP,
    ),
    (
        "contrastive_segmentation",
        "Contrastive segmentation",
        {"image": IMAGE, "text": TEXT, "against": "a green thing", "heads": "all"} | MAP,
    ),
    ("image_neighbors", "Image neighbors", {"image": IMAGE, "head": "L2.H1", "by": "dot", "k": "3"}),
    ("text_neighbors", "Text neighbors", {"text": TEXT, "head": "L2.H1", "by": "dot", "k": "3"}),
    ("knock_out", "Mean-ablation", {"attribute": "shape", "heads": "L2.H0", "seed": "3", "most": "5"}),
    ("truth", "Validation", {"section": "heads", "by": "dot"}),
]


@pytest.mark.parametrize(("path", "title", "parameters"), LINKS, ids=[path for path, *_ in LINKS])
def test_a_link_of_version_0_1_opens_the_same_view(path, title, parameters):
    parameters = {"bundle": "tiny", "model": "tiny-known-00000001"} | parameters

    app = open_path(path, **parameters)

    assert not app.exception
    assert app.title[0].value == title
    shown = link(app)
    assert {name: shown[name] for name in parameters} == parameters, said(app)


def test_the_first_page_without_parameters_of_the_leaderboard_is_the_start():
    assert open_path("", model="tiny-known-00000001").title[0].value == "Headlight"
    assert open_path("start").title[0].value == "Headlight"
