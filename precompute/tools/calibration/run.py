"""Are labels calibrated? Noise must be called at the promised rate, planted heads must be found.

`python -m precompute.tools.calibration.run` labels heads of known meaning as a run does, and writes
docs/calibration.md: in the spaces and texts of the first demo model, and over the general pool at full size,
whose text embeddings are a stand-in (`calibration_heads.stand_in`).

Every head is tested by itself: what is counted is p <= 0.05, not q.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Bool
from torch import Tensor

from precompute import clip, demo
from precompute.inputs import model_specs, text_pool
from precompute.method import decomposition, labels, textspan
from precompute.runtime import progress
from precompute.texts import TEXTS
from precompute.tools.calibration import synthetic_heads
from precompute.tools.calibration.report import (
    Curve,
    Figures,
    Scatter,
    report,
    targets,
)
from precompute.tools.calibration.synthetic_heads import LabelingSetting, SyntheticHeads

REPORT = Path("docs/calibration.md")
SIGNALS = (0.25, 0.5, 1.0, 2.0)
LEVEL = 0.05

CHUNK = 50
"""Heads labeled at once."""

NOISE_SEED, PLANTED_SEED = 1, 2
SCATTER_SEEDS = 10
"""Draws of the rotations that the same heads of noise are tested by."""


class CalibrationResult(NamedTuple):
    """Whether the rule labels synthetic heads right, and by more than chance."""

    right: Bool[Tensor, " head"]
    significant: Bool[Tensor, " head"]
    """p <= LEVEL."""


def demo_setting() -> LabelingSetting:
    """Spaces of the last four layers and text embeddings of the first demo model."""
    spec = model_specs.resolve(demo.MODEL_NAME, clip.catalog())
    model = clip.load(spec)
    spaces = decomposition.head_spaces(clip.vision_weights(model), clip.last_layers(model, 4))
    texts = text_pool.load(TEXTS / "demo.tsv")
    embedded = clip.encode_text(model, texts.texts).double()
    return LabelingSetting(texts, embedded, spaces.basis.flatten(0, 1), spaces.rank.flatten())


def general_setting() -> LabelingSetting:
    return synthetic_heads.stand_in(text_pool.load(TEXTS / "general.tsv"))


def label_heads(
    setting: LabelingSetting, heads: SyntheticHeads, *, rotations: int = 199, seed: int = 0, workers: int = 1
) -> CalibrationResult:
    """Label synthetic heads as a run does, from their first ten texts and their rotations."""
    pool, k, right, significant = setting.pool, labels.SHOWN_PICKS, [], []
    for rows in torch.arange(len(heads.space)).split(CHUNK):
        space = heads.space[rows]
        inputs = heads.covariance[rows], setting.text, setting.basis[space]
        own = textspan.picks(textspan.textspan_heads(*inputs, k=k, workers=workers), k)
        rotated = textspan.rotated_heads(
            *inputs, own_rank=setting.rank[space], k=k, rotations=rotations, seed=seed, workers=workers
        )
        leading, leading_rotated = (labels.leading(picks, pool.tags) for picks in (own, rotated))
        found = labels.labels_by_variance_share(leading, leading_rotated, pool.properties, picks=k)
        right.append(leading.property == heads.property[rows])
        significant.append(torch.tensor([label.p_value <= LEVEL for label in found]))
    return CalibrationResult(torch.cat(right), torch.cat(significant))


def measure(what: str, setting: LabelingSetting, *, count: int, few: int, workers: int) -> Figures:
    """Noise and the curve; `few` heads for each signal but 1."""
    synthetic = synthetic_heads.make(setting, count, signal=0.0, seed=NOISE_SEED)
    significant = float(label_heads(setting, synthetic, workers=workers).significant.double().mean())
    progress.say(f"{what}: {significant:.3f} of {count} heads of noise called")
    curve = []
    for signal in SIGNALS:
        heads = count if signal == 1 else few
        synthetic = synthetic_heads.make(setting, heads, signal=signal, seed=PLANTED_SEED)
        found = label_heads(setting, synthetic, workers=workers)
        curve.append(_curve(signal, synthetic, found, setting.pool.properties))
        one = curve[-1]
        progress.say(f"{what}, signal {signal}: {one.right:.3f} right, {one.both:.3f} right and called")
    ranks = sorted(set(setting.rank.tolist()))
    return Figures(what, len(setting.pool.texts), ranks, count, significant, curve)


def _curve(
    signal: float, synthetic: SyntheticHeads, found: CalibrationResult, properties: tuple[str, ...]
) -> Curve:
    both = found.right & found.significant
    each = {}
    for place, one in enumerate(properties):
        here = synthetic.property == place
        each[one] = float(found.right[here].double().mean()), float(both[here].double().mean())
    share_right, share_both = (float(of.double().mean()) for of in (found.right, both))
    return Curve(signal, len(synthetic.space), share_right, share_both, each)


def scatter(setting: LabelingSetting, *, count: int, workers: int) -> Scatter:
    """Share of the same heads of noise that is called, by each of several draws of the rotations."""
    synthetic = synthetic_heads.make(setting, count, signal=0.0, seed=NOISE_SEED)
    shares = []
    for seed in range(SCATTER_SEEDS):
        found = label_heads(setting, synthetic, seed=seed, workers=workers)
        shares.append(float(found.significant.double().mean()))
        progress.say(f"rotations of seed {seed}: {shares[-1]:.3f} of {count} heads of noise called")
    return Scatter(count, shares)


def main() -> int:
    """Measure both settings and write the report; the exit code is 0 if every target is met."""
    parser = argparse.ArgumentParser(
        prog="python -m precompute.tools.calibration.run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--heads", type=int, default=1000, help="of noise, and planted at signal 1")
    parser.add_argument("--few", type=int, default=480, help="planted over the general pool at the others")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--write", type=Path, default=REPORT)
    options = parser.parse_args()
    small, count, workers = demo_setting(), options.heads, options.workers
    figures = [measure("demo", small, count=count, few=count, workers=workers)]
    scattered = scatter(small, count=count, workers=workers)
    figures.append(measure("general", general_setting(), count=count, few=options.few, workers=workers))
    options.write.write_text(report(figures, scattered))
    return 0 if all(target.met for one in figures for target in targets(one)) else 1


if __name__ == "__main__":
    sys.exit(main())
