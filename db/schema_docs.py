"""Writes docs/schema.md from the comments in schema.sql: `make docs`."""

import tempfile
from pathlib import Path

import duckdb

from db import ddl
from db.layout import sql_of

INTRODUCTION = """\
# Tables of a bundle

This page is generated from `db/schema.sql` by `make docs`; a test fails if the two differ. Keys are
`(model_key, layer, head)`, `image_id` and `text_id`, with these names in every table. To query a
bundle, open its file:

```
duckdb -readonly bundles/demo/headlight.duckdb "select * from head_label where chosen limit 10"
```
"""


def schema_markdown() -> str:
    """Returns the text of docs/schema.md."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "empty.duckdb"
        connection = ddl.create(file)
        text = "\n".join([INTRODUCTION, *_sections(connection)])
        ddl.close(connection, file)
    return text


def _sections(connection: duckdb.DuckDBPyConnection) -> list[str]:
    keys = ddl.keys(connection)
    columns = connection.execute(sql_of("table_columns")).fetchall()
    sections = []
    for table, comment in connection.execute(sql_of("table_comments")).fetchall():
        lines = [
            f"## {table}\n",
            f"{comment}\n",
            "| column | type | | meaning |",
            "| --- | --- | --- | --- |",
        ]
        for owner, column, kind, required, meaning in columns:
            if owner == table:
                parts = ["key"] * (column in keys[table]) + ["may be null"] * (not required)
                lines.append(f"| `{column}` | {kind.lower()} | {', '.join(parts)} | {meaning} |")
        sections.append("\n".join(lines) + "\n")
    return sections


if __name__ == "__main__":
    print(schema_markdown(), end="")
