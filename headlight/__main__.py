"""The command `headlight`: finds the program that carries a command out, and imports nothing else."""

import sys
from importlib import import_module

from headlight import __version__
from headlight.installation import SIBLINGS, how_to_install

HELP = """\
usage: headlight [--help] [--version] COMMAND ...

See what every attention head of a CLIP model looks at.

to try it:
  demo             draw pictures, build the demo bundle from them, and view it

to make a bundle, the result for any number of models over one set of images:
  run              from a folder of images
  part, merge      the same on several machines
  models           list the names of models, and which models work
  import-textspan  from TEXTSPAN results of another tool
  label            from another bundle, with labels by language models or by hand

to use a bundle:
  view             serve it in the browser: leaderboard, heads, maps, neighbors
  bundle           show, verify, diff, sign, zip or export it
  bundle merge     put the models of several bundles into one
  report           write it as plain HTML that opens from disk, to send or to publish

to check the method:
  score-maps       score maps against masks of known objects
  verify-paper     check real weights against the papers

examples:
  headlight demo
  headlight run --model ViT-B-32/openai --images photos --texts pool.tsv --bundle bundles/photos
  headlight view bundles/photos
  headlight bundle verify bundles/photos
  headlight bundle zip bundles/photos photos.zip

"headlight COMMAND --help" explains a command. Making bundles needs pip install "headlight-clip[precompute]",
using them does not. In Python, "import headlight" opens bundles and decomposes images.
"""

MERGE = "bundle merge"
PRECOMPUTE = (
    "run", "part", "merge", "models", "import-textspan", "label", "score-maps", "verify-paper", MERGE
)  # fmt: skip
COMMANDS = {
    "demo": "headlight.demo",
    **dict.fromkeys(PRECOMPUTE, "precompute.__main__"),
    "view": "dashboard.__main__",
    "bundle": "db.bundle",
    "report": "headlight.report.__main__",
}
"""Module of each command, with the function `main`."""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit code: 0 done, 1 or 2 refused, others as the command says."""
    command, *rest = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if " ".join([command, *rest[:1]]) == MERGE:
        command, rest = MERGE, rest[1:]
    if command in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0
    if command == "--version":
        print(f"headlight {__version__}")
        return 0
    if command not in COMMANDS:
        print(f'headlight: there is no command "{command}". It has: {", ".join(COMMANDS)}.', file=sys.stderr)
        return 2
    try:
        program = import_module(COMMANDS[command]).main
        if command in PRECOMPUTE:
            return program([command, *rest], prog="headlight")
        return program(rest, prog=f"headlight {command}")
    except ModuleNotFoundError as error:
        library = (error.name or "").split(".")[0]
        if library in ("", "headlight", *SIBLINGS):
            raise
        print(f"error: {how_to_install(library)}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
