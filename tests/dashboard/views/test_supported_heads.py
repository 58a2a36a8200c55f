"""A property with a supported and an unsupported head is searched through the supported one, and says so."""

import numpy as np
import pandas as pd
import pytest

from tests.support import bundles
from tests.support.bundles import IMAGE_IDS, MODEL_KEY
from tests.support.pages import NUMBERS, open_page, words
from tests.support.places import changed_copy


@pytest.fixture(scope="module", params=[1, 0])
def weak(request, tmp_path_factory, tiny_bundle):
    """A bundle with as many supported heads about color, the first of two or none, and how many they are."""
    heads = f"model_key = '{MODEL_KEY}' and layer = 1 and head >= {request.param}"
    out = tmp_path_factory.mktemp("weak") / "tiny"
    sql = f"update head_label set supported = false where {heads}"
    return changed_copy(tiny_bundle, out, sql), request.param


@pytest.fixture
def searched(weak, monkeypatch):
    """The page over it."""
    path, supported = weak
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(path))
    app = open_page(
        "property_search", heads="property:color", image=IMAGE_IDS[4], by="dot", k="3", opened=NUMBERS
    )
    return app, supported


def expected(heads: list[int]) -> pd.Series:
    """Scores of the three nearest images through some heads, by the plain dot product in d_out."""
    basis = np.zeros((len(bundles.PAIRS), bundles.RANK, bundles.D_OUT))
    for place in range(len(bundles.PAIRS)):
        basis[place, np.arange(bundles.USED), place + np.arange(bundles.USED)] = 1
    mean = np.einsum("inr,nrd->id", bundles.coordinates()[:, heads], basis[heads]) / len(heads)
    score = pd.Series(mean @ mean[4], index=IMAGE_IDS).drop(IMAGE_IDS[4])
    return score.sort_values(ascending=False).head(3)


def test_only_supported_heads_are_searched_where_there_are_any(searched):
    app, supported = searched

    found = app.dataframe[0].value
    nearest = expected([0] if supported else [0, 1])
    assert found["image_id"].tolist() == nearest.index.tolist()
    np.testing.assert_allclose(found["score"], nearest, atol=2e-5)


def test_the_page_says_which_heads_it_left_out(searched):
    app, supported = searched

    told = words(app)
    if supported:
        assert "Uses 1 of 4 heads. Excluded as unsupported: L1.H1." in told
    else:
        assert "Uses 2 of 4 heads." in told
        assert "Excluded" not in told
