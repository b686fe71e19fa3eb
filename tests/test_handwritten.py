"""The C++ rasterizer that `bench --only cpp` races: it must draw the same picture, or the race says nothing."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from gaussian_core.benchmarks import handwritten
from gaussian_core.benchmarks.frames import centred, synthetic_field
from gaussian_core.benchmarks.handwritten import HandWritten
from gaussian_core.errors import UserError
from gaussian_core.field import GaussianField
from gaussian_core.rasterizer import rasterize
from gaussian_core.viewport import Viewport


def by_hand(tmp_path):
    try:
        return HandWritten(tmp_path)
    except UserError as error:
        pytest.skip(str(error))


def test_both_draw_the_same_picture(tmp_path):
    kernel = by_hand(tmp_path)
    field = synthetic_field(40, 52)
    moved = GaussianField(
        field.means + np.float32(7), field.covariances, field.amplitudes, (47, 59)
    )
    views = [centred(field, zoom, (333, 141)) for zoom in (1.0, 1.5, 2.4, 6.0, 30.0, 300.0)]
    views += [Viewport((-3.3, 30.2), 3.0, (300, 200)), Viewport((200.0, 0.0), 2.0, (64, 40))]
    for made in (field, moved):
        for view in views:
            theirs = np.zeros((view.size[1], view.size[0], 4), np.uint8)
            kernel.draw(made, view, theirs)
            ours = rasterize(made, view, format="bgrx8", backend="cpu")
            off = np.abs(ours[..., :3].astype(int) - theirs[..., :3])
            # Each leaves out what lies beyond its reach, and ours rounds on coarser lattices.
            assert off.max() <= 3 and off.mean() < 0.6, view


def test_what_is_missing_for_the_race_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(handwritten, "_check_processor", lambda: None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(UserError, match="needs a compiler"):
        HandWritten(tmp_path)
