"""What stands beside maps: the color scale and the words for screen readers."""

import re

import numpy as np

from dashboard.data.maps import in_words
from dashboard.sections import maps as map_sections


def test_the_color_scale_states_its_ends_and_zero():
    html = map_sections.color_scale(0.05)

    assert re.findall("<span>(.*?)</span>", html) == ["−50", "−25", "0", "+25", "+50"]


def test_a_map_in_words_states_where_it_is_highest_and_lowest():
    words = in_words("a T-shirt", np.array([[0.0, 0.0, 0.004], [-0.002, 0.0, 0.0]]))

    assert words.startswith("a T-shirt: "), "the hyphen of a text is no minus"
    assert "highest +4 in patch row 1, column 3" in words
    assert "lowest −2 in row 2, column 1" in words
