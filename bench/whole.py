"""A run end to end, decoding included: `python -m bench.whole`.

Writes JPEG files of ImageNet's usual size (500 x 375; smoothed noise with as many bytes as photographs),
then times two steps of `precompute run` on them: the scan with thumbnails, and the pass that decomposes the
images with one model of random weights into work files. Prints the images per second of both, the share of
the pass spent waiting for decoded images, the bytes an image takes in work files, and the images per second
of `encode_image` alone on pixels in memory.

Compare the speed of the pass with the last figure: the difference is reading, decoding, and work files.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFilter

from bench import SIZE, argument_parser, timed
from precompute import clip
from precompute.inputs import model_specs
from precompute.pipeline import setup
from precompute.pipeline.run import scan_image_set
from precompute.runtime import devices
from precompute.runtime.config import Config, ModelChoice
from precompute.stages import decompose_images
from precompute.stages.scan_images import ImageSet


def main() -> None:
    """Prints the figures."""
    parser = argument_parser(__doc__)
    parser.add_argument("--model", default="ViT-B-32/openai", help="its random-weights control is used")
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
            layers=4,
            gallery_images=0,
        )
        scanning, image_set = timed(lambda: scan_image_set(config, Path(work) / "work"))
        print(
            f"{options.images} JPEG files of {SIZE[0]} x {SIZE[1]}, {weight / 1e3:.0f} kB each; "
            f"{options.workers} workers, {torch.get_num_threads()} threads, device {options.device}"
        )
        print(f"scanning, with thumbnails: {options.images / scanning.wall:.1f} images/s")
        measure(config, image_set, Path(work) / "passes")


def measure(config: Config, image_set: ImageSet, directory: Path) -> None:
    """Times encode_image alone, then the pass over the images, and prints both."""
    [choice] = config.models
    loaded = setup.load(model_specs.random_control(clip.resolve(choice)), config, directory)
    plain = encode_alone(loaded.model, config.batch_size)
    files = image_set.image_files
    plan = decompose_images.plan_shards(loaded, list(files), config.shard_size, config.gallery_limits)
    spent, waited = timed(
        lambda: decompose_images.write_missing_shards(loaded.model, plan, files, config.read_options)
    )
    whole = len(files) / spent.wall
    image_bytes = sum(shard.path.stat().st_size for shard in plan.shards) / len(files)
    print(
        f"{choice.name}: pass {whole:.1f} images/s end to end, {waited / spent.wall:.0%} of it waiting for "
        f"images; encode_image alone {plain:.1f} images/s ({plain / whole:.2f} times the time); "
        f"{image_bytes / 1e3:.0f} kB an image in work files"
    )


@torch.inference_mode()
def encode_alone(model: clip.Clip, batch: int, times: int = 4) -> float:
    """Returns images per second of encode_image on one batch in memory, the best of `times` runs."""
    pixels = torch.randn(batch, 3, model.image_size, model.image_size, device=model.device)
    seconds = [timed(lambda: model.model.encode_image(pixels).cpu())[0] for _ in range(times)]
    return batch / min(seconds).wall


def write_photographs(folder: Path, count: int) -> float:
    """Writes `count` different JPEG files; returns their mean size in bytes."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    for number in range(count):
        coarse = random.integers(0, 255, (SIZE[1] // 25, SIZE[0] // 25, 3), dtype=np.uint8)
        fine = random.normal(0, 60, (SIZE[1], SIZE[0], 3))
        large = np.asarray(Image.fromarray(coarse).resize(SIZE, Image.Resampling.BICUBIC), dtype=np.float64)
        picture = Image.fromarray((large + fine).clip(0, 255).astype(np.uint8))
        picture.filter(ImageFilter.GaussianBlur(0.8)).save(folder / f"{number:06d}.jpg", quality=90)
    return sum(path.stat().st_size for path in folder.iterdir()) / count


if __name__ == "__main__":
    main()
