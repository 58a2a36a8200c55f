"""Edits that agree with every checksum: `verify` compares contents, so that it names each of them."""

import json
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import lancedb
import pyarrow as pa
import pytest

from db import bundle as commands
from db import vectors, verify
from db.connection import open_bundle
from db.errors import BundleDamaged, StoreError
from db.layout import DATABASE, DIGEST, MANIFEST, VECTORS
from tests.support.bundles import CONTROL_KEY, IMAGE_IDS, MODEL_KEY, TEXT_IDS
from tests.support.places import edit, seal, seal_text

Edit = Callable[[Path], None]
IMAGES = f"images__{MODEL_KEY}"


@pytest.fixture
def copy(tiny_bundle, tmp_path) -> Path:
    """The tiny bundle, to be harmed; Lance writes new files, so those of its vectors may be links."""
    return shutil.copytree(tiny_bundle, tmp_path / "copy", copy_function=_linked)


def _linked(source: str, target: str) -> str:
    if f"/{VECTORS}/" in source:
        os.link(source, target)
        return target
    return shutil.copy(source, target)


def swap(kind: str) -> Edit:
    """Exchanges a Lance table of the two models."""

    def change(copy: Path) -> None:
        one, two = (copy / VECTORS / f"{kind}__{key}.lance" for key in (MODEL_KEY, CONTROL_KEY))
        one.rename(copy / "aside")
        two.rename(one)
        (copy / "aside").rename(two)

    return change


def rewrite(table: str, change: Callable[[pa.Table], pa.Table]) -> Edit:
    """Writes a Lance table anew with other rows or columns; what it says about itself stays."""

    def write(copy: Path) -> None:
        connection = lancedb.connect(copy / VECTORS)
        rows = change(connection.open_table(table).to_arrow())
        connection.create_table(table, rows, mode="overwrite")

    return write


def with_ids(column: str, change: Callable[[list], list]) -> Callable[[pa.Table], pa.Table]:
    def changed(rows: pa.Table) -> pa.Table:
        place = rows.schema.get_field_index(column)
        field = rows.schema.field(place)
        return rows.set_column(place, field, pa.array(change(rows[column].to_pylist()), field.type))

    return changed


def sql(text: str) -> Edit:
    return lambda copy: edit(copy, text)


def fact(change: Callable[[dict], object]) -> Edit:
    """Changes the manifest in place, and its digest with it."""

    def write(copy: Path) -> None:
        manifest = json.loads((copy / MANIFEST).read_text())
        change(manifest)
        seal_text(copy, json.dumps(manifest))

    return write


def text(change: Callable[[str], str]) -> Edit:
    return lambda copy: seal_text(copy, change((copy / MANIFEST).read_text()))


def replaced(ids: list, new: str) -> list:
    return [*ids[:-1], new]


