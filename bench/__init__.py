"""Benchmarks of the time-critical parts: `python -m bench.NAME`."""

import argparse


def argument_parser(description: str | None) -> argparse.ArgumentParser:
    """Returns a parser whose help shows a module's docstring with its line breaks."""
    raw = argparse.RawDescriptionHelpFormatter
    return argparse.ArgumentParser(description=description, formatter_class=raw)
