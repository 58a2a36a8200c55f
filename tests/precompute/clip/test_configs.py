"""A config states what a model was trained with; what contradicts it, or no model has, is refused."""

import json
from pathlib import Path

import open_clip
import pytest

from precompute import clip
from precompute.clip import configs
from precompute.inputs.model_specs import ModelError
from precompute.runtime.config import ModelChoice
from tests.support.towers import small_config

PIXELS = {
    "mean": [0.5, 0.4, 0.3],
    "std": [0.2, 0.25, 0.5],
    "interpolation": "bilinear",
    "resize_mode": "squash",
}


def resolved(folder, config: dict, name: str = "small/mine", **options):
    path = folder / "open_clip_config.json"
    path.write_text(json.dumps(config))
    choice = ModelChoice(name, checkpoint=folder / "weights.pt", config=path, **options)
    spec = clip.resolve(choice)
    clip.check(spec)
    return spec


def of_the_hub(quick_gelu: bool | None = True, **pixels) -> dict:
    model = small_config() if quick_gelu is None else {**small_config(), "quick_gelu": quick_gelu}
    return {"model_cfg": model, "preprocess_cfg": PIXELS | pixels}


def test_a_file_of_the_hub_needs_no_options(tmp_path):
    spec = resolved(tmp_path, of_the_hub(size=[32, 32], mode="RGB", fill_color=0))

    assert (spec.activation, spec.interpolation, spec.resize_mode) == ("quick_gelu", "bilinear", "squash")
    assert (spec.mean, spec.std) == ((0.5, 0.4, 0.3), (0.2, 0.25, 0.5))


def test_one_number_stands_for_three(tmp_path):
    assert resolved(tmp_path, of_the_hub(mean=0.5)).mean == (0.5, 0.5, 0.5)


def test_what_a_file_does_not_state_is_asked_for(tmp_path):
    with pytest.raises(ModelError, match="Add --activation "):
        resolved(tmp_path, of_the_hub(quick_gelu=None))

    assert resolved(tmp_path, of_the_hub(quick_gelu=None), activation="gelu").activation == "gelu"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"activation": "gelu"}, "--activation gelu contradicts .*open_clip_config.json.*quick_gelu"),
        ({"mean": (0.48, 0.46, 0.41)}, "--mean .* contradicts .*open_clip_config.json"),
        ({"std": (0.27, 0.26, 0.28)}, "--std .* contradicts"),
        ({"interpolation": "bicubic"}, "--interpolation bicubic contradicts"),
        ({"resize_mode": "shortest"}, "--resize-mode shortest contradicts"),
    ],
)
def test_an_option_that_contradicts_the_config_is_refused(options, message, tmp_path):
    with pytest.raises(ModelError, match=message):
        resolved(tmp_path, of_the_hub(), **options)


def test_an_option_that_repeats_the_config_is_no_contradiction(tmp_path):
    assert resolved(tmp_path, of_the_hub(), activation="quick_gelu").activation == "quick_gelu"


@pytest.mark.parametrize("architecture", ["ViT-B-32-quickgelu", "roberta-ViT-B-32"])
def test_an_architecture_can_state_the_activation(architecture):
    facts = {"mean": (0.5,) * 3, "std": (0.5,) * 3, "interpolation": "bicubic"}
    choice = ModelChoice(f"{architecture}/mine", checkpoint=Path("weights.pt"), **facts)

    assert clip.resolve(choice).activation == "quick_gelu"
    with pytest.raises(ModelError, match=f"--activation gelu contradicts the architecture {architecture}"):
        clip.resolve(ModelChoice(choice.name, checkpoint=Path("weights.pt"), **facts, activation="gelu"))


def test_a_config_that_contradicts_its_own_name_is_refused(tmp_path):
    with pytest.raises(ModelError, match="says activation gelu, but the architecture small-quickgelu says"):
        resolved(tmp_path, of_the_hub(quick_gelu=False), "small-quickgelu/mine")


def test_a_config_of_another_architecture_than_its_name_is_refused(tmp_path):
    with pytest.raises(ModelError, match="embed_dim 20, but open_clip's ViT-B-32 has 512.*name of its own"):
        resolved(tmp_path, of_the_hub(), "ViT-B-32/mine")


