"""Reads the pages of a static report as a browser would: links, ids, pictures, words."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

VOID = {"meta", "link", "img", "input", "br", "hr"}


class Page(HTMLParser):
    """One page: its links, pictures, ids, words, and the mistakes that a parser can see."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file, self.links, self.pictures, self.ids = file, [], [], []
        self.faults: list[str] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))
        self.close()
        self.faults += [f"<{tag}> is not closed" for tag in self._open]

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if len(values) < len(attrs):
            self.faults.append(f"an attribute of <{tag}> is there twice")
        self.links += [values[name] for name in ("href", "src") if values.get(name)]
        self.ids += [values["id"]] if "id" in values else []
        self.pictures += [values] * (tag == "img")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag):
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data):
        if not {"script", "style"} & set(self._open):
            self.words += data


def pages(report: Path) -> list[Page]:
    """All pages of a report."""
    return [Page(file) for file in sorted(report.rglob("*.html"))]


def broken_links(report: Path) -> list[str]:
    """Links of all pages that lead outside the report, or nowhere in it."""
    by_file = {page.file: page for page in pages(report)}
    broken = []
    for page in by_file.values():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme == "data":
                continue
            file = (page.file.parent / unquote(parts.path)).resolve() if parts.path else page.file
            inside = (
                not parts.scheme and not parts.netloc and file.is_file() and report.resolve() in file.parents
            )
            there = not parts.fragment or (inside and parts.fragment in by_file[file].ids)
            if not (inside and there):
                broken.append(f"{page.file.name}: {link}")
    return broken
