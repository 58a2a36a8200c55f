"""Why the leaderboard lacks a value, an interval or a rank, in words.

Knows nothing of Streamlit or of bundles: a leaderboard in, reasons out.
"""

from collections.abc import Iterable
from math import isnan

from dashboard.data.leaderboard import (
    CHOSEN,
    MODEL,
    ROTATED,
    Cell,
    Leaderboard,
    Line,
)

IMPORTED = "imported results hold no vectors, and this cannot be computed without"
ROTATED_METRICS = "of rotated heads only what rests on texts and labels is computed"
ABSENT = "not computed for this bundle"
UNDEFINED = "not defined over these heads"


def missing_values(leaderboard: Leaderboard, metrics: Iterable[str]) -> dict[str, list[str]]:
    """Why some lines have no value of some of these metrics: lines by reason."""
    named = list(metrics)
    found: dict[str, list[str]] = {}
    for line in leaderboard.lines:
        for reason in dict.fromkeys(missing(leaderboard, line, metric) for metric in named):
            if reason:
                names = found.setdefault(reason, [])
                names += [title(line)] * (reason != ROTATED_METRICS)  # says itself which lines it is about
    return found


def missing(leaderboard: Leaderboard, line: Line, metric: str) -> str:
    """Why one line has no value of one metric; empty where it has."""
    cell = leaderboard.cell(line, metric)
    if cell is not None:
        return UNDEFINED if isnan(cell.value) else ""
    if line.part == ROTATED:
        return ROTATED_METRICS
    return ABSENT if leaderboard.models[line.model_key].has_vectors else IMPORTED


def title(line: Line) -> str:
    """One line of the leaderboard by name."""
    return line.model if line.part == MODEL else f"{line.part.partition(': ')[2]} of {line.model}"


def no_intervals(leaderboard: Leaderboard) -> dict[str, list[str]]:
    """Why some models and twins have a value of the metric but no interval: lines by reason."""
    found: dict[str, list[str]] = {}
    for line in leaderboard.lines:
        cell = leaderboard.cell(line, leaderboard.metric)
        if line.part != ROTATED and cell and not isnan(cell.value) and isnan(cell.low):
            found.setdefault(_no_interval(leaderboard, line, cell), []).append(title(line))
    return found


def _no_interval(leaderboard: Leaderboard, line: Line, cell: Cell) -> str:
    model = leaderboard.models[line.model_key]
    if not model.has_vectors:
        return "imported results cannot be computed again from other images and texts"
    if model.images < leaderboard.min_images:
        return f"{int(model.images):,} images; an interval takes {leaderboard.min_images}"
    if cell.labels == CHOSEN:
        return "labels that a person or a language model gave are not given anew for other images and texts"
    own = {key for key, one in leaderboard.cells.items() if not isnan(one.low) and not key[1]}
    if not any(key == line.model_key for key, *_ in own):
        return "the bundle was built without replicates (`--replicates`)"
    if not any(metric == leaderboard.metric for *_, metric in own):
        return "this metric is not among those computed again from other images and texts"
    return "fewer than half of the replicates define it"


def no_rank(leaderboard: Leaderboard) -> str:
    """Why the metric ranks no model; empty where it does."""
    if leaderboard.metric in leaderboard.ranked:
        return ""
    info = leaderboard.metrics[leaderboard.metric]
    if not info.ranked:
        return f"Models are not ranked by it: {info.unranked_reason}."
    cells = [leaderboard.cell(line, leaderboard.metric) for line in leaderboard.lines if line.part == MODEL]
    if len(cells) < 2:
        return "One trained model: nothing to rank."
    if any(cell and cell.labels == CHOSEN for cell in cells):
        return "Ranks are known of offline labels alone."
    return "No ranks: they take an interval of every trained model."


def listed(reasons: dict[str, list[str]], of: int) -> str:
    """Reasons in one line, each with its lines unless they are all there are."""
    said = []
    for reason, names in reasons.items():
        some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        said.append(f"{reason} ({some})" if 0 < len(names) < of else reason)
    return "; ".join(said)
