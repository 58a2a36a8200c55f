"""Flags made from the fields of a dataclass: what a person may type, and what --help says of it."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from precompute.runtime import arguments
from precompute.runtime.arguments import option


@dataclass(frozen=True)
class Options:
    """One option of each kind."""

    out: Path = option(help="directory to make", metavar="OUT")
    size: int = option(32, "images of one batch", group="speed")
    limit: int | None = option(None, "only N", type=arguments.number_or_all("images"))
    device: Literal["cpu", "cuda"] = option("cpu", "where it runs", group="speed")
    thumbnails: bool = option(True, "no pictures")
    replace: bool = option(False, "replace OUT")
    judges: tuple[str, ...] = option((), "a model; may be given several times", flag="--judge")
    others: tuple[Path, ...] = option((), "directories", nargs="+", action="extend", flag="--from")
    password: str | None = option(None, "of the service", secret=True)
    wait: float = 1.0
    """Not a flag."""


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser()
    arguments.add_fields(made, Options)
    return made


def read(*words: str) -> Options:
    return arguments.read(parser().parse_args(words), Options)


def test_what_is_not_typed_has_the_default_of_the_field():
    assert read("--out", "b") == Options(Path("b"))


def test_every_kind_of_field_can_be_typed():
    words = (
        "--out b --size 8 --limit 5 --device cuda --no-thumbnails --replace --judge x --judge y --from p q"
    )

    assert read(*words.split()) == Options(
        Path("b"), 8, 5, "cuda", False, True, ("x", "y"), (Path("p"), Path("q"))
    )


def test_all_is_no_limit():
    assert read("--out", "b", "--limit", "all").limit is None


def test_an_empty_text_names_no_file(capsys):
    for words, message in [
        (["--out", ""], "'' names no file or folder"),
        (["--out", "b", "--from", " "], "' ' names no file or folder"),
    ]:
        with pytest.raises(SystemExit):
            read(*words)
        assert message in capsys.readouterr().err

    assert read("--out", "b", "--out", "c").out == Path("c"), "the last value of an option counts"


@pytest.mark.parametrize("words", ["", "--out b --size many", "--out b --device tpu", "--out b --limit some"])
def test_what_does_not_fit_the_field_is_refused(words, capsys):
    with pytest.raises(SystemExit):
        read(*words.split())

    assert "error: " in capsys.readouterr().err


def test_help_prints_the_default_of_the_field_under_its_group():
    text = parser().format_help()

    assert "speed:\n" in text and "images of one batch (default: 32)" in text
    assert "no pictures\n" in text and "--wait" not in text


def test_a_secret_is_not_printed():
    assert "hidden" not in repr(Options(Path("b"), password="hidden"))
