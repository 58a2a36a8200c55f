"""Writes a report: every page from its values and its template, in a directory that appears complete."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from dashboard.data import cached, choices, label_text
from dashboard.data import heads as head_data
from dashboard.data.types import Source
from db import __version__
from db.atomic_directory import AtomicDirectory
from db.connection import Bundle
from headlight.report import files, head_page, index_page, model_page, pictures, places
from headlight.report.head_page import HeadPage
from headlight.report.tables import Table, table, words

ILLEGAL = {
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), *range(0xFDD0, 0xFDF0), 0xFFFE, 0xFFFF], "\ufffd"),
    **{code: chr(code) for code in (0x09, 0x0A)},
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
}
"""Characters that no valid page holds, such as a zero byte in a text of strangers."""


def write_report(bundle: Bundle, out: Path, *, replace: bool = False, log: TextIO = sys.stderr) -> Path:
    """Writes the report of a bundle and returns its directory.

    Raises:
        BundleExists: `out` exists and may not be replaced, or is not a report.
        StoreError: `out` cannot be written.
    """
    target = AtomicDirectory(out, replace=replace, kind=places.REPORT)
    try:
        _write_pages(bundle, target.building, log)
        target.publish()
    except BaseException:
        target.abandon()
        raise
    return target.out


def _write_pages(bundle: Bundle, root: Path, log: TextIO) -> None:
    sources = cached.sources(bundle, bundle.path.name)
    (root / places.IMAGES).mkdir()
    pages, album = Pages(sources, root), pictures.Album(root)
    progress = Progress(sum(len(label_text.heads(source)) for source in sources), log)
    for source in sources:
        pages.write_model(source, album, progress)
    pages.write_index()
    facts = {places.MARK: 1, "input_id": bundle.manifest["input_id"], "headlight": __version__}
    files.write_json(root / places.FACTS, facts)
    progress.end()


class Progress:
    """Heads that are done, and the time left, in one line of a terminal."""

    def __init__(self, total: int, log: TextIO) -> None:
        self.total, self.log, self.done = total, log, 0
        self.started = self.shown = time.monotonic()

    def advance(self) -> None:
        """Counts one head; prints at most once a second, on a terminal in place."""
        self.done += 1
        now = time.monotonic()
        if now - self.shown < (1 if self.log.isatty() else 10):
            return
        self.shown = now
        left = (now - self.started) / self.done * (self.total - self.done)
        start, end = ("\r", "   ") if self.log.isatty() else ("", "\n")
        print(f"{start}{self.done} of {self.total} heads, about {left:.0f} s left", end=end, file=self.log)
        self.log.flush()

    def end(self) -> None:
        if self.log.isatty() and self.shown > self.started:
            print(file=self.log)


class Pages:
    """The templates of one report, and what every page of it shows."""

    def __init__(self, sources: Sequence[Source], root: Path) -> None:
        self.sources, self.root = list(sources), root
        self.index = index_page.index_page(self.sources)
        self.titles = choices.model_titles(self.sources[0].bundle)
        self.templates = environment()
        bundle = self.sources[0].bundle
        self.shared: dict[str, Any] = {
            "bundle_id": bundle.manifest["input_id"],
            "licenses": bundle.manifest["licenses"],
            "version": __version__,
            "set_name": self.index.title,
        }

    def write_index(self) -> None:
        script = self._source("search.js")
        self._write(places.INDEX, "index.html", page=self.index, script=Markup(script), sources=self.sources)
        (self.root / places.STYLE).write_text(self._source("style.css"), encoding="utf-8")
        index = files.search_index(self.sources)
        (self.root / places.SEARCH).write_text(index, encoding="ascii")

    def write_model(self, source: Source, album: pictures.Album, progress: Progress) -> None:
        """Writes the pages of one model and of all its heads."""
        folder = places.model_folder(source.key)
        for name in (places.HEADS, places.PICTURES):
            (self.root / folder / name).mkdir(parents=True)
        page = model_page.model_page(source)
        self._write(f"{folder}/{places.INDEX}", "model.html", page=page, title=self.titles[source.key])
        files.write_model(self.root, source)
        rows = sorted(label_text.heads(source).itertuples(), key=lambda row: (row.layer, row.head))
        for number, row in enumerate(rows):
            head = head_page.head_page(source, row, album)
            self._write_head(source, head, rows[number - 1] if number else None, [*rows, None][number + 1])
            files.write_head(self.root, source, head)
            progress.advance()
        if not any((self.root / folder / places.PICTURES).iterdir()):
            (self.root / folder / places.PICTURES).rmdir()

    def _write_head(self, source: Source, page: HeadPage, before: Any, after: Any) -> None:
        self._write(
            places.head_page(source.key, page.head),
            "head.html",
            page=page,
            title=self.titles[source.key],
            texts=list(page.texts.itertuples()),
            tables=evidence_tables(page),
            metrics=table("Metrics of the head", page.metrics) if len(page.metrics) else None,
            before=before,
            after=after,
        )

    def _write(self, name: str, template: str, **values: Any) -> None:
        """Writes a page; `root` is the way from it to the root of the report."""
        up = "../" * name.count("/")
        text = self.templates.get_template(template).render(root=up, **self.shared, **values)
        (self.root / name).write_text(text, encoding="utf-8")

    def _source(self, name: str) -> str:
        loader = self.templates.loader
        assert loader is not None
        return loader.get_source(self.templates, name)[0]


def evidence_tables(page: HeadPage) -> list[Table]:
    """Returns the tables behind a label, without those that are empty."""
    judges = [name for name in page.judgements if name not in ("label", "position", "text")]
    agreements = {name: page.judgements[name].map(head_data.agreement) for name in judges}
    frames = {
        "All labels with their evidence": page.labels,
        "Judgements of the first texts": page.judgements.assign(**agreements),
        "Answers of language models": page.answers,
    }
    return [table(title, frame) for title, frame in frames.items() if len(frame)]


def environment() -> Environment:
    """Returns the templates: every value is escaped, and an unknown name is an error."""
    templates = Environment(
        loader=PackageLoader("headlight.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=legal,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"words": words, "stem": places.head_stem, "legal": legal}
    return templates


def legal(value: Any) -> Any:
    """Returns a text without characters that HTML forbids; markup and other values as they are."""
    return value if not isinstance(value, str) else type(value)(value.translate(ILLEGAL))
