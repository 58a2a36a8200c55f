"""Options that make no sense are refused; those that only change speed are no part of the result."""

from pathlib import Path

import pytest

from precompute.runtime.config import ConfigError
from tests.conftest import small_config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layers": 0}, "--layers 0"),
        ({"rotations": 3}, "--rotations 3 is too small"),
        ({"models": ()}, "no model given"),
        ({"gallery_megabytes": -1.0}, "--gallery-megabytes -1.0 is too small"),
        ({"bundle": Path("..")}, "has no name of its own"),
        ({"gallery_megabytes": float("nan")}, "--gallery-megabytes nan is not a number"),
        ({"gallery_megabytes": float("inf")}, "--gallery-megabytes inf is too large"),
        ({"seed": -1}, "--seed -1 is too small"),
        ({"seed": 2**70}, "--seed 1180591620717411303424 is too large"),
        ({"workers": 100_000}, "--workers 100000 is too large"),
        ({"license": "\udcff"}, "--license has characters that cannot be printed"),
    ],
)
def test_options_that_make_no_sense_are_refused(scene_folder, pool_file, tmp_path, changes, message):
    with pytest.raises(ConfigError, match=message):
        small_config(scene_folder, pool_file, **({"bundle": tmp_path / "b"} | changes))


def test_options_that_only_change_speed_are_not_part_of_the_result(scene_folder, pool_file, tmp_path):
    plain = small_config(scene_folder, pool_file, tmp_path / "b")
    quick = small_config(scene_folder, pool_file, tmp_path / "c", batch_size=64, workers=2, device="cpu")

    assert plain.result_options() == quick.result_options()


def test_how_the_validation_is_measured_is_part_of_the_result(scene_folder, pool_file, tmp_path):
    plain, all_, few = (
        small_config(scene_folder, pool_file, tmp_path / "b", **changes).result_options()
        for changes in ({}, {"validation": True}, {"validation": True, "validation_images": 50})
    )

    assert plain != all_ != few
    assert (
        plain == small_config(scene_folder, pool_file, tmp_path / "c", validation_images=50).result_options()
    )
