"""Command line of `label`. Imports no torch."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from precompute.runtime import arguments
from precompute.runtime.arguments import option
from precompute.runtime.config import ConfigError

DESCRIPTION = """\
Label the heads of a bundle by a language model, have labels judged, take over labels of people: into a new
bundle, beside the labels that are there. Works for any bundle, your own, imported or received.

The key of a service comes from the environment, HEADLIGHT_LLM_KEY or else OPENAI_API_KEY; a server of your
own needs none. An interrupted run loses nothing: give the same command again and it goes on.
"""


_ASKED = "what is asked"
_SERVICE = "whom, and how"


@dataclass(frozen=True)
class LabelTask:
    """Options of one run of `label`."""

    bundle: Path = option(
        help="directory of a bundle, or a zip of one; never changed", flag="bundle", metavar="BUNDLE"
    )
    out: Path = option(help="bundle to make", metavar="NEW")
    replace: bool = option(False, "replace NEW if it exists")
    models: tuple[str, ...] = option(
        (), "these only, by name or key (default: all)", nargs="+", action="store", metavar="NAME"
    )

    llm: str | None = option(None, "language model that gives labels", group=_ASKED, metavar="MODEL")
    draws: int = option(5, "answers per head, of which the label is the majority", group=_ASKED, metavar="N")
    judges: tuple[str, ...] = option(
        (),
        "language model that says of each head's first five texts whether they agree with its label; may be "
        "given several times",
        group=_ASKED,
        flag="--judge",
        metavar="MODEL",
    )
    judge_draws: int = option(
        1, "answers of each judge, of which the majority counts", group=_ASKED, metavar="N"
    )
    overrides: Path | None = option(
        None, "labels of people: model,layer,head,label,by,why", group=_ASKED, metavar="CSV"
    )
    examples: Path | None = option(
        None, "worked examples (default: ours, label_examples.md)", group=_ASKED, metavar="FILE"
    )

    url: str | None = option(
        None,
        "address of any OpenAI-compatible service, such as http://host:8000/v1",
        group=_SERVICE,
        secret=True,
    )
    temperature: float = option(
        0.7,
        "of draws; 0 makes them all alike (default: %(default)s, and 0 for a judge asked once)",
        group=_SERVICE,
    )
    answer_tokens: int = option(
        1024,
        "longest answer: more than a label needs, for models that think before they answer",
        group=_SERVICE,
        metavar="N",
    )
    concurrency: int = option(4, "questions at once", group=_SERVICE)
    timeout: float = option(120.0, "seconds of silence, then a question is asked again", group=_SERVICE)
    attempts: int = option(8, "times a question is sent before giving up", group=_SERVICE)
    first_wait: float = 1.0
    """Seconds before the second attempt; doubled for each further one."""

    work: Path | None = option(None, "answers (default: .NEW.labels.work)", group=_SERVICE, metavar="FOLDER")
    dry_run: bool = option(False, "print how much is left to ask, and do nothing else", group=_SERVICE)

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
        if not self.temperature >= 0:
            raise ConfigError(f"--temperature {self.temperature}: give 0 or more.")
        if not self.timeout > 0:
            raise ConfigError(f"--timeout {self.timeout}: give more than 0 seconds.")
        if len(set(self.judges)) < len(self.judges):
            raise ConfigError("a --judge is given twice. For several answers of one judge use --judge-draws.")

    @property
    def work_folder(self) -> Path:
        """Folder of answers; safe to delete once no further run needs them."""
        return self.work or self.out.with_name(f".{self.out.name}.labels.work")

    @property
    def judge_temperature(self) -> float:
        """Temperature at which judges are asked."""
        return self.temperature if self.judge_draws > 1 else 0.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `label`."""
    arguments.add_fields(parser, LabelTask)


def run_command(namespace: argparse.Namespace) -> None:
    """Makes the labeled bundle. Raises ConfigError."""
    task = arguments.read(namespace, LabelTask)
    from precompute.tools.label.run import run

    run(task)
