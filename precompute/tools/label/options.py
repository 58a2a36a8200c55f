"""Command line of `label`. Imports no torch."""

import argparse
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from precompute.runtime import arguments
from precompute.runtime.arguments import option
from precompute.runtime.config import ConfigError

DESCRIPTION = """\
Label the heads of a bundle by a language model, let language models judge labels, or add labels given by
people. Writes a new bundle, which keeps the existing labels. Works for any bundle.

The key of a service comes from the environment variable HEADLIGHT_LLM_KEY or OPENAI_API_KEY; a local server
needs no key. An interrupted run loses nothing: repeat the command to resume it.
"""

_labels = partial(option, group="labels and judgements")
_service = partial(option, group="service")


@dataclass(frozen=True)
class LabelTask:
    """Options of one run of `label`."""

    bundle: Path = option(
        help="directory of a bundle, or a zip of one; never changed", flag="bundle", metavar="BUNDLE"
    )
    out: Path = option(help="bundle to write", metavar="NEW")
    replace: bool = option(False, "replace NEW if it exists")
    models: tuple[str, ...] = option(
        (), "models to label, by name or key (default: all)", nargs="+", action="store", metavar="NAME"
    )

    llm: str | None = _labels(None, "language model that gives labels", metavar="MODEL")
    draws: int = _labels(5, "answers per head; the majority is the label", metavar="N")
    judges: tuple[str, ...] = _labels(
        (),
        "language model that judges if each head's first five texts agree with its label; repeatable",
        flag="--judge",
        metavar="MODEL",
    )
    judge_draws: int = _labels(1, "answers per judge and text; the majority counts", metavar="N")
    overrides: Path | None = _labels(
        None, "labels given by people: model,layer,head,label,by,why", metavar="CSV"
    )
    examples: Path | None = _labels(None, "worked examples (default: label_examples.md)", metavar="FILE")

    url: str | None = _service(
        None, "address of any OpenAI-compatible service, such as http://host:8000/v1", secret=True
    )
    temperature: float = _service(
        0.7,
        "sampling temperature; 0 makes all draws equal (default: %(default)s, and 0 for a single judge draw)",
    )
    answer_tokens: int = _service(1024, "maximum tokens of an answer, reasoning included", metavar="N")
    concurrency: int = _service(4, "number of simultaneous questions", maximum=1024)
    timeout: float = _service(120.0, "seconds for one whole answer before a retry")
    attempts: int = _service(8, "maximum attempts per question")
    first_wait: float = 1.0
    """Seconds before the second attempt; doubled for each further attempt."""

    work: Path | None = _service(None, "folder of answers (default: .NEW.labels.work)", metavar="FOLDER")
    dry_run: bool = _service(False, "only print the number of questions left")

    def __post_init__(self) -> None:
        if not (self.llm or self.judges or self.overrides):
            raise ConfigError("there is nothing to do. Give --llm, --judge or --overrides.")
        if (self.llm or self.judges) and not self.url:
            raise ConfigError(
                "--llm and --judge need the address of a service, --url: https://api.openai.com/v1, or "
                "http://localhost:11434/v1 for Ollama on this machine."
            )
        for name in ("draws", "judge_draws", "answer_tokens", "concurrency", "attempts"):
            if getattr(self, name) < 1:
                raise ConfigError(f"--{name.replace('_', '-')} {getattr(self, name)}: give 1 or more.")
        if problem := arguments.problem(self):
            raise ConfigError(problem)
        if not self.temperature >= 0:
            raise ConfigError(f"--temperature {self.temperature}: give 0 or more.")
        if not self.timeout > 0:
            raise ConfigError(f"--timeout {self.timeout}: give more than 0 seconds.")
        if len(set(self.judges)) < len(self.judges):
            raise ConfigError("a --judge is given twice. For several answers of one judge use --judge-draws.")

    @property
    def work_folder(self) -> Path:
        """Folder of answers; can be deleted when no further run needs them."""
        return self.work or self.out.with_name(f".{self.out.name}.labels.work")

    @property
    def judge_temperature(self) -> float:
        """Sampling temperature of judges."""
        return self.temperature if self.judge_draws > 1 else 0.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `label`."""
    arguments.add_fields(parser, LabelTask)


def run_command(namespace: argparse.Namespace) -> None:
    """Writes the labeled bundle. Raises ConfigError."""
    task = arguments.read(namespace, LabelTask)
    from precompute.tools.label.run import run

    run(task)
