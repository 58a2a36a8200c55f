"""Cost of an image in each stage: processor seconds, bytes on disk, bytes of memory.

`python -m bench.scale --model ViT-B-32/openai-random-0 --images 200` decomposes that many pictures of 500 x
375 pixels. Seconds are processor time of all threads, which other programs do not affect; divide by the
number of cores in use for wall-clock seconds. `docs/scale.md` uses these numbers.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import pandas as pd
from PIL import Image

from bench import SIZE, argument_parser, timed
from bench.memory import POOL, write_pictures
from precompute.pipeline import setup
from precompute.runtime import work_files
from precompute.runtime.config import Config, ModelChoice
from precompute.stages import decompose_images, scan_images


def main() -> None:
    parser = argument_parser(__doc__)
    parser.add_argument("--model", default="ViT-B-32/openai-random-0")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument(
        "--shard-size", type=int, default=50, help="images of a shard, at most a quarter of the images"
    )
    parser.add_argument(
        "--files", type=int, nargs="*", default=[20_000, 120_000], help="two numbers of files, for memory"
    )
    parser.add_argument("--listed", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.images < 16 or len(options.files) not in (0, 2):
        parser.error("give 16 images or more, and two numbers of files, or none")
    if options.listed:
        print_list_memory(options.listed)
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options.model, options.images, min(options.shard_size, options.images // 4))
    if options.files:
        few, many = (list_memory(count) for count in options.files)
        file_bytes = (many - few) / (options.files[1] - options.files[0])
        print(
            f"memory: {file_bytes:,.0f} bytes a file listed; "
            f"{few / 1e6:,.0f} MB for {options.files[0]:,} files"
        )


def measure(folder: Path, model: str, count: int, shard_size: int) -> None:
    """Decomposes pictures and prints the cost of an image in each stage."""
    pictures = folder / "pictures"
    write_pictures(pictures, count)
    for path in pictures.iterdir():
        Image.open(path).resize(SIZE).save(path, quality=90)
    size = sum(path.stat().st_size for path in pictures.iterdir()) / count
    print(f"{count} pictures of {SIZE[0]} x {SIZE[1]}, {size / 1e3:,.0f} kB each; {model}")

    choice = (ModelChoice(model),)
    config = Config(
        models=choice,
        images=pictures,
        texts=POOL,
        bundle=folder / "b",
        workers=0,
        shard_size=shard_size,
        controls=False,
    )
    directory = setup.work_directory(config.bundle)
    listing = setup.list_files(config, directory)
    print_cost(
        "reading", count, timed(lambda: scan_images.scan(listing, workers=0, thumbnails=True))[0].processor
    )
    image_files = scan_images.image_files(listing, pictures)
    [spec] = setup.specs(config)
    loaded = setup.load(spec, config, directory)
    shard_plan = decompose_images.plan_shards(
        loaded, list(image_files), config.shard_size, config.gallery_limits
    )
    shards = shard_plan.shards
    first, rest = shards[: len(shards) // 4], shards[len(shards) // 4 :]

    def write(shards: tuple[decompose_images.Shard, ...]) -> None:
        decompose_images.write_missing_shards(
            loaded.model, shard_plan._replace(shards=shards, gallery=()), image_files, config.read_options
        )

    few, many = (timed(partial(write, part))[0].processor for part in (first, rest))
    # Each call first compares four images with open_clip; the difference between two calls excludes that.
    images = [sum(len(shard.image_id) for shard in part) for part in (first, rest)]
    print_cost("decomposing", images[1] - images[0], many - few)
    print_cost(
        "moments", count, timed(lambda: decompose_images.reduce_moments(shard_plan, loaded))[0].processor
    )
    print(f"  layers, heads and rank: {tuple(loaded.spaces.basis.shape[:3])}")
    for name, pattern in (("scan", "scan/*"), ("images", "model-*/images/*")):
        image_bytes = sum(path.stat().st_size for path in directory.glob(pattern)) / count
        print(f"  work files, {name}: {image_bytes:,.0f} bytes an image")


def print_cost(stage: str, count: int, seconds: float) -> None:
    print(f"  {stage}: {1e3 * seconds / count:.1f} ms of processor an image", flush=True)


def list_memory(count: int) -> float:
    """Returns the peak memory, in bytes, of a process that holds a listing of `count` files."""
    command = [sys.executable, "-m", "bench.scale", "--listed", str(count)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def print_list_memory(count: int) -> None:
    """Lists empty files as if they had been scanned, and prints the peak memory in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        pictures, directory = Path(folder) / "pictures", Path(folder) / "work"
        for number in range(count):
            path = pictures / f"n{number // 1000:08d}" / f"picture_{number:08d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        listing = scan_images.list_files(pictures, directory, thumbnails=False)
        for place, chunk in enumerate(listing.chunks):
            files = listing.files[1000 * place : 1000 * (place + 1)]
            rows = [(file.relative, work_files.key_of(file.relative), 500, 375, None, None) for file in files]
            columns = ["path", "image_id", "width", "height", "thumbnail", "reason"]
            work_files.save_table(chunk, pd.DataFrame(rows, columns=columns))
        image_set = scan_images.load_image_set(listing, pictures, None)
        assert len(image_set.image_files) == count
    # Not ru_maxrss: a process inherits it from its parent.
    [peak] = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    print(int(peak) * 1024)


if __name__ == "__main__":
    main()
