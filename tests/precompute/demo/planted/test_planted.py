"""The planted model has hand-set heads: every stage must give the result of the plan."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from dashboard.data import cached
from dashboard.data import maps as map_data
from dashboard.data import neighbors as neighbor_data
from dashboard.data.types import Source
from dashboard.state.views import Scope
from db.connection import Bundle, open_bundle, query
from precompute import clip
from precompute.demo.planted import folder as planted_folder
from precompute.demo.planted import model as planted_model
from precompute.demo.planted.answers import ABOUT, falls
from precompute.demo.planted.expected import (
    EARLIER,
    STORED,
    TOLERANCE,
    length,
    margins,
    parts,
    text_map,
    values,
)
from precompute.demo.planted.pictures import draw, name, pictures
from precompute.demo.planted.weights import directions
from precompute.inputs import images, model_specs
from precompute.method import decomposition
from precompute.pipeline import run as pipeline_run
from precompute.runtime.config import ModelChoice
from tests.conftest import small_config
from tests.support.contributions import contributions
from tests.support.paths import ROOT

COLOR, SHAPE, NOISE, SILENT = (1, 0), (1, 1), (1, 2), (1, 3)
POSITION, RELAY, MUTE = (2, 0), (2, 1), (2, 2)
ROTATIONS = 99
IN_A_MAP = 4e-5
"""Error of float16 for the largest token of a head, an eighth of the head's output."""

RED, GREEN, BLUE = "red objects", "green objects", "blue objects"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    from precompute.demo.__main__ import main

    folder = tmp_path_factory.mktemp("planted")
    main(["planted", "--out", str(folder)])
    return folder


def choice(folder: Path) -> ModelChoice:
    return ModelChoice(
        planted_model.MODEL_NAME,
        checkpoint=folder / planted_folder.CHECKPOINT,
        config=folder / planted_folder.CONFIG,
        bpe=folder / planted_folder.BPE,
        activation=planted_model.ACTIVATION,
        mean=planted_model.MEAN,
        std=planted_model.STD,
        interpolation=planted_model.INTERPOLATION,
    )


@pytest.fixture(scope="module")
def model(folder) -> clip.Clip:
    files = {field: getattr(choice(folder), field) for field in ModelChoice.__dataclass_fields__}
    return clip.load(model_specs.resolve(files.pop("name"), clip.catalog(), **files))


@pytest.fixture(scope="module")
def pixels(model, folder) -> torch.Tensor:
    """The model's input of all pictures, from their files."""
    files = [folder / planted_folder.IMAGES / name(index) for index in range(len(pictures()))]
    return torch.stack([model.preprocess(images.read(file)) for file in files])


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


def in_features(vectors) -> np.ndarray:
    """Returns vectors of the joint space in coordinates of the features."""
    return np.asarray(vectors, float) @ directions().T


def of_head(bundle, table: str, head: tuple[int, int], condition: str = "true"):
    rows = query(bundle, f"select * from {table} where {condition}")
    return rows[(rows["layer"] == head[0]) & (rows["head"] == head[1])]


def test_every_contribution_of_every_picture_follows_the_plan(model, pixels):
    spaces = decomposition.head_spaces(clip.vision_weights(model), (1, 2))
    plan = decomposition.plan(clip.vision_weights(model), spaces)

    parted = decomposition.decompose(plan, clip.capture(model, pixels, (1, 2)))

    by_component = contributions(parted, spaces)
    early, later = parts()[:, :EARLIER].sum(axis=1, keepdims=True), parts()[:, EARLIER:]
    assert np.abs(in_features(by_component) - np.hstack([early, later]) / length()).max() < TOLERANCE
    assert (
        np.abs(in_features(by_component) @ directions() - by_component.numpy()).max() < TOLERANCE
    )  # and nothing else
    assert parted.sum_error.max() < 1e-6


