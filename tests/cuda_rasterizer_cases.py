"""The CUDA rasterizer against the float64 reference.

test_cuda_rasterizer.py runs this file in a process of its own, on a GPU where there is one, else with
TRITON_INTERPRET=1, which must be set before Triton is imported for the first time.
"""

from __future__ import annotations

import gc
import threading
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from gaussian_core import rasterizer
from gaussian_core.display import to_bgrx
from gaussian_core.errors import Cancelled, DeviceError
from gaussian_core.field import GaussianField
from gaussian_core.lattice import lattice_corner
from gaussian_core.rasterizer import (
    cuda,
    cuda_device,
    cuda_fields,
    cuda_kernel,
    cuda_use,
    rasterize,
    warm,
)
from gaussian_core.row_layout import SPAN
from gaussian_core.viewport import Viewport
from tests.cuda_blocks import larger_blocks  # noqa: F401
from tests.fields import dense_field, random_field

SCALES = [0.05, 0.7, 1.0, (1.5, 3.7), 4.0, 16.0, (64.0, 20.0), 300.0]


def draw(field, viewport, **options):
    return rasterize(field, viewport, backend="cuda", **options)


def agree(field, viewport, **options):
    """Like the reference within a quarter of a level of 255."""
    slow = rasterize(field, viewport, backend="reference", **options)
    fast = draw(field, viewport, **options)
    assert fast.dtype == np.float32 and fast.shape == slow.shape
    np.testing.assert_allclose(fast, slow, atol=1e-3)
    return fast


@pytest.mark.usefixtures("larger_blocks")
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(
    ("channels", "sigma", "correlation"),
    [(1, (0.1, 2.0), 0.6), (3, (0.01, 50.0), 0.99), (4, (0.3, 5.0), 0.99999)],
)
def test_agrees_with_the_reference(scale, channels, sigma, correlation):
    field = random_field(40, channels, sigma=sigma, correlation=correlation, seed=channels)
    agree(field, Viewport((3.3, 7.77), scale, (33, 13)))


@pytest.mark.parametrize(("scale", "channels"), [(1.0, 3), (5.3, 4), (90.0, 1)])
def test_the_blocks_that_ship_agree_too(scale, channels):
    field = random_field(40, channels, seed=channels)
    agree(field, Viewport((3.3, 7.77), scale, (19, 5)))


@pytest.mark.usefixtures("larger_blocks")
@pytest.mark.parametrize(("origin", "size"), [((-5.3, -7.7), (31, 40)), ((11.1, 9.2), (1, 1))])
def test_edges_and_single_pixels_agree(origin, size):
    agree(random_field(40), Viewport(origin, 2.5, size))


@pytest.mark.usefixtures("larger_blocks")
@pytest.mark.parametrize("channels", [2, 5, 8])
def test_other_numbers_of_channels_agree(channels):
    agree(random_field(40, channels), Viewport((2, 3), 3.0, (37, 15)))


@pytest.mark.usefixtures("larger_blocks")
@pytest.mark.parametrize("pixel_sigma", [0.0, 1.0])
def test_any_footprint_agrees(pixel_sigma):
    agree(dense_field(8, 8), Viewport((2.4, 3.3), 3.0, (21, 11)), pixel_sigma=pixel_sigma)


@pytest.mark.usefixtures("larger_blocks")
def test_the_cut_edge_does_not_show():
    """No ring and no seam between blocks: twenty times the difference stays under five levels of 255."""
    field = GaussianField([[8.0, 8.0]], [[1.0, 0.5, 0.8]], [[1.0, 0.7, 0.4]], (16, 16))
    view = Viewport((2.0, 2.0), 10.0, (120, 120))
    difference = draw(field, view) - rasterize(field, view, backend="reference")
    assert np.abs(difference).max() * 20 * 255 < 5


def test_a_tiny_and_a_huge_gaussian_are_right():
    for variance, amplitude in ((1e-6, 1000.0), (1e12, 0.5)):
        field = GaussianField([[4.5, 4.5]], [[variance, 0, variance]], [[amplitude]], (9, 9))
        agree(field, Viewport((3.2, 3.1), 2.0, (8, 4)))


@pytest.mark.usefixtures("larger_blocks")
def test_far_from_the_origin_positions_are_as_sharp():
    near = random_field(30)
    shift = (65536.0, 32768.0)  # float32 positions keep enough bits for the tolerance there
    far = GaussianField(near.means + shift, near.covariances, near.amplitudes, (40000, 70000))
    agree(far, Viewport((65540.5, 32771.25), 16.0, (40, 20)))


