"""The API, the app and the command open a bundle through the same checks."""

import os
import shutil

import pytest

import headlight
from headlight.__main__ import main
from tests.support import bundles
from tests.support.places import edit, seal

HARM = {
    "a view": lambda copy: edit(copy, "drop table bundle; create view bundle as select 6 as format"),
    "another fact": lambda copy: seal(copy, input_id="other"),
    "a malformed manifest": lambda copy: seal(copy, models=3),
    "a cut file": lambda copy: os.truncate(copy / "headlight.duckdb", 4096),
    "no digest": lambda copy: (copy / "manifest.json.sha256").unlink(),
}


@pytest.mark.parametrize("name", HARM)
def test_what_one_door_refuses_all_refuse(tiny_bundle, tmp_path, name, capsys):
    copy = shutil.copytree(tiny_bundle, tmp_path / "copy")
    HARM[name](copy)

    with pytest.raises(headlight.UserError) as refused:
        headlight.open(copy)
    assert main(["view", str(copy)]) == 1
    assert main(["bundle", "show", str(copy)]) == 2
    assert main(["bundle", "zip", str(copy), str(tmp_path / "x.zip")]) in (0, 2)
    assert main(["bundle", "verify", str(copy)]) == 1

    printed = capsys.readouterr()
    assert printed.err.count(str(refused.value)) >= 2
    assert "Traceback" not in printed.err


def test_a_table_with_other_ids_is_refused_where_it_is_first_used(tiny_bundle, tmp_path):
    copy = shutil.copytree(tiny_bundle, tmp_path / "copy")
    edit(copy, f"update image set image_id = '{'f' * 16}' where image_id = '{bundles.IMAGE_IDS[0]}'")

    with headlight.open(copy) as bundle, pytest.raises(headlight.UserError, match="which image lacks"):
        bundle.embeddings("tiny/known")
