"""Where files of the repository lie, and the reference figures that may lie beside it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
TEXTS = ROOT / "precompute" / "texts"

REFERENCE = ROOT.parent / "shared" / "reference"
"""Not part of the repository: tests that read it skip where it is absent."""
