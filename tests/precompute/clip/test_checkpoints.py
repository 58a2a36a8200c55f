"""Files of weights are read without running code; weights that do not fit are refused."""

import hashlib
from pathlib import Path

import pytest
import torch

from precompute import clip
from precompute.inputs.model_specs import ModelError
from tests.support.towers import resolved, saved, small_model


def test_the_same_weights_are_known_in_any_container(config, tmp_path):
    state = {key: value.half() for key, value in small_model().state_dict().items()}
    files = {
        "half.safetensors": state,
        "float.safetensors": {key: value.float() for key, value in state.items()},
        "plain.pt": state,
        "training.pt": {"epoch": 3, "state_dict": {f"module.{key}": state[key] for key in state}},
        "one_axis.pt": state | {"logit_scale": state["logit_scale"].reshape(1)},
        "extra.pt": state | {"context_length": torch.tensor(12), "attn_mask": torch.zeros(3)},
    }

    hashes = {
        clip.load(resolved(config, saved(tmp_path / name, content))).weights_sha256
        for name, content in files.items()
    }

    assert len(hashes) == 1


def test_weights_that_do_not_fit_are_refused_with_both_shapes(config, tmp_path):
    state = small_model().state_dict()
    state["visual.proj"] = torch.zeros(24, 21)
    del state["logit_scale"]
    state["visual.extra"] = torch.zeros(1)

    with pytest.raises(ModelError) as error:
        clip.load(resolved(config, saved(tmp_path / "other.pt", state)))

    message = str(error.value)
    assert "visual.proj has shape [24, 21], the model wants [24, 20]" in message
    assert "logit_scale is missing" in message
    assert "visual.extra has no place in the model" in message
    assert "Name the architecture" in message


def test_a_long_list_of_misfits_is_cut(config, tmp_path):
    tower = {key: value for key, value in small_model().state_dict().items() if key.startswith("visual.")}

    with pytest.raises(ModelError, match="and [0-9]+ more"):
        clip.load(resolved(config, saved(tmp_path / "tower.pt", tower)))


def test_a_file_without_tensors_is_refused(config, tmp_path):
    with pytest.raises(ModelError, match="empty.pt holds no tensors"):
        clip.load(resolved(config, saved(tmp_path / "empty.pt", {})))


def test_weights_that_are_not_numbers_are_refused(config, tmp_path):
    state = small_model().state_dict()
    state["visual.proj"][3, 3] = torch.nan

    with pytest.raises(ModelError, match="visual.proj"):
        clip.load(resolved(config, saved(tmp_path / "broken.safetensors", state)))


def test_a_file_that_is_not_there_is_named(config):
    with pytest.raises(ModelError, match="nowhere.pt"):
        clip.load(resolved(config, Path("nowhere.pt")))


@pytest.mark.parametrize("name", ["torn.safetensors", "torn.pt"])
def test_a_file_that_is_no_weights_is_refused(name, config, tmp_path):
    file = tmp_path / name
    file.write_bytes(b"not weights at all")

    with pytest.raises(ModelError, match=name):
        clip.load(resolved(config, file))


@pytest.mark.parametrize("content", [b"", b"PK not a zip", b"hello", bytes(300)])
def test_a_damaged_file_is_not_answered_with_advice_to_load_it_unsafely(content, config, tmp_path):
    file = tmp_path / "torn.pt"
    file.write_bytes(content)

    with pytest.raises(ModelError, match="torn.pt is (empty|damaged).*Get the file again") as error:
        clip.load(resolved(config, file))
    assert "weights_only" not in str(error.value)


def test_sparse_tensors_are_read(config, tmp_path):
    state = small_model().state_dict()
    whole = clip.load(resolved(config, saved(tmp_path / "whole.pt", state)))
    state["visual.proj"] = state["visual.proj"].to_sparse()

    sparse = clip.load(resolved(config, saved(tmp_path / "sparse.pt", state)))

    assert sparse.weights_sha256 == whole.weights_sha256


@pytest.mark.parametrize(
    "change, message",
    [
        (torch.zeros_like, "zeros alone in visual.proj"),
        (lambda t: t.to("meta"), "no numbers for visual.proj"),
    ],
)
def test_weights_without_content_are_refused(change, message, config, tmp_path):
    state = small_model().state_dict()
    state["visual.proj"] = change(state["visual.proj"])

    with pytest.raises(ModelError, match=message):
        clip.load(resolved(config, saved(tmp_path / "hollow.pt", state)))


def test_a_file_that_holds_one_tensor_is_refused(config, tmp_path):
    with pytest.raises(ModelError, match="one.pt holds a Tensor"):
        clip.load(resolved(config, saved(tmp_path / "one.pt", torch.zeros(3))))


def test_a_file_that_would_run_code_is_refused(config, tmp_path):
    file = tmp_path / "code.pt"
    torch.save({"state_dict": Path("a pickled object")}, file)

    with pytest.raises(ModelError, match="code.pt.*safetensors"):
        clip.load(resolved(config, file))


@pytest.fixture
def program(tmp_path):
    """A TorchScript archive, as OpenAI published its weights."""
    file = tmp_path / "program.pt"
    torch.jit.trace(small_model().visual.eval(), torch.zeros(1, 3, 32, 32)).save(file)
    return file


def test_a_program_is_not_opened(program, config):
    with pytest.raises(ModelError, match="TorchScript.*torch.save"):
        clip.load(resolved(config, program))


def test_a_program_is_opened_if_it_is_the_published_one(program):
    state = clip.checkpoints.read(program, trusted_sha256=hashlib.sha256(program.read_bytes()).hexdigest())

    assert torch.equal(state["proj"], small_model().visual.proj)
