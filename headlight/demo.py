"""The command `headlight demo`: from nothing to a bundle in the browser, in any folder.

The only place that says what the demo bundle is made of; the Makefile calls it.
"""

import argparse
import os
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from db.connection import open_bundle
from db.errors import BundleFormat, BundleMissing
from headlight.installation import ROOT, how_to_install

DESCRIPTION = """\
Draw pictures, build the demo bundle from them, and serve it. The first time takes about four minutes on two
cores; an existing bundle is served at once. The models come with Headlight, and nothing is downloaded.
"""
EPILOG = "Further options go to `headlight run`, e.g. --at-once 1 on a computer with little memory."

MASKED_IMAGES = 120
"""Pictures whose maps are scored. The contrast of a map has a standard deviation of 0.12 to 0.15, so that its
95 % interval is about 0.05 wide: half of 0.1, the smallest difference that is worth a sentence."""

VALIDATION_IMAGES = 320
"""Pictures on which heads are ablated. Five in six of the heads whose target is sure on 500 are sure on 320,
all with the same target; accuracies differ by 0.01."""

AT_ONCE = min(os.cpu_count() or 1, 4)
"""Models at the same time; each process needs 1.1 GB."""


def main(arguments: list[str] | None = None, prog: str = "headlight demo") -> int:
    """Runs the command and returns its exit code."""
    from dashboard import __main__ as dashboard

    options, run_options = _parser(prog).parse_known_args(arguments)
    if not options.no_view:
        try:  # now, and not after the minutes of building
            dashboard.check_address(options.address.strip("[]"), options.port)
        except dashboard.AddressError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    if options.replace or not _is_current(options.bundle):
        if find_spec("torch") is None:
            print(f"error: {how_to_install('torch')}", file=sys.stderr)
            return 1
        code = build(options.bundle, options.scenes, options.count, run_options)
        if code:
            return code
    if options.no_view:
        return 0
    return dashboard.main([str(options.bundle), "--port", str(options.port), "--address", options.address])


def build(bundle: Path, scenes: Path | None, count: int, run_options: list[str]) -> int:
    """Draws the scenes where they are not there yet, and makes the bundle; returns the exit code."""
    folder = scenes or bundle.with_name(f".{bundle.name}.drawn") / "scenes"
    if not all((folder / name).exists() for name in ("masks.csv", "attributes.csv")):
        drawn = ["--out", str(folder), "--count", str(count), "--seed", "3", "--masks"]
        code = _python("precompute.demo", "scenes", *drawn)
        if code:
            return code
    return _python("precompute", "run", *demo_options(folder, bundle), *run_options)


def demo_options(scenes: Path, bundle: Path) -> list[str]:
    """Options of `headlight run` that make the demo bundle."""
    from precompute.demo import IN_BUNDLE, LICENSE
    from precompute.texts import TEXTS

    values = {
        "--images": scenes,
        "--metadata": scenes / "attributes.csv",
        "--texts": TEXTS / "demo.tsv",
        "--prompts": TEXTS / "demo_prompts.tsv",
        "--masks": scenes / "masks.csv",
        "--masked-images": MASKED_IMAGES,
        "--validation-images": VALIDATION_IMAGES,
        "--gallery-images": 240,
        "--at-once": AT_ONCE,
        "--license": LICENSE,
        "--bundle": bundle,
    }
    models = [part for name in IN_BUNDLE for part in ("--model", name)]
    return [*models, *(str(part) for pair in values.items() for part in pair), "--validation", "--replace"]


def _is_current(bundle: Path) -> bool:
    """False where there is no bundle yet, or one of another format."""
    try:
        open_bundle(bundle).close()
    except (BundleMissing, BundleFormat):
        return False
    return True


def _python(module: str, *arguments: str) -> int:
    """Runs a module of ours on its own, so that the server that comes after it is without torch."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    # One thread: products this small wait for one another longer than they take.
    environment = {"OMP_NUM_THREADS": "1", **os.environ, "PYTHONPATH": path}
    # -P: a folder named like a package of ours, where the command is given, must not come before it.
    process = subprocess.Popen([sys.executable, "-P", "-m", module, *arguments], env=environment)
    while True:
        with suppress(KeyboardInterrupt):  # it gets Ctrl-C too, says how to go on, and ends
            return process.wait()


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False)
    parser.add_argument(
        "--bundle", type=Path, default=Path("bundles/demo"), help="directory to write (default: %(default)s)"
    )
    parser.add_argument(
        "--scenes",
        type=Path,
        metavar="FOLDER",
        help="folder of the pictures (default: .NAME.drawn beside the bundle)",
    )
    parser.add_argument(
        "--count", type=int, default=2000, help="number of pictures to draw (default: %(default)s)"
    )
    parser.add_argument("--replace", action="store_true", help="build it again if it exists")
    parser.add_argument("--no-view", action="store_true", help="build only")
    parser.add_argument("--port", type=int, default=8501, help="port to serve at (default: %(default)s)")
    parser.add_argument("--address", default="localhost", help="address to serve at (default: %(default)s)")
    return parser
