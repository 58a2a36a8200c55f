"""The planted model, whose heads are set by hand: every stage must give the answer that was planted."""

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
"""float16 of a head's largest token, which is an eighth of what the head writes."""

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
    """All pictures as the model sees them, from their files."""
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
    """Vectors of the joint space, told in features."""
    return np.asarray(vectors, float) @ directions().T


def of_head(bundle, table: str, head: tuple[int, int], what: str = "true"):
    rows = query(bundle, f"select * from {table} where {what}")
    return rows[(rows["layer"] == head[0]) & (rows["head"] == head[1])]


def test_every_contribution_of_every_picture_is_what_the_plan_says(model, pixels):
    spaces = decomposition.head_spaces(clip.vision_weights(model), (1, 2))
    plan = decomposition.plan(clip.vision_weights(model), spaces)

    parted = decomposition.decompose(plan, clip.capture(model, pixels, (1, 2)))

    found = contributions(parted, spaces)
    early, later = parts()[:, :EARLIER].sum(axis=1, keepdims=True), parts()[:, EARLIER:]
    assert np.abs(in_features(found) - np.hstack([early, later]) / length()).max() < TOLERANCE
    assert np.abs(in_features(found) @ directions() - found.numpy()).max() < TOLERANCE  # and nothing else
    assert parted.sum_error.max() < 1e-6


def test_before_the_decomposed_layers_the_attention_alone_writes_what_a_picture_shows(model, pixels):
    """Input and MLP of the first layer hold nothing but their seventh of the cone."""
    spaces = decomposition.head_spaces(clip.vision_weights(model), (1, 2))
    plan = decomposition.plan(clip.vision_weights(model), spaces)

    earlier = decomposition.earlier(plan, clip.capture(model, pixels, (1, 2)))

    found = in_features(earlier)  # [image, input or attention or mlp, feature]
    assert np.abs(found - parts()[:, :EARLIER] / length()).max() < TOLERANCE
    red, cone = (found[0, :, planted_model.FEATURES.index(feature)] * length() for feature in ("red", "cone"))
    assert red == pytest.approx([0, 3 / 8, 0], abs=TOLERANCE * length())
    assert cone == pytest.approx([3 / 7] * 3, abs=TOLERANCE * length())


def test_the_first_picture_in_plain_numbers(model, pixels):
    """Six red circles, a green and a blue one, at the left; a head has 1/4 of the bias, 1/28 of the cone."""
    spaces = decomposition.head_spaces(clip.vision_weights(model), (1, 2))
    plan = decomposition.plan(clip.vision_weights(model), spaces)

    parted = decomposition.decompose(plan, clip.capture(model, pixels[:1], (1, 2)))

    found = 3.8580231 * in_features(contributions(parted, spaces))[0]
    told = [
        {
            feature: round(value, 3)
            for feature, value in zip(planted_model.FEATURES, part, strict=True)
            if abs(value) > 1e-3
        }
        for part in found
    ]
    constant = {"bias": 0.1, "cone": 0.107}
    assert told[0] == {"red": 0.375, "green": 0.062, "blue": 0.062, "cone": 1.286}  # early
    assert told[1] == {"red": 0.75, "green": 0.125, "blue": 0.125} | constant
    assert told[2] == {"circles": 0.8} | constant
    assert set(told[3]) == {*planted_model.NOISE_WORDS, "bias", "cone"}
    assert told[4] == constant  # silent
    assert told[5] == {"left": 0.7, "cone": 0.107}
    assert told[6] == {"circles": 0.48, "cone": 0.107}  # 0.6 of what L1.H1 wrote
    assert set(told[7]) == {*planted_model.MUTE, "cone"}
    assert told[8:] == [{"cone": 0.107}, {"cone": 0.429}, {"cone": 0.429}]  # silent, and the MLPs


