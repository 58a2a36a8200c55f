"""A bundle taken apart: copies of it without some of its models."""

import shutil
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from db import rewrite
from db.connection import Bundle
from db.layout import KINDS, VECTORS, lance_table


def without_models(source: Bundle, out: Path, model_keys: Collection[str]) -> Path:
    """Writes a copy without some models: as if it had been made without them, but for ranks."""
    gone = sorted(model_keys)
    with rewrite.open_copy(source, out, input_id=f"without {', '.join(gone)}") as writer:
        for table, columns in writer.columns.items():
            for name in columns:
                if name.endswith("model_key"):
                    rewrite.remove(writer, table, pd.DataFrame({name: gone}))
        for key in gone:
            for kind in KINDS:
                folder = writer.directory.building / VECTORS / f"{lance_table(kind, key)}.lance"
                shutil.rmtree(folder, ignore_errors=True)
        return writer.finish(rewrite.inherited_facts(source))
