"""The precision of matrix products is restored after use."""

import pytest
import torch

from precompute.clip.precision import products


def test_tf32_is_on_where_it_is_asked_for_and_off_after_an_error():
    switches = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [switch.allow_tf32 for switch in switches]

    with pytest.raises(KeyError), products("tf32", torch.device("cuda")):
        assert all(switch.allow_tf32 for switch in switches)
        raise KeyError

    assert [switch.allow_tf32 for switch in switches] == before
