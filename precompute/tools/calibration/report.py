"""Writes docs/calibration.md: the figures of a calibration in words and tables."""

from math import sqrt
from statistics import fmean, stdev
from typing import NamedTuple

from db.text_table import text_table

MAX_NOISE, MIN_RIGHT, MIN_BOTH = 0.07, 0.85, 0.75

HEAD = """# Are labels calibrated?

<!-- written by `python -m precompute.tools.calibration.run`; change it there -->

Synthetic heads with known labels are labeled as in a run: first ten texts, 199 rotations
(seed 0). *Noise* is a covariance with eigenvalues exp(-i/6) and random eigenvectors. A *planted* head adds
the covariance of one property's texts in the head's space; signal-to-noise is the ratio of the two
traces. *Right*: the label is the planted property. *Significant*: p <= 0.05. Each head is tested alone,
hence p and not q. Reasons for the rule: [decision 0003](decisions/0003-labels-offline.md).
"""

ABOUT = {
    "demo": """\
Texts and spaces of the demo model ViT-demo-S-16/scenes_1: {texts} texts, the spaces of all heads of
its last four layers, of rank {rank}. Ten texts nearly span such a space, which makes it the hard
case.""",
    "general": """\
The general pool at full size, {texts} texts, in 16 random spaces of rank {rank} in 512 dimensions.
**Its text embeddings are synthetic**, since CLIP's need a pretrained model: every word has a
random vector, a text is the sum of its words (frequent words have less weight) plus a direction common to
all texts. Unlike in a trained text tower, the words of one property have nothing in common. The figures
show how the rule works at this size, not its accuracy on CLIP.""",
}

SCATTER = """## Rotations are shared

Heads of one rank share their rotations, so their errors could be correlated. Share of the same
{heads} heads of noise in demo spaces that is significant, for {seeds} draws of the rotations: {shares}.
Mean {mean:.4f}, standard deviation {spread:.4f}; {heads} independent heads
would have a standard deviation of {expected:.4f}. Conditional on the rotations, heads with independent
eigenvectors are independent: only their common rate can change with the draw.
"""


class Curve(NamedTuple):
    """Planted heads of one signal-to-noise ratio."""

    signal: float
    heads: int
    right: float
    right_significant: float
    """Share of heads with a right and significant label."""

    by_property: dict[str, tuple[float, float]]
    """Both shares by property."""


class Figures(NamedTuple):
    """Measurements over one pool."""

    pool: str
    texts: int
    ranks: list[int]
    heads: int
    """Number of heads of noise."""

    significant: float
    """Share of heads of noise with p <= 0.05."""

    curve: list[Curve]


class Scatter(NamedTuple):
    """Share of the same heads of noise that is significant, by draw of the rotations."""

    heads: int
    shares: list[float]


class Target(NamedTuple):
    """One figure and its bound."""

    name: str
    heads: int
    value: float
    bound: str
    met: bool


def targets(figures: Figures) -> list[Target]:
    """Returns the three figures that labels must reach."""
    curve = next(curve for curve in figures.curve if curve.signal == 1)
    noise, right, both = figures.significant, curve.right, curve.right_significant
    return [
        Target("noise, significant", figures.heads, noise, f"at most {MAX_NOISE}", noise <= MAX_NOISE),
        Target("planted, right", curve.heads, right, f"at least {MIN_RIGHT}", right >= MIN_RIGHT),
        Target("planted, right and significant", curve.heads, both, f"at least {MIN_BOTH}", both >= MIN_BOTH),
    ]


def report(figures: list[Figures], scatter: Scatter) -> str:
    """Returns the whole page."""
    parts = [HEAD, _summary(figures) + "\n"]
    for pool in figures:
        ranks = " to ".join(str(rank) for rank in sorted({pool.ranks[0], pool.ranks[-1]}))
        about = ABOUT[pool.pool].format(texts=f"{pool.texts:,}", rank=ranks)
        parts += [f"## Pool {pool.pool}\n\n{about}\n", f"{_curve(pool)}\n", f"{_by_property(pool)}\n"]
    return "\n".join([*parts, _scatter(scatter)])


def _summary(figures: list[Figures]) -> str:
    rows = [
        (pool.pool, target.name, f"{target.heads:,}", target.value, target.bound, _yes(target.met))
        for pool in figures
        for target in targets(pool)
    ]
    return text_table(("pool", "at signal-to-noise 1", "heads", "share", "target", "met"), rows)


def _curve(figures: Figures) -> str:
    rows = [(f"{row.signal:g}", f"{row.heads:,}", row.right, row.right_significant) for row in figures.curve]
    return text_table(("signal-to-noise", "heads", "right", "right and significant"), rows)


def _by_property(figures: Figures) -> str:
    rows = [
        (name, *("{:.2f} / {:.2f}".format(*curve.by_property[name]) for curve in figures.curve))
        for name in figures.curve[0].by_property
    ]
    columns = ("right / right and significant", *(f"{curve.signal:g}" for curve in figures.curve))
    return text_table(columns, rows)


def _scatter(scatter: Scatter) -> str:
    shares = scatter.shares
    return SCATTER.format(
        heads=scatter.heads,
        seeds=len(shares),
        shares=", ".join(f"{share:.3f}" for share in sorted(shares)),
        mean=fmean(shares),
        spread=stdev(shares),
        expected=sqrt(0.05 * 0.95 / scatter.heads),
    )


def _yes(met: bool) -> str:
    return "yes" if met else "**no**"
