"""Labeling tasks, answers computed from the texts of a question, and rows of labeled bundles."""

from collections import Counter
from pathlib import Path

from db.connection import open_bundle, query
from precompute.tools.label.options import LabelTask
from tests.support.imported import KNOWN
from tests.support.llm_server import json_chat


def is_judged(request) -> bool:
    return request["messages"][-1]["content"].startswith("property: ")


def last_message(request) -> str:
    """Returns the question without its examples."""
    return request["messages"][-1]["content"]


def most_frequent_word(request):
    """Answers with the most frequent first word as a capitalized plural; judges compare the first word."""
    if is_judged(request):
        label, text = (line.split(": ")[1] for line in last_message(request).splitlines())
        return json_chat(consistent="yes" if text.startswith(label) else "no")
    words = Counter(line.split()[1] for line in last_message(request).splitlines())
    return json_chat(label=f" {words.most_common(1)[0][0].title()}s.")


def task(source: Path, out: Path, url: str | None = None, **options) -> LabelTask:
    return LabelTask(source, out, url=url, **({"first_wait": 0.01, "attempts": 3} | options))


def select(path: Path, sql: str) -> list[tuple]:
    bundle = open_bundle(path)
    try:
        return [tuple(row) for row in query(bundle, sql).itertuples(index=False)]
    finally:
        bundle.close()


def known_rows(path: Path, columns: str, table: str, where: str = "true") -> list[tuple]:
    """Returns columns of the rows of the model KNOWN, by head."""
    head = f"'L' || {table}.layer || '.H' || {table}.head"
    return select(
        path,
        f"select {head} as name, {columns} from {table} join model using (model_key) "
        f"where model = '{KNOWN}' and ({where}) order by {table}.layer, {table}.head",
    )


def metric(path: Path, name: str, labels: str = "chosen", heads_used: str = "all") -> float:
    ((value,),) = select(
        path,
        f"select value from model_metric join model using (model_key) where model = '{KNOWN}' "
        f"and metric = '{name}' and labels = '{labels}' and heads_used = '{heads_used}'",
    )
    return value
