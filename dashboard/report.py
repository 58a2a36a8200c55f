"""`python -m dashboard.report`: the validation scores of a bundle, as Markdown."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from dashboard.data import validation_effects, validation_tables
from db.connection import Bundle, open_bundle
from db.errors import UserError
from db.queries import validation_scores
from db.text_table import cell, text_table

START, STOP = "<!-- validation: written by `python -m dashboard.report` -->", "<!-- end of validation -->"


def main(arguments: list[str] | None = None) -> int:
    """Print the tables, and write them into a file if asked; 2 where it cannot be done."""
    options = _parser().parse_args(arguments)
    try:
        bundle = open_bundle(options.bundle)
        try:
            text = markdown(bundle)
        finally:
            bundle.close()
        print(text)
        if options.write:
            write(options.write, text)
    except (UserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def markdown(bundle: Bundle) -> str:
    """All validation tables of a bundle.

    Raises:
        UserError: the bundle was built without validation.
    """
    scores = validation_scores(bundle)
    if scores.empty:
        raise UserError(
            f"the bundle at {bundle.path} was not validated. Build it with --validation, "
            "and --masks for maps."
        )
    sections = [
        ("Labels: the share of heads that are named by what they act on", _labels(scores)),
        ("Maps: how much higher they are on the object that the caption names", _maps(scores)),
        ("Neighbors: the share that has the query's value, through the best head", _neighbors(scores)),
        ("Mean-ablation: zero-shot accuracy after a forward pass without some parts", _mean_ablation(scores)),
    ]
    tables = [
        (title, text_table(list(rows), rows.itertuples(index=False))) for title, rows in sections if len(rows)
    ]
    return "\n\n".join(f"### {title}\n\n{table}" for title, table in tables)


def write(file: Path, text: str) -> None:
    """Put the tables between the marks of a file, or into a new file; the rest of it stays.

    Raises:
        UserError: the file is there and has no marks.
    """
    old = file.read_text(encoding="utf-8") if file.exists() else f"# Validation\n\n{START}\n{STOP}\n"
    before, start, rest = old.partition(START)
    _, stop, after = rest.partition(STOP)
    if not (start and stop):
        raise UserError(f"{file} has no place for the tables. Add two lines: {START} and {STOP}.")
    file.write_text(f"{before}{START}\n\n{text}\n\n{STOP}{after}", encoding="utf-8")


def _labels(scores: pd.DataFrame) -> pd.DataFrame:
    """The shares, with the number of heads behind each."""
    every = validation_tables.labels(scores)
    found = validation_tables.in_brief(every, validation_tables.originals(scores)).dropna(
        axis="columns", how="all"
    )
    counts = [name for name in found.columns if name == "hits" or name.endswith("heads")]
    whole = {name: found[name].astype("Int64").astype(object) for name in counts}
    shown = found.assign(**whole).drop(columns=["model_key"], errors="ignore")
    return shown.rename(columns=lambda name: name.replace("_", " "))


def _maps(scores: pd.DataFrame) -> pd.DataFrame:
    """One row per model and map, of controls the whole map only; a column per measure, with its interval."""
    found = validation_tables.maps(scores)
    own = found["model_key"].isin(validation_tables.originals(scores))
    found = found[own | (found["subject_kind"] == "all_heads")]
    cells = {(row.model, row.subject, row.measure): _interval(row) for row in found.itertuples()}
    maps = found.drop_duplicates(["model", "subject"])[["model", "subject"]]
    columns = {
        title.lower(): [cells.get((*pair, measure), "-") for pair in maps.itertuples(index=False, name=None)]
        for measure, title in validation_tables.measures(found).items()
    }
    return maps.rename(columns={"subject": "map"}).assign(**columns)


def _interval(row: Any) -> str:
    return cell(row.value) + ("" if pd.isna(row.low) else f" ({row.low:.3f} to {row.high:.3f})")


def _neighbors(scores: pd.DataFrame) -> pd.DataFrame:
    """The best head for every attribute, beside the best head of the control."""

    def shape(scores: pd.DataFrame, key: str) -> pd.DataFrame:
        own, of_control = (
            validation_tables.nearest(scores, model_key)
            for model_key in (key, validation_tables.control_key_of(scores, key))
        )
        pairs = zip(of_control["attribute"], of_control["precision"], strict=True) if len(of_control) else ()
        beside = dict(pairs)
        return own.assign(control=own["attribute"].map(beside).astype(float)).drop(columns=["heads"])

    return _by_model(scores, "neighbors", shape).rename(columns={"best_head": "best head"})


def _mean_ablation(scores: pd.DataFrame) -> pd.DataFrame:
    """Every intervention; of the texts 10, and as many as there are."""

    def shape(scores: pd.DataFrame, key: str) -> pd.DataFrame:
        rows = validation_effects.accuracies(scores, key)
        return rows[rows["k"].isin([0, 10, rows["k"].max()])].drop(columns=["k"])

    return _by_model(scores, "mean_ablation", shape)


def _by_model(
    scores: pd.DataFrame, study: str, shape: Callable[[pd.DataFrame, str], pd.DataFrame]
) -> pd.DataFrame:
    """One table of all models but controls; the name of the model stands first."""
    names = validation_tables.names_of(scores)
    keys = validation_tables.originals(validation_tables.study(scores, study))
    tables = [shape(scores, key).assign(model=names[key]) for key in keys]
    found = pd.concat([pd.DataFrame({"model": []}), *tables], ignore_index=True)
    return found[["model", *(name for name in found.columns if name != "model")]]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m dashboard.report", description=__doc__)
    parser.add_argument(
        "bundle", type=Path, help="directory of a bundle built with --validation, or a zip of one"
    )
    parser.add_argument(
        "--write",
        type=Path,
        metavar="FILE",
        help="put the tables into FILE as well, e.g. docs/validation.md, between its marks",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
