"""Measures the calibration of labels: the false positive rate on noise, and accuracy on planted heads.

`python -m precompute.tools.calibration.run` labels synthetic heads as a run does, and writes
docs/calibration.md. One setting has the spaces and texts of the first demo model. The other has the full
general pool with synthetic text embeddings (`synthetic_heads.synthetic_setting`).

Every head is tested alone: a label is significant if p <= 0.05; q is not used.
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
from precompute.tools.calibration.report import Curve, Figures, Scatter, report, targets
from precompute.tools.calibration.synthetic_heads import LabelingSetting, SyntheticHeads

REPORT = Path("docs/calibration.md")
SIGNALS = (0.25, 0.5, 1.0, 2.0)
LEVEL = 0.05

CHUNK = 50
"""Number of heads per call of TEXTSPAN."""

NOISE_SEED, PLANTED_SEED = 1, 2
SCATTER_SEEDS = 10
"""Number of draws of the rotations that test the same heads of noise."""


class CalibrationResult(NamedTuple):
    """Labels of synthetic heads, compared with the planted properties."""

    right: Bool[Tensor, " head"]
    significant: Bool[Tensor, " head"]
    """True if p <= LEVEL."""


def demo_setting() -> LabelingSetting:
    """Returns spaces of the last four layers, and text embeddings, of the first demo model."""
    spec = model_specs.resolve(demo.MODEL_NAME, clip.catalog())
    model = clip.load(spec)
    spaces = decomposition.head_spaces(clip.vision_weights(model), clip.last_layers(model, 4))
    texts = text_pool.load(TEXTS / "demo.tsv")
    embedded = clip.encode_text(model, texts.texts).double()
    return LabelingSetting(texts, embedded, spaces.basis.flatten(0, 1), spaces.rank.flatten())


def general_setting() -> LabelingSetting:
    return synthetic_heads.synthetic_setting(text_pool.load(TEXTS / "general.tsv"))


def label_heads(
    setting: LabelingSetting, heads: SyntheticHeads, *, rotations: int = 199, seed: int = 0, workers: int = 1
) -> CalibrationResult:
    """Labels synthetic heads as a run does, from their first ten texts and their rotations."""
    pool, k, right, significant = setting.pool, labels.SHOWN_PICKS, [], []
    for rows in torch.arange(len(heads.space)).split(CHUNK):
        space = heads.space[rows]
        inputs = heads.covariance[rows], setting.text, setting.basis[space]
        unrotated = textspan.picks(textspan.textspan_heads(*inputs, k=k, workers=workers), k)
        rotated = textspan.rotated_heads(
            *inputs, own_rank=setting.rank[space], k=k, rotations=rotations, seed=seed, workers=workers
        )
        leading, leading_rotated = (labels.leading(picks, pool.tags) for picks in (unrotated, rotated))
        head_labels = labels.labels_by_variance_share(leading, leading_rotated, pool.properties, picks=k)
        right.append(leading.property == heads.property[rows])
        significant.append(torch.tensor([label.p_value <= LEVEL for label in head_labels]))
    return CalibrationResult(torch.cat(right), torch.cat(significant))


def measure(pool: str, setting: LabelingSetting, *, count: int, few: int, workers: int) -> Figures:
    """Measures noise and the curve over one pool: `count` heads at signal 1, `few` at the other signals."""
    synthetic = synthetic_heads.make(setting, count, signal=0.0, seed=NOISE_SEED)
    significant = float(label_heads(setting, synthetic, workers=workers).significant.double().mean())
    progress.say(f"{pool}: {significant:.3f} of {count} heads of noise significant")
    curve = []
    for signal in SIGNALS:
        heads = count if signal == 1 else few
        synthetic = synthetic_heads.make(setting, heads, signal=signal, seed=PLANTED_SEED)
        result = label_heads(setting, synthetic, workers=workers)
        point = _curve(signal, synthetic, result, setting.pool.properties)
        curve.append(point)
        shares = f"{point.right:.3f} right, {point.right_significant:.3f} right and significant"
        progress.say(f"{pool}, signal {signal}: {shares}")
    ranks = sorted(set(setting.rank.tolist()))
    return Figures(pool, len(setting.pool.texts), ranks, count, significant, curve)


def _curve(
    signal: float, synthetic: SyntheticHeads, result: CalibrationResult, properties: tuple[str, ...]
) -> Curve:
    both = result.right & result.significant
    by_property = {}
    for index, name in enumerate(properties):
        heads = synthetic.property == index
        by_property[name] = float(result.right[heads].double().mean()), float(both[heads].double().mean())
    share_right, share_both = (float(mask.double().mean()) for mask in (result.right, both))
    return Curve(signal, len(synthetic.space), share_right, share_both, by_property)


def scatter(setting: LabelingSetting, *, count: int, workers: int) -> Scatter:
    """Returns the share of the same heads of noise that is significant, for several draws of rotations."""
    synthetic = synthetic_heads.make(setting, count, signal=0.0, seed=NOISE_SEED)
    shares = []
    for seed in range(SCATTER_SEEDS):
        result = label_heads(setting, synthetic, seed=seed, workers=workers)
        shares.append(float(result.significant.double().mean()))
        progress.say(f"rotations of seed {seed}: {shares[-1]:.3f} of {count} heads of noise significant")
    return Scatter(count, shares)


def main() -> int:
    """Measures both settings and writes the report. The exit code is 0 if every target is met."""
    parser = argparse.ArgumentParser(
        prog="python -m precompute.tools.calibration.run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--heads", type=int, default=1000, help="heads of noise, and planted at signal 1")
    parser.add_argument("--few", type=int, default=480, help="heads at other signals over the general pool")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--write", type=Path, default=REPORT)
    options = parser.parse_args()
    setting, count, workers = demo_setting(), options.heads, options.workers
    figures = [measure("demo", setting, count=count, few=count, workers=workers)]
    rotation_scatter = scatter(setting, count=count, workers=workers)
    figures.append(measure("general", general_setting(), count=count, few=options.few, workers=workers))
    options.write.write_text(report(figures, rotation_scatter))
    return 0 if all(target.met for pool in figures for target in targets(pool)) else 1


if __name__ == "__main__":
    sys.exit(main())
