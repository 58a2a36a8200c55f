"""A run end to end, decoding included: `python -m bench.whole`.

Writes photographs of ImageNet's usual size (JPEG, 500 x 375; made of noise, smoothed until they weigh about
as much as photographs do), then times what `precompute run` does with them: scanning with thumbnails, and the
pass that takes one model apart, with random weights, into work files. Printed are images per second of both,
the share of the pass that went into waiting for decoded images, the bytes an image leaves in work files, and
the images per second of `encode_image` alone on pixels that are in memory.

What the speed of the pass is to be compared with is the last figure: what is between them is reading,
decoding, and the work files.
"""

import argparse
import io
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageFilter

from precompute import clip
from precompute.inputs import model_specs
from precompute.method import decomposition
from precompute.pipeline.run import scan_image_set
from precompute.runtime import devices
from precompute.runtime.config import Config, ModelChoice
from precompute.stages import decompose_images
from precompute.stages.scan_images import ImageSet

SIZE = (500, 375)
"""Pixels; the commonest of ImageNet's validation images."""

LAYERS = 4


class Timing(NamedTuple):
    """Of one model."""

    plain: float
    """Images per second of encode_image alone."""

    whole: float
    """Images per second of the pass."""

    waiting: float
    """Share of the pass."""

    bytes_each: float
    """In work files, an image."""


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="ViT-B-32/openai", help="its random-weights twin is used")
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="headlight-bench-") as work:
        folder, bundle = Path(work) / "images", Path(work) / "bundle"
        weight = write_photographs(folder, options.images)
        config = Config(
            models=(ModelChoice(options.model),),
            images=folder,
            bundle=bundle,
            batch_size=options.batch_size,
            workers=options.workers,
            device=devices.resolve_device(options.device),
            gallery_images=0,
        )
        began = time.perf_counter()
        image_set = scan_image_set(config, Path(work) / "work")
        scanned = options.images / (time.perf_counter() - began)
        print(
            f"{options.images} JPEG files of {SIZE[0]} x {SIZE[1]}, {weight / 1e3:.0f} kB each; "
            f"{options.workers} workers, {torch.get_num_threads()} threads, device {options.device}"
        )
        print(f"scanning, with thumbnails: {scanned:.1f} images/s")
        report(options.model, measure(config, image_set, Path(work) / "passes"))
    return 0


def measure(config: Config, image_set: ImageSet, directory: Path) -> Timing:
    """Time encode_image alone, then the pass."""
    [choice] = config.models
    spec = model_specs.random_control(model_specs.resolve(choice.name, clip.catalog()))
    model = clip.load(spec, device=config.device)
    spaces = decomposition.head_spaces(clip.vision_weights(model), clip.last_layers(model, LAYERS))
    plain = encode_alone(model, config.batch_size)
    todo = decompose_images.plan_shards(
        model, spaces, list(image_set.image_files), directory, config.shard_size, config.gallery_limits
    )
    began = time.perf_counter()
    waited = decompose_images.write_missing_shards(model, todo, image_set.image_files, config.read_options)
    seconds = time.perf_counter() - began
    count = len(image_set.image_files)
    size = sum(shard.path.stat().st_size for shard in todo.shards)
    return Timing(plain, count / seconds, waited / seconds, size / count)


@torch.inference_mode()
def encode_alone(model: clip.Clip, batch: int, times: int = 4) -> float:
    """Images per second of encode_image on one batch in memory, the best of a few."""
    pixels = torch.randn(batch, 3, model.image_size, model.image_size, device=model.device)
    seconds = []
    for _ in range(times):
        began = time.perf_counter()
        model.model.encode_image(pixels).cpu()
        seconds.append(time.perf_counter() - began)
    return batch / min(seconds)


def report(name: str, timing: Timing) -> None:
    """Print what was measured of one model."""
    print(
        f"{name}: pass {timing.whole:.1f} images/s end to end, {timing.waiting:.0%} of it waiting for "
        f"images; encode_image alone {timing.plain:.1f} images/s ({timing.plain / timing.whole:.2f} times "
        f"the time); {timing.bytes_each / 1e3:.0f} kB an image in work files"
    )


def write_photographs(folder: Path, count: int) -> float:
    """`count` different JPEG files; returns their mean size in bytes."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    total = 0
    for number in range(count):
        coarse = random.integers(0, 255, (SIZE[1] // 25, SIZE[0] // 25, 3), dtype=np.uint8)
        fine = random.normal(0, 60, (SIZE[1], SIZE[0], 3))
        large = np.asarray(Image.fromarray(coarse).resize(SIZE, Image.Resampling.BICUBIC), dtype=np.float64)
        picture = Image.fromarray((large + fine).clip(0, 255).astype(np.uint8))
        out = io.BytesIO()
        picture.filter(ImageFilter.GaussianBlur(0.8)).save(out, "JPEG", quality=90)
        total += len(out.getvalue())
        (folder / f"{number:06d}.jpg").write_bytes(out.getvalue())
    return total / count


if __name__ == "__main__":
    sys.exit(main())
