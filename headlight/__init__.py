"""Headlight: what every attention head of a CLIP model looks at."""

from headlight.installation import check_siblings

check_siblings()  # before anything of another package is imported

from db import __version__  # noqa: E402

__all__ = ["__version__"]
