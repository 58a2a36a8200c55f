"""The pictures of the planted model."""

import json

from precompute.demo.planted import folder as planted_folder
from precompute.demo.planted.pictures import draw, pictures


def test_all_pictures_are_distinct_and_described_in_answers_json(folder, pixels):
    answers = json.loads((folder / planted_folder.ANSWERS).read_text())["pictures"]

    assert len({draw(picture).tobytes() for picture in pictures()}) == len(answers) == 180
    assert answers["planted_000.png"]["color"] == "red"
    assert sum(row.count("r") for row in answers["planted_000.png"]["tiles"]) == 6
