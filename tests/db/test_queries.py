"""Questions to the bundle: what one row is, in which order, and what is refused."""

import inspect
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from db import ddl, queries
from db.errors import UnknownName
from db.layout import SQL, sql_of
from tests.support import bundles
from tests.support.bundles import CONTROL_KEY, IMAGE_IDS, MODEL_KEY, TEXT_IDS

QUESTIONS = sorted(path.stem for path in SQL.glob("*.sql"))

OF_THE_PACKAGE = {"keys", "problems", "vector_counts"}
OF_THE_PACKAGE |= {"catalog", "long_columns", "model_facts", "number_columns", "row_counts", "vector_models"}
OF_THE_PACKAGE |= {"chosen_judgements", "chosen_labels", "first_texts", "all_labels"}
"""Asked by the writer, the rewriter, the opening, verify and the docs, not by pages."""

HEAD = {"model_key": MODEL_KEY, "layer": 1, "head": 0}


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    return ddl.create(tmp_path_factory.mktemp("empty") / "empty.duckdb")


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_query_fits_the_schema(empty, name):
    parameters = dict.fromkeys(re.findall(r"\$(\w+)", sql_of(name)))

    assert empty.execute(f"explain {sql_of(name)}", parameters).fetchall()


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_query_says_first_what_one_row_is(name):
    assert sql_of(name).startswith("-- One row")


@pytest.mark.parametrize("name", sorted(set(QUESTIONS) - OF_THE_PACKAGE))
def test_every_query_has_the_function_of_its_name(name):
    function = getattr(queries, name)

    assert next(iter(inspect.signature(function).parameters)) == "bundle"
    assert function.__doc__


def test_models_stand_before_their_controls(tiny):
    found = queries.models(tiny)

    assert found["model_key"].tolist() == [MODEL_KEY, CONTROL_KEY]
    assert found["is_control"].tolist() == [False, True]
    assert found["control_of"].isna().tolist() == [True, False]
    assert found["control_of"][1] == "tiny/known"
    assert found["grid_rows"].tolist() == [2, 2]
    assert list(found["mean"][0]) == [0.5, 0.5, 0.5]


def test_the_leaderboard_has_one_row_per_model_metric_and_set_of_heads(tiny):
    every = queries.leaderboard(tiny)
    supported = queries.leaderboard(tiny, heads_used="supported")

    assert len(every) == 8
    assert every["control_of"].dropna().tolist() == ["tiny/known"] * 4
    assert supported[["model", "metric", "value"]].to_records(index=False).tolist() == [
        ("tiny/known", "entanglement", 0.25),
        ("tiny/random", "entanglement", 0.125),
    ]
    assert every[every["metric"] == "text_consistency"]["value"].isna().all()
    assert every["labels"].unique().tolist() == ["offline"]
    assert every["rank_low"].tolist()[:4] == [1.0] * 4
    assert every["rank_high"].isna().tolist() == [False] * 4 + [True] * 4


def test_metrics_by_the_chosen_labels_are_asked_for_by_name(tiny):
    chosen, both = queries.leaderboard(tiny, labels="chosen"), queries.leaderboard(tiny, labels=None)

    assert chosen[["model", "metric", "value"]].to_numpy().tolist() == [["tiny/known", "entanglement", 0.75]]
    assert len(both) == 9
    of_one = queries.leaderboard(tiny, model_key=MODEL_KEY, labels=None)
    assert of_one["labels"].tolist()[:2] == ["offline", "chosen"]
    assert len(queries.leaderboard(tiny, model_key=MODEL_KEY, labels="chosen")) == 1


def test_metrics_of_one_model_are_those_of_the_leaderboard(tiny):
    found = queries.leaderboard(tiny, model_key=MODEL_KEY)

    assert found["metric"].tolist() == ["entanglement", "entanglement", "uniqueness", "text_consistency"]
    assert found["chance"][0] == 0.2
    assert found["rank_low"].tolist() == [1] * 4
    with pytest.raises(UnknownName):
        queries.leaderboard(tiny, model_key="other")


def test_metrics_of_models_stand_before_those_of_heads(tiny):
    assert queries.metrics(tiny)["level"].tolist() == ["model"] * 3 + ["head"] * 3


def test_heads_come_with_their_chosen_label_and_first_text(tiny):
    found = queries.heads(tiny, model_key=MODEL_KEY)

    assert found["name"].tolist() == ["L1.H0", "L1.H1", "L2.H0", "L2.H1"]
    assert found["label"].tolist() == ["color", "color", "shape", "count"]
    assert found["supported"].tolist() == [True, True, True, False]
    assert found["picks"].tolist() == [10, 0, 10, 10]
    assert found["method"].tolist() == ["enrichment", "person", "language_model", "enrichment"]
    assert found["given_by"].tolist()[1:3] == ["Ada", "tiny-judge"]
    assert found["first_text"][3] == "a circle"
    assert found["first_texts"][3] == "a circle; a square; a picture of a circle"
    assert found["texts"].tolist() == [3, 3, 3, 3]
    assert found["importance"].tolist() == pytest.approx([0.4, 0.3, 0.2, 0.1])