@pytest.mark.usefixtures("larger_blocks")
@pytest.mark.parametrize("scale", [1.0, 5.3, 300.0, 1e5])
def test_where_origins_change_positions_are_as_sharp(scale):
    """Gaussians of several levels around a place that four origins meet at."""
    near = random_field(120, sigma=(0.1, 3.0))
    corner = np.array([12 * SPAN - 15.0, 3 * SPAN - 10.0])
    middle = corner + np.array([15.01, 10.02])
    far = GaussianField(
        near.means + corner, near.covariances, near.amplitudes, (4 * SPAN, 13 * SPAN)
    )
    assert len({level.origin for level in far.index.levels}) == 4
    size = np.array([24, 12])
    agree(far, Viewport(tuple(middle - size / scale / 2), scale, tuple(size)))


@pytest.mark.parametrize("origin", [(1e5, 0.0), (0.0, -3e6), (-1e300, 1e12)])
def test_outside_the_field_there_is_nothing(origin):
    assert not draw(random_field(), Viewport(origin, 40.0, (9, 5))).any()


def test_an_empty_field_is_black():
    empty = GaussianField(np.zeros((0, 2)), np.zeros((0, 3)), np.zeros((0, 4)), extent=(4, 4))
    view = Viewport((0, 0), 1.0, (5, 5))
    assert not draw(empty, view).any()
    np.testing.assert_array_equal(
        draw(empty, view, format="bgrx8"), rasterize(empty, view, format="bgrx8", backend="cpu")
    )


@pytest.mark.usefixtures("larger_blocks")
def test_many_fields_are_their_sum():
    fields = [random_field(6, seed=seed, sigma=(0.1, 4.0)) for seed in range(12)]
    agree(fields, Viewport((2, 3), 2.5, (61, 31)))


@pytest.mark.usefixtures("larger_blocks")
@pytest.mark.parametrize("scale", [1.0, 1.4, 2.5])
def test_corrections_fade_as_everywhere(scale):
    field = random_field(30)
    field.correction = random_field(30, seed=1)
    agree(field, Viewport((2, 3), scale, (25, 15)))


@pytest.mark.parametrize(("scale", "format"), [(1.0, "float"), ((3.3, 9.0), "bgrx8")])
def test_whole_and_parts_are_the_same_to_the_bit(scale, format):
    field = random_field(60, 4, sigma=(0.05, 3.0), correlation=0.95)
    view = Viewport((11.234567, 9.345678), scale, (21, 5))
    whole = draw(field, view, format=format)
    for left, top, width, height in ((3, 1, 14, 3), (20, 4, 1, 1)):
        part = draw(field, view.part(left, top, width, height), format=format)
        np.testing.assert_array_equal(part, whole[top : top + height, left : left + width])


@pytest.mark.usefixtures("larger_blocks")
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_display_bytes_are_the_rounded_values(channels):
    field = random_field(80, channels, sigma=(0.5, 2.0))
    view = Viewport((-3.3, -1.4), 5.0, (57, 23))
    (lx, _), (ly, _) = lattice_corner(view)
    bytes_ = draw(field, view, format="bgrx8")
    difference = np.abs(bytes_.astype(int) - to_bgrx(draw(field, view), (lx, ly)).astype(int))
    # A value within float rounding of .5 may go either way.
    assert difference.max() <= 1 and (difference > 0).mean() < 1e-3
    assert (bytes_[..., 3] == 255).all()


@pytest.mark.usefixtures("larger_blocks")
def test_the_bench_has_a_row_for_each_frame(monkeypatch):
    from gaussian_core.benchmarks import frames as bench

    monkeypatch.setattr(cuda_use, "use", cuda_use.DeviceUse(usable=lambda: True))
    monkeypatch.setattr(bench, "FRAMES", ((17, 9),))
    monkeypatch.setattr(bench, "ZOOMS", (4.0,))
    monkeypatch.setattr(bench, "synthetic_field", lambda *_: random_field(30))
    drawn, fetched = bench.cuda_rows(1, lambda: None)
    assert "17x9" in drawn.what and "Gflop" in drawn.what and "memory" in fetched.what


def test_out_is_written_and_checked():
    field, view = random_field(), Viewport((5, 5), 8.0, (9, 5))
    out = np.empty((5, 9, 3), np.float32)
    assert draw(field, view, out=out) is out
    np.testing.assert_array_equal(out, draw(field, view))
    with pytest.raises(ValueError, match="out must be"):
        draw(field, view, out=np.empty((5, 9, 4), np.float32))


def test_a_frame_can_be_stopped():
    with pytest.raises(Cancelled):
        draw(random_field(), Viewport((0, 0), 1.0, (9, 9)), stop=lambda: True)


