"""Models are loaded as trained or refused; texts are encoded in full or refused."""

import hashlib
import json
import re
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch.nn.functional import normalize

from precompute import clip, demo
from precompute.clip import TextError, download
from precompute.inputs import model_specs
from precompute.inputs.model_specs import ModelError
from tests.support.calls import count_calls
from tests.support.towers import (
    FACTS,
    small_clip,
    small_config,
    small_model,
    some_pixels,
)


@pytest.fixture
def config(tmp_path) -> Path:
    path = tmp_path / "small.json"
    path.write_text(json.dumps(small_config()))
    return path


def resolved(config, checkpoint, **changes):
    facts = FACTS | changes
    return model_specs.resolve("small/mine", clip.catalog(), checkpoint=checkpoint, config=config, **facts)


def saved(path, state):
    """Writes a state dict in the format of the path's suffix."""
    if path.suffix == ".safetensors":
        save_file({key: value.contiguous() for key, value in state.items()}, path)
    else:
        torch.save(state, path)
    return path


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


def test_the_same_weights_are_known_in_any_container(config, tmp_path):
    state = {key: value.half() for key, value in small_model().state_dict().items()}
    files = {
        "half.safetensors": state,
        "float.safetensors": {key: value.float() for key, value in state.items()},
        "plain.pt": state,
        "training.pt": {"epoch": 3, "state_dict": {f"module.{key}": state[key] for key in state}},
        "one_axis.pt": state | {"logit_scale": state["logit_scale"].reshape(1)},
        "extra.pt": state | {"context_length": torch.tensor(12), "attn_mask": torch.zeros(3)},
    }

    hashes = {
        clip.load(resolved(config, saved(tmp_path / name, content))).weights_sha256
        for name, content in files.items()
    }

    assert len(hashes) == 1


def test_other_weights_have_another_hash_and_key():
    one, other = small_clip(seed=0), small_clip(seed=1)

    assert one.model_key != other.model_key
    assert one.model_key == f"small-made-up-{one.weights_sha256[:8]}"


def test_weights_that_do_not_fit_are_refused_with_both_shapes(config, tmp_path):
    state = small_model().state_dict()
    state["visual.proj"] = torch.zeros(24, 21)
    del state["logit_scale"]
    state["visual.extra"] = torch.zeros(1)

    with pytest.raises(ModelError) as error:
        clip.load(resolved(config, saved(tmp_path / "other.pt", state)))

    message = str(error.value)
    assert "visual.proj has shape [24, 21], the model wants [24, 20]" in message
    assert "logit_scale is missing" in message
    assert "visual.extra has no place in the model" in message
    assert "Name the architecture" in message


def test_a_long_list_of_misfits_is_cut(config, tmp_path):
    with pytest.raises(ModelError, match="and [0-9]+ more"):
        clip.load(resolved(config, saved(tmp_path / "empty.pt", {})))


def test_weights_that_are_not_numbers_are_refused(config, tmp_path):
    state = small_model().state_dict()
    state["visual.proj"][3, 3] = torch.nan

    with pytest.raises(ModelError, match="visual.proj"):
        clip.load(resolved(config, saved(tmp_path / "broken.safetensors", state)))


def test_a_file_that_is_not_there_is_named(config):
    with pytest.raises(ModelError, match="nowhere.pt"):
        clip.load(resolved(config, Path("nowhere.pt")))


@pytest.mark.parametrize("name", ["torn.safetensors", "torn.pt"])
def test_a_file_that_is_no_weights_is_refused(name, config, tmp_path):
    file = tmp_path / name
    file.write_bytes(b"not weights at all")

    with pytest.raises(ModelError, match=name):
        clip.load(resolved(config, file))


def test_a_file_that_holds_one_tensor_is_refused(config, tmp_path):
    with pytest.raises(ModelError, match="one.pt holds a Tensor"):
        clip.load(resolved(config, saved(tmp_path / "one.pt", torch.zeros(3))))


def test_a_file_that_would_run_code_is_refused(config, tmp_path):
    file = tmp_path / "code.pt"
    torch.save({"state_dict": Path("a pickled object")}, file)

    with pytest.raises(ModelError, match="code.pt.*safetensors"):
        clip.load(resolved(config, file))


@pytest.fixture
def program(tmp_path):
    """A TorchScript archive, as OpenAI published its weights."""
    file = tmp_path / "program.pt"
    torch.jit.trace(small_model().visual.eval(), torch.zeros(1, 3, 32, 32)).save(file)
    return file


def test_a_program_is_not_opened(program, config):
    with pytest.raises(ModelError, match="TorchScript.*torch.save"):
        clip.load(resolved(config, program))


