"""Command line of `bundle merge`. Imports no torch."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from precompute.runtime import arguments
from precompute.runtime.arguments import option
from precompute.runtime.config import ConfigError

DESCRIPTION = """\
Put the models of several bundles into one, side by side on one leaderboard, without computing any of them
again. The bundles must have the same images and the same text pool. Ranks are computed among all models, and
heads are matched between models of different bundles.

  headlight bundle merge bundles/ours bundles/theirs bundles/both

A model that several bundles have is taken once, if its numbers are the same in all.
"""


@dataclass(frozen=True)
class MergeTask:
    """Options of one merge."""

    bundles: tuple[Path, ...] = option(
        flag="bundles",
        nargs="+",
        action="store",
        metavar="BUNDLE",
        help="two or more bundles, directories or zips",
    )
    out: Path = option(flag="out", metavar="OUT", help="directory to write")
    replace: bool = option(False, "replace OUT if it exists")

    def __post_init__(self):
        if problem := arguments.problem(self):
            raise ConfigError(problem)
        if len(self.bundles) < 2:
            raise ConfigError("only one bundle is given. Give two or more bundles, then the new directory.")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `bundle merge`."""
    arguments.add_fields(parser, MergeTask)


def run_command(namespace: argparse.Namespace) -> None:
    """Writes the bundle. Raises ConfigError."""
    task = arguments.read(namespace, MergeTask)
    from precompute.tools.merge_bundles.run import run

    run(task)
