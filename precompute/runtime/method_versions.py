"""Version of the method of each stage.

A change of a stage's result raises its version, which is part of the keys of its work files and of the
bundle's `input_id`: a new rule for labels computes labels again and decomposes no image.
"""

from collections.abc import Mapping

METHOD_VERSIONS: Mapping[str, int] = {
    "images": 7,
    "texts": 3,
    "decomposition": 4,
    "precision": 3,
    "moments": 4,
    "textspan": 3,
    "labels": 4,
    "replicates": 4,
    "metrics": 4,
    "selectivity": 4,
    "maps": 4,
    "validation": 3,
    "first_views": 1,
    "matches": 1,
}
