"""`python -m dashboard.report`: the validation scores of a bundle, as Markdown."""

import argparse
import sys
from collections.abc import Callable
from contextlib import closing
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
    """Prints the tables and optionally writes them into a file; returns the exit code, 2 for an error."""
    options = _parser().parse_args(arguments)
    try:
        with closing(open_bundle(options.bundle)) as bundle:
            text = markdown(bundle)
        print(text)
        if options.write:
            write(options.write, text)
    except (UserError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def markdown(bundle: Bundle) -> str:
    """Returns all validation tables of a bundle as Markdown.

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
        ("Labels: the share of heads named by the attribute they act on", _labels(scores)),
        ("Maps: how much higher they are on the object that the caption names", _maps(scores)),
        ("Neighbors: the share with the query's value, through the best head", _neighbors(scores)),
        ("Mean-ablation: zero-shot accuracy after a forward pass without some parts", _mean_ablation(scores)),
    ]
    tables = [
        (title, text_table(list(rows), rows.itertuples(index=False))) for title, rows in sections if len(rows)
    ]
    return "\n\n".join(f"### {title}\n\n{table}" for title, table in tables)


def write(file: Path, text: str) -> None:
    """Writes the tables between the marks of a file, or into a new file.

    Raises:
        UserError: the file exists without marks.
    """
    old = file.read_text(encoding="utf-8") if file.exists() else f"# Validation\n\n{START}\n{STOP}\n"
    before, start, rest = old.partition(START)
    _, stop, after = rest.partition(STOP)
    if not (start and stop):
        raise UserError(f"{file} has no place for the tables. Add two lines: {START} and {STOP}.")
    file.write_text(f"{before}{START}\n\n{text}\n\n{STOP}{after}", encoding="utf-8")


def _labels(scores: pd.DataFrame) -> pd.DataFrame:
    """Returns the shares of right labels, with their number of heads."""
    table = validation_tables.labels(scores)
    table = validation_tables.in_brief(table, validation_tables.originals(scores))
    table = table.dropna(axis="columns", how="all").drop(columns=["model_key"], errors="ignore")
    counts = [name for name in table.columns if name == "hits" or name.endswith("heads")]
    shown = table.assign(**{name: table[name].astype("Int64").astype(object) for name in counts})
    return shown.rename(columns=lambda name: name.replace("_", " "))


def _maps(scores: pd.DataFrame) -> pd.DataFrame:
    """Returns one row per model and map, of controls only the map of all heads; a column per measure."""
    rows = validation_tables.maps(scores)
    is_model = rows["model_key"].isin(validation_tables.originals(scores))
    rows = rows[is_model | (rows["subject_kind"] == "all_heads")]
    cells = {(row.model, row.subject, row.measure): _interval(row) for row in rows.itertuples()}
    maps = rows.drop_duplicates(["model", "subject"])[["model", "subject"]]
    columns = {
        title.lower(): [cells.get((*pair, measure), "-") for pair in maps.itertuples(index=False, name=None)]
        for measure, title in validation_tables.measures(rows).items()
    }
    return maps.rename(columns={"subject": "map"}).assign(**columns)


def _interval(row: Any) -> str:
    return cell(row.value) + ("" if pd.isna(row.low) else f" ({row.low:.3f} to {row.high:.3f})")


def _neighbors(scores: pd.DataFrame) -> pd.DataFrame:
    """Returns the best head for every attribute, beside the best head of the control."""

    def shape(scores: pd.DataFrame, key: str) -> pd.DataFrame:
        best = validation_tables.nearest(scores, key)
        control = validation_tables.nearest(scores, validation_tables.control_key_of(scores, key))
        precision = control.set_index("attribute")["precision"].to_dict() if len(control) else {}
        return best.assign(control=best["attribute"].map(precision).astype(float)).drop(columns=["heads"])

    return _by_model(scores, "neighbors", shape).rename(columns={"best_head": "best head"})


def _mean_ablation(scores: pd.DataFrame) -> pd.DataFrame:
    """Returns every intervention; of the texts the first 10 and all."""

    def shape(scores: pd.DataFrame, key: str) -> pd.DataFrame:
        rows = validation_effects.accuracies(scores, key)
        return rows[rows["k"].isin([0, 10, rows["k"].max()])].drop(columns=["k"])

    return _by_model(scores, "mean_ablation", shape)


def _by_model(
    scores: pd.DataFrame, study: str, shape: Callable[[pd.DataFrame, str], pd.DataFrame]
) -> pd.DataFrame:
    """Returns one table of all models without controls, the name of the model first."""
    names = validation_tables.names_of(scores)
    keys = validation_tables.originals(validation_tables.study(scores, study))
    tables = [shape(scores, key).assign(model=names[key]) for key in keys]
    table = pd.concat([pd.DataFrame({"model": []}), *tables], ignore_index=True)
    return table[["model", *(name for name in table.columns if name != "model")]]


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
