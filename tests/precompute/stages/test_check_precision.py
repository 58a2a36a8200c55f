"""Results do not depend on the hardware: which changes by rounding are allowed, and how they are reported."""

import shutil
from dataclasses import replace

import pytest
import torch

from db.bundle import main as look
from db.connection import open_bundle, query
from precompute import clip, demo
from precompute.__main__ import main
from precompute.demo.world.pool import POOL_PATH
from precompute.inputs import images, model_specs
from precompute.inputs.model_specs import ModelError
from precompute.method import decomposition, moments, textspan
from precompute.method.types import HeadSpaces, TextSpan
from precompute.pipeline import run as pipeline_run
from precompute.pipeline import setup
from precompute.runtime import work_files
from precompute.runtime.config import ModelChoice
from precompute.stages import check_precision
from precompute.stages.check_precision import PrecisionReport
from precompute.tools.verify_paper import float64_reference
from tests.conftest import CONTROL, small_config
from tests.support.towers import small_clip, some_pixels

SURE = 1e-5
"""Picks with a larger margin are the same on any machine."""

GOOD = PrecisionReport(40, 1e-3, 0.01, 0.99, 0.8, 0.98, 0.7)


@pytest.fixture(scope="module")
def made(scene_folder, tmp_path_factory):
    """Make a bundle of the demo model over a pool of many near ties, on so many threads."""
    folder = tmp_path_factory.mktemp("precision")

    def make(name: str, threads: int, **changes):
        model = (ModelChoice(demo.MODEL_NAME),)
        same = {"models": model, "picks": 20, "replicates": 0, "metadata": None, "layers": 1}
        config = small_config(scene_folder, POOL_PATH, folder / name, **(same | changes))
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            return open_bundle(pipeline_run.run(config))
        finally:
            torch.set_num_threads(before)

    return make


@pytest.fixture(scope="module")
def plain(made):
    """Batches of 32, one thread."""
    return made("plain", 1, batch_size=32)


@pytest.fixture(scope="module")
def rough(made):
    return made("rough", 1, precision="bf16")


def sure_picks(bundle) -> dict[tuple[int, int], list[str]]:
    """Of every head, the texts chosen before the first narrow choice."""
    rows = query(bundle, "select * from head_text order by layer, head, position")
    found = {}
    for head, mine in rows.groupby(["layer", "head"]):
        sure = (mine["margin"] > SURE).cumprod().astype(bool)
        found[head] = mine["text_id"][sure].tolist()
    return found


def picks(bundle) -> dict[tuple[int, int], list[str]]:
    rows = query(bundle, "select * from head_text order by layer, head, position")
    return {head: mine["text_id"].tolist() for head, mine in rows.groupby(["layer", "head"])}


def assert_sure_picks_are_kept(bundle, other: dict[tuple[int, int], list[str]]) -> None:
    sure = sure_picks(bundle)
    assert sum(map(len, sure.values())) > 5 * len(sure), "too few sure picks to compare"
    assert {head: other[head][: len(texts)] for head, texts in sure.items()} == sure


@pytest.mark.parametrize(("threads", "batch"), [(1, 1), pytest.param(2, 7, marks=pytest.mark.slow)])
def test_batches_and_threads_change_no_sure_pick(made, plain, threads, batch):
    other = made(f"batches of {batch}", threads, batch_size=batch)

    assert_sure_picks_are_kept(plain, picks(other))


def test_float32_changes_no_sure_pick_of_float64(plain, scene_folder):
    model = float64_reference.in_double(clip.load(model_specs.resolve(demo.MODEL_NAME, clip.catalog())))
    spaces = decomposition.head_spaces(clip.vision_weights(model), clip.last_layers(model, 1))
    text = query(plain, "select * from text order by position")
    pixels = torch.stack([model.preprocess(images.read(file)) for file in sorted(scene_folder.glob("*.png"))])

    head = float64_reference.coordinates(model, spaces, [pixels])
    seen = moments.pooled(moments.from_coordinates(head, torch.zeros(len(head), dtype=torch.int64), groups=1))
    embedded = clip.encode_text(
        clip.load(model_specs.resolve(demo.MODEL_NAME, clip.catalog())), text.text.tolist()
    )
    spans = textspan.textspan_heads(seen.covariance.flatten(0, 1), embedded, spaces.basis.flatten(0, 1), k=20)

    places = [(layer, number) for layer in spaces.layers for number in range(model.heads)]
    exact = {
        place: text.text_id[span.text_index.numpy()].tolist()
        for place, span in zip(places, spans, strict=True)
    }
    assert_sure_picks_are_kept(plain, exact)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_in_bf16_contributions_sum_to_the_embedding_as_closely_as_in_float32(count):
    model = replace(small_clip(), precision="bf16")
    weights, layers = clip.vision_weights(model), clip.last_layers(model, count)
    plan = decomposition.plan(weights, decomposition.head_spaces(weights, layers))
    pixels = some_pixels(model)

    captured = clip.capture(model, pixels, layers)
    parts, earlier = decomposition.decompose(plan, captured), decomposition.earlier(plan, captured)

    exact = decomposition.decompose(plan, clip.capture(model.exact, pixels, layers))
    assert float(parts.sum_error.max()) < 1e-6
    torch.testing.assert_close(earlier.sum(dim=1), parts.early, atol=1e-6, rtol=0)
    assert {tensor.dtype for tensor in (*captured, *parts)} == {torch.float32}
    assert 1e-4 < float((parts.embedding - exact.embedding).norm(dim=-1).max()) < 0.1


