"""Command line of `models`. Imports no torch: --help is quick."""

import argparse

DESCRIPTION = """\
List the models of the study and of the demo, by the names that --model takes. With PATTERN, list every
open_clip model with a matching name, and why some cannot be decomposed. Downloads nothing.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `models`."""
    parser.add_argument("pattern", nargs="?", help="part of a name, any case (a regular expression)")


def run_command(namespace: argparse.Namespace) -> None:
    """Prints the table. Raises ModelError."""
    from precompute.tools.list_models.run import entries, table

    print(table(list(entries(namespace.pattern))))
