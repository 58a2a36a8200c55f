"""The page Topic segmentation over the tiny bundle."""

import pytest

from tests.support import bundles
from tests.support.bundles import GALLERY, IMAGE_IDS, TEXTS
from tests.support.pages import open_numbers, open_page


def test_a_map_may_be_relative_to_the_mean_text():
    app = open_page(
        "topic_segmentation", image=GALLERY[0], text="a square", reference="relative", heads="all"
    )
    open_numbers(app)

    texts, unit = bundles.text_embeddings(), bundles.embeddings()[IMAGE_IDS.index(GALLERY[0])]
    expected = unit @ (texts[list(TEXTS).index("a square")] - texts.mean(axis=0))
    assert app.dataframe[0].value["a square"].iloc[4] == pytest.approx(1000 * expected, abs=1.0)
