"""Checks of `verify-paper`: when a figure passes, and the line that says so.

Every bound that is this project's own, and not a paper's, stands here with its reason.

Knows nothing of models or files: figures in, verdicts out.
"""

from collections import Counter
from collections.abc import Sequence
from math import comb, isfinite, sqrt
from typing import NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor

LARGEST_ERROR = 1e-5
"""Of a sum of contributions, or of our forward pass against open_clip's, float32."""

MIN_MARGIN = 1e-5
"""A pick with a larger lead over the next text must be the same in float32 and float64."""

OVERLAP_ROOM = 0.1
"""By how much an overlap may stay below what a rerun of the reference would reach: for another decoder of
images, another resize, and rounding of embeddings on another device."""

CHANCE_ROOM = 0.1
"""What is demanded must lie so far above the overlap with other heads' texts, or nothing could fail."""

ACCURACY_ROOM = 0.5
"""Points that zero-shot accuracies of one model differ by between decoders and versions of libraries."""

SEGMENTATION_ROOM = 5.0
"""Points: of which CLIP the published row is could not be read, so there is room for a relative of it."""

ERRORS = 3.0
"""Standard errors of sampling that a figure may be off by."""

LEVEL = 0.05
"""Of the tests by chance."""


class Check(NamedTuple):
    """One line."""

    name: str
    passed: bool | None
    """None: could not run, or there is nothing to compare with."""

    ours: float | None = None
    reference: float | None = None
    """The paper's figure, or that of the other program."""

    least: float | None = None
    """What passes, and below, at most."""

    most: float | None = None
    note: str = ""

    @property
    def status(self) -> str:
        if self.passed is None:
            return "SKIPPED" if self.ours is None else "NOTED"
        return "PASS" if self.passed else "FAIL"


class Step(NamedTuple):
    """Checks that were made together."""

    name: str
    checks: list[Check]
    seconds: float
    about: str = ""
    """What they were made on."""


def check(
    name: str,
    ours: float,
    *,
    reference: float | None = None,
    least: float | None = None,
    most: float | None = None,
    note: str = "",
) -> Check:
    """Passes from `least` to `most`, both included; what is not a number fails."""
    inside = isfinite(ours) and (least is None or ours >= least) and (most is None or ours <= most)
    return Check(name, inside, ours, reference, least, most, note)


def skipped(name: str, why: str) -> Check:
    return Check(name, None, note=why)


def noted(name: str, ours: float, why: str, *, reference: float | None = None) -> Check:
    """A figure that nothing can be demanded of."""
    return Check(name, None, ours, reference, note=why)


def failed(steps: Sequence[Step]) -> bool:
    return any(one.passed is False for step in steps for one in step.checks)


def standard_error(right: Bool[Tensor, " image"]) -> float:
    """Of the share that is right, in points."""
    share = float(right.double().mean())
    return 100 * sqrt(share * (1 - share) / len(right))


def loss(before: Bool[Tensor, " image"], after: Bool[Tensor, " image"]) -> tuple[float, float]:
    """Points of accuracy that are lost on the same images, and the standard error of that difference."""
    change = before.double() - after.double()
    return 100 * float(change.mean()), 100 * float(change.std(correction=0)) / sqrt(len(change))


def overlap(name: str, ours: float, *, rerun: float, other: float, worst: str) -> Check:
    """Overlap with the reference, against what a rerun of the reference and another head's texts reach."""
    least = rerun - OVERLAP_ROOM
    said = (
        f"mean over heads; worst {worst}; a rerun of theirs on other images such as these would reach "
        f"{rerun:.2f}; with the texts of another head {other:.2f}"
    )
    if least <= other + CHANCE_ROOM:
        return noted(name, ours, f"{said}: too close to tell, give more images")
    return check(name, ours, reference=rerun, least=least, note=said)


class Unequal(NamedTuple):
    """What two lists of picks differ in."""

    compared: int
    """Picks that were equal, or had to be."""

    at_tie: bool
    """The lists part at a pick without a margin; what follows cannot be compared."""

    wrong: str
    """The first pick that had to be equal and is not; empty if there is none."""


