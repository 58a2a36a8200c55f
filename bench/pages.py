"""Time of a rerun of every page on the demo bundle: `python -m bench.pages`, after `make demo`.

Streamlit's own server runs in this process without the network: each rerun is a link with another value of
one option, as a click makes one, and lasts until the script's thread has ended (Streamlit collects garbage
there after the page is finished). Measured twice, before torch is imported and after a typed text has loaded
the model; once with `--no-model`, for a bundle of which there are no weights (`bench.large_bundle`). Prints
the median time of each page with its processor time, and the ratio of the two.
"""

import asyncio
import os
import statistics
import sys
import threading
import time
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from streamlit import config
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import Runtime, RuntimeConfig, SessionClient
from streamlit.runtime.caching.storage.dummy_cache_storage import MemoryCacheStorageManager
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from bench import Seconds, argument_parser
from bench.neighbors import memory_gb
from dashboard import DEFAULT_BUNDLE
from dashboard.__main__ import warm
from db.layout import MANIFEST

APP = Path(__file__).parents[1] / "dashboard" / "app.py"
TARGET = 0.3
"""Median seconds of a rerun."""

TYPED = "a red star"
CHANGES: dict[str, tuple[str, list[str]]] = {
    "": ("head", [f"L{layer}.H{head}" for layer in (5, 4) for head in range(8)]),
    "leaderboard": ("metric", ["entanglement", "uniqueness", "coverage_mlps", "ccs_high"]),
    "heads": ("color", ["label", "ccs", "selectivity:color", "selectivity:shape"]),
    "head": ("seed", []),
    "which_head": ("form", ["text", "image", "both", "concept"]),
    "which_head?form=concept": ("picks", [str(number) for number in range(2, 20)]),
    "property_search": ("k", []),
    "property_search?k=200": ("by", ["dot", "cosine"]),
    "topic_segmentation": ("seed", []),
    "contrastive_segmentation": ("seed", []),
    "image_neighbors": ("k", []),
    "text_neighbors": ("k", []),
    "mean_ablation": ("seed", []),
    "compare": ("pairing", ["place", "best"]),
    "validation": ("section", ["labels", "heads", "maps", "neighbors", "mean_ablation", "texts"]),
    "sql": ("table", ["head", "head_label", "text", "image"]),
    "about": ("again", []),
}
"""The option of each page that reruns change, and its values; numbers that were not drawn before if empty.
The page About has no option: a link that names one is drawn with a warning.
The default page is served at /."""


def main() -> int:
    """Prints times; the exit code is 0 if every page meets the target."""
    parser = argument_parser(__doc__)
    parser.add_argument("--bundle", type=Path, default=Path(DEFAULT_BUNDLE))
    parser.add_argument("--reruns", type=int, default=9, help="number of reruns for the median")
    parser.add_argument("--target", type=float, default=TARGET, help="median seconds (default: %(default)s)")
    parser.add_argument("--no-model", action="store_true", help="measure without a model for typed texts")
    options = parser.parse_args()
    if not (options.bundle / MANIFEST).exists():
        print(f"{options.bundle} is no bundle. Make the demo first: headlight demo", file=sys.stderr)
        return 1
    os.environ["HEADLIGHT_BUNDLE"] = str(options.bundle)
    times = asyncio.run(measure(options.bundle, options.reruns, with_model=not options.no_model))
    print(
        f"median of {options.reruns} reruns; target: {options.target} s, before and after the model is loaded"
    )
    for page, seconds in times[0].items():
        with_model = "".join(after(part[page], seconds) for part in times[1:])
        print(f"{page or 'start':26} {shown(seconds)}{with_model}")
    print(f"peak memory {memory_gb():.2f} GB")
    return 0 if all(s.wall <= options.target for part in times for s in part.values()) else 1


def after(seconds: Seconds, before: Seconds) -> str:
    """Returns the time of a page after the model was loaded, beside that before."""
    ratio = seconds.processor / before.processor
    return f"; after {shown(seconds)}, {ratio:.2f} times the processor time"


async def measure(bundle: Path, reruns: int, *, with_model: bool) -> list[dict[str, Seconds]]:
    """Returns the median times of each page before the model is loaded, and after."""
    config._main_script_path = str(APP)  # for the options in its .streamlit
    config.get_config_options(force_reparse=True)
    runtime = Runtime(
        RuntimeConfig(
            script_path=str(APP),
            media_file_storage=MemoryMediaFileStorage("/media"),
            uploaded_file_manager=MemoryUploadedFileManager("/upload"),
            cache_storage_manager=MemoryCacheStorageManager(),
        )
    )
    await runtime.start()
    warm(str(bundle))
    # A session for each page: what its links name goes along to the next, which may then need the model.
    times = [{page: await median(Browser(runtime), page, 100, reruns) for page in CHANGES}]
    assert "torch" not in sys.modules
    if with_model:
        await Browser(runtime).open("text_neighbors", text=TYPED)
        assert "torch" in sys.modules
        times.append({page: await median(Browser(runtime), page, 150, reruns) for page in CHANGES})
    runtime.stop()
    await runtime.stopped
    return times


async def median(browser: "Browser", link: str, first: int, reruns: int) -> Seconds:
    """Returns the median time of reruns of a page, each with another value; `first` is the first number."""
    page, _, query = link.partition("?")
    option, values = CHANGES[link]
    await browser.open(page, **dict(parse_qsl(query)))
    times = []
    for number in range(reruns):
        value = values[number % len(values)] if values else str(first + number)
        options = dict(parse_qsl(browser.address)) | {option: value}
        wall, processor = time.perf_counter(), time.process_time()
        await browser.open(page, **options)
        times.append((time.perf_counter() - wall, time.process_time() - processor))
    return Seconds(*(statistics.median(part) for part in zip(*times, strict=True)))


def shown(seconds: Seconds) -> str:
    """Returns wall and processor time in words."""
    return f"{seconds.wall:.2f} s [{seconds.processor:.2f} s]"


class Browser(SessionClient):
    """One session without a browser: it sends links and waits until the page is drawn."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.session = runtime.connect_session(self, user_info={})
        self.finished = asyncio.Event()
        self.address = ""
        self.problems: list[str] = []

    def write_forward_msg(self, msg: ForwardMsg) -> None:
        if msg.HasField("page_info_changed"):
            self.address = msg.page_info_changed.query_string
        elif msg.HasField("script_finished"):
            self.finished.set()
        elif msg.delta.new_element.HasField("exception"):
            self.problems.append(msg.delta.new_element.exception.message)
        elif msg.delta.new_element.alert.format == 1:  # an error that the page explains
            self.problems.append(msg.delta.new_element.alert.body)

    async def open(self, page: str, **options: str) -> None:
        """Opens a link; returns when the page is drawn and its script's thread has ended."""
        request = BackMsg()
        request.rerun_script.page_name = page
        request.rerun_script.query_string = urlencode(options) if options else self.address
        self.finished.clear()
        self.runtime.handle_backmsg(self.session, request)
        await self.finished.wait()
        for thread in threading.enumerate():
            if thread.name == "ScriptRunner.scriptThread":
                await asyncio.to_thread(thread.join)
        if self.problems:
            raise RuntimeError(f"{page or 'start'}: {self.problems[0]}")


if __name__ == "__main__":
    sys.exit(main())
