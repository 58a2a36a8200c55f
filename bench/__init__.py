"""Timings of what must be fast: `python -m bench.NAME`."""
