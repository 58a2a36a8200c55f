"""A name and options resolve to a spec, or to an error that names the missing option."""

import re
from pathlib import Path

import pytest

from precompute import demo
from precompute.inputs import model_specs
from precompute.inputs.model_specs import ModelError, WeightsFacts

OPENAI = WeightsFacts("quick_gelu", (0.48, 0.46, 0.41), (0.27, 0.26, 0.28), "bicubic", "shortest")
LAION = OPENAI._replace(activation="gelu")
CATALOG = {
    "ViT-B-32": {"openai": OPENAI, "laion2b_s34b_b79k": LAION},
    "ViT-B-16": {"openai": OPENAI, "laion2b_s34b_b88k": LAION},
    "ViT-H-14": {},
}
FILE = Path("mine.safetensors")
ALL_FACTS = {
    "activation": "gelu",
    "mean": (0.5, 0.5, 0.5),
    "std": (0.5, 0.5, 0.5),
    "interpolation": "bilinear",
}


def test_the_weights_tag_determines_the_settings():
    openai = model_specs.resolve("ViT-B-32/openai", CATALOG)
    laion = model_specs.resolve("ViT-B-32/laion2b_s34b_b79k", CATALOG)

    assert (openai.activation, laion.activation) == ("quick_gelu", "gelu")
    assert openai.mean == (0.48, 0.46, 0.41)
    assert openai.name == "ViT-B-32/openai"
    assert not openai.is_control


def test_the_tag_also_applies_to_a_local_file():
    spec = model_specs.resolve("ViT-B-32/openai", CATALOG, checkpoint=FILE)

    assert spec.activation == "quick_gelu"
    assert spec.checkpoint == FILE


def test_a_tag_has_one_spelling():
    assert model_specs.resolve("ViT-B-32/LAION2B-s34B-b79K", CATALOG).name == "ViT-B-32/laion2b_s34b_b79k"


def test_models_of_the_study_have_training_data():
    assert "LAION-2B" in model_specs.resolve("ViT-B-16/laion2b_s34b_b88k", CATALOG).training_data
    assert model_specs.resolve("ViT-B-32/laion2b_s34b_b79k", CATALOG).training_data is None


def test_a_local_file_needs_every_setting_as_an_option():
    spec = model_specs.resolve("ViT-B-32/mine", CATALOG, checkpoint=FILE, **ALL_FACTS)

    assert spec.name == "ViT-B-32/mine"
    assert (spec.mean, spec.interpolation, spec.resize_mode) == ((0.5, 0.5, 0.5), "bilinear", "shortest")


@pytest.mark.parametrize("fact", ALL_FACTS)
def test_a_missing_setting_is_named(fact):
    facts = {name: value for name, value in ALL_FACTS.items() if name != fact}

    with pytest.raises(ModelError, match=f"Add --{fact} "):
        model_specs.resolve("ViT-B-32/mine", CATALOG, checkpoint=FILE, **facts)


def test_an_option_that_contradicts_the_tag_is_refused():
    with pytest.raises(ModelError, match="--activation gelu .*ViT-B-32/openai.*quick_gelu"):
        model_specs.resolve("ViT-B-32/openai", CATALOG, checkpoint=FILE, activation="gelu")


def test_an_option_that_repeats_the_tag_is_no_contradiction():
    spec = model_specs.resolve("ViT-B-32/openai", CATALOG, activation="quick_gelu", mean=(0.48, 0.46, 0.41))

    assert spec == model_specs.resolve("ViT-B-32/openai", CATALOG)


@pytest.mark.parametrize(
    ("typed", "close"),
    [
        ("ViT-B-32/opnai", "ViT-B-32/openai"),
        ("ViT-B32/openai", "ViT-B-32/openai"),
        ("vit-b-16/openai", "ViT-B-16/openai"),
        ("ViT-B-16/laion2b", "ViT-B-16/laion2b_s34b_b88k"),
        ("ViT-B-32:openai", "ViT-B-32/openai"),
        ("ViT-emoji-S-16/scenes", demo.MODEL_NAME),
    ],
)
def test_the_error_for_an_unknown_name_lists_close_names(typed, close):
    with pytest.raises(ModelError, match=re.escape(close)):
        model_specs.resolve(typed, CATALOG)


def test_the_error_for_a_name_without_close_names_lists_the_models_of_the_study():
    with pytest.raises(ModelError, match="'banana'.*ViT-L-14/laion2b_s32b_b82k"):
        model_specs.resolve("banana", CATALOG)


