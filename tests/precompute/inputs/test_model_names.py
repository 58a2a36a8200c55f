"""Names of other programs are explained with the way to give that model here."""

import re

import pytest

from precompute.inputs.model_names import explain

ARCHITECTURES = ["ViT-B-16", "ViT-B-32", "ViT-L-14-336"]
REPOSITORIES = {"laion/clip-vit-b-32-laion2b-s34b-b79k": "ViT-B-32/laion2b_s34b_b79k"}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("hf-hub:laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "Give --model ViT-B-32/laion2b_s34b_b79k"),
        ("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "Give --model ViT-B-32/laion2b_s34b_b79k"),
        ("https://huggingface.co/openai/clip-vit-base-patch16", "Give --model ViT-B-16/openai"),
        ("hf-hub:me/mine", "hf download me/mine.*--config open_clip_config.json --checkpoint FILE"),
        ("laion/another", "repository on the hub"),
        ("local-dir:/models/mine", "the folder '/models/mine', which does not exist"),
        ("ViT-B/16", "Give --model ViT-B-16/openai"),
        ("ViT-B/32/laion2b_s34b_b79k", "Give --model ViT-B-32/laion2b_s34b_b79k"),
        ("ViT-L/14@336px", "Give --model ViT-L-14-336/openai"),
        ("weights/mine.pt", "is a file.*--checkpoint weights/mine.pt"),
    ],
)
def test_a_name_of_another_program_is_explained(name, says):
    assert re.search(says, explain(name, ARCHITECTURES, REPOSITORIES))


def test_a_folder_is_explained_with_the_weights_in_it(tmp_path):
    folder = tmp_path / "my model"
    folder.mkdir()
    name = f"local-dir:{folder}"
    assert "without weights" in explain(name, ARCHITECTURES, REPOSITORIES)
    (folder / "pytorch_model.bin").touch()
    (folder / "model.safetensors").touch()

    assert f"--model ARCHITECTURE/WEIGHTS --checkpoint '{folder}/model.safetensors'" in (
        explain(name, ARCHITECTURES, REPOSITORIES)
    )
    (folder / "open_clip_config.json").touch()
    assert f"--model ARCHITECTURE/mine --config '{folder}/open_clip_config.json' --checkpoint" in (
        explain(str(folder), ARCHITECTURES, REPOSITORIES)
    )


@pytest.mark.parametrize("name", ["ViT-B32/openai", "banana", "ViT-X/99", "mine/first"])
def test_other_names_are_not(name):
    assert explain(name, ARCHITECTURES, REPOSITORIES) is None
