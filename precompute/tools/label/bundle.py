"""What is read of a bundle to label it, and how labels and judgements make a new one of it.

Knows nothing of how they were come by: draws and labels in, a bundle out.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from db import queries, rewrite
from db.connection import Bundle
from db.rewrite import first_texts, given_labels, kept_facts, open_copy
from db.store import BundleWriter
from precompute.method import agreement_stats, metric_info
from precompute.runtime import work_files
from precompute.runtime.config import ConfigError
from precompute.runtime.run_row import package_versions, run_row
from precompute.tools.label import (
    label_prompt,
    metrics,
    overrides,
)
from precompute.tools.label import (
    rows as label_rows,
)
from precompute.tools.label.label_prompt import Voted
from precompute.tools.label.llm_cache import Draw
from precompute.tools.label.overrides import Override
from precompute.tools.label.rows import (
    HEAD,
    JUDGE,
    LABEL,
    HeadKey,
    Subject,
    Texts,
)

STAGE = "relabeling"
"""Name of this in the table `run`."""


class Source(NamedTuple):
    """What is read of the bundle that is labeled."""

    bundle: Bundle
    names: dict[str, str]
    """Name of the model of every key."""

    asked: tuple[str, ...]
    """Keys of the models whose heads are asked about."""

    texts: dict[HeadKey, Texts]
    """First texts of every head of all models."""

    labels: pd.DataFrame
    """Labels that are there: head, method, picks, label."""

    properties: dict[str, int]
    """Properties of the pool, and how many texts carry each."""

    @property
    def heads(self) -> dict[HeadKey, Texts]:
        """Those that are asked about."""
        return {head: texts for head, texts in self.texts.items() if head[0] in self.asked}


class NewLabels(NamedTuple):
    """Labels and answers by language models and people."""

    voted: dict[HeadKey, Voted]
    """Labels by a language model."""

    personal: tuple[Override, ...]
    draws: dict[Subject, list[Draw]]
    """Every question with its answer."""

    llm: str | None
    """The language model that was asked for labels; None where none was."""


def read(bundle: Bundle, models: Sequence[str] = ()) -> Source:
    """Read what questions are made of; `models` are names or keys of those to ask about, or none for all.

    Raises:
        ConfigError: a model that the bundle does not have.
    """
    known = queries.models(bundle)
    names = dict(zip(known["model_key"], known["model"], strict=True))
    keys = called(names)
    if unknown := [name for name in models if name not in keys]:
        raise ConfigError(f"--models {unknown[0]}: the bundle has {', '.join(sorted(names.values()))}.")
    asked = tuple(dict.fromkeys(keys[name] for name in models)) or tuple(sorted(names))
    texts = label_rows.texts_by_head(first_texts(bundle, texts=label_prompt.TEXTS_SHOWN))
    pool = queries.properties(bundle, model_key=asked[0])
    carried = {str(row.property): int(row.texts) for row in pool.itertuples() if row.texts}
    return Source(bundle, names, asked, texts, given_labels(bundle), carried)


def called(names: Mapping[str, str]) -> dict[str, str]:
    """Key of every model by its key, and by its name where only one has that name."""
    count = Counter(names.values())
    return {key: key for key in names} | {name: key for key, name in names.items() if count[name] == 1}


def chosen(source: Source, new_labels: NewLabels) -> pd.DataFrame:
    """HeadKey, method, picks and label of the label that is to be shown, of every head of all models."""
    new, old = _head_label_rows(source, new_labels)[source.labels.columns], source.labels
    if new_labels.llm:
        old = old[~(old["method"].eq(label_prompt.METHOD) & old["model_key"].isin(source.asked))]
    # New ones first: a person's second label of a head takes the place of the first.
    return label_rows.choose(pd.concat([new, old], ignore_index=True))


def labels_of(chosen: pd.DataFrame) -> dict[HeadKey, str]:
    """The label of every head."""
    return {(row.model_key, row.layer, row.head): row.label for row in chosen.itertuples()}


def write(
    source: Source,
    new_labels: NewLabels,
    out: Path,
    *,
    replace: bool,
    endpoint: str,
    options: Mapping[str, Any],
    started: datetime,
    seconds: float,
) -> None:
    """Write the new bundle: a copy of the old one with labels, judgements and what follows from them."""
    labels, keys = _head_label_rows(source, new_labels), chosen(source, new_labels)
    judged = label_rows.judgements(new_labels.draws, labels_of(keys))
    parts = [_content(labels), _content(judged)]
    input_id = work_files.key_of("labels", source.bundle.manifest["input_id"], parts)
    with open_copy(source.bundle, out, input_id=input_id, replace=replace) as writer:
        _remove_replaced(writer, source, new_labels)
        writer.write("head_label", labels)
        writer.write("language_model_answer", label_rows.answers(new_labels.draws, endpoint))
        writer.write("judgement", judged)
        rewrite.choose_labels(writer, keys[[*HEAD, "method", "picks"]])
        _write_matches(writer, source, labels_of(keys))
        _write_properties(writer, source, keys)
        _write_metrics(writer, source)
        _write_run(writer, source, options, started, seconds)
        facts = kept_facts(source.bundle)
        software = {**facts["software"], "openai": version("openai")}
        labeled = {"labeled_from": source.bundle.manifest["input_id"]}
        writer.finish({**facts, **labeled, "software": software})


def _head_label_rows(source: Source, new_labels: NewLabels) -> pd.DataFrame:
    """Rows of `head_label`."""
    by_model = label_rows.language_model_labels(new_labels.voted, source.texts, new_labels.llm)
    return pd.concat([by_model, label_rows.personal_labels(new_labels.personal)], ignore_index=True)


def _content(rows: pd.DataFrame) -> list[list[str]]:
    """Rows as sorted texts, to be hashed: the same whatever types a column got."""
    return sorted([_text(value) for value in row] for row in rows.itertuples(index=False))


def _text(value: object) -> str:
    if pd.isna(value):
        return ""
    return f"{value:.6g}" if isinstance(value, (int, float)) else str(value)


def _remove_replaced(writer: BundleWriter, source: Source, new_labels: NewLabels) -> None:
    """Remove labels and answers of heads that were asked again. Other judges' answers stay."""
    asked = pd.DataFrame({"model_key": list(source.asked)})
    if new_labels.llm:
        rewrite.remove(writer, "head_label", asked.assign(method=label_prompt.METHOD))
        rewrite.remove(writer, "language_model_answer", asked.assign(task=LABEL))
    if new_labels.personal:
        heads = pd.DataFrame([one[:3] for one in new_labels.personal], columns=HEAD)
        rewrite.remove(writer, "head_label", heads.assign(method=overrides.METHOD))
    for judge in {subject.judge for subject in new_labels.draws if subject.task == JUDGE}:
        rewrite.remove(writer, "judgement", asked.assign(judge=judge))
        rewrite.remove(writer, "language_model_answer", asked.assign(task=JUDGE, judge=judge))


