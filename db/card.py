"""The data set card of a zip: README.md with the YAML header that data hubs read."""

import json
import re
from collections.abc import Sequence
from typing import Any

from db.citation import bibtex, bundle_entry
from db.connection import Bundle, records
from db.layout import DATABASE, FORMAT, MANIFEST, PARQUET_TABLES, VECTORS, sql_of

UNKNOWN = "not stated"
LICENSES = frozenset(
    ("apache-2.0", "cc0-1.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0", "cc-by-nc-4.0")
    + ("cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-4.0", "mit", "odbl", "pddl")
)
"""Names of licenses in the header of a card, of those that data hubs know."""

SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"))
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~&])")

TEXT = """\
# {title}

What every attention head of {models} CLIP image encoders ({controls} of them random-weights controls)
looks at: a bundle of Headlight {headlight}, which decomposes image embeddings head by head and
describes each head by texts. It was computed over {images} images and {texts} texts.

| file | content |
|---|---|
| `{database}` | all tables and five views, for DuckDB 1.2 or newer |
| `{vectors}/` | embeddings and head coordinates of images and texts, for LanceDB |
| `{tables}/*.parquet` | the same tables and views as Parquet, for pandas, DuckDB and viewers of data hubs |
| `{manifest}` | checksums of the database and the vectors, models, versions, licenses |

## Models

{model_list}

## How to open it

```sh
pip install headlight-clip
headlight view BUNDLE            # a folder or a zip: leaderboard, heads, maps, neighbors
headlight bundle verify BUNDLE   # checksums, keys, numbers, and the Parquet files against the tables
```

Without Headlight, `leaderboard` and `head_overview` are the tables to begin with:

```python
import pandas as pd

heads = pd.read_parquet("{tables}/head_overview.parquet")
```

```sh
duckdb -readonly {database} "select * from leaderboard limit 10"
```

Every table and column has a comment in the database.

## Licenses

- Images: {image_license}. {thumbnails}
- Texts: {text_license}.
- Weights: see the publishers of the models. The bundle holds none.

A license is as the person who made the bundle stated it.

## Provenance

Identity {input_id}, format {format}, made {created_at}.

The table `run` holds options, versions and time of every stage, the table `model` the checksum of
the weights. `{manifest}` names neither this card nor the Parquet files: `verify` compares the
Parquet files with the tables, and nothing checks this card.

## Citation

```bibtex
{citation}```
"""


def card(bundle: Bundle, tables: Sequence[str]) -> str:
    """Returns the text of the card; `tables` are the Parquet files that lie beside it."""
    facts = bundle.manifest
    (images,), (pool,) = (records(bundle, sql_of(name)) for name in ("image_set", "text_pool"))
    ((thumbnails,),) = (row.values() for row in records(bundle, "select count(thumbnail) from image"))
    shown = f"Thumbnails of {thumbnails:,} are in the table `image`." if thumbnails else "No thumbnails."
    title = f"{images['name']}: heads of CLIP models"
    text = TEXT.format(
        title=_plain(title),
        models=len(facts["models"]),
        controls=sum(model["is_control"] for model in facts["models"]),
        model_list="\n".join(f"- {_code(model['model'])}" for model in facts["models"]),
        headlight=_plain(facts["software"].get("headlight", "?")),
        images=f"{images['images']:,}",
        texts=f"{pool['texts']:,}",
        image_license=_plain(facts["licenses"]["images"] or UNKNOWN),
        text_license=_plain(facts["licenses"]["texts"] or UNKNOWN),
        thumbnails=shown,
        input_id=_code(facts["input_id"]),
        created_at=_code(facts["created_at"]),
        format=FORMAT,
        citation=f"{bundle_entry(facts, images['name'])}\n\n{bibtex()}".replace("`", "'"),
        database=DATABASE,
        vectors=VECTORS,
        tables=PARQUET_TABLES,
        manifest=MANIFEST,
    )
    return f"---\n{_header(facts, title, images['images'], pool['language'], tables)}---\n\n{text}"


def _header(facts: dict[str, Any], title: str, images: int, language: str, tables: Sequence[str]) -> str:
    """Returns the YAML header: values are JSON, which is YAML, since they may come from a stranger."""
    size = next((name for limit, name in SIZES if images < limit), "n>1M")
    lines = {
        "license": _license(*facts["licenses"].values()),
        "pretty_name": title,
        "language": [language],
        "tags": ["headlight", "interpretability", "clip", "attention-heads", "vision-transformer"],
        "size_categories": [size],
    }
    header = "".join(f"{name}: {json.dumps(value)}\n" for name, value in lines.items())
    first = [name for name in ("leaderboard", "head_overview") if name in tables]
    configs = "".join(
        f"- config_name: {name}\n  data_files: {PARQUET_TABLES}/{name}.parquet\n"
        for name in [*first, *(name for name in tables if name not in first)]
    )
    return f"{header}configs:\n{configs}"


def _license(images: str | None, texts: str | None) -> str:
    """Returns the license of all that is in a bundle, as data hubs name it."""
    if images is None or texts is None:
        return "unknown"
    named = images.lower()
    return named if named == texts.lower() and named in LICENSES else "other"


def _code(text: str) -> str:
    """Returns a text in one line as Markdown code."""
    return f"`{' '.join(text.replace('`', chr(39)).split())}`"


def _plain(text: str) -> str:
    """Returns a text in one line that Markdown shows as it is."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))
