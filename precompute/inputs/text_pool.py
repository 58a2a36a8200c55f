"""Text pools: one text a line, each with its properties.

    # language: en
    # license: CC0-1.0
    a photo of something red<tab>color
    a red brick wall<tab>color|material

Lines that begin with `#` are comments: `# key: value` with the keys name, language and license describes the
pool, others are counted. A CSV with the columns text and property is a pool too; there, rows that begin with
`#` are texts. The id of a text is the hash of its NFC-normalized, stripped UTF-8, never a line number.

Texts without a property are tagged by the rule of `lexical_tags`, which reads English. Texts of a pool in
another language stay untagged.

Knows nothing of models. Reads one file, and the lexicon if needed; everything else is pure.
"""

import hashlib
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor

from db.errors import UserError
from db.layout import normalize_text
from precompute.inputs import lexical_tags
from precompute.inputs.images.files import portable
from precompute.inputs.text_files import (
    DELIMITERS,
    MISSING,
    delimiter,
    header_cells,
    lines_of,
    read_text,
    shown,
    table_of,
)
from precompute.method.types import Pool

UNTAGGED = """no text of the pool {name} carries a property, so heads could not be labeled{rule}.
Add a tab and its properties, separated by |, to the texts: a red wall<tab>color|material."""

SHOWN = 5
"""Missing texts named in an error; the first few tell which pool is meant."""


class PoolError(UserError):
    """A text pool cannot be used; the message says what to change."""


COLUMNS = ("text", "property")
"""Columns of a pool that is a CSV."""

_PROPERTY_COLUMNS = {COLUMNS[1], "properties", "tag", "tags", "label", "category", "class"}
"""What people call the column of properties; beside the column text, they tell a header from a text."""

_TEXT_COLUMNS = {"text", "texts", "caption", "captions", "description", "sentence", "phrase", "prompt"}
"""What people call the column of texts."""


def load(path: Path) -> Pool:
    """Returns the pool of a tab-separated file or a CSV, untagged texts tagged by rule. Raises PoolError."""
    content = read_text(path, "the text pool", PoolError)
    return parse(content, name=portable(path.stem), by_rule=True, csv=path.suffix.lower() == ".csv")


def parse(content: str, *, name: str, by_rule: bool = False, csv: bool = False) -> Pool:
    """Returns the pool of a file's content. Raises PoolError.

    Comments, empty lines and repeated texts are dropped and counted. The first of several equal texts keeps
    its place and gets the properties of all. With `by_rule`, texts without a property are tagged by the
    lexical rule. With `csv`, or a header of a CSV, the content is a table.
    """
    if re.match(r'\s*[\[{]\s*(["\[{]|$)', content):
        raise PoolError(f"the pool {name} is JSON. Write one text a line, or a CSV with the column text.")
    metadata: dict[str, str] = {}
    comments: list[str] = []
    # Not splitlines: it also splits at characters that can be part of a text.
    lines = content.removesuffix("\n").split("\n")
    first = next((number for number, line in enumerate(lines) if line and not line.startswith("#")), 0)
    is_table = csv or _is_header(lines[first])
    for line in lines[:first] if is_table else lines:
        if line.startswith("#"):
            metadata |= (facts := _metadata(line))
            comments += [] if facts else [line]
    if not is_table:
        _check_no_table(lines, name)
    rows = _table_rows("\n".join(lines[first:]), f"the pool {name}") if is_table else _line_rows(lines, name)
    texts: dict[str, set[str]] = {}
    duplicates = empty = 0
    for text, properties in rows:
        if not text:
            empty += 1
            continue
        duplicates += text in texts
        texts.setdefault(text, set()).update(properties)
    tagged_count = _tag(texts, metadata) if by_rule else None
    pool = build(texts, metadata, name=name, duplicates=duplicates, empty=empty, tagged_count=tagged_count)
    return pool._replace(comments=tuple(comments), is_csv=is_table)


def text_id(text: str) -> str:
    """Returns the first 16 hex digits of the SHA-256 of the NFC-normalized, stripped UTF-8."""
    return hashlib.sha256(normalize_text(text).encode()).hexdigest()[:16]


def pick_indices(
    lists: Sequence[Sequence[str]],
    pool: Pool,
    *,
    source: str = "the lists",
    advice: str = "Give the pool that they were chosen from.",
) -> Int[Tensor, "list k"]:
    """Returns the rows of the pool for the texts of each list, in order; -1 past the end of a shorter list.

    Raises:
        PoolError: the pool lacks texts; names the first few.
    """
    row = {text: index for index, text in enumerate(pool.texts)}
    missing = list(dict.fromkeys(text for texts in lists for text in texts if text not in row))
    if missing:
        examples = ", ".join(shown(text) for text in missing[:SHOWN])
        more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise PoolError(
            f"the pool {pool.name} lacks {len(missing)} texts of {source}: {examples}{more}. {advice}"
        )
    picks = torch.full((len(lists), max(map(len, lists), default=0)), -1)
    for number, texts in enumerate(lists):
        picks[number, : len(texts)] = torch.tensor([row[text] for text in texts])
    return picks


