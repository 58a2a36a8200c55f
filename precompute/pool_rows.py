"""Rows of the tables that a text pool fills: text_pool, text, text_property, property."""

import pandas as pd

from precompute.pool import text_id
from precompute.types import Pool


def pool_rows(pool: Pool) -> dict[str, pd.DataFrame]:
    """Rows by table, in the order they are to be written."""
    ids = [text_id(text) for text in pool.texts]
    about = {
        "name": pool.name,
        "language": pool.language,
        "license": pool.license,
        "texts": len(ids),
        "dropped_duplicates": pool.dropped_duplicates,
        "dropped_empty": pool.dropped_empty,
        "tagged_by_rule": pool.tagged_by_rule,
    }
    text, tag = pool.tags.nonzero(as_tuple=True)
    tagged = {
        "text_id": [ids[row] for row in text.tolist()],
        "property": [pool.properties[column] for column in tag.tolist()],
    }
    counts = pool.tags.sum(dim=0).tolist()
    return {
        "text_pool": pd.DataFrame([about]),
        "text": pd.DataFrame({"text_id": ids, "position": range(len(ids)), "text": pool.texts}),
        "text_property": pd.DataFrame(tagged),
        "property": pd.DataFrame({"property": list(pool.properties), "texts": counts}),
    }
