"""Words and widths of the leaderboard's sections."""

from dashboard.sections import leaderboard as leaderboard_sections


def test_one_model_alone_is_compared_with_nothing():
    assert leaderboard_sections.comparison_note(1) == "1 trained model: nothing to compare."
    assert leaderboard_sections.comparison_note(0) == "No trained model: nothing to compare."


def test_columns_of_the_table_hold_their_titles_whole():
    """At most 6.2 pixels a character and 20 around were seen in a browser."""
    for title in ["Stability", "Shared labels, same number of heads"]:
        assert leaderboard_sections.title_width(title) >= 6.2 * len(title) + 20
