"""Checks of `verify-paper`: bounds of figures, and lines of output.

All bounds that this project sets itself, and no paper, are here with their reasons.

Knows nothing of models or files: figures in, results of checks out.
"""

from collections import Counter
from collections.abc import Sequence
from math import comb, isfinite, sqrt
from typing import NamedTuple

import torch
from jaxtyping import Bool
from torch import Tensor

LARGEST_ERROR = 1e-5
"""Maximum error of a sum of contributions, and of our forward pass against open_clip's, in float32."""

MIN_MARGIN = 1e-5
"""A pick with a larger lead over the next text must be equal in float32 and float64."""

OVERLAP_ROOM = 0.1
"""Allowed gap below the overlap of a rerun of the reference: image decoders, resizing, and rounding of
embeddings differ between devices."""

CHANCE_ROOM = 0.1
"""Minimum gap between the bound and the overlap with other heads' texts; with less, no result could fail."""

ACCURACY_ROOM = 0.5
"""Allowed difference in points of zero-shot accuracy between decoders and versions of libraries."""

SEGMENTATION_ROOM = 5.0
"""Allowed difference in points: the publication does not name its CLIP, which may be a similar model."""

ERRORS = 3.0
"""Allowed deviation of a figure, in standard errors of sampling."""

LEVEL = 0.05
"""Significance level of the tests."""

PERMUTATIONS = 9999
"""Number of random permutations of our labels."""


class Check(NamedTuple):
    """Result of one check, printed as one line."""

    name: str
    passed: bool | None
    """None if the check could not run or has no reference."""

    ours: float | None = None
    reference: float | None = None
    """Figure of the paper or of the other program."""

    least: float | None = None
    """Smallest value that passes."""

    most: float | None = None
    """Largest value that passes."""

    note: str = ""

    @property
    def status(self) -> str:
        if self.passed is None:
            return "SKIPPED" if self.ours is None else "NOTED"
        return "PASS" if self.passed else "FAIL"


class Step(NamedTuple):
    """Checks of one step."""

    name: str
    checks: list[Check]
    seconds: float
    about: str = ""
    """Data of the step, such as the number of images."""


def check(
    name: str,
    ours: float,
    *,
    reference: float | None = None,
    least: float | None = None,
    most: float | None = None,
    note: str = "",
) -> Check:
    """Returns a check that passes from `least` to `most`, both included; NaN and infinity fail."""
    inside = isfinite(ours) and (least is None or ours >= least) and (most is None or ours <= most)
    return Check(name, inside, ours, reference, least, most, note)


def skipped(name: str, why: str) -> Check:
    return Check(name, None, note=why)


def noted(name: str, ours: float, why: str) -> Check:
    """Returns a check of a figure without a bound."""
    return Check(name, None, ours, note=why)


def failed(steps: Sequence[Step]) -> bool:
    return any(result.passed is False for step in steps for result in step.checks)


def standard_error(right: Bool[Tensor, " image"]) -> float:
    """Returns the standard error of the share of right answers, in points."""
    share = float(right.double().mean())
    return 100 * sqrt(share * (1 - share) / len(right))


def loss(before: Bool[Tensor, " image"], after: Bool[Tensor, " image"]) -> tuple[float, float]:
    """Returns the points of accuracy lost on the same images, and the standard error of this difference."""
    change = before.double() - after.double()
    return 100 * float(change.mean()), 100 * float(change.std(correction=0)) / sqrt(len(change))


def overlap(name: str, ours: float, *, rerun: float, other: float, worst: str) -> Check:
    """Compares the overlap with the reference to that of a rerun and that of another head's texts."""
    bound = rerun - OVERLAP_ROOM
    note = (
        f"mean over heads; worst {worst}; a rerun of theirs on other images such as these would reach "
        f"{rerun:.2f}; with the texts of another head {other:.2f}"
    )
    if bound <= other + CHANCE_ROOM:
        return noted(name, ours, f"{note}: too close to tell, give more images")
    return check(name, ours, reference=rerun, least=bound, note=note)


class ListDifference(NamedTuple):
    """First difference of two lists of picks."""

    compared: int
    """Number of picks that are equal, or would have to be."""

    at_tie: bool
    """True if the lists differ at a pick without a margin; later picks are not comparable."""

    wrong: str
    """First pick that is different despite its margin; empty if there is none."""


