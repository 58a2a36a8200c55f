"""The leaderboard, opened and used from the app's own entry, over boards written by hand."""

from contextlib import closing

import numpy as np
import pytest
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df

from dashboard.data import leaderboard as leaderboard_data
from dashboard.sections import leaderboard as leaderboard_sections
from db.connection import open_bundle, query
from tests.support.boards import ALPHA, BETA, CONSISTENT, DELTA, JUDGED, PLAIN, SHARED
from tests.support.pages import NUMBERS, link, open_page, said, words


@pytest.fixture(scope="module")
def bundle(board):
    return board


@pytest.fixture
def plain(plain_board, monkeypatch):
    """Without replicates and without labels that anybody gave."""
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(plain_board))


def shown_words(app) -> list[list[str]]:
    """The cells of the table of metrics as they are read, row by row."""
    styled = app.dataframe[0].proto.arrow_data.styler
    return convert_arrow_bytes_to_pandas_df(styled.display_values).to_numpy().tolist()


def test_the_page_opens_with_the_first_ranked_metric():
    app = open_page("leaderboard")

    assert not app.exception and not app.error
    assert link(app)["metric"] == CONSISTENT
    assert "Higher is better." in words(app)


def test_the_table_has_controls_under_their_model_and_numbers_to_sort_by():
    app = open_page("leaderboard", metric=CONSISTENT)

    table = app.dataframe[0].value
    assert table["model"].tolist() == ["beta/two", *["alpha/one"] * 3, "gamma/three", "delta/four"]
    assert table["control"].tolist() == ["", "", "random weights", "rotated heads", "", ""]
    np.testing.assert_equal(table[CONSISTENT].tolist(), [0.7, 0.63, 0.2, 0.4, 0.5, np.nan])
    np.testing.assert_equal(table[leaderboard_data.rank_column(CONSISTENT)].tolist(), [1, 1, *[np.nan] * 4])


def test_the_table_reads_as_value_interval_and_range_of_ranks():
    app = open_page("leaderboard", metric=CONSISTENT)

    cells = shown_words(app)
    place = app.dataframe[0].value.columns.get_loc(CONSISTENT)
    assert [row[place] for row in cells] == [
        "0.70 [0.66, 0.74]",
        "0.63 [0.58, 0.67]",
        "0.20 [0.15, 0.25]",
        "0.40 [0.35, 0.45]",
        "0.50",
        "–",
    ]
    assert [row[place + 1] for row in cells][:2] == ["1–2", "1–2"]


def test_every_model_is_linked_to_its_heads():
    app = open_page("leaderboard", metric=CONSISTENT)

    first = app.dataframe[0].value["heads"].iloc[0]
    assert first == f"heads?bundle=board&model={BETA}"
    [linked] = [one for one in app.get("page_link")]
    assert linked.proto.page == "heads"
    assert f"model={ALPHA}" in linked.proto.query_string


def test_the_page_explains_intervals_ranks_and_images_of_little_range():
    told = words(open_page("leaderboard", metric=CONSISTENT))

    assert "sampling of images and texts (95 %)" in told
    assert "not training seed" in told
    assert "overlapping ranks are ties" in told
    assert "No interval: 12 images; an interval needs 640 (gamma/three)." in told
    assert "No value: imported results have no vectors" in told
    assert "images use less than a tenth of their range: empty, or 12 bits" in told


def test_a_bundle_without_replicates_says_why_there_are_no_intervals(plain):
    told = words(open_page("leaderboard", metric=CONSISTENT))

    assert "the bundle was built without replicates" in told
    assert "No ranks: every trained model needs an interval." in told
    assert "samples of images and texts" not in told


def test_a_metric_that_grows_with_the_heads_says_why_it_ranks_nobody():
    assert "it grows with the number of heads" in words(open_page("leaderboard", metric=PLAIN))


def test_labels_can_be_chosen_only_where_somebody_gave_some(plain):
    app = open_page("leaderboard")

    assert not app.exception
    assert [one.label for one in app.segmented_control] == ["Heads counted", "Columns", "Against"]


