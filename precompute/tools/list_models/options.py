"""Command line of `models`. Imports no torch: --help is quick."""

import argparse

DESCRIPTION = """\
List the models that can be asked for by name: those of the study and of the demo; with PATTERN every one that
open_clip knows whose name holds it, and why some cannot be decomposed. Nothing is fetched.
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `models`."""
    parser.add_argument("pattern", nargs="?", help="part of a name, any case (a regular expression)")


def run_command(namespace: argparse.Namespace) -> None:
    """Prints the table. Raises ModelError."""
    from precompute.tools.list_models.run import entries, table

    print(table(list(entries(namespace.pattern))))
