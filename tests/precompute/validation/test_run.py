"""Validation through a real model on drawn images: against plain recomputation, and computed only once."""

from dataclasses import replace
from typing import NamedTuple

import pandas as pd
import pytest
import torch
from torch.nn.functional import normalize

from precompute import clip
from precompute.inputs import images, model_specs, text_pool
from precompute.method import decomposition
from precompute.method.types import Classes
from precompute.pipeline import run as pipeline_run
from precompute.pipeline.run import scan_image_set
from precompute.runtime import work_files
from precompute.runtime.config import Config, ConfigError
from precompute.stages import decompose_images, describe_heads, scan_images
from precompute.validation import interventions
from precompute.validation import run as validation_run
from precompute.validation.sample import ImagePass, choose
from precompute.validation.subjects import Subject
from tests.conftest import CONTROL, small_config
from tests.support.calls import count_calls
from tests.support.contributions import contributions

COLORS = ("red", "green", "blue", "yellow")

BACKGROUNDS = ("wood", "brick", "grass", "waves")


class Case(NamedTuple):
    """All that the stage is given, and where it may write."""

    model: clip.Clip
    results: validation_run.StageResults
    known: validation_run.ImageClasses
    pictures: scan_images.ImageSet
    config: Config

    def score(self, directory, **changes) -> dict[str, pd.DataFrame]:
        known = self.known._replace(**changes)
        image_pass = ImagePass(self.model, self.pictures.image_files, directory, self.config.read_options)
        return validation_run.score(image_pass, self.results, known, self.config.seed)


@pytest.fixture(scope="module")
def case(scene_folder, pool_file, tmp_path_factory) -> Case:
    """The untrained demo model, its last two layers, 40 scenes."""
    directory = tmp_path_factory.mktemp("work")
    config = small_config(scene_folder, pool_file, directory / "b", batch_size=7)
    model = clip.load(model_specs.resolve(CONTROL, clip.catalog()))
    pictures = scan_image_set(config, directory)
    texts = text_pool.load(config.texts)
    spaces = decomposition.head_spaces(clip.vision_weights(model), clip.last_layers(model, 2))
    text = clip.encode_text(model, texts.texts)
    loaded = decompose_images.LoadedModel(model, spaces, [], directory)
    taken = decompose_images.decompose_images(
        loaded, pictures.image_files, config.read_options, config.gallery_limits
    )
    found = describe_heads.heads(model.model_key, taken, spaces, text, texts, config.head_options, directory)
    image_id = choose(pictures.attributes.image_id, 30)
    classes = [
        classes_of(model, pictures, image_id, "color", COLORS, "a picture with {} objects"),
        classes_of(model, pictures, image_id, "background", BACKGROUNDS, "a picture with {}"),
    ]
    known = validation_run.ImageClasses(image_id, classes, [("color", "red", "a picture with red objects")])
    return Case(
        model, validation_run.StageResults(spaces, taken, found, texts, text), known, pictures, config
    )


def classes_of(model, pictures, image_id, attribute, values, prompt) -> Classes:
    rows = pictures.attributes[pictures.attributes.attribute == attribute]
    pairs = set(zip(rows.image_id, rows.value, strict=True))
    carried = torch.tensor([[(one, value) in pairs for value in values] for one in image_id])
    return Classes(
        attribute, values, clip.encode_text(model, [prompt.format(value) for value in values]), carried
    )


@pytest.fixture(scope="module")
def tables(case, tmp_path_factory) -> dict[str, pd.DataFrame]:
    return case.score(tmp_path_factory.mktemp("validation"))


@pytest.fixture(scope="module")
def pixels(case) -> torch.Tensor:
    wanted = {one: case.pictures.image_files[one] for one in case.known.image_id}
    batches = images.pixel_batches(wanted, case.model.preprocess, batch_size=30, workers=0)
    return next(batches)[1]


def mean_margin(unit, classes) -> float:
    """Image by image, in plain steps."""
    margins = []
    for embedding, carried in zip(unit, classes.carried, strict=True):
        if carried.sum() == 1:
            score = (embedding @ classes.text.T).tolist()
            own = score.pop(int(carried.to(torch.uint8).argmax()))
            margins.append(own - max(score))
    return sum(margins) / len(margins)


def test_every_head_is_scored_for_every_attribute(tables, case):
    rows = tables["head_validation"]

    assert len(rows) == 2 * 8 * 2
    assert sorted(rows.layer.unique()) == [4, 5]
    assert rows.drop_duplicates(["layer", "head", "attribute"]).shape == rows.shape
    count = {one.attribute: int((one.carried.sum(1) == 1).sum()) for one in case.known.classes}
    assert dict(zip(rows.attribute, rows.images, strict=False)) == count
    assert rows.forward_accuracy.abs().max() <= 1