def test_heads_stand_in_the_order_of_their_layers(tiny):
    found = queries.head_places(tiny, model_key=MODEL_KEY)

    assert found.to_numpy().tolist() == [[1, 0, "L1.H0"], [1, 1, "L1.H1"], [2, 0, "L2.H0"], [2, 1, "L2.H1"]]


def test_texts_of_a_head_stand_in_the_order_of_choice(tiny):
    found = queries.head_texts(tiny, **HEAD)

    assert found["text_id"].tolist() == TEXT_IDS[:3]
    assert found["properties"].tolist() == ["color"] * 3
    assert found["cumulative_share"].tolist() == [0.5, 0.75, 0.875]
    assert found["stability"].tolist() == [0.9, 0.6, 0.3]
    assert found["equal_norm_position"].tolist()[:2] == [1, 0]
    assert np.isnan(found["equal_norm_position"][2])


def test_a_text_is_marked_where_it_carries_the_chosen_label_of_its_head(tiny):
    by_head = [
        queries.head_texts(tiny, model_key=MODEL_KEY, layer=layer, head=head)["carries_label"].tolist()
        for layer, head in bundles.PAIRS
    ]

    assert by_head == [[True, True, True], [True, True, False], [False, True, True], [False, False, False]]


def test_the_profile_counts_the_properties_of_the_first_texts_beside_the_pool(tiny):
    head = HEAD | {"head": 1}
    found, first = queries.head_profile(tiny, **head), queries.head_profile(tiny, **head, picks=2)

    assert found[["property", "texts"]].to_numpy().tolist() == [["color", 2], ["shape", 1]]
    assert found["share"].tolist() == pytest.approx([2 / 3, 1 / 3])
    assert found["pool_share"].tolist() == [0.3, 0.3]
    assert first[["property", "share"]].to_numpy().tolist() == [["color", 1.0]]


def test_heads_are_found_by_words_of_their_texts_in_any_order(tiny):
    found = queries.head_text_search(tiny, model_key=MODEL_KEY, words=["OVER", "blue"])

    assert found[["name", "position", "text"]].to_numpy().tolist() == [
        ["L1.H0", 2, "blue all over"],
        ["L1.H1", 1, "blue all over"],
        ["L2.H0", 0, "blue all over"],
    ]
    assert queries.head_text_search(tiny, model_key=MODEL_KEY, words=["blue", "circle"]).empty
    assert queries.head_text_search(tiny, model_key=MODEL_KEY, words=["100%"]).empty
    found = queries.head_text_search(tiny, model_key=MODEL_KEY, words=["thing"])
    assert set(found["text"]) == {"a green thing"}, "not in something"


def test_selectivity_of_all_heads_or_of_one(tiny):
    every = queries.head_selectivity(tiny, model_key=MODEL_KEY)
    one = queries.head_selectivity(tiny, **HEAD)

    assert every["attribute"].tolist() == ["color", "shape"] * 4
    assert every["value"].isna().tolist() == [False] * 7 + [True]
    assert one[["attribute", "value", "images"]].to_numpy().tolist() == [
        ["color", 0.8, 12],
        ["shape", 0.02, 12],
    ]
    assert one["low"].isna().tolist() == [False, True]


def test_answers_of_language_models_come_whole_with_the_text_they_judge(tiny):
    found = queries.language_model_answers(tiny, model_key=MODEL_KEY, layer=2, head=0)

    assert found["task"].tolist() == ["label"] * 3 + ["judge"] * 3
    assert found["parsed"].fillna("").tolist() == ["shape", "shape", "", "yes", "yes", "no"]
    assert found["text"].fillna("").tolist() == ["", "", "", "blue all over", "a circle", "a square"]
    assert found["answer"][2] == "I cannot say."
    assert queries.language_model_answers(tiny, **HEAD).empty


def test_the_chosen_label_stands_first_among_all(tiny):
    found = queries.head_labels(tiny, **HEAD)

    assert found["picks"].tolist() == [10, 5, 20]
    assert found["chosen"].tolist() == [True, False, False]


def test_a_label_says_who_gave_it_and_why(tiny):
    person = queries.head_labels(tiny, **HEAD | {"head": 1})
    asked = queries.head_labels(tiny, model_key=MODEL_KEY, layer=2, head=0)

    assert person[["method", "label", "given_by", "reason", "chosen"]].iloc[0].tolist() == [
        "person", "color", "Ada", "All of its images are of one color.", True,
    ]  # fmt: skip
    assert person["label"].tolist()[1:] == ["shape"] * 3
    assert asked[["method", "votes", "draws", "given_by"]].iloc[0].tolist() == [
        "language_model", 1.0, 2.0, "tiny-judge",
    ]  # fmt: skip