def test_with_all_layers_the_early_color_is_a_head_of_its_own(model, pixels):
    spaces = decomposition.head_spaces(clip.vision_weights(model), (0, 1, 2))
    plan = decomposition.plan(clip.vision_weights(model), spaces)

    parted = decomposition.decompose(plan, clip.capture(model, pixels, (0, 1, 2)))

    found = in_features(contributions(parted, spaces))  # [image, component, feature]
    early, of_l0h0, of_l1h0 = (found[:, component, :-1] for component in (0, 1, 5))  # less the cone
    assert np.abs(early).max() < TOLERANCE  # nothing of a picture is at the class token before
    assert np.abs(of_l0h0[:, :3] - of_l1h0[:, :3] / 2).max() < TOLERANCE
    assert found[..., -1].sum(axis=1) == pytest.approx(3 / length(), abs=TOLERANCE)


def test_a_text_is_the_mean_direction_of_its_words(model):
    one, two, framed = in_features(
        clip.encode_text(model, [RED, "red circles", "a picture with red objects"])
    )

    assert one[planted_model.FEATURES.index("red")] == pytest.approx(1)
    assert np.abs(framed - one).max() < 1e-6
    assert two[[planted_model.FEATURES.index(word) for word in ("red", "circles")]] == pytest.approx(0.5**0.5)


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
def test_textspan_picks_the_words_a_head_writes_the_most_frequent_first(bundle, head, texts, shares):
    """A value of frequency p varies by p (1 - p): 3, 2, 1 of 6 for colors, 5, 4, 3, 2, 1 of 15 for shapes."""
    rows = of_head(bundle, "head_text join text using (text_id)", head).sort_values("position")

    assert rows["text"].tolist() == texts
    assert rows["variance_share"].to_numpy() == pytest.approx(shares, abs=1e-4)


def test_planted_labels_are_found_and_supported_and_no_others(bundle):
    rows = query(bundle, "select * from head_label where chosen").set_index(["layer", "head"])

    assert {head: rows.label[head] for head in rows.index[rows.supported]} == {
        COLOR: "color",
        SHAPE: "shape",
        POSITION: "position",
        RELAY: "shape",
    }
    supported = rows[rows.supported]
    assert supported["share"].to_numpy() == pytest.approx(1)
    assert (supported.p_value == 1 / (1 + ROTATIONS)).all()  # no rotation comes near
    assert supported.q_value.to_numpy() == pytest.approx(2 / (1 + ROTATIONS))  # four of eight heads


def test_noise_that_lies_along_words_of_every_property_is_described_but_not_supported(bundle):
    """Two words of each, of variance 0.55^2, 0.5^2 and 0.45^2: two picks remove 0.605 / 1.51."""
    rows = of_head(bundle, "head_text join text using (text_id)", NOISE).sort_values("position")
    label = of_head(bundle, "head_label", NOISE, "chosen").iloc[0]

    assert set(rows["text"][:2]) == {"objects at the top", "objects at the bottom"}
    assert set(rows["text"][2:4]) == {"purple objects", "yellow objects"}
    assert set(rows["text"][4:]) == {"stars", "hearts"}
    assert label.label == "position" and not label.supported
    assert label.share == pytest.approx(0.605 / 1.51, abs=1e-4)


@pytest.mark.parametrize("head", [MUTE, SILENT, (2, 3)])
def test_what_no_text_says_gets_no_text_and_no_support(bundle, head):
    """Noise at a right angle to every text; heads that write nothing at all."""
    label = of_head(bundle, "head_label", head, "chosen").iloc[0]

    assert len(of_head(bundle, "head_text", head)) == 0
    assert not label.supported and label.share == 0 and label.p_value == 1


def test_the_bundle_says_of_heads_and_model_what_answers_json_says(bundle, folder):
    known = json.loads((folder / planted_folder.ANSWERS).read_text())
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
        >= {metric: pytest.approx(number) for metric, number in known["model_metric"].items()}.items()
    )
    assert share.to_dict() == pytest.approx(known["component_share"], abs=1e-5)
    for head, expected in known["heads"].items():
        assert value[head, "importance"] == pytest.approx(expected["importance"], abs=1e-5)
        for metric in ("ccs", "spanned_variance"):
            if metric in expected:
                assert value[head, metric] == pytest.approx(expected[metric], abs=1e-3)