@pytest.mark.parametrize("place", [(4, 2), (5, 0)])
def test_the_forward_effect_is_what_the_model_does_without_the_head(tables, case, pixels, place):
    model, classes = case.model, case.known.classes[1]
    mean = clip.capture(model, pixels, (4, 5)).head.mean(dim=0)[place[0] - 4, place[1]]
    change = clip.Intervention({place: clip.HeadIntervention(mean)})

    before, after = normalize(
        clip.encode_with_interventions(model, pixels, [clip.Intervention(), change]), dim=-1
    )

    row = tables["head_validation"].set_index(["layer", "head", "attribute"]).loc[(*place, "background")]
    expected = mean_margin(before, classes) - mean_margin(after, classes)
    assert row.forward == pytest.approx(expected, abs=2e-6)


def test_the_direct_effect_takes_off_the_heads_own_contribution(tables, case, pixels):
    """In d_out, with everything else as it was and no new length."""
    model, spaces, classes = case.model, case.results.spaces, case.known.classes[1]
    plan = decomposition.plan(clip.vision_weights(model), spaces)
    parts = decomposition.decompose(plan, clip.capture(model, pixels, spaces.layers))
    one = contributions(parts, spaces)[:, 1 + 8 + 2]  # early, then L4.H0 and so on

    expected = mean_margin(parts.embedding, classes) - mean_margin(
        parts.embedding - (one - one.mean(dim=0)), classes
    )

    row = tables["head_validation"].set_index(["layer", "head", "attribute"]).loc[(5, 2, "background")]
    assert row.direct == pytest.approx(expected, abs=2e-6)


def of(tables, subject_kind, effect, attribute="background", **more):
    rows = tables["validation_score"]
    keys = {"study": "mean_ablation", "subject_kind": subject_kind, "effect": effect, "attribute": attribute}
    for name, value in (keys | more).items():
        rows = rows[rows[name] == value]
    [row] = rows.itertuples()
    return row


def test_all_that_is_written_before_is_one_intervention_and_all_mlps_another(tables, case, pixels):
    """Means of all layers; early heads are those of layers 0 to 3."""
    model, classes = case.model, case.known.classes[1]
    captured = clip.capture(model, pixels, (0, 1, 2, 3, 4, 5))
    mean, added = captured.head.mean(dim=0), captured.mlp.mean(dim=0)
    places = [(layer, head) for layer in range(4) for head in range(8)]
    early = clip.Intervention({place: clip.HeadIntervention(mean[place]) for place in places})

    found = clip.encode_with_interventions(
        model, pixels, [early, clip.Intervention(mlps=dict(enumerate(added)))]
    )

    for subject, unit in zip(["early_heads", "mlps"], normalize(found, dim=-1), strict=True):
        known = classes.carried.sum(1) == 1
        chosen = (unit[known] @ classes.text.T).argmax(dim=1)
        right = (chosen == classes.carried[known].to(torch.uint8).argmax(dim=1)).double().mean()
        assert of(tables, subject, "forward").value == pytest.approx(float(right), abs=1 / 60)


def test_with_all_its_texts_a_model_answers_as_it_does_with_nothing_changed(case):
    """Texts that span all of a head's space leave its output as it is."""
    sample, spaces = fake_sample(case), case.results.spaces
    head_map = decomposition.plan(clip.vision_weights(case.model), spaces).head_map
    whole = [torch.eye(spaces.basis.shape[2])] * 16
    reduced = interventions.Reduction([one.double() for one in whole], head_map.flatten(0, 1))

    change = interventions.change(
        interventions.Ablation(interventions.TEXTS, k=60), sample, spaces.layers, reduced
    )

    assert set(change.heads) == {(layer, head) for layer in (4, 5) for head in range(8)}
    for bias, weight in change.heads.values():
        torch.testing.assert_close(weight, torch.eye(16), atol=1e-4, rtol=0)
        assert float(bias.abs().max()) < 1e-4


def fake_sample(case):
    model = case.model
    nothing = torch.zeros(2, model.d_out)
    mean = torch.randn(6, 8, 16, generator=torch.Generator().manual_seed(0))
    return validation_run.Sample(
        ["a", "b"], nothing, torch.zeros(2, 16, 16), nothing, nothing, mean, torch.zeros(6, 128)
    )


