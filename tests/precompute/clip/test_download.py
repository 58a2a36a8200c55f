"""Weights come from the cache or the hub; without a network, the message says what to fetch."""

import re
from pathlib import Path

import pytest

from precompute import clip, demo
from precompute.clip import download
from precompute.inputs import model_specs
from precompute.inputs.model_specs import ModelError
from precompute.runtime import work_files
from precompute.runtime.config import ModelChoice
from tests.support.calls import count_calls


def test_the_hash_of_a_published_program_is_in_its_address():
    def program(name):
        return download.program_sha256(model_specs.resolve(name, clip.catalog()))

    assert program("ViT-B-32/openai").startswith("40d365715913c9da")
    assert program("ViT-B-32/laion400m_e31") is program("ViT-B-32/laion2b_s34b_b79k") is None


@pytest.mark.parametrize(
    ("name", "hashes"),
    [
        ("ViT-B-32/openai", {"40d36571", "e6d1bd77"}),  # the program of OpenAI, and the file on the hub
        ("ViT-B-32-quickgelu/openai", {"40d36571", "e6d1bd77"}),
        ("ViT-B-32/laion400m_e31", {"d867053b"}),
        ("ViT-B-32/laion2b_s34b_b79k", set()),
        ("ViT-emoji-S-16/pictures_1", {work_files.hash_of(demo.MODELS[demo.MODEL_NAME].checkpoint)[:8]}),
    ],
)
def test_the_known_hashes_of_a_tag(name, hashes):
    published = download.published_sha256(model_specs.resolve(name, clip.catalog()))

    assert {sha256[:8] for sha256 in published} == hashes


def given(name, folder, file_name="finetuned.pt"):
    file = folder / file_name
    file.write_bytes(b"other weights")
    return clip.resolve(ModelChoice(name, checkpoint=file))


@pytest.mark.parametrize("name", ["ViT-B-32/openai", "ViT-emoji-S-16/pictures_1"])
def test_another_file_under_a_tag_is_a_model_of_its_own(name, tmp_path, capsys):
    spec = given(name, tmp_path)

    architecture, _, weights = spec.name.partition("/")
    assert (architecture, weights[:5], len(weights)) == (name.partition("/")[0], "file-", 13)
    assert (spec.training_data, spec.weights_verified, spec.given_as) == (None, None, name)
    assert spec.activation == clip.resolve(ModelChoice(name)).activation
    assert f"not the file published as {name}" in capsys.readouterr().err


def test_a_file_under_a_tag_without_a_known_hash_is_not_verified(tmp_path, capsys):
    spec = given("ViT-B-16/laion2b_s34b_b88k", tmp_path)

    assert (spec.name, spec.weights_verified) == ("ViT-B-16/laion2b_s34b_b88k", False)
    assert "is not verified" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "file", "is_named_by_file"),
    [
        ("ViT-B-32/laion400m_e32", "open_clip_model.safetensors", False),
        ("ViT-L-14-336/openai", "open_clip_pytorch_model.bin", False),
        ("ViT-B-32/laion400m_e32", "epoch_9.pt", True),
        ("ViT-B-32/openai", "open_clip_model.safetensors", True),  # the hash on the hub is known
    ],
)
def test_the_file_of_the_hub_is_not_taken_for_another_where_its_hash_is_unknown(
    name, file, is_named_by_file, tmp_path, capsys
):
    spec = given(name, tmp_path, file)

    assert spec.weights.startswith("file-") == is_named_by_file
    assert spec.weights_verified is (None if is_named_by_file else False)
    assert ("of which no hash is known" in capsys.readouterr().err) != is_named_by_file


def test_the_published_file_keeps_its_name_wherever_it_is(tmp_path):
    model = demo.MODELS[demo.MODEL_NAME]
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(model.checkpoint.read_bytes())

    spec = clip.resolve(ModelChoice(model.name, checkpoint=copy))

    assert (spec.name, spec.weights_verified) == (model.name, True)
    assert spec.training_data and clip.resolve(ModelChoice(model.name)).weights_verified


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


def test_weights_in_the_cache_need_no_network(monkeypatch):
    monkeypatch.setattr(
        download, "try_to_load_from_cache", lambda repository, file: f"/cache/{repository}/{file}"
    )
    asked = count_calls(monkeypatch, download, "model_info")

    file = download.fetch(model_specs.resolve("ViT-B-32/openai", clip.catalog()))

    assert file == Path("/cache/timm/vit_base_patch32_clip_224.openai/open_clip_model.safetensors")
    assert asked == []
