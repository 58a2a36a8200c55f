"""Published figures that `verify-paper` compares with: texts/verify_figures.tsv, or a file of its form."""

from pathlib import Path
from typing import NamedTuple

from precompute.runtime.config import ConfigError
from precompute.texts import TEXTS

FIGURES = TEXTS / "verify_figures.tsv"

ACCURACY, MLPS = "accuracy", "loss without MLPs"
SEGMENTATION = ("pixel accuracy", "mean IoU", "mean AP")

_MEASURES = (ACCURACY, MLPS, *SEGMENTATION)


class Figure(NamedTuple):
    """One published figure, or its range, in percent or points."""

    low: float
    high: float
    source: str
    read_from: str
    """primary: read in the publication; secondary: quoted by another source."""

    note: str

    @property
    def citation(self) -> str:
        """Source and note, for the line of a check."""
        return f"{self.source} ({self.read_from})" + (f"; {self.note}" if self.note else "")


def load(model: str, path: Path | None = None) -> dict[str, Figure]:
    """Returns the figures of one model by measure. Raises ConfigError."""
    path = path or FIGURES
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the figures in {path}: {error}.") from error
    figures = {}
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.startswith("#"):
            name, measure, figure = _parse(line, f"{path}, line {number}")
            if name == model:
                figures[measure] = figure
    return figures


def _parse(line: str, where: str) -> tuple[str, str, Figure]:
    cells = [cell.strip() for cell in line.split("\t")]
    if len(cells) != 7 or cells[1] not in _MEASURES or cells[5] not in ("primary", "secondary"):
        raise ConfigError(
            f"{where}: write model, measure ({', '.join(_MEASURES)}), from, to, source, primary or "
            "secondary, and a note or -, with tabs between."
        )
    try:
        low, high = float(cells[2]), float(cells[3])
    except ValueError:
        raise ConfigError(f"{where}: {cells[2]!r} to {cells[3]!r} are no two numbers.") from None
    return cells[0], cells[1], Figure(low, high, cells[4], cells[5], cells[6].removeprefix("-"))