def _is_header(line: str) -> bool:
    """Returns True for a first line that names the columns of a CSV, maybe not as a pool names them."""
    cells = set(header_cells(line, delimiter(line, COLUMNS[:1])))
    return COLUMNS[0] in cells and bool(cells & _PROPERTY_COLUMNS)


def _check_no_table(lines: list[str], name: str) -> None:
    """Raises PoolError for lines that are rows of a table: under other names of columns, or under none."""
    texts = lines_of("\n".join(lines)).entries
    for number, line in texts[:1]:
        first, *others = header_cells(line, "\t")
        if first in _TEXT_COLUMNS and _PROPERTY_COLUMNS.intersection(others):
            raise PoolError(
                f"line {number} of the pool {name} names columns: {shown(line)}. Call them text and "
                "property, or remove the line."
            )
    for mark in DELIMITERS[:2]:
        # A text has a space after a comma; a cell has none.
        cells = re.compile(rf"[^\t]*[^\s{mark}]{mark}[^\s{mark}\d][^\t]*")
        if len(texts) > 1 and all(cells.fullmatch(line) for _, line in texts):
            raise PoolError(
                f"the pool {name} seems to be a CSV without names of columns: {shown(texts[0][1])}. Write "
                f"text{mark}property as its first line, or a tab in place of {mark!r}."
            )


def _line_rows(lines: list[str], name: str) -> Iterator[tuple[str, list[str]]]:
    """Yields text and properties of every line that is no comment. Raises PoolError."""
    return (_split(line, number, name) for number, line in enumerate(lines, 1) if not line.startswith("#"))


def _table_rows(content: str, name: str) -> Iterator[tuple[str, list[str]]]:
    """Yields text and properties of every row of a CSV. Raises PoolError."""
    table = table_of(io.StringIO(content, newline=""), name, COLUMNS[0], PoolError)
    columns = [column.lower() for column in table.columns]
    if others := [name for name in columns if name not in COLUMNS]:
        raise PoolError(
            f"{name} has the column {shown(others[0])}; a pool has a column text and a column property, its "
            "values separated by |. Rename or remove the others."
        )
    for _, row in table.rows:
        cells = {column.lower(): cell for column, cell in row.items()}
        text = normalize_text(cells["text"])
        yield "" if text in MISSING else text, _properties(cells.get("property", ""))


def _properties(cell: str) -> list[str]:
    return [part for part in map(normalize_text, cell.split("|")) if part not in ("", *MISSING)]


def _metadata(line: str) -> dict[str, str]:
    key, colon, value = line.lstrip("#").partition(":")
    key, value = key.strip().lower(), value.strip()
    return {key: value} if colon and value and key in ("name", "language", "license") else {}


def _split(line: str, number: int, name: str) -> tuple[str, list[str]]:
    """Returns text and properties of one line."""
    text, *rest = line.split("\t")
    if len(rest) > 1:
        raise PoolError(
            f"line {number} of the pool {name} has {len(rest)} tabs; "
            "a line is a text, one tab, and its properties separated by |."
        )
    return normalize_text(text), _properties("|".join(rest))


def _tag(texts: dict[str, set[str]], metadata: dict[str, str]) -> int | None:
    """Adds properties to untagged texts; returns the count of texts changed, None if not English."""
    if metadata.get("language", "en").lower().partition("-")[0] not in ("en", "und"):
        return None
    untagged = [text for text, properties in texts.items() if not properties]
    for text in untagged:
        # load_lexicon caches; a pool without untagged texts reads no lexicon.
        texts[text].update(lexical_tags.tags(text, lexical_tags.load_lexicon()))
    return sum(bool(texts[text]) for text in untagged)


def build(
    texts: Mapping[str, Collection[str]],
    metadata: Mapping[str, str],
    *,
    name: str,
    duplicates: int,
    empty: int,
    tagged_count: int | None,
) -> Pool:
    """Returns the pool of texts with their properties; `tagged_count` of them are tagged by rule.

    Raises PoolError without a text or a property, or with two spellings of one property.
    """
    name = metadata.get("name", name)
    if not texts:
        raise PoolError(f"the text pool {name} has no texts; write one a line.")
    properties = sorted(set().union(*texts.values()))
    if not properties:
        rule = "" if tagged_count is None else ", and the lexical rule found none in their words"
        raise PoolError(UNTAGGED.format(name=name, rule=rule))

    spelling = {property_.casefold(): property_ for property_ in properties}
    if other := next((one for one in properties if spelling[one.casefold()] != one), None):
        raise PoolError(
            f"the pool {name} has the properties {shown(other)} and {shown(spelling[other.casefold()])}, "
            "which would be two labels. Write one of them."
        )

    column = {property_: index for index, property_ in enumerate(properties)}
    tags = torch.zeros(len(texts), len(properties), dtype=torch.bool)
    for row, text_properties in enumerate(texts.values()):
        tags[row, [column[property_] for property_ in text_properties]] = True
    return Pool(
        name=name,
        language=metadata.get("language", "und"),
        license=metadata.get("license"),
        texts=tuple(texts),
        properties=tuple(properties),
        tags=tags,
        dropped_duplicates=duplicates,
        dropped_empty=empty,
        tagged_by_rule=tagged_count or 0,
    )
