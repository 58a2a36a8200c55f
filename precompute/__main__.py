"""Command line of the offline stage: `python -m precompute run`, `part`, `label` and more."""

import argparse
import importlib
import os
import sys
from typing import NamedTuple

from db.errors import UserError, message_of
from precompute.runtime.part import NotYet

PROGRAM = "python -m precompute"


class Command(NamedTuple):
    """One command."""

    options: str
    """Where its command line is: a module, or `module:name` of a `CommandLine`."""

    brief: str


COMMANDS = {
    "run": Command("precompute.pipeline.options", "make a bundle from a folder of images"),
    "part": Command("precompute.pipeline.options:PART", "do one part of a run, on one of several machines"),
    "merge": Command("precompute.pipeline.options:MERGE", "make the bundle from what parts have made"),
    "label": Command(
        "precompute.tools.label.options", "label the heads of a bundle by language models or by hand"
    ),
    "import-textspan": Command(
        "precompute.tools.import_textspan.options", "make a bundle from TEXTSPAN results"
    ),
    "bundle merge": Command("precompute.tools.merge_bundles.options", "put the models of bundles into one"),
    "score-maps": Command("precompute.tools.score_maps.options", "print how well maps find known objects"),
    "verify-paper": Command("precompute.tools.verify_paper.options", "check real weights against the papers"),
    "models": Command(
        "precompute.tools.list_models.options", "list the names of models, and which models work"
    ),
}


def main(arguments: list[str] | None = None, prog: str = PROGRAM) -> int:
    """Runs one command; returns the exit code: 0 done, 1 refused, 75 to be done later, 130 interrupted."""
    words = sys.argv[1:] if arguments is None else arguments
    namespace = _parser(words[0] if words else "", prog).parse_args(words)
    try:
        return namespace.run_command(namespace) or 0
    except KeyboardInterrupt:
        advice = "" if words[0] == "score-maps" else " Nothing is lost: give the same command again to go on."
        print(f"\nStopped.{advice}", file=sys.stderr)
        return 130
    except NotYet as error:
        print(f"not yet: {error}", file=sys.stderr)
        return os.EX_TEMPFAIL
    except (UserError, OSError) as error:
        print(f"error: {message_of(error)}", file=sys.stderr)
        return 1


def _parser(command: str, prog: str) -> argparse.ArgumentParser:
    """Lists all commands; only the options of `command` are imported."""
    parser = argparse.ArgumentParser(prog=prog, description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (options, brief) in COMMANDS.items():
        if name != command:
            commands.add_parser(name, help=brief)
            continue
        module, _, attribute = options.partition(":")
        line = importlib.import_module(module)
        line = getattr(line, attribute) if attribute else line
        asked = commands.add_parser(
            name,
            help=brief,
            description=line.DESCRIPTION.replace(PROGRAM, prog),
            epilog=getattr(line, "EXAMPLES", "").replace(PROGRAM, prog),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        line.add_options(asked)
        asked.set_defaults(run_command=line.run_command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