def test_before_the_decomposed_layers_only_attention_depends_on_the_picture(model, pixels):
    """Input and MLP of the first layer contribute only their seventh of the cone."""
    spaces = decomposition.head_spaces(clip.vision_weights(model), (1, 2))
    plan = decomposition.plan(clip.vision_weights(model), spaces)

    earlier = decomposition.earlier(plan, clip.capture(model, pixels, (1, 2)))

    by_component = in_features(earlier)  # [image, input or attention or mlp, feature]
    assert np.abs(by_component - parts()[:, :EARLIER] / length()).max() < TOLERANCE
    red, cone = (
        by_component[0, :, planted_model.FEATURES.index(feature)] * length() for feature in ("red", "cone")
    )
    assert red == pytest.approx([0, 3 / 8, 0], abs=TOLERANCE * length())
    assert cone == pytest.approx([3 / 7] * 3, abs=TOLERANCE * length())


def test_the_first_picture_in_plain_numbers(model, pixels):
    """Six red, a green and a blue circle at the left; a head has 1/4 of the bias, 1/28 of the cone."""
    spaces = decomposition.head_spaces(clip.vision_weights(model), (1, 2))
    plan = decomposition.plan(clip.vision_weights(model), spaces)

    parted = decomposition.decompose(plan, clip.capture(model, pixels[:1], (1, 2)))

    by_component = 3.8580231 * in_features(contributions(parted, spaces))[0]
    values = [
        {
            feature: round(value, 3)
            for feature, value in zip(planted_model.FEATURES, part, strict=True)
            if abs(value) > 1e-3
        }
        for part in by_component
    ]
    constant = {"bias": 0.1, "cone": 0.107}
    assert values[0] == {"red": 0.375, "green": 0.062, "blue": 0.062, "cone": 1.286}  # early
    assert values[1] == {"red": 0.75, "green": 0.125, "blue": 0.125} | constant
    assert values[2] == {"circles": 0.8} | constant
    assert set(values[3]) == {*planted_model.NOISE_WORDS, "bias", "cone"}
    assert values[4] == constant  # silent
    assert values[5] == {"left": 0.7, "cone": 0.107}
    assert values[6] == {"circles": 0.48, "cone": 0.107}  # 0.6 of what L1.H1 wrote
    assert set(values[7]) == {*planted_model.MUTE, "cone"}
    assert values[8:] == [{"cone": 0.107}, {"cone": 0.429}, {"cone": 0.429}]  # silent, and the MLPs


def test_with_all_layers_the_early_color_is_a_separate_head(model, pixels):
    spaces = decomposition.head_spaces(clip.vision_weights(model), (0, 1, 2))
    plan = decomposition.plan(clip.vision_weights(model), spaces)

    parted = decomposition.decompose(plan, clip.capture(model, pixels, (0, 1, 2)))

    by_component = in_features(contributions(parted, spaces))  # [image, component, feature]
    early, of_l0h0, of_l1h0 = (by_component[:, component, :-1] for component in (0, 1, 5))  # less the cone
    assert np.abs(early).max() < TOLERANCE  # before the heads the class token is the same for all pictures
    assert np.abs(of_l0h0[:, :3] - of_l1h0[:, :3] / 2).max() < TOLERANCE
    assert by_component[..., -1].sum(axis=1) == pytest.approx(3 / length(), abs=TOLERANCE)


def test_a_text_is_the_mean_direction_of_its_words(model):
    one_word, two_words, framed = in_features(
        clip.encode_text(model, [RED, "red circles", "a picture with red objects"])
    )

    assert one_word[planted_model.FEATURES.index("red")] == pytest.approx(1)
    assert np.abs(framed - one_word).max() < 1e-6
    assert two_words[[planted_model.FEATURES.index(word) for word in ("red", "circles")]] == pytest.approx(
        0.5**0.5
    )


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
    maps = map_data.topic(
        source, image_id, text, Scope.of_heads(head), reference="absolute", control="none", seed=0
    )
    return maps.shown[0].map


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

        maps = map_data.contrast(source, ids[row], RED, BLUE, Scope.of_heads(COLOR), control="none", seed=0)

        difference = maps.shown[2].map.grid * length() * 8
        assert difference == pytest.approx(1.0 * (tiles == 0) - (tiles == 2), abs=STORED)


