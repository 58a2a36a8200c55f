"""Two sides of an analysis: another model, head, image or text beside the first one, on one scale."""

import json

import pytest
from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df

from dashboard.data import head_vectors
from dashboard.data import versus as versus_data
from dashboard.data.live import LiveError
from tests.support import extremes
from tests.support.bundles import CONTROL_KEY, GALLERY, IMAGE_IDS, MODEL_KEY
from tests.support.pages import MAPS, galleries, link, open_numbers, open_page, plain, said, words
from tests.support.visitor import Visitor

IMAGE_PAGES = ["property_search", "image_neighbors"]
PAGES = [*IMAGE_PAGES, "text_neighbors"]
HEADS = {"property_search": "heads:L2.H0", "image_neighbors": "head:L2.H0", "text_neighbors": "head:L2.H0"}


def headers(app) -> list[str]:
    return [plain(header.value) for header in app.main.header]


def scores(app) -> dict[str, list[float]]:
    """The scores of both sides in the chart that they share."""
    [chart] = app.main.get("vega_lite_chart")
    rows = convert_arrow_bytes_to_pandas_df(chart.proto.datasets[0].data.data)
    return {side: part["score"].tolist() for side, part in rows.groupby("side", sort=False)}


@pytest.mark.parametrize("page", PAGES)
def test_other_heads_stand_beside_the_first_ones_as_they_stand_alone(page):
    first = {"heads": "L1.H0"} if page == "property_search" else {"head": "L1.H0"}
    second = {name: "L2.H0" for name in first}
    alone = [galleries(open_page(page, **options, k="4"))[0] for options in (first, second)]

    app = open_page(page, **first, k="4", versus=HEADS[page])

    assert said(app) == ""
    both = galleries(app)
    assert [[tile["id"] for tile in tiles] for tiles in both] == [
        [tile["id"] for tile in tiles] for tiles in alone
    ]
    shared = set.intersection(*({tile["id"] for tile in tiles} for tiles in both))
    assert f"{len(shared)} of 4** images are on both sides" in words(app)
    assert {tile["id"] for tiles in both for tile in tiles if tile["note"] == "on both sides"} == shared
    assert [len(values) for values in scores(app).values()] == [4, 4]


@pytest.mark.parametrize("page", PAGES)
def test_a_view_beside_itself_has_all_images_and_scores_in_common(page):
    image = {} if page == "text_neighbors" else {"image": GALLERY[0]}
    same = f"image:{GALLERY[0]}" if image else "text:a circle"

    app = open_page(page, **image, text="a circle", k="5", versus=same)

    assert "5 of 5** images are on both sides" in words(app)
    left, right = scores(app).values()
    assert left == right


def test_another_model_shows_the_best_match_of_the_head():
    app = open_page("image_neighbors", head="L1.H0", versus=f"model:{CONTROL_KEY}")

    assert headers(app)[:2] == ["Nearest in L1.H0: tiny/known", "Nearest in L2.H1: tiny/random"]
    assert "L2.H1 is the best match of L1.H0 (CKA " in words(app)
    assert f"model={CONTROL_KEY}" not in galleries(app)[1][0]["href"], "a click searches on this page"


@pytest.mark.parametrize("page", MAPS)
def test_maps_of_both_sides_have_one_color_scale(page):
    """Alone, each side has its own."""
    first, second = ({"heads": heads, "control": "none"} for heads in ("L1.H0", "all"))
    if page == MAPS[0]:
        alone = [color_scales(open_page(page, **options)) for options in (first, second)]
        assert alone[0] != alone[1]

    app = open_page(page, **first, versus="heads:all")

    left, right = color_scales(app)
    assert left == right
    assert said(app) == ""
    assert [plain(header.value) for header in app.main.header][:2] == ["L1.H0 · color", "all heads"]
    specs = [json.loads(chart.proto.spec) for chart in app.main.get("vega_lite_chart")]
    bars = [spec["encoding"]["x"] for spec in specs if spec.get("mark", {}).get("type") == "bar"]
    assert bars[0]["scale"]["domain"] == bars[1]["scale"]["domain"]


def color_scales(app) -> list[str]:
    """The color scales below maps, with their numbers."""
    return [node.proto.body for node in app.main.get("html") if "linear-gradient" in node.proto.body]


@pytest.mark.parametrize("page", MAPS)
def test_maps_of_each_head_stand_side_by_side_too(page):
    app = open_page(page, heads="L1.H0,L1.H1", maps="each", versus="heads:L2.H0,L2.H1")

    assert said(app) == ""
    assert [[tile["id"] for tile in tiles] for tiles in galleries(app)] == [
        ["L1.H0", "L1.H1"],
        ["L2.H0", "L2.H1"],
    ]


