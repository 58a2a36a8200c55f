"""Parts of a run, by number, and the pieces that belong to them."""

import pytest

from precompute.runtime.part import PartError, lacking, parse


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "1/0", "a/b", "1/2/3"])
def test_what_is_no_part_is_refused(text):
    with pytest.raises(PartError, match="from 1/8 to 8/8"):
        parse(text)


def test_every_piece_belongs_to_one_part():
    parts = [parse(f"{number}/3") for number in (1, 2, 3)]

    assert [[place for place in range(7) if part.takes(place)] for part in parts] == [
        [0, 3, 6],
        [1, 4],
        [2, 5],
    ]
    assert lacking([0, 3, 4], 3) == "part 1/3 (2 pieces), part 2/3 (1 piece)"