def test_a_program_is_opened_if_it_is_the_published_one(program):
    state = clip.checkpoints.read(program, trusted_sha256=hashlib.sha256(program.read_bytes()).hexdigest())

    assert torch.equal(state["proj"], small_model().visual.proj)


def test_the_hash_of_a_published_program_is_in_its_address():
    published = download.published_sha256(model_specs.resolve("ViT-B-32/openai", clip.catalog()))

    assert published.startswith("40d365715913c9da")
    assert (
        download.published_sha256(model_specs.resolve("ViT-B-32/laion2b_s34b_b79k", clip.catalog())) is None
    )


def test_without_a_network_the_message_says_where_the_weights_are(monkeypatch):
    def unreachable(*_, **__):
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr(download, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(download, "model_info", unreachable)

    with pytest.raises(ModelError) as error:
        clip.load(model_specs.resolve("ViT-B-16/laion2b_s34b_b88k", clip.catalog()))

    message = str(error.value)
    assert "Name or service not known" in message
    assert "https://huggingface.co/laion/CLIP-ViT-B-16-laion2B-s34B-b88K" in message
    assert "--checkpoint FILE" in message


@pytest.mark.parametrize("name", model_specs.STUDY)
def test_for_every_model_of_the_study_the_message_says_what_to_fetch_and_where_to_put_it(name, monkeypatch):
    def unreachable(*_, **__):
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr(download, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(download, "model_info", unreachable)

    with pytest.raises(ModelError) as error:
        download.fetch(model_specs.resolve(name, clip.catalog()))

    command = re.search(
        r"hf download (\S+) (\S+)\).*to any folder, and add --checkpoint FILE", str(error.value)
    )
    assert command[1].startswith(("laion/CLIP-ViT-", "timm/vit_"))
    assert command[2] == "open_clip_model.safetensors"


@pytest.mark.parametrize(
    ("name", "patch", "millions"),
    [("ViT-B-32", 32, 151.28), ("ViT-B-16", 16, 149.62), ("ViT-L-14", 14, 427.62)],
)
def test_patch_and_parameters_are_known_without_weights(name, patch, millions):
    """Millions from open_clip's docs/model_profile.csv."""
    facts = clip.architecture_facts(name)

    assert facts.patch_size == patch
    assert round(facts.parameters / 1e6, 2) == millions


def test_parameters_of_a_text_tower_that_would_be_fetched_are_not_counted():
    assert clip.architecture_facts("roberta-ViT-B-32").parameters is None
    assert clip.architecture_facts("coca_ViT-B-32").parameters is None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "activation", "ending"),
    [
        ("ViT-B-32/openai", "QuickGELU", "safetensors"),
        ("ViT-B-32/datacomp_m_s128m_b4k", "GELU", "pt"),
    ],
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


def test_weights_in_the_cache_need_no_network(monkeypatch):
    monkeypatch.setattr(
        download, "try_to_load_from_cache", lambda repository, file: f"/cache/{repository}/{file}"
    )
    asked = count_calls(monkeypatch, download, "model_info")

    file = download.fetch(model_specs.resolve("ViT-B-32/openai", clip.catalog()))

    assert file == Path("/cache/timm/vit_base_patch32_clip_224.openai/open_clip_model.safetensors")
    assert asked == []


@pytest.mark.parametrize(
    ("vision", "reason"),
    [
        ({"attentional_pool": True, "attn_pooler_heads": 2}, "attentional pooling"),
        ({"pool_type": "avg"}, "pooling is 'avg'"),
        ({"pool_type": "none"}, "pooling is 'none'"),
        ({"final_ln_after_pool": True}, "final_ln_after_pool"),
        ({"qk_norm": True}, "qk_norm"),
        ({"scaled_cosine_attn": True}, "scaled_cosine_attn"),
        ({"scale_heads": True}, "scale_heads"),
        ({"scale_attn_inner": True}, "scale_attn_inner"),
        ({"scale_attn": True}, "scale_attn"),
        ({"scale_fc": True}, "scale_fc"),
        ({"norm_kwargs": {"elementwise_affine": False}}, "no weight or bias"),
        ({"image_size": [32, 48]}, "not squares"),
        ({"patch_size": [16, 8]}, "not squares"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_tower_that_cannot_be_decomposed_exactly_is_refused_by_name(vision, reason, tmp_path):
    config = tmp_path / "small.json"
    config.write_text(json.dumps(small_config(**vision)))

    with pytest.raises(ModelError, match=f"small/mine .*{reason}"):
        clip.load(resolved(config, tmp_path / "never-read.pt"))


def test_a_tower_without_an_output_projection_is_refused():
    model = small_model()
    model.visual.proj = None

    with pytest.raises(ModelError, match="no output projection"):
        clip.from_model(model_specs.ModelSpec("small", "made-up", **FACTS), model)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("RN50/openai", "ModifiedResNet"),
        ("coca_ViT-B-32/laion2b_s13b_b90k", "attentional pooling"),
        ("ViT-B-16-SigLIP/webli", "timm"),
        ("convnext_base/laion400m_s13b_b51k", "timm"),
        ("ViT-L-14-CLIPA/datacomp1b", "'avg'"),
    ],
)
def test_known_models_that_cannot_be_decomposed_are_refused_before_a_download(name, reason):
    with pytest.raises(ModelError, match=f"{name} .*{reason}"):
        clip.load(model_specs.resolve(name, clip.catalog()))


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


@pytest.fixture(scope="module")
def demo_control():
    """The demo model with random weights: own tokenizer, closed vocabulary."""
    return clip.load(model_specs.resolve(f"{demo.MODEL_NAME}-random-0", clip.catalog()))


def test_a_control_depends_on_its_seed_alone(demo_control):
    same = clip.load(model_specs.resolve(f"{demo.MODEL_NAME}-random-0", clip.catalog()))
    other = clip.load(model_specs.resolve(f"{demo.MODEL_NAME}-random-1", clip.catalog()))

    assert same.model_key == demo_control.model_key
    assert other.weights_sha256 != demo_control.weights_sha256


def test_loading_leaves_the_random_state_alone():
    torch.manual_seed(5)
    before = torch.random.get_rng_state()

    clip.load(model_specs.resolve(f"{demo.MODEL_NAME}-random-0", clip.catalog()))

    assert torch.equal(torch.random.get_rng_state(), before)


TEXTS = [
    "a red circle",
    "two blue stars on grass",
    "a picture with three striped squares at the top left",
    "red",
]


@pytest.mark.parametrize("batch", [1, 3, 256])
def test_texts_are_encoded_as_open_clip_encodes_them(demo_control, batch):
    token_ids = clip.text._tokenizer(demo_control)(TEXTS)
    expected = normalize(demo_control.model.encode_text(token_ids), dim=-1)

    actual = clip.encode_text(demo_control, TEXTS, batch=batch)

    torch.testing.assert_close(actual, expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(actual.norm(dim=-1), torch.ones(4))


def test_no_texts_have_no_embeddings(demo_control):
    assert clip.encode_text(demo_control, []).shape == (0, demo_control.d_out)


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_an_empty_text_is_refused(demo_control, text):
    with pytest.raises(TextError, match="empty"):
        clip.check_text(demo_control, text)


def test_a_text_that_does_not_fit_is_refused_with_its_length(demo_control):
    length = demo.CONTEXT_LENGTH
    message = f"{length + 1} tokens.* {length}[.]"

    clip.check_text(demo_control, "red " * (length - 2))
    with pytest.raises(TextError, match=message):
        clip.check_text(demo_control, "red " * (length - 1))


def test_words_the_model_never_saw_are_named_beside_those_it_knows(demo_control):
    with pytest.raises(TextError, match="'elephant', ','.*a, against.*yellow"):
        clip.check_text(demo_control, "a red elephant, elephant")


def test_one_bad_text_is_refused_before_any_is_encoded(demo_control):
    with pytest.raises(TextError, match="empty"):
        clip.encode_text(demo_control, ["a red circle", ""])


@pytest.fixture(scope="module")
def open_vocabulary():
    """A small model with open_clip's own tokenizer."""
    config = small_config()
    config["text_cfg"] |= {"context_length": 77, "vocab_size": 49408}
    spec = model_specs.ModelSpec("ViT-B-32", "made-up", **FACTS)
    return clip.from_model(spec, clip.model.CLIP(**config))


def test_any_word_is_read_by_a_model_with_an_open_vocabulary(open_vocabulary):
    assert clip.encode_text(open_vocabulary, ["An elephant, at dusk!"]).shape == (1, 20)


@pytest.mark.parametrize("text", ["a cat <end_of_text> a dog", "<start_of_text>"])
def test_marks_that_would_end_a_text_early_are_refused(open_vocabulary, text):
    with pytest.raises(TextError, match="start or end"):
        clip.check_text(open_vocabulary, text)


def test_a_text_that_is_cleaned_away_is_refused(open_vocabulary):
    with pytest.raises(TextError, match="&nbsp;"):
        clip.check_text(open_vocabulary, "&nbsp;")


def test_a_long_text_is_refused_where_open_clip_would_cut_it(open_vocabulary):
    with pytest.raises(TextError, match="102 tokens"):
        clip.check_text(open_vocabulary, "cat " * 100)


def test_a_tokenizer_of_another_model_is_refused(config, tmp_path):
    model = clip.load(resolved(config, saved(tmp_path / "w.pt", small_model().state_dict())))

    with pytest.raises(ModelError, match="60 .*49408.*--bpe"):
        clip.check_text(model, "a cat")
