"""What an image costs, stage by stage: processor seconds, bytes on disk, bytes of memory.

`python -m bench.scale --model ViT-B-32/openai-random-0 --images 200` takes that many pictures of 500 x 375
pixels apart. Seconds are of processor time, all threads together, so that other programs do not count:
seconds on the clock are these over the cores in use. `docs/scale.md` reckons with what this prints.
"""

import argparse
import io
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from PIL import Image

from bench.memory import POOL, write_pictures
from precompute.pipeline import setup
from precompute.runtime import work_files
from precompute.runtime.config import Config, ModelChoice
from precompute.stages import decompose_images, scan_images

SIZE = (500, 375)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="ViT-B-32/openai-random-0")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--shard-size", type=int, default=50, help="cut to a quarter of the images")
    parser.add_argument(
        "--files", type=int, nargs="*", default=[20_000, 120_000], help="two lengths of lists, for memory"
    )
    parser.add_argument("--listed", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.images < 16 or len(given.files) not in (0, 2):
        parser.error("give 16 images or more, and two lengths of lists, or none")
    if given.listed:
        memory_of(given.listed)
        return
    with tempfile.TemporaryDirectory() as folder:
        cost(Path(folder), given.model, given.images, min(given.shard_size, given.images // 4))
    if given.files:
        few, many = (listed(count) for count in given.files)
        each = (many - few) / (given.files[1] - given.files[0])
        print(f"memory: {each:,.0f} bytes a file listed; {few / 1e6:,.0f} MB for {given.files[0]:,} files")


def cost(folder: Path, model: str, count: int, shard_size: int) -> None:
    """Take pictures apart, and print what each took."""
    pictures = folder / "pictures"
    write_pictures(pictures, count)
    for path in pictures.iterdir():
        out = io.BytesIO()
        Image.open(path).resize(SIZE).save(out, "JPEG", quality=90)
        path.write_bytes(out.getvalue())
    size = sum(path.stat().st_size for path in pictures.iterdir()) / count
    print(f"{count} pictures of {SIZE[0]} x {SIZE[1]}, {size / 1e3:,.0f} kB each; {model}")

    choice = (ModelChoice(model),)
    config = Config(choice, pictures, POOL, folder / "b", workers=0, shard_size=shard_size, controls=False)
    directory = setup.work_directory(config.bundle)
    listing = setup.list_files(config, directory)
    told("reading", count, seconds_of(lambda: scan_images.scan(listing, workers=0, thumbnails=True)))
    distinct = scan_images.image_files(listing, pictures)
    [spec] = setup.specs(config)
    loaded = setup.load(spec, config, directory)
    todo = decompose_images.plan_shards(
        loaded.model,
        loaded.spaces,
        list(distinct),
        loaded.directory,
        config.shard_size,
        config.gallery_limits,
    )
    shards = todo.shards
    first, rest = shards[: len(shards) // 4], shards[len(shards) // 4 :]

    def make(some: tuple[decompose_images.Shard, ...]) -> None:
        decompose_images.write_missing_shards(
            loaded.model, todo._replace(shards=some, gallery=()), distinct, config.read_options
        )

    few, many = seconds_of(lambda: make(first)), seconds_of(lambda: make(rest))
    # Each call checks four images against open_clip first; the difference is without.
    images = [sum(len(shard.image_id) for shard in some) for some in (first, rest)]
    told("decomposing", images[1] - images[0], many - few)
    told("moments", count, seconds_of(lambda: decompose_images.reduce_moments(todo, loaded.spaces)))
    print(f"  layers, heads and rank: {tuple(loaded.spaces.basis.shape[:3])}")
    for name, pattern in (("scan", "scan/*"), ("images", "model-*/images/*")):
        bytes_each = sum(path.stat().st_size for path in directory.glob(pattern)) / count
        print(f"  work files, {name}: {bytes_each:,.0f} bytes an image")


def seconds_of(call: Callable[[], object]) -> float:
    """Processor seconds of a call, all threads together."""
    began = time.process_time()
    call()
    return time.process_time() - began


def told(what: str, count: int, seconds: float) -> None:
    print(f"  {what}: {1e3 * seconds / count:.1f} ms of processor an image", flush=True)


def listed(count: int) -> float:
    """Peak memory in bytes of a process that lists so many files and what is known of them."""
    command = [sys.executable, "-m", "bench.scale", "--listed", str(count)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def memory_of(count: int) -> None:
    """List empty files as if they had been read, and print the peak of memory in bytes."""
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
        found = scan_images.load_image_set(listing, pictures, None)
        assert len(found.image_files) == count
    # Not ru_maxrss: a process begins with that of the one that started it.
    [peak] = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    print(int(peak) * 1024)


if __name__ == "__main__":
    main()
