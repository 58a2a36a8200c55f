"""Command line of `models`. Imports no torch: --help is quick."""

import argparse

DESCRIPTION = """\
List the models that --models accepts: those of the study and of the demo. With PATTERN, list every open_clip
model with a matching name, and why some cannot be decomposed. Downloads nothing.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `models`."""
    parser.add_argument("pattern", nargs="?", help="part of a name, any case (a regular expression)")


def run_command(namespace: argparse.Namespace) -> None:
    """Prints the table. Raises ModelError."""
    from precompute.tools.list_models.run import entries, table

    print(table(list(entries(namespace.pattern))))
