"""Crops that are made worse before a network sees them: as a camera and lossy files give pictures back."""

from __future__ import annotations

import numpy as np
import pytest

from gaussian_core.models.card import read_card
from gaussian_core.training.camera import STRENGTHS, through_camera
from gaussian_core.training.lossy_files import through_jpeg, through_webp
from tests.test_lossy_files import photograph


class Crops:
    """The same two crops, whatever the number."""

    def __init__(self, side):
        import torch

        from gaussian_core.training.dataset import Batch, floats

        pixels = np.asarray(photograph(side))
        low = torch.stack([floats(pixels), floats(pixels[::-1])])
        places = torch.zeros(2, 2, 3, 3)
        self.batch = Batch(low, places, torch.rand(2, 3, 3, 3), torch.tensor([0.5, 0.25]))

    def draw(self, number):
        return self.batch


@pytest.mark.parametrize("degrade", [through_jpeg, through_webp, through_camera])
@pytest.mark.parametrize("side", [16, 37, 44])
def test_crops_come_worse_and_are_asked_for_what_was_before(side, degrade):
    torch = pytest.importorskip("torch")
    from gaussian_core.training.degradation import Degraded

    crops = Crops(side)
    worse = Degraded(crops, 1.0, degrade, 5, seed=3)
    batch, again, other = worse.draw(5), worse.draw(5), worse.draw(6)
    assert torch.equal(batch.low, again.low) and not torch.equal(batch.low, other.low)
    assert batch.low.shape == crops.batch.low.shape and batch.low.dtype == torch.float32
    for name in ("positions", "colours", "cell"):
        assert torch.equal(getattr(batch, name), getattr(crops.batch, name))
    apart = (batch.low - crops.batch.low).abs().mean((1, 2, 3))
    assert (apart < 0.1).all(), "the same picture"
    # A camera may well do nothing to one.
    assert (apart > 0).all() or (degrade is through_camera and (apart > 0).any())
    assert torch.equal(Degraded(crops, 0.0, degrade, 5).draw(5).low, crops.batch.low)


@pytest.mark.parametrize("through", [through_jpeg, through_webp])
def test_blocks_begin_anywhere_and_steps_are_of_all_sizes(through):
    pixels = np.asarray(photograph(48))
    apart = [
        np.abs(through(pixels, np.random.default_rng(i)).astype(int) - pixels).mean()
        for i in range(60)
    ]
    assert min(apart) < 2.5 < 4 < max(apart)


def test_a_jpegs_blocks_begin_in_every_column():
    # A ramp is cut into steps where a block begins: over many files those are in every column.
    ramp = np.repeat(np.linspace(60, 200, 48).astype(np.uint8)[None, :, None], 48, 0).repeat(3, 2)
    jumps = np.zeros(47)
    for i in range(200):
        row = through_jpeg(ramp, np.random.default_rng(i))[..., 1].astype(float).mean(0)
        jumps += np.abs(np.diff(row) - np.diff(ramp[0, :, 1].astype(float)))
    inner = jumps[8:-8]
    phases = [inner[k::8].mean() for k in range(8)]
    assert max(phases) < 1.5 * min(phases)


def test_a_cameras_noise_is_of_all_strengths_kinds_and_never_a_shade():
    """On a flat grey: its strength, how far it reaches, how much of it is colour, and that on average it is none."""
    grey = np.full((64, 64, 3), 128, np.uint8)
    strengths, reaches, colours, shades = [], [], [], []
    for i in range(300):
        noise = through_camera(grey, np.random.default_rng(i)).astype(float) - 128
        strength = noise.std()
        if strength < 0.3:
            continue
        strengths.append(strength)
        reaches.append((noise[:, 1:] * noise[:, :-1]).mean() / noise.var())
        colours.append((noise - noise.mean(-1, keepdims=True)).std() / strength)
        shades.append(noise.mean())
    assert 0.5 < len(strengths) / 300 < 0.9, "some pictures are without"
    assert min(strengths) < 1.5 * STRENGTHS[0] and max(strengths) > 0.7 * STRENGTHS[1]
    assert min(reaches) < 0.05 and max(reaches) > 0.5
    assert min(colours) < 0.35 and max(colours) > 0.75
    assert np.abs(shades).max() < 1.5


def test_noise_of_light_is_stronger_in_the_dark():
    """Its levels are; half of the pictures have it, the others the same noise everywhere."""
    halves = np.repeat(np.uint8([40, 200]), 48)[None, :, None].repeat(96, 0).repeat(3, 2)
    ratios = []
    for i in range(200):
        got = through_camera(halves, np.random.default_rng(i)).astype(float)
        dark, bright = got[:, :40].std(), got[:, -40:].std()
        if bright > 1:
            ratios.append(dark / bright)
    assert sum(0.9 < r < 1.1 for r in ratios) > len(ratios) / 4
    assert sum(r > 1.3 for r in ratios) > len(ratios) / 4


@pytest.mark.parametrize("kind", ["jpeg", "webp", "camera"])
def test_a_training_with_such_crops_runs_and_says_what_it_cannot(tmp_path, capsys, kind):
    pytest.importorskip("torch")
    from viewer.cli import main

    folder = tmp_path / "pictures"
    folder.mkdir()
    photograph(96).save(folder / "a.png")
    words = ["train", str(folder), "--out", str(tmp_path / "out"), "--steps", "2", "--batch", "1"]
    words += ["--patch", "16", "--channels", "4", "--blocks", "1", "--device", "cpu"]
    assert main([*words, f"--{kind}", "1.5"]) != 0
    assert f"--{kind} must be between 0 and 1" in capsys.readouterr().err
    assert main([*words, f"--{kind}", "0.5"]) == 0
    assert read_card(tmp_path / "out" / "continuoussr-light.safetensors").config.restores
