"""Runs the steps of `label` in order.

    first texts of heads -> questions -> labels -> questions to judges -> a labeled copy of the bundle

The source bundle does not change. Answers are stored in a work folder beside the new bundle, so a second run
asks nothing and a stopped run resumes.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from db.atomic_directory import check_free
from db.connection import open_bundle
from db.layout import head_name
from precompute.method import agreement_stats
from precompute.runtime import progress, work_files
from precompute.tools.label import bundle as label_bundle
from precompute.tools.label import judge_prompt, label_prompt, overrides
from precompute.tools.label import rows as label_rows
from precompute.tools.label.bundle import NewLabels, Source
from precompute.tools.label.llm_cache import Answer, AnswerCache, Draw, Question, draw
from precompute.tools.label.llm_client import LlmClient
from precompute.tools.label.llm_service import Service, key_of_environment, key_variable
from precompute.tools.label.options import LabelTask
from precompute.tools.label.overrides import Override
from precompute.tools.label.rows import HEAD, JUDGE, LABEL, HeadKey, Subject
from precompute.tools.label.spelling import as_in_pool

Ask = Callable[[Sequence[Question]], Sequence[Answer | None]]

MAX_HEADS_LISTED = 10
"""Maximum number of heads that a report lists by name."""


def run(task: LabelTask) -> Path:
    """Writes a labeled copy of a bundle; with `dry_run` only prints the number of questions left.

    Raises:
        ConfigError, ExamplesError, OverridesError, LlmError, WorkError, StoreError: with what to do.
    """
    bundle = open_bundle(task.bundle)
    try:
        source = label_bundle.read(bundle, task.models)
        check_free(task.out.absolute(), replace=task.replace)
        new_labels = NewLabels({}, _load_overrides(source, task.overrides), {}, task.llm)
        service = _service(task)
        if task.dry_run:
            _plan(source, task, new_labels, service)
            return task.out
        _label(source, task, new_labels, service)
    finally:
        bundle.close()
    progress.say(f"done: {task.out}\nopen it with: headlight view {task.out}")
    return task.out


def _label(source: Source, task: LabelTask, new_labels: NewLabels, service: Service | None) -> None:
    clock, started = time.monotonic(), datetime.now(UTC)
    if service is not None:
        progress.say(_service_line(service))
        with _locked(task.work_folder):
            ask = LlmClient(service, AnswerCache(task.work_folder, service.endpoint)).ask
            new_labels = _ask_models(source, task, new_labels, ask)
    label_bundle.write(
        source,
        new_labels,
        task.out,
        replace=task.replace,
        options=_options(task, service, new_labels),
        started=started,
        seconds=time.monotonic() - clock,
    )


def _ask_models(source: Source, task: LabelTask, new_labels: NewLabels, ask: Ask) -> NewLabels:
    """Asks for labels, then for judgements of the chosen labels."""
    if task.llm:
        progress.say(f"labels by {task.llm}: {len(source.heads)} heads, {task.draws} draws each")
        draws = _label_draws(source, task, ask)
        new_labels = new_labels._replace(by_model=label_rows.vote(draws, source.properties), draws=draws)
        _report_labels(source, draws, new_labels)
    if task.judges:
        progress.say(f"judged by {', '.join(task.judges)}: {task.judge_draws} draws of each text")
        judgements = _judge_draws(source, task, new_labels, ask)
        _report_judges(source, judgements)
        new_labels = new_labels._replace(draws=new_labels.draws | judgements)
    return new_labels


def _label_draws(source: Source, task: LabelTask, ask: Ask) -> dict[Subject, list[Draw]]:
    examples = label_prompt.load_examples(task.examples or label_prompt.EXAMPLES)
    llm = str(task.llm)
    request: dict[str, Any] = {"temperature": task.temperature, "answer_tokens": task.answer_tokens}
    subjects = {
        Subject(*head, LABEL, 0, llm): partial(
            label_prompt.question, texts.texts, examples, model=llm, **request
        )
        for head, texts in source.heads.items()
    }
    return draw(subjects, label_prompt.read, ask, draws=task.draws)


def _judge_draws(
    source: Source, task: LabelTask, new_labels: NewLabels, ask: Ask
) -> dict[Subject, list[Draw]]:
    """Asks the judges about the chosen label of every head."""
    labels = label_bundle.labels_by_head(label_bundle.choose_labels(source, new_labels))
    request: dict[str, Any] = {"temperature": task.judge_temperature, "answer_tokens": task.answer_tokens}
    subjects = {
        Subject(*head, JUDGE, position, judge): partial(
            judge_prompt.question, text, labels[head], model=judge, **request
        )
        for judge in task.judges
        for head, texts in source.heads.items()
        for position, text in enumerate(texts.texts[: agreement_stats.TEXTS_JUDGED])
    }
    return draw(subjects, judge_prompt.read, ask, draws=task.judge_draws)


def _plan(source: Source, task: LabelTask, new_labels: NewLabels, service: Service | None) -> None:
    """Prints the number of questions left. Ignores unreadable answers, and judges of labels not given yet."""
    if service is None:
        print("nothing is to be asked; without --dry-run the labels of people are taken over")
        return
    cache = AnswerCache(task.work_folder, service.endpoint)
    left: dict[Question, None] = {}

    def ask(questions: Sequence[Question]) -> list[Answer | None]:
        answers = {question: cache.find(question) for question in questions}
        left.update({question: None for question, answer in answers.items() if answer is None})
        return [answers[question] for question in questions]

    if task.llm:
        draws = _label_draws(source, task, ask)
        new_labels = new_labels._replace(by_model=label_rows.vote(draws, source.properties))
        _print_left(f"labels by {task.llm}", [*left])
    before = len(left)
    if task.judges:
        _judge_draws(source, task, new_labels, ask)
        _print_left(f"judged by {', '.join(task.judges)}", [*left][before:])
    _print_left("together", [*left])
    print("tokens are estimated at four characters each; answers that cannot be read are asked again")


def _print_left(title: str, left: Sequence[Question]) -> None:
    prompts = sum(question.estimated_tokens for question in left)
    answers = sum(question.answer_tokens for question in left)
    print(f"{title}: {len(left)} questions left, about {prompts} tokens to send, at most {answers} to get")


def _load_overrides(source: Source, file: Path | None) -> tuple[Override, ...]:
    if file is None:
        return ()
    heads = set(source.labels[HEAD].drop_duplicates().itertuples(index=False, name=None))
    labels = overrides.load(file, label_bundle.keys_by_name(source.names), heads)
    properties = sorted(source.properties)
    return tuple(label._replace(label=as_in_pool(label.label, properties)) for label in labels)


def _service(task: LabelTask) -> Service | None:
    """Returns None if no language model is to be asked."""
    if task.url is None or not (task.llm or task.judges):
        return None
    fields = ["concurrency", "timeout", "attempts", "first_wait"]
    return Service(task.url, key_of_environment(), **{name: getattr(task, name) for name in fields})


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Locks the folder of answers against other runs; errors name `--work`."""
    with ExitStack() as stack:
        try:
            stack.enter_context(work_files.locked(folder))
        except work_files.WorkError as error:
            raise work_files.WorkError(str(error).replace("--bundle", "--work")) from error
        yield


