"""A CLIP is found below the wrappers of training scripts; another layout is named with its first names."""

import numpy as np
import pytest
import torch

from precompute import clip
from precompute.inputs.model_specs import ModelError
from tests.support.towers import resolved, saved, small_model

STATE = small_model().state_dict()


def below(prefix: str) -> dict:
    return {prefix + name: tensor for name, tensor in STATE.items()}


def by_module() -> dict:
    """The state dict of every module in a dict of its own."""
    modules: dict = {}
    for name, tensor in STATE.items():
        module, _, rest = name.partition(".")
        if rest:
            modules.setdefault(module, {})[rest] = tensor
        else:
            modules[name] = tensor
    return modules


WRAPPED = {
    "data parallel": below("module."),
    "lightning": {"state_dict": below("model."), "epoch": 3, "callbacks": {}},
    "compiled": below("_orig_mod."),
    "compiled inside": {name.replace("visual.", "visual._orig_mod."): STATE[name] for name in STATE},
    "several prefixes": {"state_dict": below("module.model._orig_mod.")},
    "a trainer of its own": {"model": STATE, "optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}}},
    "a tutorial": {"model_state_dict": STATE, "epoch": 3},
    "optimizer beside": STATE | {"optimizer": {"exp_avg": torch.zeros(3)}, "epoch": np.int64(3)},
    "numbers of numpy": {"state_dict": STATE, "loss": np.float64(0.5), "random": np.arange(3)},
    "arrays of numpy": {name: tensor.numpy() for name, tensor in STATE.items()},
    "a number of numpy": STATE | {"logit_scale": np.float32(STATE["logit_scale"])},
    "a dict for each module": by_module(),
    "other modules beside": {"state_dict": below("model.") | {"loss.weight": torch.zeros(2)}},
    "an equal copy": {"state_dict": STATE, "ema": dict(STATE)},
}


@pytest.fixture(scope="module")
def fingerprint():
    return clip.checkpoints.fingerprint(small_model())


@pytest.mark.parametrize("wrapper", WRAPPED)
def test_a_model_is_found_below_the_wrappers_of_training_scripts(wrapper, config, tmp_path, fingerprint):
    file = saved(tmp_path / "wrapped.pt", WRAPPED[wrapper])

    assert clip.load(resolved(config, file)).weights_sha256 == fingerprint


def test_modules_that_are_left_out_are_named(config, tmp_path, capsys):
    clip.load(resolved(config, saved(tmp_path / "more.pt", WRAPPED["other modules beside"])))

    assert "1 tensors beside the model are left out: 'state_dict.loss.weight'" in capsys.readouterr().err


def test_of_two_different_models_in_a_file_none_is_chosen(config, tmp_path):
    averaged = {name: tensor + 1 for name, tensor in STATE.items()}
    file = saved(tmp_path / "two.pt", {"state_dict": STATE, "state_dict_ema": averaged})

    with pytest.raises(ModelError, match=r"two.pt .*'state_dict.', 'state_dict_ema.'.*alone"):
        clip.load(resolved(config, file))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("vision_model.embeddings.class_embedding", "Transformers' CLIPModel"),
        ("model.blocks.0.attn.qkv.weight", "timm's VisionTransformer"),
        ("visual.trunk.cls_token", "image tower is timm's"),
        ("visual.layer1.0.conv1.weight", "ResNet"),
        ("transformer.resblocks.0.attn.in_proj_weight", "one tower"),
        ("base_model.model.visual.lora_A.weight", "LoRA"),
        ("some.thing", "no known layout"),
    ],
)
def test_another_layout_is_named_with_its_names_and_the_next_step(name, kind, config, tmp_path):
    file = saved(tmp_path / "other.pt", {name: torch.zeros(2), "a": torch.zeros(1), "b": torch.zeros(1)})

    with pytest.raises(ModelError) as error:
        clip.load(resolved(config, file))

    message = str(error.value)
    assert kind in message
    assert f"'{name}', 'a', 'b'" in message
    assert "open_clip_model.safetensors" in message
    assert "Name the architecture" not in message


@pytest.mark.parametrize(
    ("state", "advice"),
    [
        (small_model(image_size=48).state_dict(), "48 pixels, the model takes 32.*--config.*image_size 48"),
        (STATE | {"positional_embedding": torch.zeros(20, 16)}, "20 tokens, the model reads 12.*--config"),
        ({name: STATE[name] for name in STATE if name.startswith("visual.")}, "the image tower alone"),
        (STATE | {"visual.proj": STATE["visual.proj"].to(torch.int8)}, "int8.*floating-point"),
        (
            STATE | {"t.weight": torch.zeros(2)},
            r"t.weight has no.* heads .*\[0\] in \(.*'token_embedding'.*'visual'\)",
        ),
        (STATE | {"visual.pool.q": torch.zeros(2)}, "1 more in its towers: they are of another architecture"),
    ],
)
def test_weights_that_do_not_fit_say_why(state, advice, config, tmp_path):
    with pytest.raises(ModelError, match=advice):
        clip.load(resolved(config, saved(tmp_path / "other.pt", state)))


def test_weights_of_another_architecture_name_it(config, tmp_path):
    state = {
        "visual.class_embedding": torch.zeros(1024),
        "visual.conv1.weight": torch.zeros(1024, 3, 14, 14),
        "visual.positional_embedding": torch.zeros(577, 1024),
        "visual.proj": torch.zeros(1024, 768),
        "visual.transformer.resblocks.23.ln_1.bias": torch.zeros(1024),
        "positional_embedding": torch.zeros(77, 768),
        "token_embedding.weight": torch.zeros(49408, 1).expand(49408, 1),
        "transformer.resblocks.11.ln_1.bias": torch.zeros(768),
    }

    with pytest.raises(ModelError, match="the sizes of ViT-L-14-336,"):
        clip.load(resolved(config, saved(tmp_path / "large.pt", state)))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:", "git lfs pull"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b'{"metadata": {}, "weight_map": {}}', "index of a file in several parts"),
    ],
)
def test_a_file_that_is_often_taken_for_weights_is_named(content, kind, config, tmp_path):
    file = tmp_path / "open_clip_model.safetensors"
    file.write_bytes(content)

    with pytest.raises(ModelError, match=kind):
        clip.load(resolved(config, file))


def test_a_folder_is_refused_with_the_files_in_it(config, tmp_path):
    saved(tmp_path / "open_clip_model.safetensors", STATE)

    with pytest.raises(ModelError, match="is a folder.*open_clip_model.safetensors"):
        clip.load(resolved(config, tmp_path))


def test_the_content_tells_the_format_of_a_file(config, tmp_path, fingerprint):
    file = saved(tmp_path / "weights.safetensors", STATE).rename(tmp_path / "pytorch_model.bin")

    assert clip.load(resolved(config, file)).weights_sha256 == fingerprint