def test_a_config_that_contradicts_the_tag_is_refused(tmp_path):
    config = {"model_cfg": open_clip.get_model_config("ViT-B-32"), "preprocess_cfg": PIXELS}

    with pytest.raises(ModelError, match="says mean .*but ViT-B-32/laion2b_s34b_b79k says"):
        resolved(tmp_path, config, "ViT-B-32/laion2b_s34b_b79k")


@pytest.mark.parametrize("name", ["ViT-B-32/openai", "ViT-emoji-S-16/pictures_1"])
def test_a_known_model_has_its_own_tokenizer(name, tmp_path):
    with pytest.raises(ModelError, match="--bpe .*Leave"):
        clip.resolve(ModelChoice(name, bpe=tmp_path / "mine.gz"))


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        ({"size": 224}, "size in preprocess_cfg is 224, but the model takes 32"),
        ({"mode": "L"}, "mode in preprocess_cfg is 'L'"),
        ({"fill_color": 255}, "fill_color in preprocess_cfg is 255"),
        ({"mean": [0.5, 0.5]}, "mean in preprocess_cfg is .*not three numbers"),
        ({"std": "wide"}, "std in preprocess_cfg is 'wide'"),
        ({"std": 1e-30}, "std in preprocess_cfg is 1e-30, .* from 0.001 to 1"),
        ({"mean": [123.7, 116.3, 103.5]}, "mean in preprocess_cfg is .*123.7.* divide .* by 255"),
        ({"interpolation": "random"}, "'random' is not known"),
    ],
)
def test_preprocessing_that_no_run_can_follow_is_refused(pixels, message, tmp_path):
    with pytest.raises(ModelError, match=message):
        resolved(tmp_path, of_the_hub(**pixels))


@pytest.mark.parametrize(
    ("vision", "message"),
    [
        ({"layers": 0}, "vision_cfg.layers is 0"),
        ({"layers": 10**9}, "vision_cfg.layers is 1000000000"),
        ({"image_size": -32}, "vision_cfg.image_size is -32"),
        ({"patch_size": 64}, "image_size 32 is smaller than its patch_size 64"),
        ({"width": 24.5}, "vision_cfg.width is 24.5"),
        ({"head_width": True}, "vision_cfg.head_width is True"),
        ({"width": 24, "head_width": 7}, "width 24 is no multiple of its head_width 7"),
        ({"no_such_option": 1}, "open_clip cannot build small"),
    ],
)
def test_sizes_that_no_model_has_are_refused(vision, message, tmp_path):
    with pytest.raises(ModelError, match=message):
        resolved(
            tmp_path, {"model_cfg": small_config(**vision) | {"quick_gelu": True}, "preprocess_cfg": PIXELS}
        )


def test_a_config_may_begin_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(small_config()), encoding="utf-8-sig")

    assert configs.read_config(path) == small_config()


@pytest.mark.parametrize("content", ['{"embed_dim": 8, "vision_cfg": 3, "text_cfg": {}}', "[" * 5000, "3"])
def test_json_that_is_no_config_is_refused(content, tmp_path):
    (tmp_path / "c.json").write_text(content)

    with pytest.raises(ModelError, match="c.json is not an open_clip model config"):
        clip.resolve(ModelChoice("small/mine", checkpoint=tmp_path / "w.pt", config=tmp_path / "c.json"))


@pytest.mark.parametrize(
    "text", [{"hf_tokenizer_name": "google/mt5-base"}, {"tokenizer_kwargs": {"trust_remote_code": True}}]
)
def test_a_tokenizer_that_is_not_read_is_refused(text, tmp_path):
    config = of_the_hub()
    config["model_cfg"]["text_cfg"] |= text

    with pytest.raises(ModelError, match="tokenizer"):
        resolved(tmp_path, config)


def test_every_model_known_by_name_agrees_with_its_architecture():
    for architecture, tags in clip.catalog().items():
        for tag in tags:
            assert clip.resolve(ModelChoice(f"{architecture}/{tag}")).weights_verified is True
