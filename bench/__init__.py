"""Benchmarks of the time-critical parts: `python -m bench.NAME`."""

import argparse
import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

Result = TypeVar("Result")

SIZE = (500, 375)
"""Width and height of a picture; the most frequent size of ImageNet's validation images."""


class Seconds(NamedTuple):
    """Time of a call; `processor` is that of all threads, which depends less on other load."""

    wall: float
    processor: float

    def __str__(self) -> str:
        return f"{self.wall:.1f} s [{self.processor:.1f} s]"

    def __add__(self, seconds: "Seconds") -> "Seconds":  # type: ignore[override]
        return Seconds(self.wall + seconds.wall, self.processor + seconds.processor)

    def __mul__(self, times: float) -> "Seconds":  # type: ignore[override]
        return Seconds(self.wall * times, self.processor * times)


def timed(work: Callable[[], Result]) -> tuple[Seconds, Result]:
    """Returns the time of a call, and its result."""
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    return Seconds(time.perf_counter() - wall, time.process_time() - processor), result


def argument_parser(description: str | None) -> argparse.ArgumentParser:
    """Returns a parser whose help shows a module's docstring with its line breaks."""
    raw = argparse.RawDescriptionHelpFormatter
    return argparse.ArgumentParser(description=description, formatter_class=raw)