def test_in_bf16_token_coordinates_sum_to_those_of_the_head():
    model = replace(small_clip(), precision="bf16")
    weights, layers = clip.vision_weights(model), clip.last_layers(model, 2)
    plan = decomposition.plan(weights, decomposition.head_spaces(weights, layers))

    parts, token = decomposition.decompose_tokens(
        plan, clip.capture_tokens(model, some_pixels(model), layers)
    )

    torch.testing.assert_close(token.sum(dim=3), parts.head, atol=1e-6, rtol=0)


def test_what_a_precision_changes_is_stored_for_the_precision_used(plain, rough):
    exact, found = (query(bundle, "select * from model").iloc[0] for bundle in (plain, rough))

    assert (exact.precision, found.precision) == ("float32", "bf16")
    assert exact[list(PrecisionReport._fields)].isna().all()
    assert found.max_sum_error < 1e-6
    assert found.precision_images == 40
    assert 1e-4 < found.embedding_difference < 0.05
    assert 1e-4 < found.head_difference < 0.05
    assert check_precision.MIN_OVERLAP <= found.overlap_5 <= 1 and found.min_overlap_5 <= found.overlap_5
    assert check_precision.MIN_OVERLAP <= found.overlap_10 <= 1 and found.min_overlap_10 <= found.overlap_10


def test_the_overlap_that_is_stored_is_that_of_the_bundles_themselves(plain, rough):
    """The sample is all 40 images here, so both bundles hold what it was computed from."""
    expected, found = picks(plain), picks(rough)
    shares = [len({*expected[head][:10]} & {*found[head][:10]}) / 10 for head in expected]

    stored = query(rough, "select * from model").iloc[0]
    assert stored.overlap_10 == pytest.approx(sum(shares) / len(shares))
    assert stored.min_overlap_10 == pytest.approx(min(shares))


def test_show_says_what_is_not_in_float32(plain, rough, capsys):
    assert [look(["show", str(bundle.path)]) for bundle in (plain, rough)] == [0, 0]

    exact, said = capsys.readouterr().out.split("input_id")[1:]
    assert "bf16" not in exact
    assert ", in bf16 (" in said and " texts as in float32)" in said


def test_a_precision_never_meets_results_of_another(plain, rough):
    names = {
        folder.name
        for bundle in (plain, rough)
        for folder in setup.work_directory(bundle.path).glob("model-*")
    }

    assert plain.manifest["input_id"] != rough.manifest["input_id"]
    assert len(names) == 2


def test_a_sample_that_says_no_is_kept_and_refuses_every_time(made, rough):
    shutil.copytree(setup.work_directory(rough.path), setup.work_directory(rough.path.with_name("no")))
    [kept] = setup.work_directory(rough.path.with_name("no")).glob("model-*/rounding-*.parquet")
    work_files.save_table(kept, work_files.load_table(kept).assign(overlap_5=0.85))

    with pytest.raises(ModelError) as error:
        made("no", 1, precision="bf16")

    assert f"{demo.MODEL_NAME}: in bf16 only 85.0% of the first 5 texts" in str(error.value)
    assert "less than 90% is refused. Give --precision float32." in str(error.value)


@pytest.mark.parametrize("wrong", [{"overlap_5": 0.89}, {"overlap_10": 0.89}, {"overlap_5": float("nan")}])
def test_too_little_overlap_is_refused(wrong):
    model = replace(small_clip(), precision="bf16")
    check_precision.check(model, GOOD)

    with pytest.raises(ModelError, match="Give --precision float32"):
        check_precision.check(model, GOOD._replace(**wrong))


def span_of(*texts: int) -> TextSpan:
    share = torch.full((len(texts),), 0.1)
    return TextSpan(torch.tensor(texts, dtype=torch.int64), share, share.cumsum(0), share)


def test_overlap_counts_the_texts_of_float32_in_any_order():
    expected = [span_of(0, 1, 2, 3, 4), span_of(5, 6), span_of()]
    found = [span_of(4, 3, 2, 1, 9), span_of(6, 5, 7), span_of(1)]

    assert check_precision.overlap(expected, found, 5) == (pytest.approx(0.9), 0.8)
    assert check_precision.overlap(expected[1:2], [span_of(6, 7, 5)], 2) == (0.5, 0.5)
    assert check_precision.overlap([span_of()], [span_of()], 5) == (1.0, 1.0)


def test_differences_are_told_in_units_of_what_they_change():
    """One head that varies by 2 along its first axis and is off by 0.1 along its second."""
    exact = torch.tensor([[2.0, 0.0], [-2.0, 0.0]])[:, None, None]
    low = exact + torch.tensor([0.0, 0.1])
    embedding = torch.eye(2)
    both = check_precision._Both(low, exact, embedding + 0.003 * torch.eye(2)[0], embedding)
    spaces = HeadSpaces((0,), torch.eye(2)[None, None], torch.tensor([[2]]))

    found = check_precision.compare(both, spaces, torch.eye(2))

    assert found.precision_images == 2
    assert found.embedding_difference == pytest.approx(0.003, rel=1e-4)
    assert found.head_difference == pytest.approx(0.05)
    assert found[3:] == (1, 1, 1, 1)


def test_the_command_line_refuses_a_precision_before_any_work(scene_folder, pool_file, tmp_path, capsys):
    places = ["--images", str(scene_folder), "--texts", str(pool_file), "--bundle", str(tmp_path / "b")]

    code = main(["run", "--model", CONTROL, *places, "--device", "cpu", "--precision", "tf32"])

    assert code == 1
    assert "error: --precision tf32" in capsys.readouterr().err
    assert not setup.work_directory(tmp_path / "b").exists()
