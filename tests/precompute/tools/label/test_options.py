"""Options of `label`."""

import argparse
import os
from pathlib import Path

import pytest

from precompute.runtime import arguments
from precompute.runtime.config import ConfigError
from precompute.tools.label.options import LabelTask, add_options


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "nothing to do"),
        ({"llm": "small"}, "need the address of a service, --url"),
        ({"llm": "small", "url": "http://h/v1", "draws": 0}, "--draws 0: give 1 or more"),
        ({"llm": "small", "url": "http://h/v1", "temperature": -1.0}, "--temperature"),
        ({"judges": ("a", "a"), "url": "http://h/v1"}, "given twice"),
        ({"llm": "small", "url": "http://h/v1", "timeout": 0.0}, "--timeout"),
    ],
)
def test_a_task_that_makes_no_sense_is_refused(options, says):
    with pytest.raises(ConfigError, match=says):
        LabelTask(Path("a"), Path("b"), **options)


def test_the_command_line_says_it_all():
    parser = argparse.ArgumentParser()
    add_options(parser)
    words = "old --out new --llm small --url http://h/v1 --judge a --judge b --models x y --dry-run"

    given = arguments.read(parser.parse_args(words.split()), LabelTask)

    assert given == LabelTask(
        Path("old"),
        Path("new"),
        llm="small",
        url="http://h/v1",
        judges=("a", "b"),
        models=("x", "y"),
        dry_run=True,
    )
    assert given.work_folder == Path(".new.labels.work")
    elsewhere = parser.parse_args([*words.split(), "--work", "w"])
    assert os.fspath(arguments.read(elsewhere, LabelTask).work_folder) == "w"