def test_metrics_of_all_heads_or_of_one(tiny):
    every, one = queries.head_metrics(tiny, model_key=MODEL_KEY), queries.head_metrics(tiny, **HEAD)

    assert len(every) == 12
    assert one["metric"].tolist() == ["ccs", "stability", "ccs_rotated"]
    assert one["value"][0] == 5.0
    assert np.isnan(one["value"][1])


def test_judgements_come_with_the_text_they_are_about(tiny):
    found = queries.judgements(tiny, **HEAD)

    assert found["text"].tolist() == list(bundles.TEXTS)[:3]
    assert found["consistent"].tolist() == [True, True, True]


def test_properties_say_how_many_heads_are_about_them(tiny):
    found = queries.properties(tiny, model_key=MODEL_KEY)

    assert found[["property", "texts", "heads", "supported_heads", "head_names"]].to_numpy().tolist() == [
        ["color", 3, 2, 2, "L1.H0, L1.H1"],
        ["count", 2, 1, 0, "L2.H1"],
        ["shape", 3, 1, 1, "L2.H0"],
        ["pattern", 2, 0, 0, ""],
    ]


def test_heads_of_a_property(tiny):
    found = queries.property_heads(tiny, model_key=MODEL_KEY, property="color")

    assert found["name"].tolist() == ["L1.H0", "L1.H1"]
    assert queries.property_heads(tiny, model_key=MODEL_KEY, property="pattern").empty


def test_texts_are_found_by_words_and_property(tiny):
    assert queries.texts(tiny)["text"].tolist() == list(bundles.TEXTS)
    assert queries.texts(tiny, search="CIRCLE")["position"].tolist() == [3, 5]
    assert queries.texts(tiny, search="a", property="count")["text"].tolist() == []
    assert queries.texts(tiny, property="shape", limit=2)["text"].tolist() == ["a circle", "a square"]
    assert len(queries.texts(tiny, search="")) == 10
    assert queries.texts(tiny, search="100%").empty


def test_images_are_listed_once_whatever_the_number_of_their_paths(tiny):
    found = queries.images(tiny)

    assert len(found) == bundles.IMAGES
    first = found[found["image_id"] == IMAGE_IDS[0]].iloc[0]
    assert (first["path"], first["files"]) == ("scenes/00.png", 2)
    assert first["attributes"] == "color: red, shape: circle"


def test_images_are_found_by_path_attribute_and_value(tiny):
    assert queries.images(tiny, words=["COPY"])["image_id"].tolist() == [IMAGE_IDS[0]]
    assert queries.images(tiny, words=["green"])["image_id"].tolist() == IMAGE_IDS[1::3]
    assert queries.images(tiny, attribute="color", value="blue")["image_id"].tolist() == IMAGE_IDS[2::3]
    assert queries.images(tiny, attribute="size").empty
    assert queries.images(tiny, limit=3, offset=2)["image_id"].tolist() == IMAGE_IDS[2:5]
    both = queries.images(tiny, words=["RED", "png", "color:"], image_ids=IMAGE_IDS[:4])
    assert both["image_id"].tolist() == [IMAGE_IDS[0], IMAGE_IDS[3]]
    assert queries.images(tiny, words=["red", "green"]).empty


def test_the_number_of_images_is_that_of_the_list(tiny):
    named = [{"words": words} for words in (["green"], ["nothing"], ["red", "png"])]
    for filters in ({}, {"attribute": "shape", "value": "circle"}, {"image_ids": IMAGE_IDS[:2]}, *named):
        page, images = (queries.images(tiny, limit=limit, **filters) for limit in (1, None))
        assert page["matches"].sum() == len(images)


def test_images_and_thumbnails_come_in_the_order_asked_for(tiny):
    asked = [IMAGE_IDS[5], IMAGE_IDS[1], IMAGE_IDS[5]]

    assert queries.images_by_id(tiny, image_ids=asked)["image_id"].tolist() == asked
    found = queries.thumbnails(tiny, image_ids=asked)

    assert found["image_id"].tolist() == asked
    assert found["thumbnail"][1] == bundles.picture(1)
    assert isinstance(found["thumbnail"][0], bytes)
    assert queries.thumbnails(tiny, image_ids=[]).empty


def test_one_image_with_all_its_paths(tiny):
    paths = queries.image_files(tiny, image_id=IMAGE_IDS[0])["path"].tolist()
    assert paths == ["scenes/00.png", "scenes/copy of 00.png"]


