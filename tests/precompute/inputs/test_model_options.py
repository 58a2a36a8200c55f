"""The models of a command line, each with its file of weights."""

import argparse

import pytest

from precompute.inputs.model_options import model_choices
from precompute.pipeline import options
from precompute.runtime.config import ConfigError


def choices(names: list[str], *checkpoints: str) -> dict[str, str | None]:
    """Name of the file of each model."""
    parser = argparse.ArgumentParser()
    options.add_options(parser)
    given = [word for file in checkpoints for word in ("--checkpoint", file)]
    namespace = parser.parse_args(["--model", names[0], "--images", "a", "--bundle", "b", *given])
    return {one.name: one.checkpoint and str(one.checkpoint) for one in model_choices(namespace, names)}


def test_one_model_needs_no_name_before_its_file():
    assert choices(["a/b"], "mine.pt") == choices(["a/b"], "a/b=mine.pt") == {"a/b": "mine.pt"}


def test_of_several_models_each_file_names_its_own():
    assert choices(["a/b", "c/d"], "c/d=x=y.pt") == {"a/b": None, "c/d": "x=y.pt"}


def test_a_file_with_an_equals_sign_in_its_name_is_a_file(tmp_path):
    file = tmp_path / "epoch=3.pt"
    file.touch()

    assert choices(["a/b"], str(file)) == {"a/b": str(file)}


def test_the_last_file_of_a_model_counts_as_the_last_value_of_any_option_does():
    assert choices(["a/b"], "x.pt", "y.pt") == {"a/b": "y.pt"}


@pytest.mark.parametrize(
    ("names", "files", "says"),
    [
        (["a/b", "c/d"], ["mine.pt"], "2 models are given.*a/b=mine.pt"),
        (["a/b"], ["c/d=x.pt"], "no --model c/d is given. The models are a/b"),
        (["a/b"], [""], "--checkpoint '' names no file"),
        (["a/b", "c/d"], ["c/d="], "--checkpoint 'c/d=' names no file"),
    ],
)
def test_a_file_of_no_model_or_a_second_one_is_refused(names, files, says):
    with pytest.raises(ConfigError, match=says):
        choices(names, *files)
