"""Epsilon squared over work files is that of all images at once; its intervals hold what they promise."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
import torch
from torch import tensor

from precompute.method import selectivity
from precompute.method.types import HeadSpaces
from precompute.runtime import work_files
from precompute.runtime.config import HeadOptions
from precompute.stages import decompose_images, head_selectivity

GROUPS = 64


def rows_of(shards, attributes, spaces, *, replicates=200, seed=0, directory=None, **options):
    head_options = HeadOptions(picks=60, rotations=199, replicates=replicates, seed=seed)
    with TemporaryDirectory() as empty:
        place = directory or Path(empty)
        return head_selectivity.rows(shards, attributes, spaces, head_options, place, **options)


def image_ids(count, groups=GROUPS):
    """Ids whose groups take turns."""
    return [f"{number % groups:08x}{number:08x}" for number in range(count)]


def written(directory, head, size=None):
    """Work files of `size` images each, as a pass over the images leaves them: [image, layer, head, rank]."""
    ids = image_ids(len(head))
    shards = decompose_images.cut(ids, directory, size or len(ids))
    for shard, part in zip(shards, head.split(size or len(ids)), strict=True):
        work_files.save_tensors(shard.path, {"head": part.contiguous()})
    return shards


def spaces_of(head, layers=None):
    _, count, heads, rank = head.shape
    basis = torch.eye(rank).expand(count, heads, rank, rank)
    return HeadSpaces(layers or tuple(range(count)), basis, torch.full((count, heads), rank))


def known(**values):
    """Attributes by name: a value for each image in order, None where it has none."""
    rows = [
        (image_id, attribute, str(value))
        for attribute, own in values.items()
        for image_id, value in zip(image_ids(len(own)), own, strict=True)
        if value is not None
    ]
    return pd.DataFrame(rows, columns=["image_id", "attribute", "value"])


def made(images, layers=2, heads=3, rank=4, values=5, seed=0):
    """Coordinates far from 0 that go with a value, more so in every further head; and the values."""
    generator = torch.Generator().manual_seed(seed)
    value = torch.randint(values, (images,), generator=generator)
    center = torch.randn(values, layers, heads, rank, generator=generator)
    strength = torch.linspace(0, 1, layers * heads).view(layers, heads, 1)
    noise = torch.randn(images, layers, heads, rank, generator=generator)
    return 3 + noise + strength * center[value], value


def test_a_known_answer_by_hand(tmp_path):
    """Means 1 and 3 about 2, two images each, each 1 from its mean: 4 of 8 between, less 4/8 · 1/2."""
    head = tensor([0.0, 2.0, 2.0, 4.0]).view(4, 1, 1, 1)

    found = rows_of(written(tmp_path, head), known(color=["a", "a", "b", "b"]), spaces_of(head, (7,)))

    [row] = found.to_dict("records")
    assert (row["layer"], row["head"], row["attribute"], row["images"]) == (7, 0, "color", 4)
    assert row["value"] == pytest.approx(0.25)
    assert found[["low", "high"]].isna().all(axis=None)


@pytest.mark.parametrize("size, sum_bytes", [(None, 10**9), (7, 10**9), (100, 1), (256, 64 * 12 * 4 * 8 * 4)])
def test_files_give_what_all_images_at_once_give(tmp_path, size, sum_bytes):
    """However they are cut, and whether all heads are summed at once, one at a time, or four."""
    head, value = made(300)
    other = torch.arange(300) % 7

    found = rows_of(
        written(tmp_path, head, size),
        known(color=value.tolist(), shape=other.tolist()),
        spaces_of(head, (4, 9)),
        sum_bytes=sum_bytes,
    )

    for attribute, own in (("color", value), ("shape", other)):
        rows = found[found.attribute == attribute]
        assert [*zip(rows.layer, rows["head"], strict=True)] == [(la, he) for la in (4, 9) for he in range(3)]
        expected = selectivity.epsilon_squared(head.flatten(1, 2), own)
        assert rows["value"].tolist() == pytest.approx(expected.tolist(), abs=1e-9)


def test_what_was_summed_is_kept_and_read_back_without_the_files(tmp_path):
    """One file for every head, since only one is summed at a time; other values are summed again."""
    head, value = made(700)
    shards, kept = written(tmp_path / "shards", head), tmp_path / "kept"

    def found(values):
        return rows_of(shards, known(color=values.tolist()), spaces_of(head), sum_bytes=1, directory=kept)

    first = found(value)
    for shard in shards:
        shard.path.unlink()

    assert len(list(kept.iterdir())) == 6
    pd.testing.assert_frame_equal(found(value), first)
    with pytest.raises(FileNotFoundError):
        found(value.flip(0))


def test_hundreds_of_values_are_summed_head_by_head(tmp_path):
    head, value = made(3000, layers=1, heads=2, values=900)

    found = rows_of(
        written(tmp_path, head, 512), known(name=value.tolist()), spaces_of(head), replicates=0, sum_bytes=1
    )

    expected = selectivity.epsilon_squared(head.flatten(1, 2), value)
    assert found["value"].tolist() == pytest.approx(expected.tolist(), abs=1e-9)


def test_attributes_of_a_thousand_values_together_are_summed_in_turn(tmp_path):
    head, _ = made(2000, layers=1, heads=1)
    values = {
        name: (torch.arange(2000) * step % 401).tolist() for name, step in (("a", 1), ("b", 3), ("c", 7))
    }

    found = rows_of(written(tmp_path, head), known(**values), spaces_of(head), replicates=0)

    assert found.attribute.tolist() == ["a", "b", "c"]
    expected = [float(selectivity.epsilon_squared(head[:, 0], tensor(own))) for own in values.values()]
    assert found["value"].tolist() == pytest.approx(expected, abs=1e-9)


def test_only_images_of_exactly_one_value_count(tmp_path):
    head, value = made(200)
    stated = known(color=[None if number % 5 == 0 else int(value[number]) for number in range(200)])
    twice = pd.DataFrame([(image_ids(2)[1], "color", "another")], columns=stated.columns)
    elsewhere = pd.DataFrame([("f" * 16, "color", "0")], columns=stated.columns)

    found = rows_of(written(tmp_path, head), pd.concat([stated, twice, elsewhere, stated]), spaces_of(head))

    kept = [number for number in range(200) if number % 5 and number != 1]
    expected = selectivity.epsilon_squared(head[kept].flatten(1, 2), value[kept])
    assert found["value"].tolist() == pytest.approx(expected.tolist(), abs=1e-9)
    assert set(found["images"]) == {159}


def test_an_attribute_that_cannot_be_compared_has_no_value(tmp_path):
    head, _ = made(60, layers=1, heads=1)

    found = rows_of(
        written(tmp_path, head),
        known(same=["a"] * 60, half=[number // 2 for number in range(60)], own=[*range(29), *range(31)]),
        spaces_of(head),
    ).set_index("attribute")

    assert found["value"].isna().to_dict() == {"half": False, "own": True, "same": True}


def test_an_attribute_of_too_many_values_is_left_out_and_named(tmp_path, capsys):
    head, _ = made(1001, layers=1, heads=1)
    values = {"name": [f"n{number}" for number in range(1001)], "color": ["a", "b", "c"] * 333 + ["a", "b"]}

    found = rows_of(written(tmp_path, head), known(**values), spaces_of(head), replicates=0)

    assert found.attribute.tolist() == ["color"]
    assert "no selectivity for name: it has 1,001 values, more than 1,000" in capsys.readouterr().err


def test_without_attributes_there_are_no_rows(tmp_path):
    head, _ = made(10)

    found = rows_of(written(tmp_path, head), known(), spaces_of(head))

    assert len(found) == 0
    assert [*found] == ["layer", "head", "attribute", "value", "low", "high", "images"]


@pytest.mark.parametrize("images, has_interval", [(639, False), (640, True)])
def test_no_interval_under_640_images(tmp_path, images, has_interval):
    head, value = made(images)

    found = rows_of(written(tmp_path, head), known(color=value.tolist()), spaces_of(head))

    assert found["value"].notna().all()
    assert (found["low"].notna() & found["high"].notna()).tolist() == [has_interval] * 6


def test_groups_that_say_the_same_leave_no_doubt(tmp_path):
    """Every group holds the same ten images: any half of them is the whole."""
    ten, value = made(10, values=2)
    head, value = ten.repeat_interleave(GROUPS, dim=0), value.repeat_interleave(GROUPS)

    found = rows_of(written(tmp_path, head), known(color=value.tolist()), spaces_of(head))

    assert (found["high"] - found["low"]).max() < 1e-9
    assert found["low"].tolist() == pytest.approx(found["value"].tolist(), abs=1e-9)


def test_a_head_that_always_writes_the_same_goes_with_nothing(tmp_path):
    head, value = made(700, layers=1, heads=2)
    head[:, 0, 0] = tensor([5.0, -2.0, 0.25, 1.0])

    found = rows_of(written(tmp_path, head), known(color=value.tolist()), spaces_of(head))

    assert found[["value", "low", "high"]].iloc[0].tolist() == [0.0, 0.0, 0.0]


def test_intervals_are_the_same_from_one_seed_and_do_not_depend_on_the_files(tmp_path):
    head, value = made(700)

    def ends(name, **options):
        shards = written(tmp_path / name, head, options.pop("size", None))
        found = rows_of(shards, known(color=value.tolist()), spaces_of(head), **options)
        return found[["low", "high"]].to_numpy(dtype=float)

    assert ends("again", size=64) == pytest.approx(ends("once"), abs=1e-9)
    assert abs(ends("other", seed=1) - ends("once")).max() > 1e-6


def test_intervals_cover_the_true_value_in_about_95_of_100_draws(tmp_path):
    """
    Three values as likely, means √.3 apart along three axes, noise of variance 1 in each of three: between
    them .3 · 2/3 = .1 x 2 of the variance, within 3. The truth is .2 / 3.2. 240 heads in four image sets.
    """
    between, heads, held = 0.3 * 2 / 3, 60, []
    truth = between / (between + 3)
    for draw in range(4):
        generator = torch.Generator().manual_seed(draw)
        value = torch.randint(3, (1280,), generator=generator)
        center = 0.3**0.5 * torch.eye(3)[value]
        head = center[:, None, None] + torch.randn(1280, 1, heads, 3, generator=generator)
        shards = written(tmp_path / str(draw), head)
        found = rows_of(shards, known(color=value.tolist()), spaces_of(head))
        held += ((found["low"] <= truth) & (truth <= found["high"])).tolist()

    assert 0.90 <= sum(held) / len(held) <= 0.99  # two standard deviations are .03
