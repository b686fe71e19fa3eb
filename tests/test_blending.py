"""The mean of two sets of weights."""

from __future__ import annotations

from dataclasses import replace

import pytest
import safetensors

from gaussian_core.errors import OutputError, WeightsError

torch = pytest.importorskip("torch")

from gaussian_core.models.card import read_card  # noqa: E402
from gaussian_core.models.config import ModelConfig  # noqa: E402
from gaussian_core.models.continuoussr import ContinuousSR  # noqa: E402
from gaussian_core.models.weights import load_model, save_model  # noqa: E402
from gaussian_core.training.blending import blend  # noqa: E402

SMALL = ModelConfig(channels=8, blocks=1, hidden=16)


def saved(path, config, seed):
    torch.manual_seed(seed)
    model = ContinuousSR(config)
    save_model(path, model, config)
    return model


def test_every_weight_lies_between(tmp_path):
    before = saved(tmp_path / "before.safetensors", SMALL, 1)
    taught = replace(SMALL, steps=9, teacher="base", figures={"Set5 x2": 37.0})
    after = saved(tmp_path / "after.safetensors", taught, 2)
    blend(
        tmp_path / "before.safetensors", tmp_path / "after.safetensors", 0.7, tmp_path / "made.st"
    )
    made = load_model(tmp_path / "made.st")
    for mine, a, b in zip(made.parameters(), before.parameters(), after.parameters(), strict=True):
        torch.testing.assert_close(mine, 0.3 * a + 0.7 * b)
    assert read_card(tmp_path / "made.st").config == replace(taught, figures={})


def test_a_full_disk_is_said_in_one_line(tmp_path, monkeypatch):
    def full(*_, **__):
        raise safetensors.SafetensorError("I/O error: No space left on device (os error 28)")

    before, after = tmp_path / "before.safetensors", tmp_path / "after.safetensors"
    saved(before, SMALL, 1)
    saved(after, SMALL, 2)
    monkeypatch.setattr("safetensors.numpy.save_file", full)
    with pytest.raises(OutputError, match=r"made\.st: .*No space left on device"):
        blend(before, after, 0.5, tmp_path / "made.st")
    assert sorted(tmp_path.iterdir()) == [after, before]


@pytest.mark.parametrize("change", [{"channels": 16}, {"blocks": 2}])
def test_weights_of_another_network_are_refused(tmp_path, change):
    saved(tmp_path / "before.safetensors", SMALL, 1)
    saved(tmp_path / "after.safetensors", replace(SMALL, **change), 2)
    with pytest.raises(WeightsError, match="of different networks"):
        blend(tmp_path / "before.safetensors", tmp_path / "after.safetensors", 0.5, tmp_path / "m")
    assert not (tmp_path / "m").exists()
