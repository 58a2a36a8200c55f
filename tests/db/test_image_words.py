"""Words find pictures: whole words, terms of an attribute, and all of them in one object first."""

import pytest

from db import ddl
from db.layout import sql_of

SCENES = {
    0: {"color": ["blue"], "shape": ["star"], "pattern": ["checkered"]},
    1: {"color": ["red", "blue"], "shape": ["moon", "star"]},
    2: {"color": ["red"], "shape": ["moon", "star"]},
    3: {"color": ["red"], "shape": ["star"], "position": ["top left"]},
    4: {"color": ["red"], "shape": ["moon"], "position": ["top", "left"]},
}
"""Attributes of pictures; several values are those of several objects."""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    connection = ddl.create(tmp_path_factory.mktemp("scenes") / "scenes.duckdb")
    for image, attributes in SCENES.items():
        connection.execute("insert into image (image_id, width, height) values (?, 8, 8)", [str(image)])
        connection.execute("insert into image_file values (?, ?)", [str(image), f"scenes/0{image}.png"])
        for attribute, values in attributes.items():
            for value in values:
                connection.execute(
                    "insert into image_attribute values (?, ?, ?)", [str(image), attribute, value]
                )
    return connection


@pytest.mark.parametrize(
    ("words", "of_one_object", "perhaps_of_several"),
    [
        (["red", "star"], [2, 3], [1]),  # all objects of 2 are red, one is a star
        (["color:red"], [1, 2, 3, 4], []),
        (["top left"], [3], []),
        (["position:left"], [4], []),
        (["left", "top"], [3], [4]),
        (["star", "red", "scenes"], [2, 3], [1]),
        (["STAR", "00.png", "checkered"], [0], []),
        (["00.p"], [], []),
        (["?"], [], []),
    ],
)
def test_whole_words_find_images_and_those_whose_one_object_has_all_come_first(
    scenes, words, of_one_object, perhaps_of_several
):
    asked = {"words": words, "image_ids": None, "attribute": None, "value": None}
    found = scenes.execute(sql_of("images"), asked | {"limit": None, "offset": 0}).df()

    assert found["image_id"].tolist() == [str(image) for image in of_one_object + perhaps_of_several]
    assert found["one_object"].tolist() == [True] * len(of_one_object) + [False] * len(perhaps_of_several)
    page = scenes.execute(sql_of("images"), asked | {"limit": 1, "offset": 0}).df()
    assert page["matches"].tolist() == [len(found)][: len(found)], "of all, not of the page"


def test_a_picture_has_a_class_if_it_has_exactly_one(scenes):
    """Scene 1 has two colors, of which blue is no class at first."""
    scenes.execute("insert into class_text values ('color', 'red', 0, 'red')")
    assert scenes.execute(sql_of("class_images"), {"attribute": "color"}).fetchall() == [
        ("1", "red"),
        ("2", "red"),
        ("3", "red"),
        ("4", "red"),
    ]

    scenes.execute("insert into class_text values ('color', 'blue', 2, 'blue')")
    assert scenes.execute(sql_of("class_images"), {"attribute": "color"}).fetchall() == [
        ("0", "blue"),
        ("2", "red"),
        ("3", "red"),
        ("4", "red"),
    ]
