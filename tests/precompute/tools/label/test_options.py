"""Options of `label`."""

import argparse
import os
from pathlib import Path

import pytest

from precompute.runtime import arguments
from precompute.runtime.config import ConfigError
from precompute.tools.label.options import LabelTask, add_options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "--llm, --judge or --overrides"),
        ({"llm": "small"}, "--url"),
        ({"llm": "small", "url": "http://h/v1", "draws": 0}, "--draws 0"),
        ({"llm": "small", "url": "http://h/v1", "temperature": -1.0}, "--temperature"),
        ({"judges": ("a", "a"), "url": "http://h/v1"}, "--judge is given twice"),
        ({"llm": "small", "url": "http://h/v1", "timeout": 0.0}, "--timeout"),
    ],
)
def test_invalid_options_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        LabelTask(Path("a"), Path("b"), **options)


def test_the_command_line_gives_all_options():
    parser = argparse.ArgumentParser()
    add_options(parser)
    words = "old --out new --llm small --url http://h/v1 --judge a --judge b --models x y --dry-run"

    parsed = arguments.read(parser.parse_args(words.split()), LabelTask)

    assert parsed == LabelTask(
        Path("old"),
        Path("new"),
        llm="small",
        url="http://h/v1",
        judges=("a", "b"),
        models=("x", "y"),
        dry_run=True,
    )
    assert parsed.work_folder == Path(".new.labels.work")
    elsewhere = parser.parse_args([*words.split(), "--work", "w"])
    assert os.fspath(arguments.read(elsewhere, LabelTask).work_folder) == "w"
