"""Sizes of an architecture come from its config, without weights."""

import pytest

from precompute import clip, demo


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


DEMO = demo.MODELS[demo.MODEL_NAME]


@pytest.mark.parametrize(
    ("architecture", "config", "sizes"),
    [
        ("ViT-H-14", None, (32, 16, 80, 1280, 14, 1024, 224, 77, 986109441)),  # its heads are 80 wide, not 64
        ("RN50", None, (None, None, None, None, None, 1024, 224, 77, None)),
        ("ViT-B-16-SigLIP-256", None, (None, None, None, None, None, 768, 256, 64, None)),
        (DEMO.architecture, DEMO.config, (6, 8, 16, 128, 16, 128, 96, 30, 1290977)),
    ],
)
def test_sizes_of_an_architecture_come_from_its_config(architecture, config, sizes):
    assert tuple(clip.architecture_facts(architecture, config)) == sizes


def test_nothing_is_known_of_an_architecture_that_open_clip_lacks():
    assert clip.architecture_facts("my-tower") is None