DEVICE = "cpu" if cuda_kernel.INTERPRETED else "cuda"


def test_fields_are_uploaded_once_within_a_budget_and_dropped_with_their_owner():
    fields = [random_field(100, seed=seed) for seed in range(3)]
    size = cuda_fields.upload(fields[0], DEVICE).nbytes
    store = cuda_fields.FieldStore(DEVICE, budget=lambda held: int(2.9 * size))
    first = store.get(fields[0])
    assert store.get(fields[0]) is first
    store.get(fields[1])
    store.get(fields[0])
    store.get(fields[2])  # over the budget: the least recently used, the second, has to go
    assert len(store) == 2 and store.get(fields[0]) is first
    assert store.nbytes == first.nbytes + store.get(fields[2]).nbytes
    del fields[0], first
    gc.collect()
    assert len(store) == 1 and store.nbytes == store.get(fields[1]).nbytes
    store.clear()
    assert len(store) == 0 and store.nbytes == 0


def test_what_is_drawn_once_takes_no_room_of_what_is_drawn_again():
    field, once = random_field(100), random_field(100, seed=1)
    size = cuda_fields.upload(field, DEVICE).nbytes
    store = cuda_fields.FieldStore(DEVICE, budget=lambda held: size)
    kept = store.get(field)
    store.get(once, keep=False)
    assert len(store) == 1 and store.get(field) is kept


def test_a_field_that_is_being_indexed_holds_up_no_other(monkeypatch):
    """A builder's thread has low priority: the frames that are drawn meanwhile must not wait for it."""
    store = cuda_fields.FieldStore(DEVICE, budget=lambda held: 1 << 30)
    slow, shown = random_field(100), random_field(100, seed=1)
    began, go_on = threading.Event(), threading.Event()
    upload = cuda_fields.upload

    def upload_slowly(field, device):
        if field is slow:
            began.set()
            assert go_on.wait(20)
        return upload(field, device)

    monkeypatch.setattr(cuda_fields, "upload", upload_slowly)
    builder = threading.Thread(target=store.get, args=(slow,))
    builder.start()
    try:
        assert began.wait(20)
        drawn = threading.Thread(target=store.get, args=(shown,))
        drawn.start()
        drawn.join(20)
        assert not drawn.is_alive() and len(store) == 1
    finally:
        go_on.set()
        builder.join(20)
    assert len(store) == 2


def test_a_field_may_be_collected_at_any_moment(monkeypatch):
    """Also while the thread that collects it is in the middle of the store."""
    store = cuda_fields.FieldStore(DEVICE, budget=lambda held: 1 << 30)
    fields = [random_field(10, seed=seed) for seed in range(2)]
    for field in fields:
        store.get(field)
    trim = store._trim

    def trim_and_collect(allowed):
        fields.clear()
        gc.collect()
        trim(allowed)

    monkeypatch.setattr(store, "_trim", trim_and_collect)
    del field
    last = random_field(10, seed=2)
    held = store.get(last)
    assert len(store) == 1 and store.nbytes == held.nbytes


def test_fields_leave_a_part_of_the_memory_to_others():
    class Device:
        name = "cuda:1"
        free, total = 600, 1000

        def memory(self):
            return self.free, self.total

    device = Device()
    assert cuda_fields._budget(device, held=100) == 500  # half of the device, where that is free
    device.free = 250
    assert cuda_fields._budget(device, held=100) == 225  # an eighth of the device stays free
    device.free = 50
    assert cuda_fields._budget(device, held=100) == 25  # what another program took is given back


def test_everything_of_a_frame_is_done_in_the_devices_own_stream(monkeypatch):
    """Where it is waited for, and nowhere else: what a network does beside it has a stream of its own."""
    done = []

    class Recorded(cuda_device.DrawingDevice):
        @contextmanager
        def active(self):
            done.append("enter")
            with super().active():
                yield
            done.append("leave")

        def wait(self):
            done.append("wait")
            super().wait()

    device = Recorded(DEVICE if cuda_kernel.INTERPRETED else "cuda:0")
    monkeypatch.setattr(cuda, "_device", lambda: device)
    upload = cuda_fields.upload
    monkeypatch.setattr(cuda_fields, "upload", lambda *a: done.append("upload") or upload(*a))
    cuda.draw_on_device(random_field(), Viewport((0, 0), 1.0, (3, 3)))
    assert done == ["enter", "upload", "wait", "leave"]


def test_the_fields_own_arrays_are_not_changed():
    field = random_field(50)
    rows = field.index.rows.copy()
    draw(field, Viewport((5, 5), 8.0, (3, 3)))
    np.testing.assert_array_equal(field.index.rows, rows)


