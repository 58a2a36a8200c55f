"""Sizes of an architecture are known without its weights."""

import pytest

from precompute import clip


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
