"""Command line of `import-textspan`. Imports no torch.

For lists of texts from a run of another program, without its images: a bundle with leaderboard, texts and
labels by the same rules. Pages that need vectors state that there are none.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

from precompute.runtime import arguments
from precompute.runtime.arguments import option
from precompute.runtime.config import ConfigError, license_option

DESCRIPTION = """\
Make a bundle from TEXTSPAN results that were computed elsewhere: texts, labels and metrics, no vectors.

  python -m precompute import-textspan results.csv --model ViT-B-16/laion2b_s34b_b88k --texts pool.txt \\
      --bundle bundles/imported
"""


@dataclass(frozen=True)
class ImportTask:
    """Options of one import."""

    files: tuple[Path, ...] = option(
        flag="files",
        nargs="+",
        action="store",
        metavar="FILE",
        help="TEXTSPAN results, one file a model: the text file of the reference implementation, or a CSV "
        "with the columns layer, head, rank, text",
    )
    models: tuple[str, ...] = option(
        flag="--model",
        metavar="ARCHITECTURE/WEIGHTS",
        help="model of the results; repeat it for each file, in the same order",
    )
    bundle: Path = option(help="directory to write", metavar="OUT")
    texts: Path | None = option(
        None, "text pool that the texts were chosen from (default: the texts in the results)", metavar="POOL"
    )
    replace: bool = option(False, "replace OUT if it exists")
    license: str = license_option("license of the results")

    def __post_init__(self):
        if problem := arguments.problem(self):
            raise ConfigError(problem)
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


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `import-textspan`."""
    arguments.add_fields(parser, ImportTask)


def run_command(namespace: argparse.Namespace) -> None:
    """Writes the bundle. Raises ConfigError."""
    task = arguments.read(namespace, ImportTask)
    from precompute.tools.import_textspan.run import run

    run(task)