def fail(message, kind=RuntimeError):
    def draw_nothing(*_):
        raise kind(message)

    return draw_nothing


FULL = fail("CUDA out of memory. Tried to allocate 1 GiB.\nMore lines.", torch.OutOfMemoryError)


def test_a_full_memory_is_given_back_and_tried_again_after_a_while(monkeypatch, caplog):
    caplog.set_level("WARNING")
    field, view = random_field(), Viewport((5, 5), 2.0, (4, 2))
    now = [0.0]
    use = cuda_use.DeviceUse(clock=lambda: now[0], usable=lambda: True)
    monkeypatch.setattr(cuda_use, "use", use)
    draws = []
    real = cuda._draw

    def draw_if(full):
        def either(*arguments):
            draws.append(1)
            return (FULL if full else real)(*arguments)

        return either

    expected = rasterize(field, view, backend="cpu")
    rasterize(field, view)
    store = cuda_fields.store(cuda._device())
    assert len(store) == 1
    monkeypatch.setattr(cuda, "_draw", draw_if(full=True))
    np.testing.assert_array_equal(rasterize(field, view), expected)
    np.testing.assert_array_equal(rasterize(field, view), expected)
    assert len(draws) == 2, "one more try after the memory was given back, then a pause"
    assert len(store) == 0, "what the frames held is there for others while the CPU draws"
    assert rasterizer.last_backend() == "cpu" and "CPU" in cuda.remark()
    now[0] += cuda_use.FIRST_PAUSE
    rasterize(field, view)
    assert len(draws) == 4
    now[0] += cuda_use.FIRST_PAUSE
    rasterize(field, view)
    assert len(draws) == 4, "still full: the next pause is longer"
    now[0] += cuda_use.FIRST_PAUSE
    monkeypatch.setattr(cuda, "_draw", draw_if(full=False))
    np.testing.assert_allclose(rasterize(field, view), expected, atol=2e-3)
    assert rasterizer.last_backend() == "cuda" and cuda.remark() == ""
    assert [r.levelname for r in caplog.records] == ["WARNING"] * 2, "once full, once well again"


@pytest.mark.parametrize(
    "message", ["out of memory", "Triton Error [CUDA]: out of memory", "CUDA error: out of memory"]
)
def test_a_full_memory_is_known_by_any_of_its_names(monkeypatch, message):
    monkeypatch.setattr(cuda, "_draw", fail(message))
    with pytest.raises(cuda_use.DeviceFull, match="too little free memory") as caught:
        draw(random_field(), Viewport((0, 0), 2.0, (3, 3)))
    assert "\n" not in str(caught.value)


def test_a_lost_device_is_given_up_for_good(monkeypatch, caplog):
    field, view = random_field(), Viewport((5, 5), 2.0, (4, 2))
    use = cuda_use.DeviceUse(clock=lambda: 1e9 * len(tries), usable=lambda: True)
    monkeypatch.setattr(cuda_use, "use", use)
    tries = []
    lost = fail("CUDA error: unspecified launch failure\nCompile with ...")
    monkeypatch.setattr(cuda, "_draw", lambda *_: tries.append(1) or lost())
    expected = rasterize(field, view, backend="cpu")
    for _ in range(2):
        np.testing.assert_array_equal(rasterize(field, view), expected)
    assert len(tries) == 1
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert cuda.remark() == (
        "The CUDA device cannot be used (CUDA error: unspecified launch failure). Frames are drawn on the CPU."
    )
    with pytest.raises(DeviceError, match="unspecified launch failure") as caught:
        draw(field, view)
    assert "\n" not in str(caught.value)


def test_every_kernel_of_the_window_is_warmed(monkeypatch):
    """One that is not would be compiled in the middle of a zoom: seconds in which nothing moves."""
    drawn = set()
    real = cuda_kernel.render_blocks

    class Recorded:
        def __getitem__(self, grid):
            def launch(*arguments, **constants):
                kind = (constants["WIDTH"], constants["HEIGHT"])
                drawn.add((constants["CHANNELS"], constants["AS_BYTES"], kind))
                real[grid](*arguments, **constants)

            return launch

    monkeypatch.setattr(cuda_kernel, "render_blocks", Recorded())
    monkeypatch.setattr(cuda_use, "use", cuda_use.DeviceUse(usable=lambda: True))
    cuda_use.use.hold_back()
    warm.warm_device()
    assert cuda.chosen()
    blocks = {cuda_kernel.block_size((s, s)) for s in np.geomspace(1, 1000, 200)}
    assert drawn == {(c, b, kind) for c in (1, 3, 4) for b in (True, False) for kind in blocks}
