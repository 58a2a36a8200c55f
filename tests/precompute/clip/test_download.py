"""Weights come from the cache or the hub; without a network, the message says what to fetch."""

import re
from pathlib import Path

import pytest

from precompute import clip
from precompute.clip import download
from precompute.inputs import model_specs
from precompute.inputs.model_specs import ModelError
from tests.support.calls import count_calls


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


def test_weights_in_the_cache_need_no_network(monkeypatch):
    monkeypatch.setattr(
        download, "try_to_load_from_cache", lambda repository, file: f"/cache/{repository}/{file}"
    )
    asked = count_calls(monkeypatch, download, "model_info")

    file = download.fetch(model_specs.resolve("ViT-B-32/openai", clip.catalog()))

    assert file == Path("/cache/timm/vit_base_patch32_clip_224.openai/open_clip_model.safetensors")
    assert asked == []
