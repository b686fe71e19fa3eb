"""The fast rasterizer against the float64 reference, and what makes it seamless."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from gaussian_core.display import to_bgrx
from gaussian_core.errors import Cancelled
from gaussian_core.field import GaussianField
from gaussian_core.lattice import lattice
from gaussian_core.rasterizer import rasterize
from gaussian_core.viewport import Viewport
from tests.fields import dense_field, random_field, slanted

SCALES = [0.05, 0.4, 1.0, (1.5, 3.7), 4.0, 16.0, (64.0, 20.0), 300.0, 1000.0]


def agree(fast, slow, peak=1.0):
    """Within 1/255 everywhere and 0.002 in the mean, the contract; `peak` is the size of the values."""
    error = np.abs(np.asarray(fast, np.float64) - slow)
    assert error.max() <= peak / 255, f"largest error {error.max() * 255:.3f}/255"
    assert error.mean() <= 0.002 * peak


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("channels", [1, 3, 4, 8])
@pytest.mark.parametrize(
    ("sigma", "correlation"), [((0.1, 2.0), 0.6), ((0.01, 50.0), 0.99), ((0.3, 5.0), 0.99999)]
)
def test_cpu_agrees_with_the_reference(scale, channels, sigma, correlation):
    field = random_field(40, channels, sigma=sigma, correlation=correlation, seed=channels)
    for origin, size in (((0.0, 0.0), (203, 77)), ((-5.3, 7.77), (31, 90)), ((11.1, 9.2), (1, 1))):
        viewport = Viewport(origin, scale, size)
        agree(rasterize(field, viewport), rasterize(field, viewport, backend="reference"))


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.0, 7.0, 40.0])
@pytest.mark.parametrize("pixel_sigma", [0.0, 0.3, 1.0])
def test_a_dense_field_agrees(scale, pixel_sigma):
    field = dense_field(24, 30)
    viewport = Viewport((4.4, 3.3), scale, (150, 101))
    slow = rasterize(field, viewport, backend="reference", pixel_sigma=pixel_sigma)
    agree(rasterize(field, viewport, pixel_sigma=pixel_sigma), slow)


def test_the_cut_edge_does_not_show():
    """No ring: twenty times the difference stays under five levels of 255."""
    field = GaussianField([[8.0, 8.0]], [[1.0, 0.5, 0.8]], [[1.0, 0.7, 0.4]], (16, 16))
    viewport = Viewport((0, 0), 30.0, (480, 480))
    difference = rasterize(field, viewport) - rasterize(field, viewport, backend="reference")
    assert np.abs(difference).max() * 20 * 255 < 5


@pytest.mark.parametrize("scale", [0.1, 1.0, 50.0])
@pytest.mark.parametrize("origin", [(1e5, 0.0), (0.0, -1e5), (-3e6, 3e6)])
def test_outside_the_field_there_is_nothing(scale, origin):
    frame = rasterize(random_field(), Viewport(origin, scale, (40, 30)))
    assert not frame.any()


@pytest.mark.parametrize("x", [3e9, -1e19, 1e30])
def test_a_gaussian_beyond_all_cells_is_not_seen_and_does_no_harm(x):
    alone = GaussianField([[x, 4]], [[1, 0, 1]], [[1]], (8, 8))
    view = Viewport((0, 0), 4.0, (32, 32))
    assert not rasterize(alone, view).any()
    both = GaussianField([[4, 4], [x, 4]], [[1, 0, 1]] * 2, [[1]] * 2, (8, 8))
    slow = rasterize(both, view, backend="reference")
    np.testing.assert_allclose(rasterize(both, view), slow, atol=1 / 255)


def test_a_huge_gaussian_covers_the_view_at_any_zoom():
    field = GaussianField([[10.0, 10.0]], [[1e12, 9e11, 1e12]], [[0.5]], (20, 20))
    for scale in (0.05, 1.0, 1000.0):
        frame = rasterize(field, Viewport((5.0, 5.0), scale, (70, 50)))
        np.testing.assert_allclose(frame, 0.5, atol=1e-3)


def test_a_tiny_gaussian_keeps_its_brightness():
    """Far below a pixel, what counts is the volume 2 pi a sqrt|Sigma|, spread over the footprint."""
    field = GaussianField([[10.5, 10.5]], [[1e-6, 0, 1e-6]], [[1000.0]], (21, 21))
    totals = []
    for shift in np.arange(8) / 8:
        view = Viewport((shift, 0.37 + shift * 3), 1.0, (21, 21))
        totals.append(rasterize(field, view).sum())
        slow = rasterize(field, view, backend="reference").sum()
        assert totals[-1] == pytest.approx(slow, rel=1e-3)
    volume = 2 * np.pi * 1000.0 * 1e-6
    assert np.mean(totals) == pytest.approx(volume, rel=0.05)


@pytest.mark.parametrize("angle", [0.1, 0.5, 0.98, 1.5, 2.6])
@pytest.mark.parametrize("thin", [2e-3, 1e-2, 0.1, 1.0, 1.5])
def test_lines_that_points_see_agree_along_all_of_their_length(angle, thin):
    """At some points exponents came out far above 0 and the line thousands of times too bright."""
    rng = np.random.default_rng(3)
    for place in rng.uniform(35, 65, (20, 2)):
        field = GaussianField([place], [slanted(angle, 40.0, thin)], [[1]], (100, 100))
        view = Viewport((0, 0), 1, (100, 100))
        fast, slow = (
            rasterize(field, view, backend=name, pixel_sigma=0) for name in ("cpu", "reference")
        )
        agree(fast, slow)


@pytest.mark.parametrize("scale", [0.2, 0.5, 1.0, 2.0, 5.5])
def test_mean_brightness_does_not_depend_on_the_scale(scale):
    field = dense_field(40, 40)
    margin = 8.0
    size = round((40 + 2 * margin) * scale)
    frame = rasterize(field, Viewport((-margin, -margin), scale, (size, size)))
    volume = (
        2
        * np.pi
        * (
            field.amplitudes[:, 0]
            * np.sqrt(
                field.covariances[:, 0] * field.covariances[:, 2] - field.covariances[:, 1] ** 2
            )
        )
    )
    assert frame[..., 0].sum() / scale**2 == pytest.approx(volume.sum(), rel=5e-3)


@pytest.mark.parametrize("format", ["float", "bgrx8"])
@pytest.mark.parametrize("scale", [0.7, 1.0, 3.3, (2.0, 9.0), 41.0])
@pytest.mark.parametrize("channels", [3, 4])
def test_whole_and_parts_are_the_same_to_the_bit(scale, format, channels):
    field = random_field(300, channels, sigma=(0.05, 3.0), correlation=0.95)
    view = Viewport((1.234567, 2.345678), scale, (331, 157))
    whole = rasterize(field, view, format=format)
    for left, top, width, height in ((0, 0, 100, 157), (100, 3, 231, 100), (57, 156, 1, 1)):
        part = rasterize(field, view.part(left, top, width, height), format=format)
        np.testing.assert_array_equal(part, whole[top : top + height, left : left + width])


@pytest.mark.parametrize("scale", [1.0, 3.7, 8.0, 640.0])
@pytest.mark.parametrize("step", [(1, 0), (-13, 29), (1000, -7)])
def test_panning_by_whole_pixels_shifts_exactly(scale, step):
    field = random_field(300, sigma=(0.05, 3.0), correlation=0.95)
    view = Viewport((9.87654321, 7.654321), scale, (120, 90))
    moved = Viewport(view.to_source(*step), scale, (120, 90))
    union = Viewport(
        view.to_source(min(0, step[0]), min(0, step[1])),
        scale,
        (120 + abs(step[0]), 90 + abs(step[1])),
    )
    big = rasterize(field, union)
    for viewport, (x, y) in ((view, (0, 0)), (moved, step)):
        x, y = x - min(0, step[0]), y - min(0, step[1])
        np.testing.assert_array_equal(rasterize(field, viewport), big[y : y + 90, x : x + 120])


def test_a_sequence_of_fields_is_their_sum():
    one, two = random_field(50, seed=1), random_field(50, seed=2)
    view = Viewport((2, 3), 6.5, (90, 70))
    np.testing.assert_allclose(
        rasterize([one, two], view), rasterize(one, view) + rasterize(two, view), atol=1e-5
    )


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("width", [1, 15, 16, 17, 300])
def test_display_bytes_are_the_rounded_values(channels, width):
    field = random_field(200, channels, sigma=(0.5, 2.0))
    view = Viewport((3.3, 4.4), 5.0, (width, 43))
    values = rasterize(field, view)
    first = tuple(lattice(o, s)[0] for o, s in zip(view.origin, view.scale, strict=True))
    bytes_ = rasterize(field, view, format="bgrx8")
    difference = np.abs(bytes_.astype(int) - to_bgrx(values, first).astype(int))
    # A value within float rounding of .5 may go either way.
    assert difference.max() <= 1
    assert (difference > 0).mean() < 1e-3
    assert (bytes_[..., 3] == 255).all()


def test_reference_and_cpu_show_alpha_over_the_same_checkerboard():
    field = GaussianField([[5, 5]], [[4, 0, 4]], [[0.5, 0.2, 0.1, 0.6]], (10, 10))
    view = Viewport((-7.1, -3.3), 3.0, (90, 61))
    fast = rasterize(field, view, format="bgrx8").astype(int)
    slow = rasterize(field, view, format="bgrx8", backend="reference").astype(int)
    assert np.abs(fast - slow).max() <= 1
    assert {tuple(p) for p in fast[:8, :8].reshape(-1, 4)} <= {
        (204,) * 3 + (255,),
        (153,) * 3 + (255,),
    }


def test_out_is_written_and_checked():
    field, view = random_field(), Viewport((0, 0), 2.0, (33, 21))
    out = np.empty((21, 33, 3), np.float32)
    assert rasterize(field, view, out=out) is out
    np.testing.assert_array_equal(out, rasterize(field, view))
    closed = out.copy()
    closed.flags.writeable = False
    for bad in (np.empty((21, 33, 4), np.float32), np.empty((21, 33, 3)), out[:, ::-1], closed, []):
        with pytest.raises(ValueError, match="out must be"):
            rasterize(field, view, out=bad)


def test_arguments_that_do_not_fit_are_refused():
    view = Viewport((0, 0), 1.0, (4, 4))
    with pytest.raises(ValueError, match="1, 3 or 4 channels"):
        rasterize(random_field(channels=2), view, format="bgrx8")
    with pytest.raises(ValueError, match="same number of channels"):
        rasterize([random_field(channels=2), random_field(channels=3)], view)
    for other in (None, np.zeros((4, 4, 3)), [random_field(), "a.safetensors"]):
        with pytest.raises(ValueError, match="Gaussian fields"):
            rasterize(other, view)
    with pytest.raises(ValueError, match="draws a Viewport of a field, not tuple"):
        rasterize(random_field(), (0, 0, 4, 4))
    with pytest.raises(ValueError, match="unknown format 'png'"):
        rasterize(random_field(), view, format="png")
    with pytest.raises(ValueError, match="at least one"):
        rasterize([], view)
    with pytest.raises(ValueError, match="pixel_sigma"):
        rasterize(random_field(), view, pixel_sigma=-1.0)
    for scale in (1e-300, 1e-30, 1e-10, 1e12, 1e300, (1e300, 1.0), (1.0, 1e-300)):
        with pytest.raises(ValueError, match="device pixels per source pixel"):
            rasterize(random_field(), Viewport((0, 0), scale, (4, 4)))


@pytest.mark.parametrize("scale", [1e-5, 1e6])
def test_the_scales_that_are_drawn_are_right_up_to_their_ends(scale):
    field = random_field(seed=3)
    view = Viewport((12.3 - 4 / scale, 9.7 - 2 / scale), scale, (8, 4))
    wanted = rasterize(field, view, backend="reference")
    np.testing.assert_allclose(rasterize(field, view, backend="cpu"), wanted, rtol=0.01, atol=2e-3)


def test_an_empty_field_renders_black():
    field = GaussianField(np.zeros((0, 2)), np.zeros((0, 3)), np.zeros((0, 3)), extent=(4, 4))
    assert not rasterize(field, Viewport((0, 0), 1.0, (5, 5))).any()


def test_a_frame_can_be_stopped_between_strips():
    field = dense_field(60, 60)
    polls = []

    def stop():
        polls.append(threading.get_ident())
        return len(polls) > 2

    with pytest.raises(Cancelled):
        rasterize(field, Viewport((0, 0), 20.0, (1200, 1200)), stop=stop)


def test_frames_from_several_threads_are_all_right():
    field = dense_field(40, 40)
    views = [Viewport((k / 3, k / 5), 5.0 + k, (160, 120)) for k in range(8)]
    expected = [rasterize(field, view) for view in views]
    results: dict[int, np.ndarray] = {}

    def work(k):
        for _ in range(5):
            results[k] = rasterize(field, views[k])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, frame in enumerate(expected):
        np.testing.assert_array_equal(results[k], frame)
