"""Many sessions at once click for minutes over all pages: no error, no wrong answer, no growing memory.

The sessions speak the protocol of a browser with a real server: twenty browsers on two cores would mostly
wait for their own drawing, and click less.
"""

import itertools
import random
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from PIL import Image
from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests.dashboard.test_browser import chromium, settle, started
from tests.support.paths import ROOT
from tests.support.pictures import encoded, noise
from tests.support.sessions import CLICKABLE, Session, other_value, session

DEMO = ROOT / "bundles" / "demo"
FIXED = [
    "",
    "leaderboard",
    "heads",
    "head",
    "property_search?k=7",
    "topic_segmentation?seed=3",
    "contrastive_segmentation",
]
FIXED += [
    "leaderboard",
    "which_head?form=concept",
    "image_neighbors?by=dot",
    "text_neighbors",
    "mean_ablation",
    "validation?section=maps",
]
"""Views that must be the same whoever else clicks."""

TEXTS = [
    "a red star",
    "three blue circles",
    "a green heart on wood",
    "zebra",
    "  ",
    "$x$ :red[y]",
    "red " * 300,
]
FILES = {
    "red.png": encoded(Image.new("RGB", (60, 40), "red")),
    "tall.jpg": encoded(noise(50, 900), "JPEG"),
    "clear.png": encoded(Image.new("RGBA", (300, 200), (0, 0, 255, 40))),
    "notes.png": b"not a picture",  # a browser refuses other names before it uploads
}
REFUSALS = re.compile(r"cannot be used|vocabulary|never saw|too long|letters|words|tokens", re.IGNORECASE)
"""Errors that answer what a session typed or uploaded."""

THINK = 1.0
"""Seconds between two clicks of a person, on average."""


class Clicks(NamedTuple):
    """What one session did and met."""

    clicks: int
    errors: list[str]


class Soak(NamedTuple):
    """What all sessions did and met."""

    clicks: int
    errors: list[str]
    views: dict[str, str]
    """The fixed views meanwhile."""


def click(tab: Session, choice: random.Random) -> None:
    """Does one thing that a person may do on the page."""
    inputs = tab.elements("text_input")
    # A browser refuses pictures where a table or a list is asked for.
    uploaders = [box for box in tab.elements("file_uploader") if not box.type or ".png" in box.type]
    widgets = [(kind, widget) for kind in CLICKABLE for widget in tab.elements(kind)]
    dice = choice.random()
    if dice < 0.15 or not widgets:
        tab.open(choice.choice(list(tab.pages)))
    elif dice < 0.3 and inputs:
        tab.set(WidgetState(id=choice.choice(inputs).id, string_value=choice.choice(TEXTS)))
    elif dice < 0.35 and uploaders:
        name = choice.choice(list(FILES))
        data = FILES[name] if choice.random() < 0.5 else encoded(noise(64, 64, choice.randrange(10**6)))
        tab.upload(uploaders[0].id, name, data)
    elif state := other_value(*choice.choice(widgets), choice):
        tab.set(state)


def click_about(address: str, seed: int, stop: Callable[[], bool]) -> Clicks:
    """One session that clicks until `stop`."""
    choice, clicks, errors = random.Random(seed), 0, []
    with session(address) as tab:
        tab.open("")
        while not stop():
            click(tab, choice)
            clicks += 1
            errors += [f"{box.type}: {box.message}" for box in tab.elements("exception")]
            alerts = [box.body for box in tab.elements("alert") if box.format == box.ERROR]
            errors += [text for text in alerts if not REFUSALS.search(text)]
            time.sleep(choice.expovariate(1 / THINK))
    return Clicks(clicks, errors)


def browse(address: str, stop: Callable[[], bool]) -> list[str]:
    """One browser that opens every page in turn until `stop`; returns what went wrong."""
    errors: list[str] = []
    with chromium() as browser:
        page = browser.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        for link in itertools.takewhile(lambda _: not stop(), itertools.cycle(FIXED)):
            page.goto(f"{address}/{link}")
            settle(page)
            errors += page.get_by_test_id("stException").all_inner_texts()
    return errors


def soak(address: str, sessions: int, seconds: float, seed: int, browsers: int = 0) -> Soak:
    """Lets so many sessions click for so long, and looks at the fixed views meanwhile."""
    end = time.monotonic() + seconds

    def is_over() -> bool:
        return time.monotonic() > end

    with ThreadPoolExecutor(sessions + browsers) as pool:
        tabs = [pool.submit(click_about, address, seed + number, is_over) for number in range(sessions)]
        walks = [pool.submit(browse, address, is_over) for _ in range(browsers)]
        time.sleep(seconds / 2)
        views = fixed_views(address)
        errors = [error for tab in tabs for error in tab.result().errors]
        errors += [error for walk in walks for error in walk.result()]
    return Soak(sum(tab.result().clicks for tab in tabs), errors, views)


def fixed_views(address: str) -> dict[str, str]:
    """A hash of all that each fixed view shows, in a tab of its own."""
    views = {}
    for link in FIXED:
        page, _, query = link.partition("?")
        with session(address) as tab:
            tab.open(page, query)
            assert not tab.elements("exception"), link
            views[link] = tab.digest()
    return views


def resident(pid: int) -> float:
    """Megabytes of memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


@pytest.mark.slow
def test_five_sessions_at_once_meet_no_error_and_no_wrong_answer(small_bundle):
    with started(small_bundle) as (_, address, printed):
        fixed_views(address)  # meanwhile the files are compared, of which every page tells
        before, banner = fixed_views(address), printed.read_text()

        met = soak(address, sessions=5, seconds=20, seed=0)

        assert met.clicks >= 5
        assert met.errors == []
        assert met.views == before
        assert fixed_views(address) == before
        assert printed.read_text() == banner


@pytest.mark.slow
@pytest.mark.very_slow
def test_twenty_sessions_and_two_browsers_for_two_minutes(small_bundle):
    """The memory of the server grows by at most a tenth when a round of clicks comes a second time."""
    with started(DEMO if DEMO.exists() else small_bundle) as (pid, address, printed):
        fixed_views(address)  # meanwhile the files are compared, of which every page tells
        before, banner = fixed_views(address), printed.read_text()
        soak(address, sessions=20, seconds=120, seed=0)
        warm = resident(pid)

        met = soak(address, sessions=20, seconds=120, seed=0, browsers=2)

        assert met.errors == []
        assert met.views == before
        assert fixed_views(address) == before
        assert resident(pid) <= 1.1 * warm
        assert printed.read_text() == banner
