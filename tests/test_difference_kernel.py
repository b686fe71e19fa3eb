"""The kernel that subtracts frames, against a slow twin."""

from __future__ import annotations

import numpy as np
import pytest

from gaussian_core.difference_kernel import MOST_DOUBLINGS, subtract_frames


def twin(a, b, doublings):
    out = np.minimum(255, np.abs(a.astype(int) - b) * 2**doublings)
    out[..., 3] = 255
    return out


@pytest.mark.parametrize("doublings", range(MOST_DOUBLINGS + 1))
def test_every_two_levels_are_subtracted(doublings):
    a, b = (np.repeat(v[..., None], 4, 2).astype(np.uint8) for v in np.mgrid[:256, :256])
    found = subtract_frames(a, b, doublings, np.empty_like(a))
    assert np.array_equal(found, twin(a, b, doublings))


@pytest.mark.parametrize("size", [(1, 1), (1, 15), (1, 16), (1, 17), (3, 5), (7, 101)])
def test_frames_of_any_size_are_and_nothing_beside_them_is_written(size):
    a, b = np.random.default_rng(sum(size)).integers(0, 256, (2, *size, 4), np.uint8)
    memory = np.full(a.size + 128, 77, np.uint8)
    out = memory[64:-64].reshape(a.shape)
    assert np.array_equal(subtract_frames(a, b, 3, out), twin(a, b, 3))
    assert (memory[:64] == 77).all() and (memory[-64:] == 77).all()


def test_the_place_of_the_difference_may_be_one_of_them():
    a, b = np.random.default_rng(1).integers(0, 256, (2, 9, 40, 4), np.uint8)
    wanted = twin(a, b, 2)
    assert np.array_equal(subtract_frames(a, b, 2, b), wanted)


def test_what_does_not_fit_is_refused():
    frame = np.zeros((4, 6, 4), np.uint8)
    for other in (frame[:3], frame.astype(np.int16), np.zeros((4, 6, 3), np.uint8)):
        with pytest.raises(ValueError, match="one size"):
            subtract_frames(frame, other, 1, frame)
    with pytest.raises(ValueError, match="one piece"):
        subtract_frames(frame[:, ::2], frame[:, ::2], 1, frame[:, :3].copy())
    fixed = frame.copy()
    fixed.flags.writeable = False
    with pytest.raises(ValueError, match="written"):
        subtract_frames(frame, frame, 1, fixed)
    with pytest.raises(ValueError, match="doubled"):
        subtract_frames(frame, frame, 8, frame)