def test_why_red_rather_than_blue(source, ids):
    """For a red picture L1.H0 is 5/8 (1 - 1/2 + 1/6) above its mean, the head before it half as much."""
    table = map_data.why_table(source, ids[0], RED, BLUE).set_index("part").value * length() / 1000

    parts_of = {head: value for head, value in table.items() if abs(value) > STORED}
    assert set(parts_of) == {
        table.index[0],
        "MLPs, earlier layers and input",
        "What the average image scores",
    }
    assert table.iloc[0] == pytest.approx(5 / 8 * 2 / 3, abs=STORED)
    assert parts_of["MLPs, earlier layers and input"] == pytest.approx(5 / 8 * 1 / 3, abs=STORED)
    assert parts_of["What the average image scores"] == pytest.approx(15 / 16 / 3, abs=STORED)


@pytest.mark.parametrize("attribute", ["color", "shape", "position"])
def test_every_picture_is_classified_by_its_text(model, pixels, attribute):
    """Margins: 1.5 x 5/8 for color, early head included, 0.8 + 0.48 for shape, 0.7 for position."""
    picture_margins = margins_of(clip.encode_image(model, pixels), model, attribute)

    margin = {"color": 1.5 * 5 / 8, "shape": 1.28, "position": 0.7}[attribute]
    assert picture_margins == pytest.approx(margin / length(), abs=TOLERANCE)


def margins_of(embedding: torch.Tensor, model: clip.Clip, attribute: str) -> np.ndarray:
    words = planted_model.WORDS[attribute][: values(attribute).max() + 1]
    text = clip.encode_text(model, [planted_model.phrase(word) for word in words])
    score = torch.nn.functional.normalize(embedding, dim=-1) @ text.T
    is_value = torch.nn.functional.one_hot(torch.from_numpy(values(attribute))).bool()
    return (score[is_value] - score.masked_fill(is_value, -1).amax(dim=1)).numpy()


@pytest.mark.parametrize("head", [COLOR, SHAPE, POSITION, RELAY])
def test_the_forward_pass_with_a_mean_ablated_head_gives_the_planted_margins(model, pixels, head):
    """When the first head of the pair for shape is mean-ablated, the second loses its input."""
    z = clip.capture(model, pixels, (0, 1, 2)).head[:, head[0], head[1]]
    mean_ablation = clip.Intervention({head: clip.HeadIntervention(z.mean(dim=0))})

    embedding = clip.encode_with_interventions(model, pixels, [mean_ablation])[0]

    expected = margins(ABOUT[head], (head,), forward=True)
    assert margins_of(embedding, model, ABOUT[head]) == pytest.approx(expected, abs=TOLERANCE)


def test_the_planted_loss_of_a_margin_by_hand():
    """A value of frequency p loses 1 - p + the largest other frequency, times what the head writes."""
    color = (3 * 5 / 6 + 2 * 7 / 6 + 1 * 8 / 6) / 6
    shape = (5 * 14 + 4 * 16 + 3 * 17 + 2 * 18 + 1 * 19) / 15**2

    assert falls(COLOR, "color")["direct"] == pytest.approx(5 / 8 * color / length())
    assert falls(SHAPE, "shape")["direct"] == pytest.approx(0.8 * shape / length())
    assert (
        falls(SHAPE, "shape")["forward"] > 1.5 * falls(SHAPE, "shape")["direct"]
    )  # the relay head loses its input


def test_all_pictures_are_distinct_and_described_in_answers_json(folder, pixels):
    answers = json.loads((folder / planted_folder.ANSWERS).read_text())["pictures"]

    assert len({draw(picture).tobytes() for picture in pictures()}) == len(answers) == 180
    assert answers["planted_000.png"]["color"] == "red"
    assert sum(row.count("r") for row in answers["planted_000.png"]["tiles"]) == 6


def test_make_planted_uses_the_options_of_this_model():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    mean, std = [",".join(map(str, values)) for values in (planted_model.MEAN, planted_model.STD)]

    assert f"--model {planted_model.MODEL_NAME} " in makefile
    assert f"--mean {mean} --std {std} --interpolation {planted_model.INTERPOLATION}" in makefile
