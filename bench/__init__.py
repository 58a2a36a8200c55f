"""Benchmarks of the time-critical parts: `python -m bench.NAME`."""
