"""Text pools, word lists and published figures, as files."""

from collections.abc import Iterable
from pathlib import Path

TEXTS = Path(__file__).parent
"""The folder of these files."""


def write_rows(path: Path, header: str, rows: Iterable[tuple[str, ...]]) -> None:
    """Writes a header, then a line per row with tabs between its values."""
    lines = ["\t".join(row) + "\n" for row in rows]
    path.write_text(header + "".join(lines), encoding="utf-8", newline="\n")
