"""The page About: its facts are those of the bundle, and its citations those of CITATION.cff."""

import hashlib
import json
import re

import pytest

from db import citation
from db.connection import open_bundle, records
from tests.support import bundles
from tests.support.pages import open_page, words
from tests.support.paths import ROOT


@pytest.fixture(scope="module")
def app(bundle):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADLIGHT_BUNDLE", str(bundle))
        return open_page("about")


def test_the_facts_are_those_of_the_bundle(app, bundle):
    facts = app.dataframe[0].value.set_index("fact")["value"]

    assert facts["Models"] == "1, and 1 random-weights controls"
    assert facts["License of the images"] == "CC0-1.0"
    assert facts["Identity (input_id)"] == "two"
    assert facts["Size"].startswith(f"{len([p for p in bundle.rglob('*') if p.is_file()]) - 2} files")


def test_the_hashes_of_images_and_texts_can_be_made_by_hand(app):
    facts = app.dataframe[0].value.set_index("fact")["value"]
    texts = sorted(zip(bundles.TEXT_IDS, bundles.TEXTS.values(), strict=True))

    assert facts["SHA-256 of the image set"] == sha256("\n".join(bundles.IMAGE_IDS))
    assert facts["SHA-256 of the texts"] == sha256("\n".join("\t".join(row) for row in texts))
    assert len(facts["SHA-256 of answers by language models"]) == 64


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_options_are_shown_with_the_models_that_were_made_with_them(app, bundle):
    table = next(table.value for table in app.dataframe if "option" in table.value)

    options = {
        name for run in records(open_bundle(bundle), "from run") for name in json.loads(run["options"])
    }
    assert set(table["option"]) == options


def test_what_was_checked_is_said_and_what_was_not(app):
    assert "files have their SHA-256" in words(app) or "being compared" in words(app)
    assert "with an error of at most 2.5e-07" in words(app)
    assert "headlight bundle verify" in words(app)


def test_the_citations_are_those_of_the_citation_file():
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with huggingface_hub")
    file = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    references = {source["url"]: source for source in file["references"] if "url" in source}
    entries = citation.bibtex().split("\n\n")

    assert f"version = {{{file['version']}}}" in entries[0] and file["license"] in entries[0]
    for entry in entries[1:]:
        source = references[re.search(r"url = {(.+)}", entry)[1]]
        names = [f"{author['family-names']}, {author['given-names']}" for author in source["authors"]]
        assert f"author = {{{' and '.join(names)}}}" in entry
        assert f"title = {{{source['title'].replace('CLIP', '{CLIP}')}}}" in entry
        assert f"year = {{{source['year']}}}" in entry