STRANGE = "f" * 16
HEAD = f"model_key = '{MODEL_KEY}' and layer = 1 and head = 0"
VECTOR_EDITS: dict[str, tuple[Edit, str]] = {
    **{
        f"{kind} of two models swapped": (
            swap(kind),
            f"vectors {kind}__{MODEL_KEY} were written as {kind}__{CONTROL_KEY}",
        )
        for kind in ("images", "texts", "heads", "tokens", "classes")
    },
    "an image renamed": (
        rewrite(IMAGES, with_ids("image_id", lambda ids: replaced(ids, STRANGE))),
        f"name {STRANGE}, which image lacks",
    ),
    "an image doubled": (
        rewrite(IMAGES, with_ids("image_id", lambda ids: replaced(ids, ids[-2]))),
        f"name {IMAGE_IDS[-2]} twice",
    ),
    "images in another order": (
        rewrite(IMAGES, with_ids("image_id", lambda ids: ids[::-1])),
        "are not sorted by id",
    ),
    "a text renamed": (
        rewrite(f"texts__{MODEL_KEY}", with_ids("text_id", lambda ids: replaced(ids, STRANGE))),
        f"lack {max(TEXT_IDS)}, which text has",
    ),
    "a gallery image renamed": (
        rewrite(f"tokens__{MODEL_KEY}", with_ids("image_id", lambda ids: replaced(ids, STRANGE))),
        f"name {STRANGE}, which image lacks",
    ),
    "a class renamed": (
        rewrite(f"classes__{MODEL_KEY}", with_ids("value", lambda ids: replaced(ids, "star"))),
        'lack shape "square", which class_text has',
    ),
    "a head renamed": (
        rewrite(f"heads__{MODEL_KEY}", with_ids("head", lambda ids: [*ids[:-1], 7])),
        "name L2.H7, which head lacks",
    ),
    "a row missing": (
        rewrite(IMAGES, lambda rows: rows.slice(1)),
        "have 11 rows, but the tables speak of 12",
    ),
    "a head's column missing": (
        rewrite(IMAGES, lambda rows: rows.drop_columns("L2_H1")),
        "lack the column L2_H1",
    ),
    "a column too many": (
        rewrite(IMAGES, lambda rows: rows.append_column("L9_H9", rows["L2_H1"])),
        "have the column L9_H9, which is none of theirs",
    ),
    "vectors of another width": (
        rewrite(f"tokens__{MODEL_KEY}", lambda rows: rows.set_column(1, "rest", rows["L1_H0"])),
        "in the column rest, but need fixed_size_list",
    ),
    "no name of the table": (
        rewrite(IMAGES, lambda rows: rows.replace_schema_metadata(None)),
        "were written as a table of another program",
    ),
    "a table of no model": (
        lambda copy: shutil.copytree(copy / VECTORS / f"{IMAGES}.lance", copy / VECTORS / "images__x.lance"),
        "vectors images__x belong to no model",
    ),
    "a table missing": (
        lambda copy: shutil.rmtree(copy / VECTORS / f"{IMAGES}.lance"),
        f"there are no vectors {IMAGES}",
    ),
}
TABLE_EDITS: dict[str, tuple[Edit, str]] = {
    "a head's label missing": (
        sql(f"delete from head_label where {HEAD}"),
        f"head_label lacks 1 heads of {MODEL_KEY}, first L1.H0",
    ),
    "a head's metric missing": (
        sql(f"delete from head_metric where {HEAD} and metric = 'ccs'"),
        f"head_metric of ccs lacks 1 heads of {MODEL_KEY}",
    ),
    "a number that is none": (
        sql(f"update head set importance = 'nan' where {HEAD}"),
        "head has numbers that are not finite in importance: 1",
    ),
    "an infinite number": (
        sql("update model_metric set low = '-infinity' where metric = 'uniqueness'"),
        "model_metric has numbers that are not finite in low: 2",
    ),
    "a head's texts missing": (
        sql(f"delete from head_text where {HEAD}"),
        f"head_text lacks 1 heads of {MODEL_KEY}",
    ),
    "a head's selectivity missing": (
        sql(f"delete from head_selectivity where {HEAD}"),
        f"head_selectivity of color lacks 1 heads of {MODEL_KEY}",
    ),
    "a head missing": (
        sql(f"delete from head where {HEAD}"),
        f"model {MODEL_KEY} counts 4 heads, but head has 3 rows",
    ),
    "selectivity of a foreign head": (
        sql(f"update head_selectivity set head = 9 where {HEAD}"),
        f"head_selectivity names {MODEL_KEY} L1.H9, which head lacks",
    ),
    "replicates of a foreign model": (
        sql(f"update replicate_metric set model_key = 'x' where model_key = '{MODEL_KEY}'"),
        "replicate_metric names the model x, which model lacks",
    ),
    "another label for a property": (
        sql(f"update property_head set property = 'count' where {HEAD}"),
        f"property_head says count of {MODEL_KEY} L1.H0, but its chosen label is color",
    ),
    "a property counted wrongly": (
        sql("update property set texts = 9 where property = 'color'"),
        "property color counts 9 texts, but text_property has 3",
    ),
    "a text changed": (
        sql("update text set text = 'a red circle' where position = 0"),
        f"text {TEXT_IDS[0]} is not named by the hash of its text",
    ),
    "an image renamed in the tables": (
        sql(f"update image set image_id = '{STRANGE}' where image_id = '{IMAGE_IDS[0]}'"),
        f"image_file names the image {IMAGE_IDS[0]}, which image lacks",
    ),
    "a table missing": (sql("drop table published"), "it lacks the table main.published"),
    "a column missing": (
        sql("alter table published drop column note"),
        "its table main.published has other columns or keys",
    ),
}
FACT_EDITS: dict[str, tuple[Edit, str]] = {
    "the hash of the weights": (
        fact(lambda m: m["models"][0].update(weights_sha256="0" * 64)),
        f"says weights_sha256 {'0' * 64} of {MODEL_KEY}, but the tables say",
    ),
    "a control": (
        fact(lambda m: m["models"][1].update(is_control=False)),
        f"says is_control False of {CONTROL_KEY}, but the tables say True",
    ),
    "the name of a model": (
        fact(lambda m: m["models"][0].update(model="ViT-L-14/openai")),
        "says model ViT-L-14/openai of",
    ),
    "a model missing": (fact(lambda m: m["models"].pop()), f"lacks the model {CONTROL_KEY}"),
    "a model too many": (
        fact(lambda m: m["models"].append(m["models"][0] | {"model_key": "x"})),
        "names the model x, which model lacks",
    ),
    "vectors": (
        fact(lambda m: m["models"][0].update(has_vectors=False)),
        f"says has_vectors False of {MODEL_KEY}",
    ),
    "a license": (
        fact(lambda m: m["licenses"].update(images="MIT")),
        "says licenses {'images': 'MIT', 'texts': 'CC0-1.0'}, but the tables say",
    ),
    "the identity": (
        fact(lambda m: m.update(input_id="other")),
        "says input_id other, but the tables say tiny",
    ),
    "the error of the sum": (
        fact(lambda m: m.update(max_sum_error=0.0)),
        "says max_sum_error 0.0, but the tables say 2.5e-07",
    ),
    "the date, without the digest": (
        lambda copy: (copy / MANIFEST).write_text(
            (copy / MANIFEST).read_text().replace('created_at": "2', 'created_at": "1')
        ),
        f"its checksum is not that in {DIGEST}",
    ),
    "no digest": (lambda copy: (copy / DIGEST).unlink(), f"{DIGEST} is missing beside it"),
}
MALFORMED: dict[str, tuple[Edit, str]] = {
    "cut off": (text(lambda t: t[: len(t) // 2]), "cannot be read"),
    "very deep": (text(lambda t: "[" * 100_000), "cannot be read"),
    "not JSON": (text(lambda t: t.replace("2.5e-07", "NaN")), "NaN is not JSON"),
    "a lone surrogate": (text(lambda t: t.replace('"tiny"', '"\\ud800"')), "cannot be read"),
    "no files": (fact(lambda m: m.pop("files")), 'it has no "files"'),
    "files as a list": (fact(lambda m: m.update(files=[])), '"files" is not'),
    "a file without a checksum": (fact(lambda m: m["files"][DATABASE].pop("sha256")), '"files" is not'),
    "a file outside": (fact(lambda m: m["files"].update({"../x": m["files"][DATABASE]})), '"files" is not'),
    "a size as a text": (fact(lambda m: m["files"][DATABASE].update(bytes="9")), '"files" is not'),
    "models as a number": (fact(lambda m: m.update(models=3)), '"models" is not'),
    "no models": (fact(lambda m: m.update(models=[])), '"models" is not'),
    "a model without a key": (fact(lambda m: m["models"][0].pop("model_key")), '"models" is not'),
    "a key that is a path": (fact(lambda m: m["models"][0].update(model_key="../x")), '"models" is not'),
    "a model twice": (fact(lambda m: m["models"].append(m["models"][0])), "names a model twice"),
    "no licenses": (fact(lambda m: m.update(licenses=None)), '"licenses" is not'),
    "an error as a text": (fact(lambda m: m.update(max_sum_error="small")), '"max_sum_error" is not'),
}
EDITS = {
    f"{part}: {name}": change
    for part, edits in [
        ("vectors", VECTOR_EDITS),
        ("tables", TABLE_EDITS),
        ("facts", FACT_EDITS),
        ("malformed", MALFORMED),
    ]
    for name, change in edits.items()
}


def test_a_table_that_names_files_elsewhere_is_refused(copy):
    """Lance would read them: `base_paths` can be folders of this machine, or servers."""
    file = next((copy / VECTORS / f"{IMAGES}.lance" / "_versions").glob("*.manifest"))
    data = file.read_bytes()
    (start,) = struct.unpack("<q", data[-16:-8])
    place = b"s3://elsewhere/"
    base_path = bytes([18 << 3 & 127 | 2 | 128, 18 >> 4, len(place) + 2, 4 << 3 | 2, len(place)]) + place
    message = data[start + 4 : -16] + base_path
    file.unlink()
    file.write_bytes(data[:start] + struct.pack("<I", len(message)) + message + data[-16:])
    seal(copy)

    found, bundle = verify.problems(copy), open_bundle(copy)

    assert any("use features of Lance that Headlight never writes" in problem for problem in found)
    with pytest.raises(BundleDamaged, match="that may read files elsewhere"):
        vectors.image_embeddings(bundle, MODEL_KEY)
    bundle.close()


def test_a_flipped_byte_of_the_database_is_no_traceback(copy):
    """Whatever DuckDB makes of it, and with a checksum that agrees."""
    data = (copy / DATABASE).read_bytes()
    for place in range(200, len(data), len(data) // 4):
        (copy / DATABASE).write_bytes(data[:place] + bytes([data[place] ^ 255]) + data[place + 1 :])
        seal(copy)

        assert isinstance(verify.problems(copy), list)


@pytest.mark.parametrize("name", EDITS)
def test_verify_names_every_edit_that_agrees_with_the_checksums(copy, name):
    change, sentence = EDITS[name]

    change(copy)
    if name.startswith("vectors"):
        seal(copy)

    found = verify.problems(copy)
    assert any(sentence in problem for problem in found), found


@pytest.mark.parametrize("name", [name for name in EDITS if name.startswith(("facts", "malformed"))])
def test_a_bundle_with_other_facts_than_its_manifest_is_not_opened(copy, name):
    EDITS[name][0](copy)

    with pytest.raises(StoreError, match=r"Copy or build it again|has format"):
        open_bundle(copy)


@pytest.mark.parametrize(
    ("add", "sentence"),
    [
        (lambda copy: (copy / "notes.txt").write_text("mine"), "notes.txt is not in the manifest"),
        (lambda copy: (copy / "link").symlink_to("/etc/passwd"), "link is a link"),
        (lambda copy: (copy / VECTORS / "link").symlink_to("/"), f"{VECTORS}/link is a link"),
        (lambda copy: os.mkfifo(copy / "pipe"), "pipe is neither a file nor a folder"),
        (lambda copy: (copy / "empty").mkdir(), "empty is an empty folder"),
        (lambda copy: (copy / os.fsdecode(b"\xff")).write_text(""), r"\udcff is not in the manifest"),
    ],
)
def test_verify_names_what_is_no_part_of_a_bundle(copy, add, sentence, capsys):
    add(copy)

    assert commands.main(["verify", str(copy)]) == 1

    assert sentence in capsys.readouterr().out


@pytest.mark.parametrize("name", [f"{DATABASE}.wal", f"{VECTORS}/{IMAGES}.lance/_versions/1.manifest"])
def test_a_file_that_would_be_read_unasked_is_refused_at_opening(copy, name):
    (copy / name).write_bytes(b"more")

    with pytest.raises(StoreError, match="is not in the manifest"):
        open_bundle(copy)


def test_what_systems_leave_in_the_folders_that_they_have_shown_is_no_damage(copy):
    for folder in ("", VECTORS, f"{VECTORS}/{IMAGES}.lance"):
        for name in (".DS_Store", "Thumbs.db"):
            (copy / folder / name).write_bytes(b"x")

    assert verify.problems(copy) == []
    bundle = open_bundle(copy)

    assert len(vectors.head_spaces(bundle, MODEL_KEY).layer) == 4
    bundle.close()


def test_a_file_of_a_bundle_that_became_a_link_is_refused_at_opening(copy, tmp_path):
    (copy / DATABASE).rename(tmp_path / "elsewhere")
    (copy / DATABASE).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StoreError, match=f"{DATABASE} is a link"):
        open_bundle(copy)


def test_an_id_that_is_missing_is_no_traceback(copy):
    database, name = lancedb.connect(copy / VECTORS), f"texts__{MODEL_KEY}"
    rows = database.open_table(name).to_arrow()
    field = rows.schema.field("text_id").with_nullable(True)
    ids = pa.array([None, *rows["text_id"].to_pylist()[1:]])
    rows = rows.set_column(rows.schema.get_field_index("text_id"), field, ids)
    shutil.rmtree(copy / VECTORS / f"{name}.lance")
    database.create_table(name, data=rows.replace_schema_metadata({"headlight_table": name}))
    seal(copy)

    assert f"vectors {name} have a row without its text_id" in verify.problems(copy)