@pytest.mark.parametrize("name", ["/mine", "/models/weights.pt"])
def test_a_name_without_an_architecture_is_refused_with_a_config_too(name):
    with pytest.raises(ModelError, match="no architecture|is a file"):
        model_specs.resolve(name, CATALOG, checkpoint=FILE, config=FILE, **ALL_FACTS)


def test_the_error_for_a_name_without_weights_lists_the_tags():
    with pytest.raises(ModelError, match="ViT-B-32/WEIGHTS.*openai, laion2b_s34b_b79k"):
        model_specs.resolve("ViT-B-32", CATALOG)


def test_an_unknown_architecture_can_come_from_a_file():
    config = Path("mine.json")

    spec = model_specs.resolve("mine/first", CATALOG, checkpoint=FILE, config=config, **ALL_FACTS)

    assert (spec.architecture, spec.config) == ("mine", config)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"activation": "relu"}, "--activation 'relu'.* gelu or quick_gelu"),
        ({"interpolation": "nearest"}, "--interpolation 'nearest'.* bicubic or bilinear"),
        ({"resize_mode": "crop"}, "--resize-mode 'crop'"),
        ({"std": (0.5, 0.0, 0.5)}, "--std .* from 0.001 to 1"),
        ({"std": (1e-30, 1e-30, 1e-30)}, "--std .*1e-30.* from 0.001 to 1.* Divide"),
        ({"std": (0.5, float("inf"), 0.5)}, "--std .* from 0.001 to 1"),
        ({"std": (0.5, float("nan"), 0.5)}, "--std .* from 0.001 to 1"),
        ({"mean": (123.7, 116.3, 103.5)}, "--mean .* from 0 to 1.*255"),
        ({"mean": (0.5, float("nan"), 0.5)}, "--mean .* from 0 to 1"),
        ({"mean": (0.5, -0.1, 0.5)}, "--mean .* from 0 to 1"),
    ],
)
def test_options_with_impossible_values_are_refused(change, message):
    with pytest.raises(ModelError, match=message):
        model_specs.resolve("ViT-B-32/mine", CATALOG, checkpoint=FILE, **(ALL_FACTS | change))


def test_the_demo_model_needs_no_options():
    spec = model_specs.resolve(demo.MODEL_NAME, CATALOG)

    assert (spec.checkpoint, spec.bpe) == (demo.MODELS[demo.MODEL_NAME].checkpoint, demo.BPE_PATH)
    assert "red" in spec.vocabulary


def test_the_demo_model_accepts_a_file_but_no_other_settings():
    assert model_specs.resolve(demo.MODEL_NAME, CATALOG, checkpoint=FILE).checkpoint == FILE
    with pytest.raises(ModelError, match="--activation quick_gelu contradicts"):
        model_specs.resolve(demo.MODEL_NAME, CATALOG, activation="quick_gelu")


def test_a_control_differs_from_its_model_in_the_weights_only():
    spec = model_specs.resolve("ViT-B-32/openai", CATALOG, checkpoint=FILE)

    control = model_specs.random_control(spec, seed=3)

    assert control.name == "ViT-B-32/openai-random-3"
    assert control.is_control
    assert (control.checkpoint, control.training_data) == (None, None)
    assert (control.activation, control.mean) == (spec.activation, spec.mean)


@pytest.mark.parametrize("weights", ["w" * 200, "a\nb", "\udcff"])
def test_a_name_that_cannot_name_files_is_refused(weights):
    with pytest.raises(ModelError, match="at most 150 printable characters"):
        model_specs.resolve(f"ViT-B-32/{weights}", CATALOG, checkpoint=FILE, **ALL_FACTS)


def test_a_file_for_random_weights_is_refused():
    with pytest.raises(ModelError, match="a control, which has random weights"):
        model_specs.resolve("ViT-B-32/openai-random-3", CATALOG, checkpoint=FILE)


def test_a_control_is_resolved_by_its_name():
    control = model_specs.resolve("ViT-B-32/openai-random-3", CATALOG)

    assert control == model_specs.random_control(model_specs.resolve("ViT-B-32/openai", CATALOG), seed=3)


def test_a_control_of_a_local_file_needs_the_settings_but_not_the_file():
    control = model_specs.resolve("ViT-B-32/mine-random-0", CATALOG, **ALL_FACTS)

    assert (control.name, control.checkpoint, control.seed) == ("ViT-B-32/mine-random-0", None, 0)


def test_a_model_key_can_name_a_file_a_table_and_a_link():
    key = model_specs.model_key("ViT-B-16/laion2b_s34b.b88k", "1a2b3c4d" + "0" * 56)

    assert key == "ViT-B-16-laion2b_s34b-b88k-1a2b3c4d"