def test_class_texts_stand_in_the_order_of_their_attribute(tiny):
    found = queries.class_texts(tiny)

    assert found["attribute"].tolist() == ["color"] * 3 + ["shape"] * 2
    assert found["value"].tolist() == ["red", "green", "blue", "circle", "square"]
    assert found["text"][3] == "a picture with circles"


def test_head_validation_has_one_row_per_head_and_attribute(tiny):
    found = queries.head_validation(tiny, model_key=MODEL_KEY)

    assert found["name"].tolist() == ["L1.H0", "L1.H0", "L1.H1", "L1.H1", "L2.H0", "L2.H0", "L2.H1", "L2.H1"]
    assert found["attribute"].tolist() == ["color", "shape"] * 4
    assert found["forward"].tolist() == [0.08, 0.0, 0.06, 0.01, 0.01, 0.05, 0.002, 0.004]
    assert found["direct"].tolist() == pytest.approx(found["forward"] / 2)
    assert found["selectivity"].isna().tolist() == [False] * 7 + [True]
    assert found["images"].tolist() == [12] * 8


def test_validation_scores_come_with_their_model_and_what_it_is_a_control_of(tiny):
    every, some = queries.validation_scores(tiny), queries.validation_scores(tiny, study="neighbors")

    assert every["study"].unique().tolist() == ["labels", "maps", "mean_ablation", "neighbors"]
    assert every["model_key"].unique().tolist() == [MODEL_KEY, CONTROL_KEY]
    assert some["study"].unique().tolist() == ["neighbors"]
    first = some.query("layer == 1 and head == 0 and comparison == 'cosine' and attribute == 'color'")
    assert first["is_control"].tolist() == [False, True]
    assert first["control_of"].dropna().tolist() == ["tiny/known"]
    assert first["value"].tolist() == pytest.approx([0.9, 1 / 3 + 0.1 * (0.9 - 1 / 3)])
    assert queries.validation_scores(tiny, study="weather").empty


def test_rotated_metrics_come_with_their_model(tiny):
    found = queries.rotated_metrics(tiny)

    assert found["model"].unique().tolist() == ["tiny/known"]
    assert found["metric"].tolist() == ["entanglement", "entanglement", "uniqueness"]
    assert found[["value", "low", "high"]].iloc[2].tolist() == [0.8, 0.7, 0.9]
    assert np.isnan(found["value"][1])


def test_component_shares_stand_from_early_to_late_and_sum_to_one(tiny):
    found = queries.component_shares(tiny, model_key=MODEL_KEY)

    assert found["component"].tolist() == [
        "input", "attention L0", "mlp L0",
        "head L1.H0", "head L1.H1", "mlp L1", "head L2.H0", "head L2.H1", "mlp L2",
    ]  # fmt: skip
    assert found["kind"].tolist() == [
        "input",
        "attention",
        "mlp",
        "head",
        "head",
        "mlp",
        "head",
        "head",
        "mlp",
    ]
    assert found["share"].sum() == pytest.approx(1)


def test_what_the_bundle_says_of_itself(tiny):
    assert queries.published(tiny)["definition_known"].tolist() == [False]
    assert queries.failed_images(tiny)["path"].tolist() == ["scenes/broken.png"]
    assert queries.image_set(tiny)["images"].tolist() == [12]
    assert queries.text_pool(tiny)["texts"].tolist() == [10]
    assert queries.runs(tiny)["stage"].tolist() == ["images", "decomposition", "decomposition"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda b: queries.heads(b, model_key="x"), f'model "x" is not in this bundle. It has: {MODEL_KEY}'),
        (lambda b: queries.head_validation(b, model_key="x"), 'model "x" is not in this bundle'),
        (lambda b: queries.head_texts(b, **HEAD | {"layer": 7}), "L7.H0 .* It has L1.H0 to L2.H1"),
        (lambda b: queries.image_files(b, image_id="x"), 'image "x" is not in this bundle'),
    ],
)
def test_what_is_not_there_is_named(tiny, call, message):
    with pytest.raises(UnknownName, match=message):
        call(tiny)


def test_eight_threads_ask_without_an_error(tiny):
    """
    On one connection without a cursor per call, two thirds of such queries fail or answer wrongly.
    """

    def work(number: int) -> str:
        head = {"model_key": MODEL_KEY, "layer": 1 + number % 4 // 2, "head": number % 2}
        return queries.head_texts(tiny, **head)["text_id"][0]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(240)))

    assert found == [TEXT_IDS[number % 4] for number in range(240)]


def test_values_of_an_attribute_are_those_of_images_with_one_alone(tiny):
    rows = queries.single_values(tiny, attribute="color")

    assert rows["image_id"].tolist() == IMAGE_IDS
    assert queries.single_values(tiny, attribute="none").empty
