"""Measures the calibration of labels: the false positive rate on noise, and accuracy on planted heads.

`python -m precompute.tools.calibration.run` labels synthetic heads as a run does, and writes
docs/calibration.md. One setting has the spaces and texts of the first demo model. The other has the full
general pool with synthetic text embeddings (`synthetic_heads.synthetic_setting`). `--only mixed` measures one
section and replaces it in the page.

Every head is tested alone: a label is supported if p <= 0.05 and two picks carry it; q is not used.
"""

import argparse
import os
import sys
from collections.abc import Callable
from functools import partial
from math import inf
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Bool
from torch import Tensor

from precompute import clip, demo
from precompute.inputs import model_specs, text_pool
from precompute.method import decomposition, labels, textspan
from precompute.method.types import MIN_CARRYING
from precompute.runtime import progress
from precompute.texts import TEXTS
from precompute.tools.calibration import report, synthetic_heads
from precompute.tools.calibration.report import Curve, Figures, MixedHeads, Scatter
from precompute.tools.calibration.synthetic_heads import LabelingSetting, SyntheticHeads

REPORT = Path("docs/calibration.md")
SIGNALS = (0.25, 0.5, 1.0, 2.0)
LEVEL = 0.05

CHUNK = 50
"""Number of heads per call of TEXTSPAN."""

MIXED_SIGNALS = (1.0, 4.0, inf)

NOISE_SEED, PLANTED_SEED, MIXED_SEED = 1, 2, 3
SCATTER_SEEDS = 10
"""Number of draws of the rotations that test the same heads of noise."""


class CalibrationResult(NamedTuple):
    """Labels of synthetic heads, compared with the planted properties."""

    right: Bool[Tensor, " head"]
    significant: Bool[Tensor, " head"]
    """True if p <= LEVEL."""

    supported: Bool[Tensor, " head"]
    """True if MIN_CARRYING picks also carry the label."""


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
    pool, k, right, significant, carried = setting.pool, labels.SHOWN_PICKS, [], [], []
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
        carried.append(leading.carrying >= MIN_CARRYING)
    is_significant = torch.cat(significant)
    return CalibrationResult(torch.cat(right), is_significant, is_significant & torch.cat(carried))


def measure(pool: str, setting: LabelingSetting, *, count: int, few: int, workers: int) -> Figures:
    """Measures noise and the curve over one pool: `count` heads at signal 1, `few` at the other signals."""
    synthetic = synthetic_heads.make(setting, count, signal=0.0, seed=NOISE_SEED)
    supported = _share(label_heads(setting, synthetic, workers=workers).supported)
    progress.say(f"{pool}: {supported:.3f} of {count} heads of noise supported")
    curve = []
    for signal in SIGNALS:
        heads = count if signal == 1 else few
        synthetic = synthetic_heads.make(setting, heads, signal=signal, seed=PLANTED_SEED)
        result = label_heads(setting, synthetic, workers=workers)
        point = _curve(signal, synthetic, result, setting.pool.properties)
        curve.append(point)
        shares = f"{point.right:.3f} right, {point.right_significant:.3f} right and significant, "
        progress.say(f"{pool}, signal {signal}: {shares}{point.right_supported:.3f} right and supported")
    ranks = sorted(set(setting.rank.tolist()))
    return Figures(pool, len(setting.pool.texts), ranks, count, supported, curve)


def _curve(
    signal: float, synthetic: SyntheticHeads, result: CalibrationResult, properties: tuple[str, ...]
) -> Curve:
    right, both = result.right, result.right & result.supported
    by_property = {}
    for index, name in enumerate(properties):
        heads = synthetic.property == index
        by_property[name] = _share(right[heads]), _share(both[heads])
    shares = _share(right), _share(right & result.significant), _share(both)
    return Curve(signal, len(synthetic.space), *shares, by_property)


def measure_mixed(pool: str, setting: LabelingSetting, *, count: int, workers: int) -> list[MixedHeads]:
    """Returns the shares of heads along texts of different properties that the label's conditions pass."""
    rows = []
    for signal in MIXED_SIGNALS:
        for falling in (False, True):
            synthetic = synthetic_heads.mixed(setting, count, signal=signal, falling=falling, seed=MIXED_SEED)
            result = label_heads(setting, synthetic, workers=workers)
            rows.append(
                MixedHeads(pool, signal, falling, count, _share(result.significant), _share(result.supported))
            )
            progress.say(f"mixed heads, {rows[-1]}")
    return rows


def _share(mask: Bool[Tensor, " head"]) -> float:
    return float(mask.double().mean())


def scatter(setting: LabelingSetting, *, count: int, workers: int) -> Scatter:
    """Returns the share of the same heads of noise that is significant, for several draws of rotations."""
    synthetic = synthetic_heads.make(setting, count, signal=0.0, seed=NOISE_SEED)
    shares = []
    for seed in range(SCATTER_SEEDS):
        result = label_heads(setting, synthetic, seed=seed, workers=workers)
        shares.append(_share(result.significant))
        progress.say(f"rotations of seed {seed}: {shares[-1]:.3f} of {count} heads of noise significant")
    return Scatter(count, shares)


def main() -> int:
    """Measures the sections and writes them to the page. The exit code is 0 if every target is met."""
    parser = argparse.ArgumentParser(
        prog="python -m precompute.tools.calibration.run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--heads", type=int, default=1000, help="heads of noise, and planted at signal 1")
    parser.add_argument("--few", type=int, default=480, help="heads at other signals over the general pool")
    parser.add_argument("--mixed", type=int, default=200, help="mixed heads of each kind")
    parser.add_argument(
        "--only", choices=report.SECTIONS, nargs="+", default=report.SECTIONS, help="sections to measure"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--write", type=Path, default=REPORT)
    options = parser.parse_args()
    page = options.write.read_text() if options.write.exists() else ""
    met = True
    for section in options.only:
        text, section_met = _sections(options)[section]()
        # Written one by one: all sections together take hours.
        page, met = report.replace_section(page, section, text), met and section_met
        options.write.write_text(page)
    return 0 if met else 1


def _sections(options: argparse.Namespace) -> dict[str, Callable[[], tuple[str, bool]]]:
    """Returns the computation of every section: its text, and whether its targets are met."""
    count, workers = options.heads, options.workers

    def pool(name: str, setting: Callable[[], LabelingSetting], few: int) -> tuple[str, bool]:
        figures = measure(name, setting(), count=count, few=few, workers=workers)
        return report.pool_section(figures), all(target.met for target in report.targets(figures))

    def mixed() -> tuple[str, bool]:
        settings = {"demo": demo_setting(), "general": general_setting()}
        rows = [
            row
            for name, setting in settings.items()
            for row in measure_mixed(name, setting, count=options.mixed, workers=workers)
        ]
        return report.mixed_section(rows), True

    def rotations() -> tuple[str, bool]:
        return report.scatter_section(scatter(demo_setting(), count=count, workers=workers)), True

    return {
        "demo": partial(pool, "demo", demo_setting, count),
        "general": partial(pool, "general", general_setting, options.few),
        "mixed": mixed,
        "rotations": rotations,
    }


if __name__ == "__main__":
    sys.exit(main())
