"""Heads are found by label, support, metric and words."""

import pytest

from dashboard.data import cached
from dashboard.data import heads as head_data
from dashboard.state.views import HeadsView, Labels, Range
from tests.support.bundles import MODEL_KEY


@pytest.fixture
def source(two_models):
    return cached.source(cached.bundle(two_models), "tiny", MODEL_KEY)


@pytest.mark.parametrize(
    ("asked", "heads"),
    [
        ({"labels": Labels(("color",))}, ["L1.H0", "L1.H1"]),
        ({"labels": Labels(("count", "shape"))}, ["L2.H0", "L2.H1"]),
        ({"over": "supported"}, ["L1.H0", "L1.H1", "L2.H0"]),
        ({"head_metric": "ccs", "range": Range(2.5, 4)}, ["L1.H1", "L2.H0"]),
        ({"words": "over blue"}, ["L1.H0", "L1.H1", "L2.H0"]),
        ({"words": "CIRCLE"}, ["L1.H1", "L2.H0", "L2.H1"]),
    ],
)
def test_heads_are_found_by_label_support_metric_or_words(source, asked, heads):
    assert head_data.find_heads(source, HeadsView(**asked))["name"].tolist() == heads


def test_the_text_that_matches_stands_beside_its_head_with_its_position(source):
    table = head_data.find_heads(source, HeadsView(words="circle")).set_index("name")

    assert table["matching text"].to_dict() == {"L1.H1": "a circle", "L2.H0": "a circle", "L2.H1": "a circle"}
    assert table["position"].to_dict() == {"L1.H1": 2, "L2.H0": 1, "L2.H1": 0}


def test_bounds_of_a_slider_hold_every_value_and_are_round(source):
    assert head_data.bounds(source, "ccs") == (2.0, 5.0, 0.01)
    assert head_data.bounds(source, "selectivity:color") == pytest.approx((0.05, 0.8, 0.001))
    assert head_data.bounds(source, "stability") is None
