"""A bundle of which every string that other people write holds Markdown, HTML, formulas and code."""

from pathlib import Path

import pandas as pd

from db.store import BundleWriter
from tests.support import bundles

PORT = 9
"""Nothing listens there: a request is logged, and fails."""

PICTURE = f"http://127.0.0.1:{PORT}/x.png"
RAW = (
    f"![x]({PICTURE})",
    "[a](http://b)",
    "$x$",
    "<b>h</b>",
    ":red[x]",
    ":material/home:",
    "www.d.org",
    "e@f.org",
)
"""Parts that must not reach Markdown as they are."""

RAW_HTML = ("<b>h</b>", '"quote"')
"""Parts that must not reach HTML as they are."""

WORDS = r'=1+1 "quote" \"code\\" -> ' + " ".join(RAW)
"""Without a comma or a bar: they separate values in lists and links."""

COLUMNS = {
    "image_set": ["name", "license"],
    "image_file": ["path"],
    "image_attribute": ["attribute", "value"],
    "failed_image": ["path", "reason"],
    "text_pool": ["name", "language", "license"],
    "text": ["text"],
    "text_property": ["property"],
    "property": ["property"],
    "model": ["model", "architecture", "weights", "activation", "training_data", "control_of"],
    "metric": ["title", "description", "unit", "unranked_reason"],
    "class_text": ["attribute", "value", "text"],
    "head_label": ["label", "given_by", "reason"],
    "judgement": ["label", "judge"],
    "property_head": ["property"],
    "head_selectivity": ["attribute"],
    "language_model_answer": ["judge", "endpoint", "options", "prompt", "answer", "parsed"],
    "head_validation": ["attribute"],
    "validation_score": ["attribute", "property"],
    "published": ["model", "metric", "source", "note"],
}
"""Columns that other people write, by table."""


def strange(value: object) -> object:
    """Returns the value in strange words; missing and empty values, and names with a meaning, stay."""
    return f"{value} {WORDS}" if isinstance(value, str) and value not in ("", "tag_match") else value


def write_bundle(out: Path) -> Path:
    """Writes the tiny bundle in strange words."""
    tables = bundles.tables()
    tables["model"] = tables["model"].assign(training_data="LAION")
    for name, columns in COLUMNS.items():
        tables[name] = tables[name].assign(
            **{column: tables[name][column].map(strange) for column in columns}
        )
    return write(out, tables)


def write(out: Path, tables: dict[str, pd.DataFrame]) -> Path:
    """Writes a bundle of these tables and the vectors of the tiny bundle."""
    text_ids = {row.text_id: bundles.short_hash(row.text.encode()) for row in tables["text"].itertuples()}
    for name in ("text", "text_property", "head_text"):
        tables[name]["text_id"] = tables[name]["text_id"].map(text_ids)
    with BundleWriter(out, input_id="strange") as writer:
        for name, rows in tables.items():
            writer.write(name, rows)
        for model_key in bundles.MODELS:
            bundles.write_vectors(writer, model_key, classes=False, text_ids=list(text_ids.values()))
            attributes, values = tables["class_text"][["attribute", "value"]].to_numpy().T
            writer.write_classes(model_key, attributes, values, bundles.class_embeddings(model_key))
        return writer.finish({"software": {"headlight": "test"}, "method_versions": {"textspan": 1}})
