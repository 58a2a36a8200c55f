"""The planted model has hand-set heads: every stage must give the result of the plan."""

import json

import numpy as np
import pytest

from dashboard.data import cached
from dashboard.data import maps as map_data
from dashboard.data import neighbors as neighbor_data
from dashboard.data.types import Source
from dashboard.state.views import ContrastView, Scope, TopicView
from db.connection import Bundle, open_bundle, query
from precompute.demo.planted import folder as planted_folder
from precompute.demo.planted import model as planted_model
from precompute.demo.planted.expected import STORED, length, text_map, values
from precompute.demo.planted.pictures import pictures
from precompute.pipeline import run as pipeline_run
from tests.conftest import small_config
from tests.support.planted import BLUE, COLOR, GREEN, MUTE, NOISE, POSITION, RED, RELAY, SHAPE, SILENT, choice

ROTATIONS = 99

IN_A_MAP = 4e-5
"""Error of float16 for the largest token of a head, an eighth of the head's output."""


@pytest.fixture(scope="module")
def bundle(folder) -> Bundle:
    config = small_config(
        folder / planted_folder.IMAGES,
        folder / planted_folder.TEXTS,
        folder / "bundle",
        models=(choice(folder),),
        metadata=folder / planted_folder.ATTRIBUTES,
        picks=20,
        rotations=ROTATIONS,
        gallery_images=len(pictures()),
        shard_size=512,
    )
    return open_bundle(pipeline_run.run(config))


@pytest.fixture(scope="module")
def source(bundle) -> Source:
    return cached.source(bundle, "planted", bundle.model_keys[0])


@pytest.fixture(scope="module")
def ids(bundle) -> list[str]:
    """Id of every picture, in the order of `pictures`."""
    return query(bundle, "select image_id from image_file order by path").image_id.tolist()


def of_head(bundle, table: str, head: tuple[int, int], condition: str = "true"):
    rows = query(bundle, f"select * from {table} where {condition}")
    return rows[(rows["layer"] == head[0]) & (rows["head"] == head[1])]


@pytest.mark.parametrize(
    ("head", "texts", "shares"),
    [
        (COLOR, [RED, GREEN, BLUE], [9 / 22, 8 / 22, 5 / 22]),
        (POSITION, [f"objects at the {at}" for at in ("left", "center", "right")], [9 / 22, 8 / 22, 5 / 22]),
        (
            SHAPE,
            ["circles", "squares", "triangles", "crosses", "rings"],
            np.array([50, 44, 36, 26, 14]) / 170,
        ),
        (
            RELAY,
            ["circles", "squares", "triangles", "crosses", "rings"],
            np.array([50, 44, 36, 26, 14]) / 170,
        ),
    ],
)
def test_textspan_picks_the_words_of_a_head_the_most_frequent_first(bundle, head, texts, shares):
    """A value of frequency p has variance p (1 - p): 3, 2, 1 of 6 for color, 5 to 1 of 15 for shape."""
    rows = of_head(bundle, "head_text join text using (text_id)", head).sort_values("position")

    assert rows["text"].tolist() == texts
    assert rows["variance_share"].to_numpy() == pytest.approx(shares, abs=1e-4)


def test_exactly_the_planted_labels_are_supported(bundle):
    rows = query(bundle, "select * from head_label where chosen").set_index(["layer", "head"])

    assert {head: rows.label[head] for head in rows.index[rows.supported]} == {
        COLOR: "color",
        SHAPE: "shape",
        POSITION: "position",
        RELAY: "shape",
    }
    supported = rows[rows.supported]
    assert supported["share"].to_numpy() == pytest.approx(1)
    assert (supported.p_value == 1 / (1 + ROTATIONS)).all()  # no rotation reaches the head's score
    assert supported.q_value.to_numpy() == pytest.approx(2 / (1 + ROTATIONS))  # four of eight heads


def test_noise_along_words_of_every_property_is_described_but_not_supported(bundle):
    """Two words of each property, of variance 0.55^2, 0.5^2 and 0.45^2: two picks remove 0.605 / 1.51."""
    rows = of_head(bundle, "head_text join text using (text_id)", NOISE).sort_values("position")
    label = of_head(bundle, "head_label", NOISE, "chosen").iloc[0]

    assert set(rows["text"][:2]) == {"objects at the top", "objects at the bottom"}
    assert set(rows["text"][2:4]) == {"purple objects", "yellow objects"}
    assert set(rows["text"][4:]) == {"stars", "hearts"}
    assert label.label == "position" and not label.supported
    assert label.share == pytest.approx(0.605 / 1.51, abs=1e-4)