def unequal(
    ours: Sequence[int],
    theirs: Sequence[int],
    margin: Sequence[float],
    *,
    head: str,
    least: float = MIN_MARGIN,
) -> Unequal:
    """Compare two lists of one head pick by pick, up to the first difference."""
    for place, one in enumerate(ours):
        other = theirs[place] if place < len(theirs) else None
        if one == other:
            continue
        if margin[place] <= least:
            return Unequal(place, True, "")
        return Unequal(place + 1, False, f"{head} pick {place + 1}, margin {margin[place]:.1e}")
    return Unequal(len(ours), False, "")


def texts_in_double(found: Sequence[Unequal]) -> Check:
    """No head may have another text where it had to be the same."""
    wrong = [one.wrong for one in found if one.wrong]
    compared, ties = sum(one.compared for one in found), sum(one.at_tie for one in found)
    parts = [f"heads with another text where the margin exceeds {MIN_MARGIN:.0e}"]
    parts += [f"{compared} texts of {len(found)} heads compared", f"{ties} heads part at a tie", *wrong[:3]]
    return check("texts as in float64", float(len(wrong)), most=0.0, note="; ".join(parts))


def sign_test_check(name: str, pairs: Sequence[tuple[bool, bool]]) -> Check:
    """Whether we agree as often as another: of each head whether we do, and whether the other does."""
    lost = sum(theirs and not ours for ours, theirs in pairs)
    gained = sum(ours and not theirs for ours, theirs in pairs)
    agree, others = (sum(column) for column in zip(*pairs, strict=True))
    note = f"probability by chance; {agree} of {len(pairs)} heads agree, with theirs {others}"
    return check(name, sign_test(lost, gained), least=LEVEL, note=note)


def permutation_p_value(agrees: Bool[Tensor, "head head"], *, draws: int = 9999, seed: int = 0) -> float:
    """P(as many heads agree | our labels were dealt to the heads at random), by the add-one rule.

    `agrees[i, j]`: our label of head i stands for the released label of head j.
    """
    heads = torch.arange(len(agrees))
    generator = torch.Generator().manual_seed(seed)
    deals: Int[Tensor, "draw head"] = torch.rand(draws, len(heads), generator=generator).argsort(dim=1)
    by_chance = agrees[deals, heads].sum(dim=1)
    return (1 + int((by_chance >= agrees.diagonal().sum()).sum())) / (1 + draws)


def sign_test(lost: int, gained: int) -> float:
    """P(as many or more lost | either is as likely), of the heads in which two ways differ."""
    both = lost + gained
    return sum(comb(both, count) for count in range(lost, both + 1)) / 2**both


def lines(step: Step) -> str:
    """The step and its checks, as they are printed."""
    about = f"{step.about}, " if step.about else ""
    head = f"{step.name} ({about}{step.seconds:.0f} s)"
    return "\n".join([head, *(f"  {_line(one)}" for one in step.checks)])


def summary(steps: Sequence[Step]) -> str:
    """How many checks came out how."""
    count = Counter(one.status for step in steps for one in step.checks)
    said = {"PASS": "passed", "FAIL": "failed", "SKIPPED": "skipped", "NOTED": "noted"}
    return ", ".join(f"{count[status]} {word}" for status, word in said.items())


def _line(one: Check) -> str:
    parts = [f"{one.status:<7} {one.name}"]
    if one.ours is not None:
        parts.append(f"ours {_number(one.ours)}")
    if one.reference is not None:
        parts.append(f"reference {_number(one.reference)}")
    if demanded := _demanded(one):
        parts.append(demanded)
    if one.note:
        parts.append(one.note)
    return " | ".join(parts)


def _demanded(one: Check) -> str:
    if one.least is not None and one.most is not None:
        return f"passes from {_number(one.least)} to {_number(one.most)}"
    if one.least is not None:
        return f"passes from {_number(one.least)}"
    return f"passes up to {_number(one.most)}" if one.most is not None else ""


def _number(value: float) -> str:
    return (
        f"{value:.1e}" if 0 < abs(value) < 1e-3 else f"{value:.6g}" if value == int(value) else f"{value:.2f}"
    )