def test_the_tables_hold_every_study_and_no_row_twice(tables, case):
    rows = tables["validation_score"]
    keys = ["study", "measure", *Subject._fields, "attribute", "effect", "k"]

    assert not rows.duplicated(keys).any()
    assert set(rows.study) == {"mean_ablation", "labels", "neighbors"}
    of_labels = rows[rows.study == "labels"][["method", "k"]].drop_duplicates()
    assert list(of_labels.itertuples(index=False, name=None)) == [
        ("variance_share", 10),
        ("enrichment", 5),
        ("enrichment", 10),
        ("enrichment", 20),
        ("commonest", 0),
    ]
    near = rows[rows.study == "neighbors"]
    assert set(near.subject_kind) == {"embedding", "head", "property"}
    heads = near[near.subject_kind == "head"]
    pairs = set(heads[["layer", "head", "comparison"]].itertuples(index=False, name=None))
    assert {(4, 0, "cosine"), (5, 3, "dot")} <= pairs
    texts = rows[rows.subject_kind == "texts"]
    assert sorted(texts.k.unique()) == [1, 2, 3, 5, 8]  # a head has at most 6 here: --picks
    ablation = rows[rows.study == "mean_ablation"]
    assert set(ablation.effect[ablation.subject_kind == "nothing"]) == {""}
    assert ablation.value.between(0, 1).all()
    assert (ablation.chance[ablation.attribute == "color"] == 1 / 4).all()


def test_random_sets_stand_beside_each_property_that_is_asked(tables, case):
    labels = {label.label for label in case.results.descriptions.labels.shown}
    ablation = tables["validation_score"].query("study == 'mean_ablation' and property.notna()")
    sets = set(zip(ablation.subject_kind, ablation.property, strict=True))

    asked = labels & {"color", "background"}
    assert sets == {(kind, name) for name in asked for kind in ("property", "random_heads")}
    for name in asked:
        row = of(tables, "random_heads", "direct", property=name)
        assert row.low <= row.value <= row.high


def test_what_is_finished_is_not_computed_twice(case, tables, tmp_path, monkeypatch):
    first = case.score(tmp_path)
    passes = count_calls(monkeypatch, images, "pixel_batches")

    second = case.score(tmp_path)

    assert passes == []
    for name in first:
        pd.testing.assert_frame_equal(first[name], second[name])
        pd.testing.assert_frame_equal(first[name], tables[name])


def test_the_size_of_batches_leaves_no_trace(case, tables, tmp_path):
    other = case._replace(config=replace(case.config, batch_size=32)).score(tmp_path)

    for name, rows in tables.items():
        pd.testing.assert_frame_equal(other[name], rows, atol=2e-6)


def test_an_interrupted_run_goes_on_with_the_first_missing_images(case, tables, tmp_path, monkeypatch):
    case.score(tmp_path)
    lost, *others = tmp_path.glob("ablations-*/*")
    size = len(work_files.load_tensors(lost)["margin"])
    lost.unlink()
    asked = []

    def counting(wanted, *arguments, **options):
        asked.append(len(wanted))
        return images.reading.pixel_batches(wanted, *arguments, **options)

    monkeypatch.setattr(images, "pixel_batches", counting)
    again = case.score(tmp_path)

    assert len(others) == 3 and asked == [size]  # 30 images, 8 at a time
    pd.testing.assert_frame_equal(again["head_validation"], tables["head_validation"])


def test_other_prompts_never_meet_old_results(case, tables, tmp_path):
    case.score(tmp_path)
    swapped = [one._replace(text=one.text.flip(0)) for one in case.known.classes]

    other = case.score(tmp_path, classes=swapped, prompts=[("color", "red", "something else")])

    assert len(list(tmp_path.glob("ablations-*"))) == 2
    assert not other["head_validation"].forward.equals(tables["head_validation"].forward)


def test_an_attribute_that_all_images_share_is_left_out(case, tmp_path, capsys):
    same = case.known.classes[1]._replace(
        attribute="weather", carried=torch.eye(4, dtype=torch.bool)[[0] * 30]
    )

    found = case.score(tmp_path, classes=[*case.known.classes, same])

    assert set(found["head_validation"].attribute) == {"color", "background"}
    assert "left out of the validation: weather" in capsys.readouterr().err


def test_without_anything_to_ask_the_error_says_what_to_give(case, tmp_path):
    with pytest.raises(ConfigError, match="--metadata CSV.*--prompts FILE"):
        case.score(tmp_path, classes=[])


def test_nothing_is_computed_for_a_validation_that_cannot_be_asked(scene_folder, pool_file, tmp_path):
    """The scenes have no attribute `class`, the only one that is asked without --prompts."""
    config = small_config(scene_folder, pool_file, tmp_path / "b", validation=True)

    with pytest.raises(ConfigError, match="--prompts FILE"):
        pipeline_run.run(config)

    assert not list(tmp_path.glob(".b.work/model-*"))
