"""What `python -m precompute label` is asked to do, and its command line. Loads no torch."""

import argparse
from dataclasses import dataclass, field
from pathlib import Path

from precompute.runtime.config import ConfigError

DESCRIPTION = """\
Label the heads of a bundle by a language model, have labels judged, take over labels of people: into a new
bundle, beside the labels that are there. Works for any bundle, your own, imported or received.

The key of a service comes from the environment, HEADLIGHT_LLM_KEY or else OPENAI_API_KEY; a server of your
own needs none. An interrupted run loses nothing: give the same command again and it goes on.
"""


@dataclass(frozen=True)
class LabelTask:
    """One run of `label`."""

    bundle: Path
    """The bundle to label; never changed."""

    out: Path
    """Where the new bundle goes."""

    llm: str | None = None
    """Language model that gives labels; None for none."""

    judges: tuple[str, ...] = ()
    """Language models that judge the chosen labels."""

    url: str | None = field(default=None, repr=False)
    """Address of the service that has all of these models; may hold a password."""

    draws: int = 5
    """Answers per head that the label is the majority of."""

    judge_draws: int = 1
    """Answers of each judge per text; the judge says what most of them say."""

    temperature: float = 0.7
    """Of draws; with one draw of a judge 0, since one draw has nothing to vary from."""

    answer_tokens: int = 1024
    """Longest answer: far more than a label needs, for models that think before they answer."""

    examples: Path | None = None
    """Worked examples; None for ours."""

    overrides: Path | None = None
    """CSV of labels that people give."""

    models: tuple[str, ...] = ()
    """Names or keys of the models whose heads are asked about; empty for all of the bundle."""

    work: Path | None = None
    """Folder of answers; None for one beside `out`."""

    dry_run: bool = False
    """Say what is left to ask, and do nothing else."""

    replace: bool = False
    """Allow `out` to be replaced."""

    concurrency: int = 4
    """Questions under way at once."""

    timeout: float = 120.0
    """Seconds without a sign of life after which a question is asked again."""

    attempts: int = 8
    """Times that one question is sent before the run stops."""

    first_wait: float = 1.0
    """Seconds before the second attempt; doubled for each further one."""

    def __post_init__(self) -> None:
        if not (self.llm or self.judges or self.overrides):
            raise ConfigError("there is nothing to do. Give --llm, --judge or --overrides.")
        if (self.llm or self.judges) and not self.url:
            raise ConfigError(
                "--llm and --judge need the address of a service, --url: https://api.openai.com/v1, or "
                "http://localhost:11434/v1 for Ollama on this machine."
            )
        for option in ("draws", "judge_draws", "answer_tokens", "concurrency", "attempts"):
            if getattr(self, option) < 1:
                raise ConfigError(f"--{option.replace('_', '-')} {getattr(self, option)}: give 1 or more.")
        if not self.temperature >= 0:
            raise ConfigError(f"--temperature {self.temperature}: give 0 or more.")
        if not self.timeout > 0:
            raise ConfigError(f"--timeout {self.timeout}: give more than 0 seconds.")
        if len(set(self.judges)) < len(self.judges):
            raise ConfigError("a --judge is given twice. For several answers of one judge use --judge-draws.")

    @property
    def work_folder(self) -> Path:
        """Where answers are kept; safe to delete once no further run is to use them."""
        return self.work or self.out.with_name(f".{self.out.name}.labels.work")

    @property
    def judge_temperature(self) -> float:
        """Temperature at which judges are asked."""
        return self.temperature if self.judge_draws > 1 else 0.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `label`."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="directory of a bundle, or a zip of one")
    parser.add_argument("--out", type=Path, required=True, metavar="NEW", help="bundle to make")
    parser.add_argument("--replace", action="store_true", help="replace NEW if it exists")
    parser.add_argument("--models", nargs="+", default=[], metavar="NAME", help="these only (default: all)")
    _add_questions(parser.add_argument_group("what is asked"))
    _add_service(parser.add_argument_group("whom, and how"))


def _add_questions(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--llm", metavar="MODEL", help="language model that gives labels")
    group.add_argument("--draws", type=int, default=5, metavar="N", help="answers per head (default: 5)")
    group.add_argument(
        "--judge",
        action="append",
        default=[],
        metavar="MODEL",
        help="language model that says of each head's first five texts whether they agree with its label; "
        "may be given several times",
    )
    group.add_argument(
        "--judge-draws", type=int, default=1, metavar="N", help="answers of each judge (default: 1)"
    )
    group.add_argument(
        "--overrides", type=Path, metavar="CSV", help="labels of people: model,layer,head,label,by,why"
    )
    group.add_argument(
        "--examples", type=Path, metavar="FILE", help="worked examples (default: ours, label_examples.md)"
    )


def _add_service(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--url", help="address of any OpenAI-compatible service, such as http://host:8000/v1")
    group.add_argument(
        "--temperature",
        type=float,
        default=0.7,
        help="of draws; 0 makes them all alike (default: 0.7, and 0 for a judge asked once)",
    )
    group.add_argument(
        "--answer-tokens", type=int, default=1024, metavar="N", help="longest answer (default: 1024)"
    )
    group.add_argument("--concurrency", type=int, default=4, help="questions at once (default: 4)")
    group.add_argument("--timeout", type=float, default=120.0, help="seconds of silence (default: 120)")
    group.add_argument(
        "--attempts", type=int, default=8, help="times a question is sent before giving up (default: 8)"
    )
    group.add_argument("--work", type=Path, metavar="FOLDER", help="answers (default: .NEW.labels.work)")
    group.add_argument(
        "--dry-run", action="store_true", help="print how much is left to ask, and do nothing else"
    )


def task_of(options: argparse.Namespace) -> LabelTask:
    """What the command line asks for. Raises ConfigError."""
    same = ["bundle", "out", "llm", "url", "draws", "judge_draws", "temperature", "answer_tokens", "examples"]
    same += ["overrides", "work", "dry_run", "replace", "concurrency", "timeout", "attempts"]
    return LabelTask(
        judges=tuple(options.judge),
        models=tuple(options.models),
        **{name: getattr(options, name) for name in same},
    )
