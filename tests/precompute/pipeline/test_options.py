"""What a person types about images, and what it comes to."""

import argparse
from pathlib import Path

import pytest

from precompute.__main__ import _parser
from precompute.inputs.model_specs import STUDY
from precompute.pipeline import options
from precompute.pipeline.options import run_config
from precompute.runtime.config import GENERAL_POOL, Config, ConfigError


def config(*typed: str) -> Config:
    parser = argparse.ArgumentParser()
    options.add_options(parser)
    rest = ["--model", "ViT-B-32/openai", "--texts", "pool.tsv", "--bundle", "out"]
    return options.run_config(parser.parse_args([*typed, *rest]))


def test_class_folders_are_taken_and_captions_are_not_unless_a_person_says_otherwise():
    usual, other = config("--images", "a"), config("--images", "a", "--no-class-folders", "--captions")

    assert (usual.images, usual.class_folders, usual.captions) == (Path("a"), True, False)
    assert (other.class_folders, other.captions) == (False, True)


def test_study_stands_for_the_six_models_and_checkpoints_are_for_one_of_them():
    parser = argparse.ArgumentParser()
    options.add_options(parser)
    typed = [
        "--model",
        "study",
        "--images",
        "a",
        "--bundle",
        "out",
        "--checkpoint",
        "ViT-B-16/openai=mine.pt",
    ]

    chosen = options.run_config(parser.parse_args(typed))

    assert [choice.name for choice in chosen.models] == list(STUDY)
    assert {choice.name: choice.checkpoint for choice in chosen.models if choice.checkpoint} == {
        "ViT-B-16/openai": Path("mine.pt")
    }
    assert chosen.texts == GENERAL_POOL and chosen.texts.is_file()


def test_a_limit_must_leave_an_image():
    assert config("--images", "a", "--limit", "2000").limit == 2000
    with pytest.raises(ConfigError, match="--limit 0: take at least one image"):
        config("--images", "a", "--limit", "0")


def test_a_pattern_that_the_shell_has_spelled_out_is_refused_with_the_remedy():
    with pytest.raises(ConfigError, match=r"not 3 \(0.tar, 1.tar, .* quotes"):
        config("--images", "0.tar", "1.tar", "2.tar")


def test_the_command_line_asks_for_validation():
    required = ["run", "--model", "m/w", "--images", "i", "--texts", "t", "--bundle", "b"]

    config = run_config(
        _parser("run", "").parse_args([*required, "--validation", "--validation-images", "40"])
    )

    assert (config.validation, config.validation_images) == (True, 40)
    assert not run_config(_parser("run", "").parse_args(required)).validation
