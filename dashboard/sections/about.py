"""The page About: facts of the bundle, what was checked, and how to cite it."""

import pandas as pd
import streamlit as st

from dashboard.data import about
from dashboard.data.types import Source
from dashboard.sections import shared as sections
from dashboard.state.markdown import literal
from db import citation

MARKS = {True: ":material/check_circle:", False: ":material/pending:"}


def draw_checks(source: Source) -> None:
    """The checks that were made when the bundle was opened, and the command that reads every number."""
    lines = [f"{MARKS[is_right]} {literal(words)}" for is_right, words in about.checks(source)]
    st.markdown("  \n".join(lines))
    st.caption(
        f"`headlight bundle verify` also reads every number of {literal(source.name)} and names those that "
        "are not finite. Checksums show damage, not who made a bundle."
    )


def draw_facts(source: Source) -> pd.DataFrame:
    """The contents of the bundle and their origin; returns the facts."""
    facts = about.contents(source)
    sections.draw_table(facts, {}, alt="Facts of the bundle")
    return facts


def draw_models(source: Source) -> pd.DataFrame:
    """The origin of the weights of every model; returns the models."""
    models = about.models(source)
    error = st.column_config.NumberColumn(format="%.1e")
    sections.draw_table(models, {"largest sum error": error}, alt="Weights of the models")
    return models


def draw_options(source: Source) -> pd.DataFrame:
    options = about.options(source)
    sections.draw_table(options, {}, alt="Options that the bundle was made with")
    return options


def draw_versions(source: Source) -> pd.DataFrame:
    versions = about.versions(source)
    sections.draw_table(versions, {}, alt="Versions of software and methods")
    return versions


def draw_citation() -> None:
    """BibTeX to copy or to save."""
    text = citation.bibtex()
    st.code(text, language="bibtex", wrap_lines=True)
    sections.save_button("Save as BibTeX", text.encode, "headlight.bib", "application/x-bibtex")
