"""Models are loaded as trained, or refused."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from precompute import clip, demo
from precompute.clip.model import Preprocess
from precompute.inputs import model_specs
from precompute.inputs.model_specs import ModelError
from tests.support.pictures import noise
from tests.support.towers import FACTS, resolved, saved, small_clip, small_config, small_model, some_pixels


def test_the_catalog_has_the_training_facts_of_each_tag():
    known = clip.catalog()

    assert known["ViT-B-32"]["openai"].activation == "quick_gelu"
    assert known["ViT-B-32"]["laion2b_s34b_b79k"].activation == "gelu"
    assert known["ViT-L-14"]["laion2b_s32b_b82k"].mean == (0.5, 0.5, 0.5)
    assert known["ViT-L-14"]["openai"].mean != (0.5, 0.5, 0.5)
    assert all(model_specs.resolve(name, known).name == name for name in model_specs.STUDY)


def test_a_tag_without_an_activation_takes_that_of_the_architecture():
    assert clip.catalog()["roberta-ViT-B-32"]["laion2b_s12b_b32k"].activation == "quick_gelu"


@pytest.mark.parametrize("activation", ["gelu", "quick_gelu"])
def test_the_model_has_the_activation_it_was_trained_with(activation, config, tmp_path):
    model = small_model(activation)
    file = saved(tmp_path / "weights.safetensors", model.state_dict())

    loaded = clip.load(resolved(config, file, activation=activation))

    pixels = some_pixels(loaded)
    torch.testing.assert_close(clip.encode_image(loaded, pixels), model.eval().encode_image(pixels).detach())


def test_sizes_are_read_off_the_model(config, tmp_path):
    model = small_model()
    file = saved(tmp_path / "weights.safetensors", model.state_dict())

    loaded = clip.load(resolved(config, file))

    assert (loaded.layers, loaded.heads, loaded.d_head) == (3, 3, 8)
    assert (loaded.d_model, loaded.d_out) == (24, 20)
    assert (loaded.image_size, loaded.patch_size, loaded.grid) == (32, 16, (2, 2))
    assert loaded.context_length == 12
    assert loaded.parameters == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("size", [(400, 7), (7, 401), (613, 50), (64, 64)])
def test_a_thin_picture_has_the_same_pixels_without_a_huge_one_between(size, interpolation):
    unit = {"mean": (0, 0, 0), "std": (1, 1, 1)}
    cfg = PreprocessCfg(size=32, interpolation=interpolation, resize_mode="shortest", **unit)
    transform = image_transform_v2(cfg, is_train=False)
    picture = noise(*size)

    cut_first = Preprocess(transform, 32, interpolation, "shortest", max_pixels=1)(picture)

    assert (cut_first - transform(picture)).abs().max() <= 1.01 / 255  # rounding to 8 bits


@pytest.mark.parametrize("resize_mode", ["shortest", "longest", "squash"])
def test_the_thinnest_picture_that_can_be_read_is_preprocessed_in_little_memory(resize_mode):
    cfg = PreprocessCfg(size=336, resize_mode=resize_mode)
    preprocess = Preprocess(image_transform_v2(cfg, is_train=False), 336, "bicubic", resize_mode)

    assert preprocess(Image.new("RGB", (60_000, 60))).shape == (3, 336, 336)


def test_other_weights_have_another_hash_and_key():
    one, other = small_clip(seed=0), small_clip(seed=1)

    assert one.model_key != other.model_key
    assert one.model_key == f"small-made-up-{one.weights_sha256[:8]}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "activation", "ending"),
    [("ViT-B-32/openai", "QuickGELU", "safetensors"), ("ViT-B-32/datacomp_m_s128m_b4k", "GELU", "pt")],
)
def test_a_file_of_a_true_architecture_is_read_as_its_tag_says(name, activation, ending, tmp_path):
    """Random weights in half precision, as in published files; the file has no facts besides tensors."""
    known = clip.catalog()
    fresh = clip.load(model_specs.resolve(f"{name}-random-0", known))
    state = {key: value.half() for key, value in fresh.model.state_dict().items()}
    expected = clip.checkpoints.fingerprint(fresh.model.half().float())

    loaded = clip.load(model_specs.resolve(name, known, checkpoint=saved(tmp_path / f"w.{ending}", state)))

    block = loaded.model.visual.transformer.resblocks[0]
    assert type(block.mlp.gelu).__name__ == activation
    assert (loaded.weights_sha256, loaded.patch_size) == (expected, 32)
    assert loaded.parameters == clip.architecture_facts("ViT-B-32").parameters
    assert loaded.spec.mean == known["ViT-B-32"][name.split("/")[1]].mean


@pytest.mark.parametrize("content", ["{", "[]", '{"embed_dim": 8}'])
def test_a_config_that_is_none_is_refused(content, config):
    config.write_text(content)

    with pytest.raises(ModelError, match="small.json.*vision_cfg"):
        clip.load(resolved(config, Path("never-read.pt")))


def test_a_config_that_open_clip_does_not_understand_is_refused(config):
    config.write_text(json.dumps(small_config(wings=2)))

    with pytest.raises(ModelError, match="small: .*wings"):
        clip.load(resolved(config, Path("never-read.pt")))


def test_a_picture_is_scaled_as_the_weights_want_it():
    model = small_clip()

    pixels = model.preprocess(Image.new("RGB", (70, 50), (255, 0, 51)))

    expected = (torch.tensor([1.0, 0.0, 0.2]) - torch.tensor(FACTS["mean"])) / torch.tensor(FACTS["std"])
    torch.testing.assert_close(pixels, expected[:, None, None].expand(3, 32, 32))


def test_a_control_depends_on_its_seed_alone(demo_control):
    same = clip.load(model_specs.resolve(f"{demo.MODEL_NAME}-random-0", clip.catalog()))
    other = clip.load(model_specs.resolve(f"{demo.MODEL_NAME}-random-1", clip.catalog()))

    assert same.model_key == demo_control.model_key
    assert other.weights_sha256 != demo_control.weights_sha256


def test_controls_that_are_loaded_at_once_have_the_weights_of_their_seed(demo_control):
    """Two sessions of the app got other weights than those of the bundle, and were told to rebuild it."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        spec = model_specs.resolve(f"{demo.MODEL_NAME}-random-0", clip.catalog())
        with ThreadPoolExecutor(3) as pool:
            loaded = list(pool.map(clip.load, [spec] * 3))
    finally:
        sys.setswitchinterval(usual)

    assert {control.weights_sha256 for control in loaded} == {demo_control.weights_sha256}


def test_loading_leaves_the_random_state_alone():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()

    clip.load(model_specs.resolve(f"{demo.MODEL_NAME}-random-0", clip.catalog()))

    assert torch.equal(torch.random.get_rng_state(), before)