def _write_matches(writer: BundleWriter, source: Source, labels: Mapping[HeadKey, str]) -> None:
    """What the offline rule says of the chosen labels."""
    matches = label_rows.tag_matches(labels, source.texts, set(source.properties))
    if len(matches):
        rewrite.remove(writer, "judgement", matches[[*HEAD, "label", "judge"]].drop_duplicates())
    writer.write("judgement", matches)


def _write_properties(writer: BundleWriter, source: Source, keys: pd.DataFrame) -> None:
    """Labels are looked up as properties, also those that no text of the pool carries."""
    rewrite.remove(writer, "property_head", pd.DataFrame({"model_key": list(source.names)}))
    writer.write("property_head", keys[[*HEAD, "label"]].rename(columns={"label": "property"}))
    rewrite.remove(writer, "property", pd.DataFrame({"texts": [0]}))
    new = sorted(set(keys["label"]) - set(source.properties))
    writer.write("property", pd.DataFrame({"property": new, "texts": [0] * len(new)}))


def _write_metrics(writer: BundleWriter, source: Source) -> None:
    """Metrics of the chosen labels, of every model where they differ from the offline ones."""
    labels, answers = rewrite.chosen_labels(writer), rewrite.chosen_judgements(writer)
    texts = {head: len(own.texts[: agreement_stats.TEXTS_JUDGED]) for head, own in source.texts.items()}
    smallest = int(labels.groupby("model_key").size().min())
    of_heads, of_models = [], []
    for model_key, own in labels.groupby("model_key"):
        scored = metrics.score(own, answers[answers["model_key"] == model_key], texts)
        if metrics.differs(own, scored):
            of_heads.append(metrics.head_metrics(own, scored))
            of_models.append(metrics.model_metrics(own, scored, smallest=smallest))
    rewrite.remove(writer, "head_metric", pd.DataFrame({"metric": [metrics.CCS]}))
    rewrite.remove(writer, "model_metric", pd.DataFrame({"labels": [metrics.CHOSEN]}))
    if of_models:
        rows = pd.concat(of_models, ignore_index=True)
        _write_meanings(writer, source, {metrics.CCS, *rows["metric"]})
        writer.write("head_metric", pd.concat(of_heads, ignore_index=True))
        writer.write("model_metric", rows)


def _write_meanings(writer: BundleWriter, source: Source, used: set[str]) -> None:
    """What the metrics mean that the old bundle has no row for; below those it has."""
    known = queries.metrics(source.bundle)
    known_names = set(known["metric"])
    new = [
        one.row()
        for one in (*metric_info.METRICS, *metric_info.LABELING_METRICS)
        if one.metric in used - known_names
    ]
    first = int(known["position"].max()) + 1 if len(known) else 0
    if new:
        writer.write("metric", pd.DataFrame(new).assign(position=range(first, first + len(new))))


def _write_run(
    writer: BundleWriter, source: Source, options: Mapping[str, Any], started: datetime, seconds: float
) -> None:
    software = package_versions(["openai"])
    for model_key in source.asked:
        row = run_row(model_key, STAGE, options, software, started, seconds)
        rewrite.remove(writer, "run", row[["model_key", "stage"]])
        writer.write("run", row)