def test_chosen_labels_change_the_board_and_its_link():
    app = open_page("leaderboard", metric=SHARED, columns="all")

    app.segmented_control(key="w.label_kind").set_value("chosen").run()

    assert link(app)["label_kind"] == "chosen"
    assert app.dataframe[0].value["model"].iloc[0] == "beta/two"
    assert "Only offline labels have ranks." in words(app)
    assert JUDGED in app.dataframe[0].value


def test_a_metric_of_chosen_labels_gives_way_when_offline_ones_are_asked_for():
    app = open_page("leaderboard", metric=JUDGED, label_kind="chosen")
    assert link(app)["metric"] == JUDGED

    app.segmented_control(key="w.label_kind").set_value("offline").run()

    assert not app.exception
    assert link(app)["metric"] != JUDGED


@pytest.mark.parametrize(
    ("name", "value"), [("columns", "all"), ("beside", "training_data"), ("label_kind", "chosen")]
)
def test_every_choice_is_in_the_link_and_reopens(name, value):
    app = open_page("leaderboard")
    app.segmented_control(key=f"w.{name}").set_value(value).run()

    again = open_page("leaderboard", **link(app))

    assert link(app)[name] == value
    assert link(again) == link(app)
    assert words(again) == words(app)
    assert said(again) == ""


@pytest.mark.parametrize("fact", ["parameters", "patch_size", "layers", "training_data"])
def test_models_are_drawn_against_each_fact_as_a_description(fact):
    app = open_page("leaderboard", metric=CONSISTENT, beside=fact)

    assert not app.exception
    assert "the 3 trained models may differ in several ways at once" in words(app)
    assert "Not on record for delta/four." in words(app)


def test_coverage_sums_heads_and_says_what_is_negative():
    app = open_page("leaderboard", model=ALPHA)
    told = words(app)

    assert "heads 43.0 %, attention (not split into heads) 5.0 %, MLP 45.0 %, input 7.0 %" in told
    assert any("drawn left of zero" in caption.help for caption in app.caption)


def test_the_coverage_of_imported_results_is_not_known():
    app = open_page("leaderboard", model=DELTA)

    assert not app.exception
    assert "The results of delta/four were imported" in said(app)


def test_published_figures_stand_apart_with_where_they_were_read_in_words():
    app = open_page("leaderboard")

    table = app.dataframe[1].value
    assert table["read_from"].tolist() == ["paper", "secondary"]
    assert table["definition_known"].tolist() == ["published", "unknown"]
    assert "not computed here" in words(app)
    assert set(leaderboard_sections.READ_FROM) == {"primary", "secondary"}


def test_every_number_can_be_saved_and_shows_its_query(bundle):
    app = open_page("leaderboard", metric=CONSISTENT, opened=NUMBERS)

    tables = [frame.value for frame in app.dataframe[2:]]
    every = next(table for table in tables if "labels" in table)
    alpha = every[(every["model_key"] == ALPHA) & (every["part"] == leaderboard_data.MODEL)].set_index(
        "metric"
    )
    assert alpha.loc[CONSISTENT, ["value", "95 % from", "95 % to"]].tolist() == [0.63, 0.58, 0.67]
    saves = [button.label for button in app.download_button]
    assert (saves.count("Save as CSV"), saves.count("Save as Parquet")) == (5, 5)
    with closing(open_bundle(bundle)) as opened:
        asked = [query(opened, code.value) for code in app.code]
    assert all(len(rows) for rows in asked)
    assert any("component" in rows for rows in asked)


def test_a_metric_that_is_not_defined_says_so():
    app = open_page("leaderboard", metric=CONSISTENT, over="supported")

    assert not app.exception
    assert "Text consistency, cross-fitted over these heads is not defined" in said(app)
    assert CONSISTENT not in app.dataframe[0].value, "a metric that no model has is left out"


def test_a_bundle_of_a_control_alone_is_drawn(small_bundle, monkeypatch):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(small_bundle))

    assert not open_page("leaderboard").exception
