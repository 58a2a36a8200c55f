"""Time of decomposing images, as a ratio to the time of plain `encode_image` in the same run.

`python -m bench.decomposition` prints both times and the sum error for the three architectures of the study,
with random weights, the last four layers decomposed, and one precision. The two are timed in pairs, in
alternating order, so that other load on the machine affects both. On a GPU:

    python -m bench.decomposition --device cuda --precision bf16 --only ViT-L-14 --batch 256
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import torch

from bench import argument_parser
from precompute import clip
from precompute.clip.precision import products
from precompute.inputs import model_specs
from precompute.method import decomposition
from precompute.runtime import devices
from precompute.runtime.config import PRECISIONS, ConfigError, Precision

LAYERS = 4


class Case(NamedTuple):
    """One architecture, its batch size, and the target ratio to the time of encode_image."""

    name: str
    batch: int
    target: float


CASES = (
    Case("ViT-B-32/datacomp_m_s128m_b4k", batch=16, target=0.95),
    Case("ViT-B-16/laion2b_s34b_b88k", batch=8, target=0.95),
    Case("ViT-L-14/laion2b_s32b_b82k", batch=4, target=1.00),
)


class Timing(NamedTuple):
    """Seconds of one batch, for each pair."""

    plain: torch.Tensor
    decomposed: torch.Tensor
    sum_error: float
    """Largest absolute entry of (sum of contributions - embedding)."""


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("--pairs", type=int, default=15, help="pairs of timings for each architecture")
    parser.add_argument("--only", metavar="TEXT", default="", help="architectures whose name contains TEXT")
    parser.add_argument("--threads", type=int, help="number of threads; fewer than cores on a busy machine")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, mps, auto (default: cpu)")
    parser.add_argument(
        "--precision", choices=PRECISIONS, default="float32", help="precision of both (default: float32)"
    )
    parser.add_argument(
        "--batch", type=int, metavar="N", help="images of one batch (default: few, for a CPU)"
    )
    options = parser.parse_args()
    try:
        device = devices.resolve_device(options.device, options.precision)
    except ConfigError as error:
        parser.error(str(error))

    if options.threads:
        torch.set_num_threads(options.threads)
    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else device
    threads = f"{torch.get_num_threads()} threads"
    print(f"{name}, {threads}, {options.precision}, last {LAYERS} layers decomposed; images per second")
    print(
        f"{'model':31} {'batch':>5} {'plain/s':>8} {'parts/s':>8} {'ratio':>6} {'quartiles':>13} "
        f"{'sum_error':>9} {'target':>6}"
    )
    missed = False
    for case in CASES:
        if options.only in case.name:
            case = case._replace(batch=options.batch or case.batch)
            with devices.explain_out_of_memory(torch.device(device), case.batch):
                timing = measure(case, options.pairs, device, options.precision)
            missed |= not report(case, timing)
    raise SystemExit(1 if missed else 0)


def measure(case: Case, pairs: int, device: str, precision: Precision) -> Timing:
    """Times `pairs` pairs after one warm-up pair; both multiply in the same precision."""
    spec = model_specs.random_control(model_specs.resolve(case.name, clip.catalog()))
    model = clip.load(spec, device=device, precision=precision)
    weights, layers = clip.vision_weights(model), clip.last_layers(model, LAYERS)
    plan = decomposition.plan(weights, decomposition.head_spaces(weights, layers))
    pixels = torch.randn(case.batch, 3, model.image_size, model.image_size).to(device)

    @torch.inference_mode()
    def plain() -> None:
        with products(precision, model.device):
            model.model.encode_image(pixels)

    def decomposed() -> decomposition.Decomposition:
        captured = clip.capture(model, pixels, layers)
        decomposition.earlier(plan, captured)
        return decomposition.decompose(plan, captured)

    seconds = []
    for pair in range(pairs + 1):
        first, second = (plain, decomposed) if pair % 2 else (decomposed, plain)
        pair_seconds = {work: _seconds(work, device) for work in (first, second)}
        seconds.append([pair_seconds[plain], pair_seconds[decomposed]])
        print(f"  {case.name}: pair {pair} of {pairs}", end="\r", flush=True)
    plain_seconds, decomposed_seconds = torch.tensor(seconds[1:]).T
    return Timing(plain_seconds, decomposed_seconds, float(decomposed().sum_error.max()))


def report(case: Case, timing: Timing) -> bool:
    """Prints one line; returns True if the target is met."""
    ratio = timing.decomposed / timing.plain
    low, middle, high = ratio.quantile(torch.tensor([0.25, 0.5, 0.75])).tolist()
    plain, decomposed = (case.batch / float(seconds.median()) for seconds in timing[:2])
    met = middle <= case.target
    print(
        f"{case.name:31} {case.batch:5} {plain:8.1f} {decomposed:8.1f} {middle:6.3f} {low:6.3f}-{high:.3f} "
        f"{timing.sum_error:9.1e} {case.target:6.2f} {'met' if met else 'MISSED'}"
    )
    return met


def _seconds(work: Callable[[], object], device: str) -> float:
    began = time.perf_counter()
    work()
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    elif device == "mps":
        torch.mps.synchronize()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
