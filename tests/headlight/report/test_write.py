"""A report: complete or not there, links that lead somewhere, words as they are written."""

import io
import json
import os

import pytest

from dashboard.data import cached
from db.connection import open_bundle
from db.errors import BundleExists
from headlight.report import places, write
from headlight.report.write import Progress, environment, legal, write_report
from tests.support import report_pages
from tests.support.bundles import CONTROL_KEY, MODEL_KEY, PAIRS
from tests.support.hostile import HOSTILE
from tests.support.strangers import PICTURE, WORDS


@pytest.fixture
def bundle(tiny_bundle):
    opened = open_bundle(tiny_bundle)
    yield opened
    opened.close()


def files_of(folder) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def test_there_is_a_page_and_json_for_every_model_and_head_and_nothing_foreign(tiny_report):
    files = files_of(tiny_report)

    for key in (MODEL_KEY, CONTROL_KEY):
        assert f"models/{key}/index.html" in files
        for layer, head in PAIRS:
            assert {f"models/{key}/heads/L{layer}H{head}.{kind}" for kind in ("html", "json")} <= files
    assert [name for name in files if not places.LAYOUT.fullmatch(name)] == []


@pytest.mark.parametrize("report", ["tiny_report", "strange_report"])
def test_every_link_leads_to_a_file_of_the_report_and_every_picture_has_words(report, request):
    folder = request.getfixturevalue(report)
    pages = report_pages.pages(folder)

    assert report_pages.broken_links(folder) == []
    assert [page.faults for page in pages if page.faults] == []
    assert [page.file for page in pages if len(set(page.ids)) < len(page.ids)] == []
    pictures = [picture for page in pages for picture in page.pictures]
    assert len(pictures) > 20
    assert [picture for picture in pictures if len(picture.get("alt", "")) < 8] == []


@pytest.mark.parametrize("report", ["tiny_report", "strange_report"])
def test_every_page_is_valid_html(report, request):
    html5lib = pytest.importorskip("html5lib", reason="html5lib is not installed: make install")
    for file in request.getfixturevalue(report).rglob("*.html"):
        html5lib.HTMLParser(strict=True).parse(file.read_text(encoding="utf-8"))


def test_words_of_strangers_are_shown_as_written_and_run_nothing(strange_report):
    pages = report_pages.pages(strange_report)

    assert all(WORDS in page.words for page in pages)
    for page in pages:
        text = page.file.read_text(encoding="utf-8")
        assert "<b>h" not in text
        assert not [link for link in page.links if link.startswith(PICTURE)]
    index = (strange_report / places.SEARCH).read_text(encoding="ascii")
    assert WORDS in json.loads(index.removeprefix("window.HEADLIGHT_SEARCH = ").rstrip(";\n"))["texts"][0]


@pytest.mark.parametrize("words", HOSTILE)
def test_no_words_leave_their_place(words):
    page = environment().from_string('<p title="{{ words }}">{{ words }}</p>').render(words=words)

    assert page.count("<") == 2
    assert page.count('"') == 2
    assert not {chr(code) for code in (*range(9), *range(11, 32))} & set(page)
    if legal(words) == words:
        assert page.count(words.replace("&", "&amp;").split("<")[0].replace("'", "&#39;")) >= 2


def test_an_interrupted_report_leaves_the_old_one_and_nothing_beside_it(bundle, tmp_path, monkeypatch):
    out = tmp_path / "report"
    out.mkdir()
    (out / places.FACTS).write_text(json.dumps({places.MARK: 1}))

    def stop(_self) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(write.Pages, "write_index", stop)
    with pytest.raises(KeyboardInterrupt):
        write_report(bundle, out, replace=True, log=io.StringIO())

    assert files_of(tmp_path) == {"report/report.json"}


def test_only_a_report_is_replaced_and_only_if_asked(bundle, tiny_bundle, tmp_path):
    report, others = tmp_path / "report", tmp_path / "others"
    for folder, name in ((report, places.FACTS), (others, "thesis.tex")):
        folder.mkdir()
        (folder / name).write_text(json.dumps({places.MARK: 1}))

    with pytest.raises(BundleExists, match="--replace"):
        write_report(bundle, report)
    for folder in (others, tiny_bundle):
        with pytest.raises(BundleExists, match="not a report"):
            write_report(bundle, folder, replace=True)
    (report / "notes.txt").write_text("mine")
    with pytest.raises(BundleExists, match="notes.txt"):
        write_report(bundle, report, replace=True)
    assert (report / "notes.txt").read_text() == "mine"


def test_the_time_left_is_said_from_the_heads_that_are_done(monkeypatch):
    log, now = io.StringIO(), [0.0]
    monkeypatch.setattr(write.time, "monotonic", lambda: now[0])
    progress = Progress(40, log)
    for _ in range(10):
        now[0] += 2
        progress.advance()

    assert log.getvalue().splitlines() == [
        "5 of 40 heads, about 70 s left",
        "10 of 40 heads, about 60 s left",
    ]


def test_values_come_from_the_pages_of_the_dashboard(bundle, tiny_report):
    source = cached.sources(bundle, "tiny")[0]
    head = cached.heads(source).iloc[0]
    page = report_pages.Page(tiny_report / places.head_page(source.key, (head.layer, head["head"])))

    assert head["label"] in page.words
    assert head["first_text"] in page.words
    assert "streamlit" not in page.words
    assert os.path.commonpath([page.file, tiny_report]) == str(tiny_report)
