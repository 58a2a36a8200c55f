"""Attributes of images, as prompts are expanded over them."""

import pandas as pd

KNOWN = [
    ("a", "color", "blue"),
    ("a", "size", "large"),
    ("b", "color", "white"),
    ("c", "color", "blue"),
    ("c", "color", "green"),
]


def attributes(rows=KNOWN) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["image_id", "attribute", "value"])
