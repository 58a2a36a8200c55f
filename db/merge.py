"""Adds the models of a bundle to a copy of another bundle of the same images and texts.

    check_addable(first, second)
    with rewrite.open_copy(first, out, input_id=...) as writer:
        add_models(writer, second, new_models(first.model_keys, second))

What depends on all models of a bundle is the caller's to compute: ranks, metrics at the size of the smallest
model, heads matched across the two bundles.
"""

from collections.abc import Iterator, Sequence
from itertools import islice

import pandas as pd

from db import ddl
from db.connection import Bundle, cursor, query
from db.diff import table_differences, vector_differences
from db.errors import StoreError
from db.layout import KINDS, lance_table
from db.rewrite import asked, attached, copy_rows, execute_with, link_vectors, remove
from db.store import BundleWriter
from db.tolerances import TOLERANCE, VECTOR_TOLERANCE

OF_SMALLEST = "entanglement_smallest"
"""The metric that depends on the models beside a model: on the smallest of them."""

MAX_NAMED = 4
"""Maximum number of differences in a message."""

_MODEL_METRICS = ("model_metric", "replicate_metric", "rotated_metric")
_RANKS = ("model_metric.rank_low", "model_metric.rank_high")
_MATCHES = "head_match"


class MergeRefused(StoreError):
    """Two bundles do not fit together; the message says in what, and what to do."""


def check_addable(first: Bundle, second: Bundle) -> None:
    """Compares everything that two bundles must have in common.

    Raises:
        MergeRefused: texts, images or versions of methods differ, or a model has two sets of numbers.
    """
    checks = (
        (_versions, "are made by different versions of the methods", "Build one of them again."),
        (_texts, "have different text pools", "Run the models of one of them again with the other's pool."),
        (_images, "have different images", "Run the models of one of them again on the other's images."),
        (_facts, "know different facts of the images",
         "Run the models of one of them again with the other's attributes and class prompts."),
        (_models, "contradict each other", "Leave out one of them, or build it again."),
    )  # fmt: skip
    for differences, problem, advice in checks:
        if named := list(islice(differences(first, second), MAX_NAMED + 1)):
            more = "; and more" * (len(named) > MAX_NAMED)
            listed = "; ".join(named[:MAX_NAMED]) + more
            raise MergeRefused(f"{first.path} and {second.path} {problem}: {listed}. {advice}")


def new_models(known: Sequence[str], bundle: Bundle) -> list[str]:
    """Returns the keys of the models of a bundle that are not among the known keys."""
    return [key for key in bundle.model_keys if key not in known]


def add_models(writer: BundleWriter, source: Bundle, model_keys: Sequence[str]) -> None:
    """Adds tables and vectors of some models of `source`; files of vectors are linked, as by `open_copy`."""
    keys = {"keys": list(model_keys)}
    with attached(writer, source):
        for table, columns in writer.columns.items():
            named = [f"list_contains($keys, {name})" for name in columns if name.endswith("model_key")]
            if named:
                copy_rows(writer, table, " or ".join(named), keys)
        for statement in (_NEW_METRICS, _NEW_PROPERTIES, _NEW_PUBLISHED):
            writer.connection.execute(statement)
    for key in model_keys:
        for kind in KINDS:
            link_vectors(source, writer, lance_table(kind, key))


def remove_metric(writer: BundleWriter, metric: str, model_keys: Sequence[str]) -> None:
    """Removes a metric of some models, with its replicates and its values for rotated heads."""
    for table in _MODEL_METRICS:
        remove(writer, table, pd.DataFrame({"model_key": list(model_keys)}).assign(metric=metric))


def ranked_values(writer: BundleWriter) -> pd.DataFrame:
    """Returns the offline metrics of all trained models as written so far, with their replicates."""
    return asked(writer, _RANKED_VALUES)


def write_ranks(writer: BundleWriter, ranks: pd.DataFrame) -> None:
    """Replaces all ranks: model_key, metric, heads_used, rank_low, rank_high; no row for no rank."""
    execute_with(writer, ranks, _WRITE_RANKS)