def _service_line(service: Service) -> str:
    """Returns address and key variable, so that a key sent to the wrong service is noticed."""
    if service.authorization:
        return f"asking {service.endpoint} with the user and password of --url"
    name = key_variable()
    return f"asking {service.endpoint} {f'with the key in {name}' if name else 'without a key'}"


def _options(task: LabelTask, service: Service | None, new_labels: NewLabels) -> dict[str, Any]:
    """Returns the options that affect the result, for the bundle; neither key nor path."""
    fields = ["llm", "draws", "judges", "judge_draws", "temperature", "answer_tokens"]
    options = {name: getattr(task, name) for name in fields}
    options |= {"texts": label_prompt.TEXTS_SHOWN, "overrides": len(new_labels.personal)}
    return options | {"endpoint": service.endpoint if service else None}


def _report_labels(source: Source, draws: Mapping[Subject, list[Draw]], new_labels: NewLabels) -> None:
    progress.say(f"  {_unreadable_line(draws)}")
    unlabeled = [head for head in source.heads if head not in new_labels.by_model]
    if unlabeled:
        names = _names(source, unlabeled[:MAX_HEADS_LISTED])
        names += " ..." if len(unlabeled) > MAX_HEADS_LISTED else ""
        progress.say(f"  {len(unlabeled)} heads got no label and keep the one they had offline: {names}")
    split = sum(not label.supported for label in new_labels.by_model.values())
    progress.say(
        f"  {len(new_labels.by_model)} heads labeled, {split} of them without a majority of the draws"
    )


def _report_judges(source: Source, draws: Mapping[Subject, list[Draw]]) -> None:
    progress.say(f"  {_unreadable_line(draws)}")
    heads = {subject.head_key for subject, answers in draws.items() if not any(a.parsed for a in answers)}
    if heads:
        names = _names(source, sorted(heads)[:MAX_HEADS_LISTED])
        progress.say(f"  {len(heads)} heads have a text without an answer of a judge: {names}")


def _unreadable_line(draws: Mapping[Subject, list[Draw]]) -> str:
    parsed = [answer.parsed for answers in draws.values() for answer in answers]
    return f"{parsed.count(None)} of {len(parsed)} answers could not be read; they are kept"


def _names(source: Source, heads: Sequence[HeadKey]) -> str:
    return ", ".join(
        f"{source.names[model_key]} {head_name(layer, head)}" for model_key, layer, head in heads
    )