def ids_with(ids: list[str], attribute: str, value: int) -> set[str]:
    return {ids[row] for row in np.flatnonzero(values(attribute) == value)}


@pytest.mark.parametrize(
    ("heads", "attribute"), [((COLOR,), "color"), ((SHAPE, RELAY), "shape"), ((POSITION,), "position")]
)
def test_the_nearest_through_a_head_share_what_it_is_about_whatever_else(source, ids, heads, attribute):
    """Centered, pictures of one value are the same point: cosine 1. All of them come before any other."""
    for row in range(0, len(ids), 12):
        alike = ids_with(ids, attribute, values(attribute)[row]) - {ids[row]}

        near = neighbor_data.neighbors_of_image(source, ids[row], heads, "cosine", len(alike))

        assert set(near.image_id) == alike
        assert near.score.to_numpy() == pytest.approx(1, abs=STORED)


def test_scores_of_neighbors_are_the_planted_ones(source, ids, folder):
    """Red less the mean color is 5/48 (3, -2, -1), green less it 5/48 (-3, 4, -1)."""
    known = json.loads((folder / planted_folder.ANSWERS).read_text())["neighbors through L1.H0"]
    green = ids_with(ids, "color", 1)

    for by in ("cosine", "dot"):
        near = neighbor_data.neighbors_of_image(source, ids[0], (COLOR,), by, len(ids) - 1)
        of_green = near.image_id.isin(green)
        assert near.score.iloc[0] == pytest.approx(known[f"{by}, red"], rel=STORED)
        assert near.score[of_green].to_numpy() == pytest.approx(known[f"{by}, green"], rel=STORED)
    assert known["cosine, green"] == pytest.approx(-16 / (14 * 26) ** 0.5)


def test_the_property_of_the_sharing_pair_is_both_heads(bundle, source):
    assert cached.property_heads(source, "shape") == (SHAPE, RELAY)


def test_nearest_to_a_text_are_the_pictures_and_texts_that_say_it(source, ids):
    near, texts = neighbor_data.neighbors_of_text(source, RED, COLOR, "dot", 90)

    assert set(near.image_id) == ids_with(ids, "color", 0)  # half of 180
    assert near.score.to_numpy() == pytest.approx(0.75 / length(), abs=STORED)
    assert texts.text[0] == RED and texts.score[0] == pytest.approx(1, abs=STORED)
    with_red = texts[1:13]  # seven shapes and five places
    assert all(text.startswith("red ") for text in with_red.text)
    assert with_red.score.to_numpy() == pytest.approx(0.5**0.5, abs=STORED)
    assert np.abs(texts.score[13:]).max() < STORED


def topic(source, image_id: str, text: str, head: tuple[int, int]):
    found = map_data.topic(
        source, image_id, text, Scope.of_heads(head), reference="absolute", control="none", seed=0
    )
    return found.shown[0].map


@pytest.mark.parametrize(
    ("head", "word"),
    [(COLOR, "red"), (COLOR, "blue"), (SHAPE, "circles"), (POSITION, "left"), (NOISE, "top")],
)
def test_a_topic_map_lies_on_the_tiles_that_show_it(source, ids, head, word):
    for row in range(0, len(ids), 6):
        found = topic(source, ids[row], planted_model.phrase(word), head)

        assert np.abs(found.grid - text_map(pictures()[row], head, word)).max() < IN_A_MAP
        assert found.parts.class_token == pytest.approx(0, abs=IN_A_MAP)


def test_the_map_of_red_is_an_eighth_on_red_tiles_and_nothing_elsewhere(source, ids):
    red = pictures()[0].tiles == 0

    found = topic(source, ids[0], RED, COLOR)

    assert red.sum() == 6
    assert found.grid[red] == pytest.approx(1 / 8 / length(), rel=STORED)
    assert np.abs(found.grid[~red]).max() < 1e-5
    # All of the score: six eighths through this head, half as much before it.
    assert found.parts.patches == pytest.approx(0.75 / length(), rel=STORED)
    assert found.parts.rest == pytest.approx(0.375 / length(), rel=STORED)