def _versions(first: Bundle, second: Bundle) -> Iterator[str]:
    a, b = (bundle.manifest.get("method_versions", {}) for bundle in (first, second))
    for name in sorted(set(a) & set(b)):
        if a[name] != b[name]:
            yield f"{name} {a[name]} and {b[name]}"


def _texts(first: Bundle, second: Bundle) -> Iterator[str]:
    return _of_tables(first, second, "text", "text_property")


def _images(first: Bundle, second: Bundle) -> Iterator[str]:
    # By id alone: thumbnails of images with maps are larger.
    a, b = (set(query(bundle, "select image_id from image")["image_id"]) for bundle in (first, second))
    if a != b:
        yield f"{len(a):,} and {len(b):,} images, of which both have {len(a & b):,}"


def _facts(first: Bundle, second: Bundle) -> Iterator[str]:
    return _of_tables(first, second, "image_attribute", "class_text")


def _models(first: Bundle, second: Bundle) -> Iterator[str]:
    """Yields differences of the models that both bundles have, but for what depends on other models."""
    shared = sorted(set(first.model_keys) & set(second.model_keys))
    if not shared:
        return
    condition = " or ".join(f"model_key = '{key}'" for key in shared)  # keys have no quotes: see manifest
    where = {
        table: f"({condition})" if "model_key" in columns and table != _MATCHES else None
        for table, columns in ddl.columns(cursor(first)).items()
    }
    where |= {table: f"({condition}) and metric <> '{OF_SMALLEST}'" for table in _MODEL_METRICS}
    for difference in table_differences(first, second, TOLERANCE, where):
        if not difference.startswith(_RANKS):
            yield difference
    yield from vector_differences(first, second, VECTOR_TOLERANCE)


def _of_tables(first: Bundle, second: Bundle, *tables: str) -> Iterator[str]:
    where = {table: "true" if table in tables else None for table in ddl.columns(cursor(first))}
    return table_differences(first, second, TOLERANCE, where)


_NEW_METRICS = """
insert into metric by name
select
    new.* exclude (position),
    (select coalesce(max(position), -1) from metric) + row_number() over (order by new.position) as position
from source.metric as new
anti join metric using (metric)
"""
"""Adds the metrics of the attached source that are not described yet, after all others."""

_NEW_PROPERTIES = """
insert into property by name
select *
from source.property
anti join property using (property)
"""
"""Adds the labels of the attached source that are properties of no text."""

_NEW_PUBLISHED = """
insert into published by name
select *
from source.published
anti join published using (model, metric, source)
"""
"""Adds the published figures of the attached source."""

_RANKED_VALUES = """
select
    model_metric.model_key,
    model.label_rule,
    model_metric.metric,
    model_metric.heads_used,
    model_metric.value,
    list(coalesce(replicate_metric.value, 'nan'::double) order by replicate_metric.replicate) as replicates
from model_metric
join model using (model_key)
join replicate_metric using (model_key, metric, heads_used)
where model_metric.labels = 'offline'
    and not model.is_control
group by all
order by model_metric.model_key, model_metric.metric, model_metric.heads_used
"""
"""One row per offline metric of a trained model and set of heads: the value, and its replicates in order."""

_WRITE_RANKS = """
update model_metric
set rank_low = incoming.rank_low,
    rank_high = incoming.rank_high
from (
    select
        model_metric.model_key,
        model_metric.metric,
        model_metric.heads_used,
        incoming.rank_low,
        incoming.rank_high
    from model_metric
    left join incoming using (model_key, metric, heads_used)
    where model_metric.labels = 'offline'
) as incoming
where model_metric.model_key = incoming.model_key
    and model_metric.metric = incoming.metric
    and model_metric.heads_used = incoming.heads_used
    and model_metric.labels = 'offline'
"""
"""Replaces all ranks by those of the table `incoming`."""
