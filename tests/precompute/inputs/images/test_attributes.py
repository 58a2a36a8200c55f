"""Attribute files: read as a spreadsheet wrote them, refused where a row would be lost."""

from pathlib import Path

import pytest

from precompute.inputs import images
from precompute.inputs.images import Attribute, ImagesError
from tests.support.pictures import mixed_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return mixed_folder(tmp_path / "set")


def attributes(folder: Path, text: str | bytes) -> images.Attributes:
    path = folder / "attributes.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return images.read_attributes(path, [file.relative for file in images.gather(folder).files])


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


def test_paths_written_on_another_system_are_understood(folder):
    (folder / "caf\N{LATIN SMALL LETTER E WITH ACUTE}.png").write_bytes(b"")

    rows, _, _ = attributes(folder, "path,kind\nb\\c\\copy.PNG,x\ncafe\N{COMBINING ACUTE ACCENT}.png,y\n")

    assert [row.relative for row in rows] == ["b/c/copy.PNG", "caf\N{LATIN SMALL LETTER E WITH ACUTE}.png"]


@pytest.mark.parametrize(
    "text, message",
    [
        ("", r"has no column path \(the file is empty\)"),
        (
            "file,color\nz.png,red\n",
            r"has no column path \(the first line has file, color\). Name the column",
        ),
        ("path;color\nz.png;red\n", r"has no column path \(the first line has path;color\)"),
        ("path,color\nz.png,red\ny.png,red\n", "line 3: there is no image 'y.png'. .* --images: 'b/a.jpg'"),
        ("path,color\nz.png,red\nb/a.jpg,\n./z.png,blue\n", "line 4: z.png stands in line 2 already"),
        ("path,color\nz.png,red,blue\n", "line 2: 3 cells under 2 columns. .* double quotes"),
        ("path,color\nz.png\n", "line 2: 1 cells under 2 columns"),
        ("path,color,color\n", "two columns color"),
        ("path,\n", "column 2 has no name"),
        ('path,color\nz.png,"red\n', "line 2: unexpected end of data"),
        (b"path,color\nz.png,caf\xe9\n", "is not UTF-8. Save it as CSV UTF-8"),
    ],
)
def test_a_wrong_attribute_file_is_refused_with_what_to_do(folder, text, message):
    with pytest.raises(ImagesError, match=message):
        attributes(folder, text)


def test_a_missing_attribute_file_is_refused(folder):
    with pytest.raises(ImagesError, match=r"cannot open .*nowhere\.csv: No such file"):
        images.read_attributes(folder / "nowhere.csv", ["z.png"])
