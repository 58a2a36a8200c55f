"""Reasons for missing values, intervals and ranks of the leaderboard.

Knows nothing of Streamlit or bundles: a leaderboard in, reasons out.
"""

from collections import defaultdict
from collections.abc import Iterable
from math import isnan

from dashboard.data.leaderboard import CHOSEN, MODEL, ROTATED, Cell, Leaderboard, Line

IMPORTED = "imported results have no vectors, which this needs"
ROTATED_METRICS = "rotated heads have only metrics of texts and labels"
ABSENT = "not computed for this bundle"
UNDEFINED = "not defined over these heads"


def missing_values(leaderboard: Leaderboard, metrics: Iterable[str]) -> dict[str, list[str]]:
    """Returns the lines without a value of some of these metrics, by reason."""
    names, reasons = list(metrics), defaultdict[str, list[str]](list)
    for line in leaderboard.lines:
        for reason in filter(None, dict.fromkeys(missing(leaderboard, line, metric) for metric in names)):
            # This reason names its lines.
            reasons[reason] += [title(line)] * (reason != ROTATED_METRICS)
    return reasons


def missing(leaderboard: Leaderboard, line: Line, metric: str) -> str:
    """Returns the reason why a line has no value of a metric; empty if it has a value."""
    cell = leaderboard.cell(line, metric)
    if cell is not None:
        return UNDEFINED if isnan(cell.value) else ""
    if line.part == ROTATED:
        return ROTATED_METRICS
    return ABSENT if leaderboard.models[line.model_key].has_vectors else IMPORTED


def removed_controls(leaderboard: Leaderboard, over: str) -> str:
    """Returns a note on controls that supported heads leave without a number; empty if there are none."""
    controls = [line for line in leaderboard.lines if line.part != MODEL]
    cells = [leaderboard.cell(line, leaderboard.metric) for line in controls]
    removed = sum(cell is None or isnan(cell.value) for cell in cells)
    if over != "supported" or not removed:
        return ""
    return (
        f"Supported heads leave {removed} of {len(controls)} controls without a number: they have no "
        "supported labels. Compare models with their controls over all heads."
    )


def title(line: Line) -> str:
    """Returns the name of a line."""
    return line.model if line.part == MODEL else f"{line.part.partition(': ')[2]} of {line.model}"


def no_intervals(leaderboard: Leaderboard) -> dict[str, list[str]]:
    """Returns the models and controls with a value of the metric but no interval, by reason."""
    reasons = defaultdict[str, list[str]](list)
    for line in leaderboard.lines:
        cell = leaderboard.cell(line, leaderboard.metric)
        if line.part != ROTATED and cell and not isnan(cell.value) and isnan(cell.low):
            reasons[_no_interval(leaderboard, line, cell)].append(title(line))
    return reasons


def _no_interval(leaderboard: Leaderboard, line: Line, cell: Cell) -> str:
    model = leaderboard.models[line.model_key]
    if not model.has_vectors:
        return "imported results cannot be computed again from other images and texts"
    if model.images < leaderboard.min_images:
        return f"{int(model.images):,} images; an interval needs {leaderboard.min_images}"
    if cell.labels == CHOSEN:
        return (
            "labels that a person or a language model gave cannot be recomputed from other images and texts"
        )
    intervals = {key for key, number in leaderboard.cells.items() if not isnan(number.low) and not key[1]}
    if not any(key == line.model_key for key, *_ in intervals):
        return "the bundle was built without replicates (--replicates)"
    if not any(metric == leaderboard.metric for *_, metric in intervals):
        return "this metric is not recomputed from other images and texts"
    return "fewer than half of the replicates define it"


def no_rank(leaderboard: Leaderboard) -> str:
    """Returns the reason why the metric ranks no model; empty if it ranks any."""
    if leaderboard.metric in leaderboard.ranked:
        return ""
    info = leaderboard.metrics[leaderboard.metric]
    if not info.ranked:
        return f"Models are not ranked by it: {info.unranked_reason}."
    cells = [leaderboard.cell(line, leaderboard.metric) for line in leaderboard.lines if line.part == MODEL]
    if len(cells) < 2:
        return "One trained model: nothing to rank."
    if rules := _label_rules(leaderboard):
        return f"Labels by different rules ({rules}) are not ranked together: build the bundles again."
    if any(cell and cell.labels == CHOSEN for cell in cells):
        return "Only offline labels have ranks."
    return "No ranks: every trained model needs an interval."


def _label_rules(leaderboard: Leaderboard) -> str:
    """Returns the rules of the models with an interval, if they are several."""
    models = {
        line.model_key
        for line in leaderboard.lines
        if line.part == MODEL and (cell := leaderboard.cell(line, leaderboard.metric)) and not isnan(cell.low)
    }
    rules = sorted({leaderboard.models[key].label_rule for key in models})
    return ", ".join(rules) if len(rules) > 1 else ""


def listed(reasons: dict[str, list[str]], of: int) -> str:
    """Returns the reasons in one line, each with its lines unless it holds for all."""
    notes = []
    for reason, names in reasons.items():
        some = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        notes.append(f"{reason} ({some})" if 0 < len(names) < of else reason)
    return "; ".join(notes)
