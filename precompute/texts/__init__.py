"""Text pools, word lists and published figures, as files."""

from pathlib import Path

TEXTS = Path(__file__).parent
"""The folder of these files."""
