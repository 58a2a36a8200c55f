"""Every table and view as Parquet and CSV, read back by other libraries than wrote them."""

import base64

import duckdb
import pandas as pd
import pytest

from db import bundle as commands
from db import ddl
from db.connection import cursor, open_bundle, query
from db.errors import BundleDamaged
from db.export import export_tables, table_names
from tests.support.places import edit

VIEWS = {"leaderboard", "head_overview", "texts_of_head", "heads_of_property", "label_disagreements"}


def test_every_table_and_view_is_a_parquet_file_with_its_rows(tiny, tmp_path):
    export_tables(tiny, tmp_path / "out")

    assert set(table_names(tiny)) == {*ddl.columns(cursor(tiny)), *VIEWS}
    for name in table_names(tiny):
        rows = cursor(tiny).sql(f'from "{name}" order by all').to_arrow_table()
        copy = duckdb.sql(f"from '{tmp_path}/out/{name}.parquet' order by all").to_arrow_table()
        assert copy.equals(rows), name


def test_a_csv_file_holds_the_same_values(tiny, tmp_path):
    export_tables(tiny, tmp_path, kind="csv", names=["image", "model", "head_text", "run"])

    image, model, texts = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("image", "model", "head_text"))
    pictures = query(tiny, "from image")["thumbnail"]
    assert [base64.b64decode(cell) for cell in image["thumbnail"]] == pictures.tolist()
    assert model["mean"].tolist() == ["[0.5, 0.5, 0.5]"] * 2 and model["training_data"].isna().all()
    pd.testing.assert_frame_equal(texts, query(tiny, "from head_text"), check_dtype=False)
    assert (tmp_path / "run.csv").read_text().splitlines()[1].endswith("2024-05-01 10:00:00,0.5")


@pytest.mark.parametrize("text", ["=1+1", "@sum(a1)", "-x", " +x", "＝1"])
def test_a_text_that_a_spreadsheet_would_run_is_kept_from_it(copy, tmp_path, text):
    edit(copy, f"update image_set set name = '{text}'")
    bundle = open_bundle(copy)
    export_tables(bundle, tmp_path / "csv", kind="csv", names=["image_set"])
    export_tables(bundle, tmp_path / "parquet", names=["image_set"])
    bundle.close()

    assert pd.read_csv(tmp_path / "csv" / "image_set.csv")["name"].tolist() == [f"'{text}"]
    assert pd.read_parquet(tmp_path / "parquet" / "image_set.parquet")["name"].tolist() == [text]


def test_the_command_writes_the_named_tables_and_says_so(tiny, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["export", str(tiny.path), str(out), "--format", "csv", "--table", "head", "leaderboard"]

    assert commands.main([*command, "--table", "text"]) == 0
    assert {file.name for file in out.iterdir()} == {"head.csv", "leaderboard.csv", "text.csv"}
    assert "head.csv: 8 rows" in capsys.readouterr().out
    assert commands.main(command) == 2
    assert "head.csv is there already. Remove it" in capsys.readouterr().err
    assert commands.main(["export", str(tiny.path), str(out), "--table", "heads"]) == 2
    assert 'there is no table "heads". Tables and views: bundle, class_text' in capsys.readouterr().err
    assert commands.main(["export", str(tiny.path), str(tiny.path / "tables")]) == 2
    assert "lies in the bundle itself" in capsys.readouterr().err


def test_a_damaged_page_is_damage(copy, tmp_path):
    bundle = open_bundle(copy)
    data = bytearray((copy / "headlight.duckdb").read_bytes())
    data[len(data) // 4 :] = b"\xff" * len(data[len(data) // 4 :])
    (copy / "headlight.duckdb").write_bytes(data)

    with pytest.raises(BundleDamaged):
        export_tables(bundle, tmp_path / "out")