def compare_picks(
    ours: Sequence[int], theirs: Sequence[int], margin: Sequence[float], head: str
) -> ListDifference:
    """Compares two lists of one head pick by pick, up to the first difference."""
    for position, pick in enumerate(ours):
        other = theirs[position] if position < len(theirs) else None
        if pick == other:
            continue
        if margin[position] <= MIN_MARGIN:
            return ListDifference(position, True, "")
        wrong = f"{head} pick {position + 1}, margin {margin[position]:.1e}"
        return ListDifference(position + 1, False, wrong)
    return ListDifference(len(ours), False, "")


def texts_in_double(differences: Sequence[ListDifference]) -> Check:
    """Checks that no head has a different text despite its margin."""
    wrong = [head.wrong for head in differences if head.wrong]
    compared, ties = sum(head.compared for head in differences), sum(head.at_tie for head in differences)
    parts = [f"heads with another text where the margin exceeds {MIN_MARGIN:.0e}"]
    parts += [f"{compared} texts of {len(differences)} heads compared"]
    parts += [f"{ties} heads differ at a tie", *wrong[:3]]
    return check("texts as in float64", float(len(wrong)), most=0.0, note="; ".join(parts))


def sign_test_check(name: str, pairs: Sequence[tuple[bool, bool]]) -> Check:
    """Checks that we agree as often as another program; `pairs` has (we agree, the other agrees) by head."""
    lost = sum(theirs and not ours for ours, theirs in pairs)
    gained = sum(ours and not theirs for ours, theirs in pairs)
    agree, others = (sum(column) for column in zip(*pairs, strict=True))
    note = f"probability by chance; {agree} of {len(pairs)} heads agree, with theirs {others}"
    return check(name, sign_test(lost, gained), least=LEVEL, note=note)


def permutation_p_value(agrees: Bool[Tensor, "head head"]) -> float:
    """P(at least as many heads agree | a random permutation of our labels), by the add-one rule.

    `agrees[i, j]`: our label of head i stands for the released label of head j.
    """
    heads = torch.arange(len(agrees))
    generator = torch.Generator().manual_seed(0)
    permutations = torch.rand(PERMUTATIONS, len(heads), generator=generator).argsort(dim=1)  # [draw, head]
    by_chance = agrees[permutations, heads].sum(dim=1)
    return (1 + int((by_chance >= agrees.diagonal().sum()).sum())) / (1 + PERMUTATIONS)


def sign_test(lost: int, gained: int) -> float:
    """P(at least this many lost | loss and gain are equally likely), over the heads that differ."""
    both = lost + gained
    return sum(comb(both, count) for count in range(lost, both + 1)) / 2**both


def lines(step: Step) -> str:
    """Returns the printed lines of a step and its checks."""
    about = f"{step.about}, " if step.about else ""
    title = f"{step.name} ({about}{step.seconds:.0f} s)"
    return "\n".join([title, *(f"  {_line(result)}" for result in step.checks)])


def summary(steps: Sequence[Step]) -> str:
    """Returns the number of checks by status."""
    count = Counter(result.status for step in steps for result in step.checks)
    words = {"PASS": "passed", "FAIL": "failed", "SKIPPED": "skipped", "NOTED": "noted"}
    return ", ".join(f"{count[status]} {word}" for status, word in words.items())


def _line(result: Check) -> str:
    parts = [f"{result.status:<7} {result.name}"]
    if result.ours is not None:
        parts.append(f"ours {_number(result.ours)}")
    if result.reference is not None:
        parts.append(f"reference {_number(result.reference)}")
    if bounds := _bounds(result):
        parts.append(bounds)
    if result.note:
        parts.append(result.note)
    return " | ".join(parts)


def _bounds(result: Check) -> str:
    if result.least is not None and result.most is not None:
        return f"passes from {_number(result.least)} to {_number(result.most)}"
    if result.least is not None:
        return f"passes from {_number(result.least)}"
    return f"passes up to {_number(result.most)}" if result.most is not None else ""


def _number(value: float) -> str:
    return (
        f"{value:.1e}" if 0 < abs(value) < 1e-3 else f"{value:.6g}" if value == int(value) else f"{value:.2f}"
    )