@pytest.mark.parametrize("page", MAPS)
def test_a_map_beside_itself_is_the_same_map(page):
    app = open_page(page, image=GALLERY[0], control="none", versus=f"image:{GALLERY[0]}")

    charts = [
        chart.proto for chart in app.main.get("vega_lite_chart") if "layer" in json.loads(chart.proto.spec)
    ]
    half = len(charts) // 2
    assert half and [chart.spec for chart in charts[:half]] == [chart.spec for chart in charts[half:]]


def test_two_sets_of_ablated_heads_have_the_classes_in_one_order():
    app = open_page("mean_ablation", heads="L1.H0,", versus="heads:L2.H0,L2.H1")

    left, right = (
        convert_arrow_bytes_to_pandas_df(chart.proto.datasets[0].data.data)
        for chart in app.main.get("vega_lite_chart")
    )
    assert left["class"].tolist() == right["class"].tolist()
    assert [word for word in words(app).splitlines() if word.startswith("Without 1 of")]
    assert [word for word in words(app).splitlines() if word.startswith("Without 2 of")]


def test_another_model_without_heads_of_the_property_shows_their_best_matches():
    app = open_page("property_search", heads="property:color", versus=f"model:{CONTROL_KEY}")

    assert said(app) == ""
    assert "is labeled “color”. Shown: the best matches of 2 heads." in words(app)
    assert len(galleries(app)) == 2


def test_another_model_without_the_layer_says_so_and_the_first_side_stays():
    app = open_page("property_search", heads="layer:1", versus=f"model:{CONTROL_KEY}")

    assert "Layer 1 of tiny/random is not in the bundle" in said(app)
    assert len(galleries(app)) == 1
    assert not app.main.get("vega_lite_chart")


def test_a_model_that_cannot_be_loaded_leaves_the_first_side(monkeypatch):
    sides = [versus_data.Side(None, None, name) for name in ("left", "right")]

    def compute(side):
        if side.name == "right":
            raise LiveError("no weights")
        return side.name

    shown, results = versus_data.results(sides, compute)

    assert results == ["left", None]
    assert [side.problem for side in shown] == ["", "no weights"]


def test_two_models_whose_vectors_do_not_fit_together_are_not_searched(monkeypatch):
    """Else each would push the other out of the memory, and each click would read both."""
    both = open_page("property_search", heads="layer:2", versus=f"model:{CONTROL_KEY}")
    assert len(galleries(both)) == 2 and said(both) == ""
    source = both.session_state["source"]
    one_model = head_vectors.column_bytes(source) * len(head_vectors.all_heads(source))
    monkeypatch.setattr(head_vectors.arrays(), "max_bytes", one_model)

    one_head = open_page("property_search", heads="L2.H0", versus=f"model:{CONTROL_KEY}")
    app = open_page("property_search", heads="all", versus=f"model:{CONTROL_KEY}")
    same_heads = open_page("property_search", heads="all", versus=f"image:{GALLERY[0]}")

    assert len(galleries(one_head)) == len(galleries(same_heads)) == 2
    assert "Choose fewer heads" in said(app)
    assert len(galleries(app)) == 1


@pytest.mark.parametrize("page", [*PAGES, *MAPS, "mean_ablation"])
def test_what_is_compared_is_chosen_by_one_control_and_holds_in_the_link(page):
    visitor = Visitor(page)
    kinds = len(visitor.widget("w.versus").proto.options)

    for place in [*range(1, kinds), 0]:
        visitor.choose("w.versus", place)
        assert visitor.drawn() == visitor.fresh().drawn()
        assert bool(link(visitor.app)["versus"]) == (place > 0)


def test_the_other_image_is_searched_for_and_chosen():
    visitor = Visitor("image_neighbors", expand=["versus.picker"], k="3", versus=f"image:{IMAGE_IDS[2]}")

    proto, image_id = visitor.tiles()[1]
    visitor.open_tile(proto, image_id)

    assert link(visitor.app)["versus"] == f"image:{image_id}"
    assert visitor.drawn() == visitor.fresh().drawn()


@pytest.mark.parametrize(
    ("page", "versus", "problem"),
    [
        ("property_search", "heads:", "Choose at least one other head"),
        ("text_neighbors", "text:", "The other text is empty"),
    ],
)
def test_an_empty_other_side_says_what_to_do(page, versus, problem):
    app = open_page(page, versus=versus)

    assert problem in said(app)
    assert len(galleries(app)) == 1


def test_a_bundle_of_one_model_offers_no_other_model(tmp_path, monkeypatch):
    monkeypatch.setenv("HEADLIGHT_BUNDLE", str(extremes.write(tmp_path / "one")))

    visitor = Visitor("image_neighbors")

    assert [option.content for option in visitor.widget("w.versus").proto.options] == [
        "Nothing",
        "Another head",
        "Another image",
    ]


def test_the_numbers_of_both_sides_can_be_saved():
    app = open_page("image_neighbors", model=MODEL_KEY, head="L1.H0", k="4", versus="head:L2.H0")
    open_numbers(app)

    assert len(app.dataframe) == 2
    assert [len(frame.value) for frame in app.dataframe] == [4, 4]
