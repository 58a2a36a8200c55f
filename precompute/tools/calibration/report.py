"""docs/calibration.md: the figures of a calibration in words and tables."""

from math import sqrt
from statistics import fmean, stdev
from typing import NamedTuple

from db.text_table import text_table

MAX_NOISE, MIN_RIGHT, MIN_BOTH = 0.07, 0.85, 0.75

HEAD = """# Are labels calibrated?

<!-- written by `python -m precompute.tools.calibration.run`; change it there -->

Heads of known meaning are labeled as a run labels a model's: first ten texts, 199 rotations
(seed 0). *Noise* is a covariance with eigenvalues exp(-i/6) and random eigenvectors. A *planted* head adds
the covariance of one property's texts in the head's space; signal-to-noise is the ratio of the two
traces. *Right*: the label is what was planted. *Called*: p <= 0.05, one head at a time, so p and
not q. Why the rule is as it is: [decision 0003](decisions/0003-labels-offline.md).
"""

ABOUT = {
    "demo": """\
Texts and spaces of the demo model ViT-demo-S-16/scenes_1: {texts} texts, the spaces of all heads of
its last four layers, of rank {rank}. Ten texts nearly fill such a space, which makes it the hard
case.""",
    "general": """\
The general pool at full size, {texts} texts, in 16 random spaces of rank {rank} in 512 dimensions.
**Its text embeddings are a stand-in for CLIP's**, which take a pretrained model: every word has a
random vector, a text is the sum of its words (frequent ones weigh less) plus a direction common to
all. Words of one property share nothing there, unlike in a trained text tower. The figures say how
the rule works at this size, not how well it does on CLIP.""",
}

SCATTER = """## Rotations are shared

Heads of one rank are turned by the same rotations, which could make them wrong together. The same
{heads} heads of noise in demo spaces, tested by {seeds} draws of the rotations: {shares} called.
Mean {mean:.4f}, standard deviation {spread:.4f}; another {heads} heads, independent of each other,
would scatter by {expected:.4f}. Given the rotations, heads with eigenvectors of their own are
independent: only the rate that they have in common can move with the draw.
"""


class Curve(NamedTuple):
    """Planted heads of one signal-to-noise ratio."""

    signal: float
    heads: int
    right: float
    both: float
    """Right and called."""

    each: dict[str, tuple[float, float]]
    """Both shares by property."""


class Figures(NamedTuple):
    """What was measured over one pool."""

    pool: str
    texts: int
    ranks: list[int]
    heads: int
    """Of noise."""

    significant: float
    """Share of noise with p <= 0.05."""

    curve: list[Curve]


class Scatter(NamedTuple):
    """Share of the same heads of noise that is called, by draw of the rotations."""

    heads: int
    shares: list[float]


class Target(NamedTuple):
    """One figure beside what it must be."""

    what: str
    heads: int
    value: float
    bound: str
    met: bool


def targets(figures: Figures) -> list[Target]:
    """The three figures that labels must reach."""
    one = next(curve for curve in figures.curve if curve.signal == 1)
    noise, right, both = figures.significant, one.right, one.both
    return [
        Target("noise called", figures.heads, noise, f"at most {MAX_NOISE}", noise <= MAX_NOISE),
        Target("planted, right", one.heads, right, f"at least {MIN_RIGHT}", right >= MIN_RIGHT),
        Target("planted, right and called", one.heads, both, f"at least {MIN_BOTH}", both >= MIN_BOTH),
    ]


def report(figures: list[Figures], scattered: Scatter) -> str:
    """The whole page."""
    parts = [HEAD, _summary(figures) + "\n"]
    for one in figures:
        ranks = " to ".join(str(rank) for rank in sorted({one.ranks[0], one.ranks[-1]}))
        about = ABOUT[one.pool].format(texts=f"{one.texts:,}", rank=ranks)
        parts += [f"## Pool {one.pool}\n\n{about}\n", f"{_curve(one)}\n", f"{_by_property(one)}\n"]
    return "\n".join([*parts, _scatter(scattered)])


def _summary(figures: list[Figures]) -> str:
    rows = [
        (one.pool, target.what, f"{target.heads:,}", f"{target.value:.3f}", target.bound, _yes(target.met))
        for one in figures
        for target in targets(one)
    ]
    return text_table(("pool", "at signal-to-noise 1", "heads", "share", "target", "met"), rows)


def _curve(figures: Figures) -> str:
    rows = [
        (f"{one.signal:g}", f"{one.heads:,}", f"{one.right:.3f}", f"{one.both:.3f}") for one in figures.curve
    ]
    return text_table(("signal-to-noise", "heads", "right", "right and called"), rows)


def _by_property(figures: Figures) -> str:
    names = list(figures.curve[0].each)
    rows = [
        (name, *(f"{one.each[name][0]:.2f} / {one.each[name][1]:.2f}" for one in figures.curve))
        for name in names
    ]
    columns = ("right / right and called", *(f"{one.signal:g}" for one in figures.curve))
    return text_table(columns, rows)


def _scatter(scattered: Scatter) -> str:
    shares = scattered.shares
    return SCATTER.format(
        heads=scattered.heads,
        seeds=len(shares),
        shares=", ".join(f"{share:.3f}" for share in sorted(shares)),
        mean=fmean(shares),
        spread=stdev(shares),
        expected=sqrt(0.05 * 0.95 / scattered.heads),
    )


def _yes(met: bool) -> str:
    return "yes" if met else "**no**"
