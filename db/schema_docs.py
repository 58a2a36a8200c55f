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
bundle, open its file ([ten queries](sql.md)). The last five are views, for the questions that people
ask most:

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
        of_table = [column for column in columns if column[0] == table]
        is_view = of_table[0][-1]
        lines = [
            f"## {table}{' (view)' * is_view}\n",
            f"{comment}\n",
            "| column | type | | meaning |",
            "| --- | --- | --- | --- |",
        ]
        for _, column, kind, required, meaning, _ in of_table:
            parts = [] if is_view else ["key"] * (column in keys[table]) + ["may be null"] * (not required)
            lines.append(f"| `{column}` | {kind.lower()} | {', '.join(parts)} | {meaning} |")
        sections.append("\n".join(lines) + "\n")
    return sections


if __name__ == "__main__":
    print(schema_markdown(), end="")
