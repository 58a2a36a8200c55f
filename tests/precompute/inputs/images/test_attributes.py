"""Attribute files: spreadsheet exports are read; files that would lose a row are refused."""

from pathlib import Path

import pytest

from precompute.inputs import images
from precompute.inputs.images import Attribute, ImagesError
from precompute.inputs.images.attributes import Attributes, read_attributes
from tests.support.pictures import mixed_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return mixed_folder(tmp_path / "set")


def attributes(folder: Path, text: str | bytes) -> Attributes:
    path = folder / "attributes.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_attributes(path, [file.relative for file in images.gather(folder).files])


def test_reads_attributes_with_several_values_and_counts_files_without_a_row(folder):
    rows, names, unlisted = attributes(
        folder, '\ufeffpath,color,shape\r\nz.png,red| blue |red,\r\n\r\n./b/a.jpg,,"round, very"\r\n'
    )

    assert rows == [
        Attribute("z.png", "color", "red"),
        Attribute("z.png", "color", "blue"),
        Attribute("b/a.jpg", "shape", "round, very"),
    ]
    assert names == ("color", "shape")
    assert unlisted == 2


@pytest.mark.parametrize("mark", [";", "\t"])
def test_reads_what_spreadsheets_write_where_the_comma_is_the_decimal_point(folder, mark):
    rows, names, _ = attributes(folder, f"path{mark}width\nz.png{mark}1,5\n")

    assert (rows, names) == ([Attribute("z.png", "width", "1,5")], ("width",))


def test_paths_of_another_system_match(folder):
    (folder / "caf\N{LATIN SMALL LETTER E WITH ACUTE}.png").write_bytes(b"")

    rows, _, _ = attributes(folder, "path,kind\nb\\c\\copy.PNG,x\ncafe\N{COMBINING ACUTE ACCENT}.png,y\n")

    assert [row.relative for row in rows] == ["b/c/copy.PNG", "caf\N{LATIN SMALL LETTER E WITH ACUTE}.png"]


@pytest.mark.parametrize(
    "text, message",
    [
        ("", r"has no column path \(the file is empty\)"),
        ("file,color\nz.png,red\n", r"no column path \(.*'file,color'\)"),
        ('[{"path": "z.png"}]' * 9999, r"is JSON, not CSV.{,60}$"),
        ("file|color" * 9999, r"no column path.{,200}$"),
        (b"PK\x03\x04\xff", "is a workbook"),
        ("path,color\nz.png,red\n".encode("utf-16"), "is UTF-16"),
        ("path,color\nz.png,red\ny.png,red\n", "line 3: .*'y.png'.* --images: 'b/a.jpg'"),
        ("path,color\nz.png,red\nb/a.jpg,\n./z.png,blue\n", "line 4: z.png .* line 2"),
        ("path,color\nz.png,red,blue\n", "line 2: 3 cells under 2 columns"),
        ("path,color\nz.png\n", "line 2: 1 cells under 2 columns"),
        ("path,color,color\n", "two columns color"),
        ("path,\n", "column 2 has no name"),
        ('path,color\nz.png,"red\n', "line 2: "),
        (b"path,color\nz.png,caf\xe9\n", "is not UTF-8"),
    ],
)
def test_an_invalid_attribute_file_is_refused(folder, text, message):
    with pytest.raises(ImagesError, match=message):
        attributes(folder, text)


def test_a_missing_attribute_file_is_refused(folder):
    with pytest.raises(ImagesError, match=r"nowhere\.csv: No such file"):
        read_attributes(folder / "nowhere.csv", ["z.png"])
