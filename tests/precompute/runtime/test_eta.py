"""The time left of a study follows from what was measured, and says so where something was not."""

import pytest

from precompute.runtime.eta import Guess, Left, Model, Pass, left, left_side_by_side, words


def ended(kind="B", cost=None, images=100.0, layers=10.0, other_seconds=5.0):
    """A model that has taken so many seconds for 1,000 images and for 4 layers."""
    passes = (Pass("decomposing", 1000, done=1000, seconds=images), Pass("heads", 4, done=4, seconds=layers))
    return Model(kind, cost, passes, other_seconds, ended=True)


def test_nothing_is_known_before_the_first_image():
    begun = Model("B", passes=(Pass("decomposing", 1000),))

    assert left([begun, Model("B")], 0) == Left(None, None)


def test_some_images_of_the_first_model_give_a_lower_bound_for_all():
    """250 of 1,000 images in 25 s: 75 s more of this model at least, 100 s of the next at least."""
    begun = Model("B", passes=(Pass("decomposing", 1000, done=250, seconds=25.0),))

    assert left([begun, Model("B")], 0) == Left(Guess(75.0, at_least=True), Guess(175.0, at_least=True))


def test_a_model_takes_as_long_as_the_one_before_of_its_kind():
    assert left([ended(), Model("B"), Model("B")], 1).study == Guess(110.0 + 115.0)


def test_what_is_done_of_a_model_is_not_counted_again():
    """
    500 images at the mean pace of both models (150 s for 1,500), then 4 layers.
    """
    running = Model("B", passes=(Pass("decomposing", 1000, done=500, seconds=50.0),))

    assert left([ended(), running], 1).model == Guess(50.0 + 10.0)


def test_models_side_by_side_share_the_time_but_none_ends_before_its_own():
    running = Model("B", passes=(Pass("decomposing", 1000, done=500, seconds=50.0),))

    assert left_side_by_side([ended(), running, Model("B"), Model("B")], 2) == Guess((60.0 + 2 * 115.0) / 2)
    assert left_side_by_side([ended(), running, ended()], 2) == Guess(60.0)
    assert left_side_by_side([Model("B"), Model("B")], 2) is None


def test_passes_of_one_name_are_counted_together():
    """Two readings of the files by one model: the next has one behind it and one to come."""
    twice = (Pass("selectivity", 8, done=8, seconds=4.0),) * 2
    running = Model("B", passes=twice[:1])

    assert left([Model("B", passes=twice, ended=True), running], 1).model == Guess(4.0)


def test_what_an_earlier_run_has_left_is_not_timed():
    """900 of 1,000 images were there: the other hundred took 10 s, so the next model takes 100 s."""
    resumed = (Pass("decomposing", 1000, earlier=900, done=100, seconds=10.0),)

    assert left([Model("B", passes=resumed, ended=True), Model("B")], 1).study == Guess(100.0)


def test_a_pass_that_was_wholly_found_makes_a_lower_bound():
    resumed = (Pass("decomposing", 1000, earlier=1000, seconds=0.1), Pass("heads", 4, done=4, seconds=8.0))

    assert left([Model("B", passes=resumed, ended=True), Model("B")], 1).study == Guess(8.0, at_least=True)


def test_a_study_that_was_wholly_found_says_nothing():
    resumed = (Pass("decomposing", 1000, earlier=1000),)

    assert left([Model("B", passes=resumed, ended=True), Model("B")], 1) == Left(None, None)


def test_another_kind_counts_by_the_cost_of_an_image_like_the_most_similar_one():
    """A kind of cost 8 is like that of 10, which took 230 s, not like that of 1."""
    models = [ended("B", 1.0), ended("L", 10.0, images=200.0, layers=25.0), Model("M", 8.0)]

    assert left(models, 1).study == Guess(0.8 * 230.0, by_cost=True)


def test_a_model_under_way_counts_like_one_of_another_kind_that_has_ended():
    """It has passes that it has not begun: of 2 x 115 s it has spent 30."""
    running = Model("L", 2.0, passes=(Pass("decomposing", 1000, done=150, seconds=30.0),))

    assert left([ended("B", 1.0), running], 1).model == Guess(2 * 115.0 - 30.0, by_cost=True)


def test_a_kind_of_which_nothing_is_known_makes_a_lower_bound():
    assert left([ended("B", 1.0), Model("B"), Model("X")], 0).study == Guess(115.0, at_least=True)


@pytest.mark.parametrize(
    ("guess", "said"),
    [
        (Guess(29), "under a minute"),
        (Guess(29, at_least=True), ""),
        (None, ""),
        (Guess(60 * 12), "about 12 min"),
        (Guess(60 * 70), "about 1 h 10 min"),
        (Guess(60 * 60 * 50, at_least=True), "over 2 d 2 h"),
        (Guess(60 * 90, by_cost=True), "roughly 1 h 30 min"),
    ],
)
def test_an_estimate_is_rounded_to_its_certainty(guess, said):
    assert words(guess) == said
