"""What `python -m precompute import-textspan` is asked to do, and its command line. Loads no torch.

Whoever has lists of texts from a run elsewhere, on images that are not here, gets the leaderboard and the
heads' texts and labels by the same rules as everyone else. Pages that need vectors say that there are none.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

from precompute.runtime.config import ConfigError

IMPORT_DESCRIPTION = """\
Make a bundle from TEXTSPAN results that were computed elsewhere: texts, labels and metrics, no vectors.

  python -m precompute import-textspan results.csv --model ViT-B-16/laion2b_s34b_b88k --texts pool.txt \\
      --bundle bundles/imported
"""


@dataclass(frozen=True)
class ImportTask:
    """Options of one import."""

    files: tuple[Path, ...]
    """Results, one file a model: as the reference implementation writes them, or a CSV."""

    models: tuple[str, ...]
    """architecture/weights that each file is of, in the order of the files."""

    bundle: Path
    """Where the bundle goes."""

    texts: Path | None = None
    """Text pool that the texts were chosen from; None for the texts that the results name."""

    replace: bool = False
    """Allow an existing bundle to be replaced."""

    license: str = "not stated"
    """What may be done with the results; stands in the bundle."""

    def __post_init__(self):
        if not self.files:
            raise ConfigError("no file of results given. Give one for each --model.")
        if len(self.files) != len(self.models):
            raise ConfigError(
                f"{len(self.files)} files of results and {len(self.models)} models are given. Give --model "
                "once for each file, in the same order."
            )
        for name in self.models:
            architecture, _, weights = name.partition("/")
            if not architecture or not weights:
                raise ConfigError(f"--model {name!r} has no weights. Write it as ARCHITECTURE/WEIGHTS.")
        if twice := sorted({name for name in self.models if self.models.count(name) > 1}):
            raise ConfigError(
                f"a model is given twice: {', '.join(twice)}. Import each file into a bundle of its own."
            )
        if self.bundle.resolve().name in ("", self.bundle.anchor) or self.bundle.name in ("", ".."):
            raise ConfigError(
                f"--bundle {self.bundle} has no name of its own. Give the path of a new directory."
            )


def add_import_options(parser: argparse.ArgumentParser) -> None:
    """The options of `import-textspan`."""
    parser.add_argument(
        "files",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="TEXTSPAN results: the text file of the reference implementation, or a CSV with the columns "
        "layer, head, rank, text",
    )
    parser.add_argument(
        "--model",
        action="append",
        required=True,
        metavar="ARCHITECTURE/WEIGHTS",
        help="the model that the results are of; with several files once for each, in the same order",
    )
    parser.add_argument("--bundle", type=Path, required=True, metavar="OUT", help="directory to make")
    parser.add_argument(
        "--texts",
        type=Path,
        metavar="POOL",
        help="the text pool that the texts were chosen from (default: the texts that the results name)",
    )
    parser.add_argument("--replace", action="store_true", help="replace OUT if it exists")
    parser.add_argument(
        "--license", default="not stated", metavar="TEXT", help="what may be done with the results"
    )


def import_task(options: argparse.Namespace) -> ImportTask:
    """The task that a command line asks for. Raises ConfigError."""
    return ImportTask(
        files=tuple(options.files),
        models=tuple(options.model),
        bundle=options.bundle,
        texts=options.texts,
        replace=options.replace,
        license=options.license,
    )
