"""Reads a bundle that is to be labeled, and writes a new bundle with labels and judgements.

Knows nothing of language model services: draws and labels in, a bundle out.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from db import queries, rewrite
from db.connection import Bundle
from db.rewrite import all_labels, first_texts, inherited_facts, open_copy
from db.store import BundleWriter
from precompute.method import agreement_stats, metric_info
from precompute.runtime import work_files
from precompute.runtime.config import ConfigError
from precompute.runtime.run_row import package_versions, run_row
from precompute.tools.label import label_prompt, metrics, overrides
from precompute.tools.label import rows as label_rows
from precompute.tools.label.label_prompt import MajorityLabel
from precompute.tools.label.llm_cache import Draw
from precompute.tools.label.overrides import Override
from precompute.tools.label.rows import HEAD, JUDGE, LABEL, HeadKey, Subject, Texts

STAGE = "relabeling"
"""Name of the stage in the table `run`."""


class Source(NamedTuple):
    """Contents of the bundle that is labeled."""

    bundle: Bundle
    names: dict[str, str]
    """Name of every model by key."""

    selected: tuple[str, ...]
    """Keys of the models to label or judge."""

    texts: dict[HeadKey, Texts]
    """First texts of the heads of all models."""

    labels: pd.DataFrame
    """Existing labels: head, method, picks, label."""

    properties: dict[str, int]
    """Number of texts of the pool by property."""

    @property
    def heads(self) -> dict[HeadKey, Texts]:
        """First texts of the heads of the selected models."""
        return {head: texts for head, texts in self.texts.items() if head[0] in self.selected}


class NewLabels(NamedTuple):
    """Labels and answers by language models and people."""

    by_model: dict[HeadKey, MajorityLabel]
    """Labels by a language model."""

    personal: tuple[Override, ...]
    draws: dict[Subject, list[Draw]]
    """All questions with their answers."""

    llm: str | None
    """Language model that gives labels; None if there is none."""


def read(bundle: Bundle, models: Sequence[str] = ()) -> Source:
    """Reads a bundle; `models` are names or keys of the models to label, empty for all.

    Raises:
        ConfigError: the bundle does not have a model.
    """
    model_rows = queries.models(bundle)
    names = dict(zip(model_rows["model_key"], model_rows["model"], strict=True))
    keys = keys_by_name(names)
    if unknown := [name for name in models if name not in keys]:
        raise ConfigError(f"--models {unknown[0]}: the bundle has {', '.join(sorted(names.values()))}.")
    selected = tuple(dict.fromkeys(keys[name] for name in models)) or tuple(sorted(names))
    texts = label_rows.texts_by_head(first_texts(bundle, texts=label_prompt.TEXTS_SHOWN))
    pool = queries.properties(bundle, model_key=selected[0])
    text_counts = {str(row.property): int(row.texts) for row in pool.itertuples() if row.texts}
    return Source(bundle, names, selected, texts, all_labels(bundle), text_counts)


def keys_by_name(names: Mapping[str, str]) -> dict[str, str]:
    """Returns the key of every model by its key, and by its name if the name is unique."""
    count = Counter(names.values())
    return {key: key for key in names} | {name: key for key, name in names.items() if count[name] == 1}


def choose_labels(source: Source, new_labels: NewLabels) -> pd.DataFrame:
    """Returns head, method, picks and label of the chosen label of every head of all models."""
    new, old = _head_label_rows(source, new_labels)[source.labels.columns], source.labels
    if new_labels.llm:
        old = old[~(old["method"].eq(label_prompt.METHOD) & old["model_key"].isin(source.selected))]
    # New labels first: a person's second label of a head replaces the first.
    return label_rows.choose(pd.concat([new, old], ignore_index=True))


def labels_by_head(chosen: pd.DataFrame) -> dict[HeadKey, str]:
    """Returns the label of every head."""
    return {(row.model_key, row.layer, row.head): row.label for row in chosen.itertuples()}


def write(
    source: Source,
    new_labels: NewLabels,
    out: Path,
    *,
    replace: bool,
    options: Mapping[str, Any],
    started: datetime,
    seconds: float,
) -> None:
    """Writes a copy of the source bundle with new labels and judgements, and the metrics that follow."""
    labels, chosen = _head_label_rows(source, new_labels), choose_labels(source, new_labels)
    judgements = label_rows.judgements(new_labels.draws, labels_by_head(chosen))
    parts = [_content(labels), _content(judgements)]
    input_id = work_files.key_of("labels", source.bundle.manifest["input_id"], parts)
    with open_copy(source.bundle, out, input_id=input_id, replace=replace) as writer:
        _remove_replaced(writer, source, new_labels)
        writer.write("head_label", labels)
        writer.write("language_model_answer", label_rows.answers(new_labels.draws, options["endpoint"]))
        writer.write("judgement", judgements)
        rewrite.choose_labels(writer, chosen[[*HEAD, "method", "picks"]])
        _write_matches(writer, source, labels_by_head(chosen))
        _write_properties(writer, source, chosen)
        _write_metrics(writer, source)
        _write_run(writer, source, options, started, seconds)
        facts = inherited_facts(source.bundle)
        software = facts["software"] | package_versions(["openai"])
        writer.finish(facts | {"labeled_from": source.bundle.manifest["input_id"], "software": software})


def _head_label_rows(source: Source, new_labels: NewLabels) -> pd.DataFrame:
    """Returns rows of `head_label`."""
    by_model = label_rows.language_model_labels(
        new_labels.by_model, source.texts, set(source.properties), new_labels.llm
    )
    return pd.concat([by_model, label_rows.personal_labels(new_labels.personal)], ignore_index=True)


def _content(rows: pd.DataFrame) -> list[list[str]]:
    """Returns rows as sorted strings for a hash that is independent of column types."""
    return sorted([_text(value) for value in row] for row in rows.itertuples(index=False))


def _text(value: object) -> str:
    if pd.isna(value):
        return ""
    return f"{value:.6g}" if isinstance(value, (int, float)) else str(value)


def _remove_replaced(writer: BundleWriter, source: Source, new_labels: NewLabels) -> None:
    """Removes labels and answers that the new ones replace. Answers of other judges stay."""
    models = pd.DataFrame({"model_key": list(source.selected)})
    if new_labels.llm:
        rewrite.remove(writer, "head_label", models.assign(method=label_prompt.METHOD))
        rewrite.remove(writer, "language_model_answer", models.assign(task=LABEL))
    if new_labels.personal:
        heads = pd.DataFrame([label[:3] for label in new_labels.personal], columns=HEAD)
        rewrite.remove(writer, "head_label", heads.assign(method=overrides.METHOD))
    for judge in {subject.judge for subject in new_labels.draws if subject.task == JUDGE}:
        rewrite.remove(writer, "judgement", models.assign(judge=judge))
        rewrite.remove(writer, "language_model_answer", models.assign(task=JUDGE, judge=judge))


def _write_matches(writer: BundleWriter, source: Source, labels: Mapping[HeadKey, str]) -> None:
    """Writes judgements of the chosen labels by the offline rule."""
    matches = label_rows.tag_matches(labels, source.texts, set(source.properties))
    if len(matches):
        rewrite.remove(writer, "judgement", matches[[*HEAD, "label", "judge"]].drop_duplicates())
    writer.write("judgement", matches)


def _write_properties(writer: BundleWriter, source: Source, chosen: pd.DataFrame) -> None:
    """Writes labels as properties, including labels that no text of the pool carries."""
    rewrite.remove(writer, "property_head", pd.DataFrame({"model_key": list(source.names)}))
    writer.write("property_head", chosen[[*HEAD, "label"]].rename(columns={"label": "property"}))
    rewrite.remove(writer, "property", pd.DataFrame({"texts": [0]}))
    new = sorted(set(chosen["label"]) - set(source.properties))
    writer.write("property", pd.DataFrame({"property": new, "texts": [0] * len(new)}))


def _write_metrics(writer: BundleWriter, source: Source) -> None:
    """Writes metrics of the chosen labels for models whose labels differ from the offline ones."""
    labels, answers = rewrite.chosen_labels(writer), rewrite.chosen_judgements(writer)
    texts = {head: len(row.texts[: agreement_stats.TEXTS_JUDGED]) for head, row in source.texts.items()}
    smallest = int(labels.groupby("model_key").size().min())
    head_rows, model_rows = [], []
    for model_key, model_labels in labels.groupby("model_key"):
        scores = metrics.score(model_labels, answers[answers["model_key"] == model_key], texts)
        if metrics.differs(model_labels, scores):
            head_rows.append(metrics.head_metrics(model_labels, scores))
            model_rows.append(metrics.model_metrics(model_labels, scores, smallest=smallest))
    rewrite.remove(writer, "head_metric", pd.DataFrame({"metric": [metrics.CCS]}))
    rewrite.remove(writer, "model_metric", pd.DataFrame({"labels": [metrics.CHOSEN]}))
    if model_rows:
        rows = pd.concat(model_rows, ignore_index=True)
        _write_descriptions(writer, source, {metrics.CCS, *rows["metric"]})
        writer.write("head_metric", pd.concat(head_rows, ignore_index=True))
        writer.write("model_metric", rows)


def _write_descriptions(writer: BundleWriter, source: Source, names: set[str]) -> None:
    """Writes descriptions of metrics that the source bundle lacks, positioned after its own."""
    existing = queries.metrics(source.bundle)
    missing = names - set(existing["metric"])
    new = [
        info.row() for info in (*metric_info.METRICS, *metric_info.LABELING_METRICS) if info.metric in missing
    ]
    first = int(existing["position"].max()) + 1 if len(existing) else 0
    if new:
        writer.write("metric", pd.DataFrame(new).assign(position=range(first, first + len(new))))


def _write_run(
    writer: BundleWriter, source: Source, options: Mapping[str, Any], started: datetime, seconds: float
) -> None:
    software = package_versions(["openai"])
    for model_key in source.selected:
        row = run_row(model_key, STAGE, options, software, started, seconds)
        rewrite.remove(writer, "run", row[["model_key", "stage"]])
        writer.write("run", row)