@pytest.mark.parametrize("head", [MUTE, SILENT, (2, 3)])
def test_a_head_without_words_gets_no_text_and_no_support(bundle, head):
    """Noise orthogonal to every text, and heads that write nothing."""
    label = of_head(bundle, "head_label", head, "chosen").iloc[0]

    assert len(of_head(bundle, "head_text", head)) == 0
    assert not label.supported and label.share == 0 and label.p_value == 1


def test_heads_and_model_in_the_bundle_have_the_values_of_answers_json(bundle, folder):
    answers = json.loads((folder / planted_folder.ANSWERS).read_text())
    metric = query(bundle, "select layer, head, metric, value from head_metric where value is not null")
    value = {(f"L{row.layer}.H{row.head}", row.metric): row.value for row in metric.itertuples()}
    model = query(
        bundle,
        "select metric, value from model_metric where heads_used = 'supported' or metric = 'supported_share'",
    )
    share = query(bundle, "select component, share from component_share").set_index("component").share
    share.index = share.index.str.removeprefix("head ")

    assert (
        dict(zip(model.metric, model.value, strict=True)).items()
        >= {metric: pytest.approx(number) for metric, number in answers["model_metric"].items()}.items()
    )
    assert share.to_dict() == pytest.approx(answers["component_share"], abs=1e-5)
    for head, expected in answers["heads"].items():
        assert value[head, "importance"] == pytest.approx(expected["importance"], abs=1e-5)
        for metric in ("ccs", "spanned_variance"):
            if metric in expected:
                assert value[head, metric] == pytest.approx(expected[metric], abs=1e-3)


def ids_with(ids: list[str], attribute: str, value: int) -> set[str]:
    return {ids[row] for row in np.flatnonzero(values(attribute) == value)}


@pytest.mark.parametrize(
    ("heads", "attribute"), [((COLOR,), "color"), ((SHAPE, RELAY), "shape"), ((POSITION,), "position")]
)
def test_the_nearest_pictures_through_a_head_share_the_value_of_its_attribute(source, ids, heads, attribute):
    """After centering, pictures of one value are the same point: their cosine is 1, the highest."""
    for row in range(0, len(ids), 12):
        alike = ids_with(ids, attribute, values(attribute)[row]) - {ids[row]}

        near = neighbor_data.neighbors_of_image(source, ids[row], heads, "cosine", len(alike))

        assert set(near.image_id) == alike
        assert near.score.to_numpy() == pytest.approx(1, abs=STORED)


def test_scores_of_neighbors_are_the_planted_scores(source, ids, folder):
    """Red minus the mean color is 5/48 (3, -2, -1), green minus the mean color 5/48 (-3, 4, -1)."""
    answers = json.loads((folder / planted_folder.ANSWERS).read_text())["neighbors through L1.H0"]
    green = ids_with(ids, "color", 1)

    for by in ("cosine", "dot"):
        near = neighbor_data.neighbors_of_image(source, ids[0], (COLOR,), by, len(ids) - 1)
        of_green = near.image_id.isin(green)
        assert near.score.iloc[0] == pytest.approx(answers[f"{by}, red"], rel=STORED)
        assert near.score[of_green].to_numpy() == pytest.approx(answers[f"{by}, green"], rel=STORED)
    assert answers["cosine, green"] == pytest.approx(-16 / (14 * 26) ** 0.5)


def test_a_property_shared_by_two_heads_selects_both(bundle, source):
    assert cached.property_heads(source, "shape") == (SHAPE, RELAY)


def test_first_views_show_the_head_of_color_and_what_is_in_the_picture(bundle, ids):
    rows = query(bundle, "select first_view.*, text from first_view left join text using (text_id)")
    views = rows.set_index("page")
    topic = views.loc["topic_segmentation"]
    words = [
        planted_model.WORDS[name][values(name)[ids.index(topic.image_id)]] for name in ("color", "shape")
    ]

    assert tuple(views.loc["head", ["layer", "head"]]) == COLOR
    assert views.loc["head", "value"] == pytest.approx(1, abs=STORED)
    assert set(views["property"].dropna()) == {"color"}
    assert topic.text == " ".join(words)


