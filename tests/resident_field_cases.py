"""Fields that stay on the device, drawn there by the kernel. test_cuda_rasterizer.py runs this in another process."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import torch

from gaussian_core import correction
from gaussian_core.errors import Cancelled
from gaussian_core.field import GaussianField
from gaussian_core.models.device_index import bin_tiles, grid_rows
from gaussian_core.rasterizer import cuda, cuda_fields, cuda_kernel, rasterize
from gaussian_core.rasterizer.cuda_device import drawing_device
from gaussian_core.resident_field import ResidentField
from gaussian_core.viewport import Viewport
from tests.cuda_blocks import larger_blocks  # noqa: F401
from tests.test_device_build import rows_of

pytestmark = pytest.mark.usefixtures("larger_blocks")

DEVICE = "cpu" if cuda_kernel.INTERPRETED else "cuda"


def fields():
    """The same Gaussians on the device, in two tiles and what is around them, and on the host, in one."""
    rows = rows_of(10, 8, 2, 0.5, variance=(0.05, 0.4))
    made = bin_tiles(
        torch.from_numpy(rows).to(DEVICE), (3, -2, 13, 6), [(4, -1, 8, 5), (8, -1, 12, 5)], 2, 0.5
    )
    assert made is not None
    padded = np.concatenate([rows, np.zeros((8, 16), np.float32)], 1)
    host = GaussianField.from_rows(padded, (9, 14))
    return [ResidentField(part, (9, 14)) for part in made], host


def test_rows_on_the_device_are_drawn_where_they_are():
    parts, host = fields()
    view = Viewport((4.3, 0.2), 2.5, (15, 9))
    shown = rasterize(parts, view, backend="cuda")
    np.testing.assert_allclose(shown, rasterize(host, view, backend="reference"), atol=2e-3)
    store = cuda_fields.store(drawing_device())
    assert not any(part.is_on_host for part in parts)
    # Nothing of them counts as the store's, and the same entry serves every frame.
    assert len(store) == 0 and store.nbytes == 0
    assert store.get(parts[0]) is store.get(parts[0])


def test_what_has_left_the_device_is_uploaded_like_any_other():
    parts, host = fields()
    for part in parts:
        part.leave_device()
    view = Viewport((4.3, 0.2), 2.5, (15, 9))
    shown = rasterize(parts, view, backend="cuda")
    np.testing.assert_allclose(shown, rasterize(host, view, backend="reference"), atol=2e-3)


def test_what_a_frame_reads_is_held_until_it_is_done(monkeypatch):
    """Also where the field leaves the device meanwhile, and where the frame is stopped once it runs there."""
    parts, _ = fields()
    rows = [weakref.ref(part.device_rows.values) for part in parts]
    device = drawing_device()
    asked = []

    def stop():
        asked.append(True)
        if len(asked) == 1:  # nothing runs there yet
            return False
        for part in parts:
            part.leave_device()
        gc.collect()
        return True

    held = []
    monkeypatch.setattr(device, "finish", lambda: held.append([r() is not None for r in rows]))
    with pytest.raises(Cancelled):
        rasterize(parts, Viewport((4.3, 0.2), 2.5, (15, 9)), backend="cuda", stop=stop)
    assert held == [[True] * len(parts)]
    gc.collect()
    assert all(r() is None for r in rows), "and no longer"


def test_a_correction_on_the_device_is_drawn_where_it_is():
    amplitudes = np.random.default_rng(1).normal(0, 0.1, (5, 7, 3)).astype(np.float32)
    planes = torch.from_numpy(amplitudes.transpose(2, 0, 1)).to(DEVICE)
    (lent,) = grid_rows(planes, 4, 1, [(4, 1, 11, 6)], correction.SIGMA**2)
    host = GaussianField.from_rows(correction.make_rows(amplitudes, 4, 1), (9, 14))
    view = Viewport((4, 1), 1.0, (7, 5))
    shown = rasterize(ResidentField(lent, (9, 14)), view, backend="cuda")
    np.testing.assert_allclose(shown, rasterize(host, view, backend="reference"), atol=1e-4)


def test_for_the_builder_the_frame_stays_on_the_device():
    parts, host = fields()
    view = Viewport((4, 0), 1.0, (8, 5))
    frame = cuda.draw_for_builder(parts, view, 0.3)
    assert frame.device.type == DEVICE and frame.dtype == torch.float32
    np.testing.assert_allclose(
        frame.cpu().numpy(), rasterize(host, view, backend="reference"), atol=2e-3
    )
