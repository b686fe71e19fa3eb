"""The pyramid's levels against means taken straight from the source."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from gaussian_core.pyramid import Pyramid, last_cover
from tests.pixels import Pixels, noise


def means(source, number):
    """What level `number` is: the mean of each block of the source, of what exists of it."""
    values = source.pixels.astype(float)
    if source.alpha is not None:
        peak = 1.0 if source.alpha.dtype.kind == "f" else np.iinfo(source.alpha.dtype).max
        alpha = source.alpha[..., None].astype(float)
        values = np.concatenate([values * alpha / peak, alpha], axis=2)
    size = 1 << number
    rows = [values[y : y + size] for y in range(0, len(values), size)]
    return np.array(
        [[r[:, x : x + size].mean(axis=(0, 1)) for x in range(0, r.shape[1], size)] for r in rows]
    )


@pytest.mark.parametrize("shape", [(64, 64), (65, 97), (7, 13), (1, 9), (5, 1), (1, 1), (300, 17)])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32])
def test_levels_are_means_of_what_exists(shape, alpha, kind):
    source = noise(*shape, kind, alpha)
    pyramid = Pyramid(source)
    for number in range(6):
        level = pyramid.level(number)
        expected = means(source, number)
        assert level.shape == expected.shape
        assert level.dtype == kind
        # Whole numbers are rounded once a level; what is left of earlier ones is averaged away.
        tolerance = 1e-6 if kind is np.float32 else 0.5 * (number + alpha) + 0.01
        assert np.abs(level - expected).max() <= tolerance


@pytest.mark.parametrize("alpha", [False, True])
def test_no_level_is_brighter_than_the_picture(alpha):
    source = noise(512, 512, alpha=alpha)
    pyramid = Pyramid(source)
    for number in range(1, 6):
        drift = pyramid.level(number).mean(axis=(0, 1)) - means(source, number).mean(axis=(0, 1))
        assert np.abs(drift).max() < 0.1


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_even_colour_stays_as_it_is(kind):
    for value in (0, 1, 77, np.iinfo(kind).max):
        pyramid = Pyramid(Pixels(np.full((77, 45, 3), value, kind)))
        for number in range(8):
            assert (pyramid.level(number) == value).all()


def test_beyond_the_last_level_there_is_one_pixel():
    pyramid = Pyramid(noise(20, 30))
    assert pyramid.level(5).shape == (1, 1, 3)
    assert np.shares_memory(pyramid.level(12), pyramid.level(5))


@pytest.mark.parametrize("extent", [1, 2, 3, 16, 17, 31, 32, 33, 1000])
def test_cover_of_the_last_pixel(extent):
    for number in range(11):
        count = -(-extent // (1 << number))
        assert last_cover(extent, number) == extent - (count - 1) * (1 << number)


def test_an_opaque_picture_is_not_copied_and_nothing_is_made_before_it_is_asked_for():
    source = Pixels(np.zeros((40, 40, 3), np.uint8))
    pyramid = Pyramid(source)
    source.pixels[:] = 9  # seen below: no level existed yet
    assert np.shares_memory(pyramid.level(0), source.pixels)
    assert (pyramid.level(2) == 9).all()


def test_read_only_pixels_will_do():
    source = noise(40, 40, alpha=True)
    expected = Pyramid(source).level(2)
    source.pixels.setflags(write=False)
    source.alpha.setflags(write=False)
    np.testing.assert_array_equal(Pyramid(source).level(2), expected)


def test_threads_share_one_set_of_levels():
    pyramid = Pyramid(noise(700, 900))
    seen: list[list[np.ndarray]] = []
    start = threading.Barrier(6)

    def look(order):
        start.wait()
        seen.append([pyramid.level(number) for number in order])

    threads = [threading.Thread(target=look, args=([4, 1, 3],)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 6
    for levels in seen:
        assert all(np.shares_memory(a, b) for a, b in zip(levels, seen[0], strict=True))


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("grey", [False, True])
def test_a_large_base_is_made_part_by_part(monkeypatch, alpha, grey):
    source = noise(601, 333, alpha=alpha)
    if grey:
        source.pixels = np.broadcast_to(source.pixels[..., :1], (601, 333, 3))
    kept = Pyramid(source)
    monkeypatch.setattr("gaussian_core.pyramid.KEPT_BASE", 0)
    passing = Pyramid(source)
    for number in (2, 0, 3):
        np.testing.assert_array_equal(passing.level(number), kept.level(number))
    part = passing.part(0, (7, 300, 120, 601))
    np.testing.assert_array_equal(part, kept.level(0)[300:601, 7:120])
    assert part.strides[1:] == (part.shape[2], 1)
