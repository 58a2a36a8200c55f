"""Writes docs/calibration.md: the figures of a calibration in words and tables."""

import re
from collections.abc import Sequence
from math import isinf, sqrt
from statistics import fmean, stdev
from typing import NamedTuple

from db.text_table import text_table

MAX_NOISE, MIN_RIGHT, MIN_SIGNIFICANT, MIN_SUPPORTED = 0.07, 0.85, 0.75, 0.55

HEAD = """# Are labels calibrated?

<!-- written by `python -m precompute.tools.calibration.run`; change it there -->

Synthetic heads with known labels are labeled as in a run: first ten texts, 199 rotations
(seed 0). *Noise* is a covariance with eigenvalues exp(-i/6) and random eigenvectors. A *planted* head adds
the covariance of one property's texts in the head's space; signal-to-noise is the ratio of the two
traces. *Right*: the label is the planted property. *Significant*: p <= 0.05. *Supported*: significant, and
at least two of the ten texts carry the label. Each head is tested alone, hence p and not q. Reasons for the
rule: [decision 0003](decisions/0003-labels-offline.md).
"""

HEADINGS = {
    "demo": "Pool demo",
    "general": "Pool general",
    "mixed": "Heads without a property",
    "rotations": "Rotations are shared",
}
"""Headings of the sections by name, in the order of the page."""

SECTIONS = tuple(HEADINGS)

ABOUT = {
    "demo": """\
Texts and spaces of the demo model ViT-emoji-S-16/pictures_1: {texts} texts, the spaces of all heads of
its last four layers, of rank {rank}. This is the hard case: 200 words share 128 dimensions, so that in a
space of {rank} the texts of a property also lie along texts of others. Less noise hardly helps (the shares
at 1 and 2 differ little), and what can be found depends on the property. Hence planted heads have no targets
here; noise has.""",
    "general": """\
The general pool at full size, {texts} texts, in 16 random spaces of rank {rank} in 512 dimensions.
**Its text embeddings are synthetic**, since CLIP's need a pretrained model: every word has a
random vector, a text is the sum of its words (frequent words have less weight) plus a direction common to
all texts. Unlike in a trained text tower, the words of one property have nothing in common. The figures
show how the rule works at this size, not its accuracy on CLIP.""",
}

MIXED = """\
A *mixed* head has variance along ten texts of ten different properties, equal for all or falling as 1/i,
and noise. It lies along texts, but along no property, so no label of
it should be supported. Rotations do not cover this case: a rotated head lies along no text, so a head along
texts can be significant by its strongest text alone. The second condition of support removes heads with a
single text of the label. It leaves those of which another of the first ten texts carries the label by chance:
more than 0.05 of the mixed heads. So read the texts of a supported label: those behind it should be more
than two, or their shares of variance large.
"""

SCATTER = """\
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

    right_supported: float
    """Share of heads with a right and supported label."""

    by_property: dict[str, tuple[float, float]]
    """Shares of right, and of right and supported labels by property."""


class Figures(NamedTuple):
    """Measurements over one pool."""

    pool: str
    texts: int
    ranks: list[int]
    heads: int
    """Number of heads of noise."""

    supported: float
    """Share of heads of noise with a supported label."""

    curve: list[Curve]


class MixedHeads(NamedTuple):
    """Heads along texts of different properties."""

    pool: str
    signal: float
    falling: bool
    """True if the variance along text i falls as 1/i."""

    heads: int
    significant: float
    """Share of heads with p <= 0.05: without the condition on the picks."""

    supported: float


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
    """Returns the figures that labels must reach. Planted heads of the demo pool are reported alone."""
    curve = next(curve for curve in figures.curve if curve.signal == 1)
    bounds = [
        ("planted, right", curve.right, MIN_RIGHT),
        ("planted, right and significant", curve.right_significant, MIN_SIGNIFICANT),
        ("planted, right and supported", curve.right_supported, MIN_SUPPORTED),
    ]
    noise = figures.supported
    return [
        Target("noise, supported", figures.heads, noise, f"at most {MAX_NOISE}", noise <= MAX_NOISE),
        *(
            Target(name, curve.heads, value, f"at least {least}", value >= least)
            for name, value, least in bounds
            if figures.pool != "demo"
        ),
    ]


def replace_section(page: str, section: str, text: str) -> str:
    """Returns the page with one section replaced, and its head and the other sections as they are."""
    parts = dict(re.findall(r"^## (.+?)\n\n(.*?)\n*(?=^## |\Z)", page, flags=re.MULTILINE | re.DOTALL))
    parts[HEADINGS[section]] = text.rstrip("\n")
    sections = [f"## {heading}\n\n{parts[heading]}\n" for heading in HEADINGS.values() if heading in parts]
    return "\n".join([HEAD, *sections])


def pool_section(figures: Figures) -> str:
    """Returns the section of one pool."""
    ranks = " to ".join(str(rank) for rank in sorted({figures.ranks[0], figures.ranks[-1]}))
    about = ABOUT[figures.pool].format(texts=f"{figures.texts:,}", rank=ranks)
    return "\n\n".join([about, _summary(figures), _curve(figures), _by_property(figures)])


def mixed_section(rows: Sequence[MixedHeads]) -> str:
    """Returns the section of the heads without a property."""
    lines = [
        (
            row.pool,
            "no noise" if isinf(row.signal) else f"{row.signal:g}",
            "falling" if row.falling else "equal",
            f"{row.heads:,}",
            row.significant,
            row.supported,
        )
        for row in rows
    ]
    columns = ("pool", "signal-to-noise", "variances", "heads", "significant", "supported")
    return f"{MIXED}\n{text_table(columns, lines)}"


def scatter_section(scatter: Scatter) -> str:
    """Returns the section on shared rotations."""
    shares = scatter.shares
    return SCATTER.format(
        heads=scatter.heads,
        seeds=len(shares),
        shares=", ".join(f"{share:.3f}" for share in sorted(shares)),
        mean=fmean(shares),
        spread=stdev(shares),
        expected=sqrt(0.05 * 0.95 / scatter.heads),
    )


def _summary(figures: Figures) -> str:
    rows = [
        (target.name, f"{target.heads:,}", target.value, target.bound, _yes(target.met))
        for target in targets(figures)
    ]
    return text_table(("at signal-to-noise 1", "heads", "share", "target", "met"), rows)


def _curve(figures: Figures) -> str:
    rows = [
        (f"{row.signal:g}", f"{row.heads:,}", row.right, row.right_significant, row.right_supported)
        for row in figures.curve
    ]
    columns = ("signal-to-noise", "heads", "right", "right and significant", "right and supported")
    return text_table(columns, rows)


def _by_property(figures: Figures) -> str:
    rows = [
        (name, *("{:.2f} / {:.2f}".format(*curve.by_property[name]) for curve in figures.curve))
        for name in figures.curve[0].by_property
    ]
    columns = ("right / right and supported", *(f"{curve.signal:g}" for curve in figures.curve))
    return text_table(columns, rows)


def _yes(met: bool) -> str:
    return "yes" if met else "no"