def test_the_pictures_and_texts_nearest_to_a_text_contain_its_word(source, ids):
    near, texts = neighbor_data.neighbors_of_text(source, RED, COLOR, "dot", 90)

    assert set(near.image_id) == ids_with(ids, "color", 0)  # half of 180
    assert near.score.to_numpy() == pytest.approx(0.75 / length(), abs=STORED)
    assert texts.text[0] == RED and texts.score[0] == pytest.approx(1, abs=STORED)
    with_red = texts[1:13]  # seven shapes and five places
    assert all(text.startswith("red ") for text in with_red.text)
    assert with_red.score.to_numpy() == pytest.approx(0.5**0.5, abs=STORED)
    assert np.abs(texts.score[13:]).max() < STORED


def topic(source, image_id: str, text: str, head: tuple[int, int]):
    view = TopicView(image=image_id, text=text, heads=Scope.of_heads(head), control="none")
    maps = map_data.topic(source, view)
    return maps.panels[0].map


@pytest.mark.parametrize(
    ("head", "word"),
    [(COLOR, "red"), (COLOR, "blue"), (SHAPE, "circles"), (POSITION, "left"), (NOISE, "top")],
)
def test_a_topic_map_is_on_the_tiles_with_the_topic(source, ids, head, word):
    for row in range(0, len(ids), 6):
        topic_map = topic(source, ids[row], planted_model.phrase(word), head)

        assert np.abs(topic_map.grid - text_map(pictures()[row], head, word)).max() < IN_A_MAP
        assert topic_map.parts.class_token == pytest.approx(0, abs=IN_A_MAP)


def test_the_map_of_red_is_an_eighth_on_red_tiles_and_zero_elsewhere(source, ids):
    red = pictures()[0].tiles == 0

    topic_map = topic(source, ids[0], RED, COLOR)

    assert red.sum() == 6
    assert topic_map.grid[red] == pytest.approx(1 / 8 / length(), rel=STORED)
    assert np.abs(topic_map.grid[~red]).max() < 1e-5
    # The whole score: six eighths through this head, half as much from the head before it.
    assert topic_map.parts.patches == pytest.approx(0.75 / length(), rel=STORED)
    assert topic_map.parts.rest == pytest.approx(0.375 / length(), rel=STORED)


def test_the_score_of_a_head_that_reads_the_class_token_is_at_the_class_token(source, ids):
    topic_map = topic(source, ids[0], "circles", RELAY)

    assert np.abs(topic_map.grid).max() < 1e-5
    assert topic_map.parts.class_token == pytest.approx(0.48 / length(), rel=STORED)
    assert topic_map.parts.other_heads == pytest.approx(0.8 / length(), rel=STORED)


def test_a_contrastive_map_is_the_difference_of_two_colors(source, ids):
    for row in range(0, len(ids), 12):
        tiles = pictures()[row].tiles

        view = ContrastView(
            image=ids[row], text=RED, against=BLUE, heads=Scope.of_heads(COLOR), control="none"
        )
        maps = map_data.contrast(source, view)

        difference = maps.panels[2].map.grid * length() * 8
        assert difference == pytest.approx(1.0 * (tiles == 0) - (tiles == 2), abs=STORED)


def test_why_red_rather_than_blue(source, ids):
    """For a red picture L1.H0 is 5/8 (1 - 1/2 + 1/6) above its mean, the head before it half as much."""
    table = map_data.why_table(source, ids[0], RED, BLUE).set_index("part").value * length() / 1000

    parts_of = {head: value for head, value in table.items() if abs(value) > STORED}
    assert set(parts_of) == {table.index[0], "MLPs, earlier layers and input", "Average image (baseline)"}
    assert table.iloc[0] == pytest.approx(5 / 8 * 2 / 3, abs=STORED)
    assert parts_of["MLPs, earlier layers and input"] == pytest.approx(5 / 8 * 1 / 3, abs=STORED)
    assert parts_of["Average image (baseline)"] == pytest.approx(15 / 16 / 3, abs=STORED)
