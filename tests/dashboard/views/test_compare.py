"""The page Compare over two models: the second has the last layer alone, whose heads match in reverse."""

import pandas as pd

from tests.support import extremes
from tests.support.bundles import CONTROL_KEY, MODEL_KEY
from tests.support.pages import galleries, link, open_page, said, words
from tests.support.places import changed_copy


def table(app) -> pd.DataFrame:
    """The paired heads with one metric of both."""
    return next(frame.value for frame in app.dataframe if "other_shown" in frame.value)


def test_a_model_is_compared_with_the_first_other_one_by_best_matches():
    app = open_page("compare")

    assert {name: link(app)[name] for name in ("model", "other", "pairing", "head_metric")} == {
        "model": MODEL_KEY,
        "other": CONTROL_KEY,
        "pairing": "best",
        "head_metric": "ccs",
    }
    rows = table(app)
    assert rows["name"].tolist() == ["L1.H0", "L1.H1"]  # the largest difference first
    assert rows["other_name"].tolist() == ["L2.H1", "L2.H0"]
    assert rows["difference"].tolist() == [3, 1]
    assert "2 of 2** pairs surely differ in CCS" in words(app)
    assert "0 of 2 pairs have the same label" in words(app)


def test_every_head_of_the_table_leads_to_its_page():
    first = table(open_page("compare")).iloc[0]

    assert f"model={MODEL_KEY}" in first["head"] and first["head"].endswith("head=L1.H0")
    assert f"model={CONTROL_KEY}" in first["other_head"] and first["other_head"].endswith("head=L2.H1")


def test_heads_of_the_same_place_have_no_difference():
    app = open_page("compare", pairing="place")

    rows = table(app)
    assert (rows["name"] == rows["other_name"]).all() and (rows["difference"] == 0).all()
    assert "0 of 2** pairs surely differ" in words(app)
    assert "median angle between them is 60°" in words(app)


def test_a_head_stands_beside_its_partner_each_with_its_own_images():
    app = open_page("compare", head="L1.H1")

    assert "L1.H1 is labeled" in words(app) and "L2.H0 is labeled “pattern”" in words(app)
    assert [len(tiles) for tiles in galleries(app)] == [6, 6]
    assert f"model={CONTROL_KEY}" in galleries(app)[1][0]["href"]
    assert "No head of the other model is left for L2.H0" in said(open_page("compare", head="L2.H0"))


def test_either_model_can_be_the_first():
    app = open_page("compare", model=CONTROL_KEY, other=MODEL_KEY)

    assert table(app)["difference"].tolist() == [-3, -1]
    assert said(app) == ""


def test_a_link_to_the_model_itself_opens_another_one():
    app = open_page("compare", other=MODEL_KEY)

    assert link(app)["other"] == CONTROL_KEY
    assert "no such other model" in said(app)


def test_attributes_that_heads_vary_with_differently_are_counted(bundle, monkeypatch, tmp_path):
    """Here every head of the first model varies more with the color, surely."""
    sql = f"""
        update head_selectivity set value = 0.9, low = 0.8, high = 1
        where model_key = '{MODEL_KEY}' and attribute = 'color';
        update head_selectivity set value = 0.1, low = 0, high = 0.2
        where model_key = '{CONTROL_KEY}' and attribute = 'color';
    """
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(changed_copy(bundle, tmp_path / "tiny", sql)))

    app = open_page("compare")

    assert (
        "Clearest: color. Of 2 pairs, this model's head varies more with it in 2, the other in 0."
        in words(app)
    )


def test_a_bundle_of_one_model_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(extremes.write(tmp_path / "one")))

    assert "has one model" in said(open_page("compare"))
