"""The page Contrastive segmentation over the tiny bundle."""

import pytest

from tests.support.bundles import GALLERY
from tests.support.pages import NUMBERS, open_page, said


def test_what_decides_between_two_texts_adds_up_to_their_difference():
    app = open_page(
        "contrastive_segmentation", image=GALLERY[1], text="a square", against="a green thing", opened=NUMBERS
    )

    parts, _, heads = (frame.value for frame in app.dataframe[:3])
    assert heads["value"].sum() == pytest.approx(parts["A − B"].iloc[-1], abs=0.1)


def test_two_equal_texts_have_nothing_to_decide():
    app = open_page("contrastive_segmentation", text="a square", against="a square")

    assert "A and B are the same text" in said(app)
    assert not app.exception