def test_a_head_that_reads_the_class_token_has_its_map_there(source, ids):
    found = topic(source, ids[0], "circles", RELAY)

    assert np.abs(found.grid).max() < 1e-5
    assert found.parts.class_token == pytest.approx(0.48 / length(), rel=STORED)
    assert found.parts.other_heads == pytest.approx(0.8 / length(), rel=STORED)


def test_a_contrastive_map_is_one_color_against_the_other(source, ids):
    for row in range(0, len(ids), 12):
        tiles = pictures()[row].tiles

        maps = map_data.contrast(source, ids[row], RED, BLUE, Scope.of_heads(COLOR), control="none", seed=0)

        found = maps.shown[2].map.grid * length() * 8
        assert found == pytest.approx(1.0 * (tiles == 0) - (tiles == 2), abs=STORED)


def test_why_red_rather_than_blue(source, ids):
    """L1.H0 is 5/8 (1 - 1/2 + 1/6) above its mean for a red picture, the head before it half as much."""
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
def test_every_picture_is_told_by_its_text(model, pixels, attribute):
    """Margins: 1.5 x 5/8 for color, early head included, 0.8 + 0.48 for shape, 0.7 for position."""
    found = margins_of(clip.encode_image(model, pixels), model, attribute)

    margin = {"color": 1.5 * 5 / 8, "shape": 1.28, "position": 0.7}[attribute]
    assert found == pytest.approx(margin / length(), abs=TOLERANCE)


def margins_of(embedding: torch.Tensor, model: clip.Clip, attribute: str) -> np.ndarray:
    words = planted_model.WORDS[attribute][: values(attribute).max() + 1]
    text = clip.encode_text(model, [planted_model.phrase(word) for word in words])
    score = torch.nn.functional.normalize(embedding, dim=-1) @ text.T
    own = torch.nn.functional.one_hot(torch.from_numpy(values(attribute))).bool()
    return (score[own] - score.masked_fill(own, -1).amax(dim=1)).numpy()


@pytest.mark.parametrize("head", [COLOR, SHAPE, POSITION, RELAY])
def test_the_model_runs_on_without_a_head_as_planted(model, pixels, head):
    """Of the pair for shape, the first takes the second with it when it is held at its mean."""
    z = clip.capture(model, pixels, (0, 1, 2)).head[:, head[0], head[1]]
    held = clip.Intervention({head: clip.HeadIntervention(z.mean(dim=0))})

    changed = clip.encode_with_interventions(model, pixels, [held])[0]

    expected = margins(ABOUT[head], (head,), forward=True)
    assert margins_of(changed, model, ABOUT[head]) == pytest.approx(expected, abs=TOLERANCE)


def test_the_planted_fall_of_a_margin_by_hand():
    """A value of frequency p loses 1 - p + the largest other frequency, times what the head writes."""
    color = (3 * 5 / 6 + 2 * 7 / 6 + 1 * 8 / 6) / 6
    shape = (5 * 14 + 4 * 16 + 3 * 17 + 2 * 18 + 1 * 19) / 15**2

    assert falls(COLOR, "color")["direct"] == pytest.approx(5 / 8 * color / length())
    assert falls(SHAPE, "shape")["direct"] == pytest.approx(0.8 * shape / length())
    assert falls(SHAPE, "shape")["forward"] > 1.5 * falls(SHAPE, "shape")["direct"]  # the relay goes with it


def test_files_hold_the_pictures_and_the_folder_says_how_they_are_made(folder, pixels):
    known = json.loads((folder / planted_folder.ANSWERS).read_text())["pictures"]

    assert len({draw(picture).tobytes() for picture in pictures()}) == len(known) == 180
    assert known["planted_000.png"]["color"] == "red"
    assert sum(row.count("r") for row in known["planted_000.png"]["tiles"]) == 6


def test_make_planted_asks_for_this_model():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    three = [",".join(map(str, values)) for values in (planted_model.MEAN, planted_model.STD)]

    assert f"--model {planted_model.MODEL_NAME} " in makefile
    assert f"--mean {three[0]} --std {three[1]} --interpolation {planted_model.INTERPOLATION}" in makefile
