"""The list of models: the facts to report of each, and why some cannot be decomposed."""

import pytest

from precompute.__main__ import main
from precompute.inputs import model_specs
from precompute.inputs.model_specs import ModelError
from precompute.tools.list_models import run as list_models


def test_without_a_pattern_the_models_of_the_study_come_first_then_those_of_the_demo():
    assert list_models.names_of(None) == [*model_specs.STUDY, *model_specs.demo_specs()]


def test_every_model_of_the_study_has_the_facts_to_report():
    entries = {
        entry.model: entry for entry in list_models.entries("^ViT-(B-32/openai|L-14/laion2b_s32b_b82k)$")
    }

    small, large = entries["ViT-B-32/openai"], entries["ViT-L-14/laion2b_s32b_b82k"]
    assert (small.parameters, small.image_size, small.patch_size, small.heads) == (
        "151 M",
        224,
        32,
        "12 x 12",
    )
    assert (large.parameters, large.patch_size, large.heads) == ("428 M", 14, "24 x 16")
    assert (small.activation, large.activation) == ("quick_gelu", "gelu")
    assert "LAION-2B" in large.training_data
    assert "laion/CLIP-ViT-L-14" in large.weights or large.weights == "on this machine"


def test_a_model_that_cannot_be_decomposed_says_why():
    [entry] = list_models.entries("^RN50/openai$")

    assert entry.weights == (
        "no: its image tower is a ModifiedResNet, whose only attention heads are in its pooling"
    )


def test_a_pattern_that_no_name_matches_is_refused():
    with pytest.raises(ModelError, match="'ViT-Q'"):
        list_models.names_of("ViT-Q")
    with pytest.raises(ModelError, match="'\\('"):
        list_models.names_of("(")


def test_columns_stand_under_their_names_and_empty_ones_are_left_out():
    entry = list_models.Entry("a/b", "1 M", 64, 8, "2 x 2", "gelu", "", "here")

    head, line = list_models.table([entry]).splitlines()

    assert head.split("  ")[0] == "model" and "training data" not in head
    assert head.index("weights") == line.index("here")


def test_the_command_prints_the_table(capsys):
    assert main(["models", "emoji-S-12"]) == 0

    output = capsys.readouterr().out
    assert "ViT-emoji-S-12/pictures_1" in output and "with this repository" in output
