"""Wheels, touchpads and pinches."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.model.view.wheel import (
    MAX_NOTCHES,
    NOTCH_FACTOR,
    Pan,
    WheelInput,
    Zoom,
    interpret,
    is_touchpad,
    pinch_factor,
)


def factor(**event):
    action = interpret(WheelInput(**event))
    assert isinstance(action, Zoom)
    return action.factor


@given(st.lists(st.integers(-119, 119).filter(bool), min_size=1, max_size=50))
def test_splitting_a_turn_changes_nothing(deltas):
    whole = NOTCH_FACTOR ** (sum(deltas) / 120)
    product = 1.0
    for delta in deltas:
        product *= factor(angle=(0, delta))
    assert product == pytest.approx(whole, rel=1e-12)


def test_one_notch_up_is_an_eighth_of_an_octave():
    assert factor(angle=(0, 120)) == pytest.approx(2 ** (1 / 8))
    assert factor(angle=(0, -120)) == pytest.approx(2 ** (-1 / 8))
    assert factor(angle=(0, 15)) ** 8 == pytest.approx(factor(angle=(0, 120)))


def test_shift_is_eight_times_finer_and_ctrl_eight_times_coarser():
    assert factor(angle=(0, 120), shift=True) == pytest.approx(2 ** (1 / 64))
    assert factor(angle=(0, 120), ctrl=True) == pytest.approx(2.0)


@pytest.mark.parametrize("event", [{}, {"angle": (120, 0)}, {"pixel": (7, 0)}])
def test_nothing_vertical_is_no_zoom(event):
    assert interpret(WheelInput(**event)) is None


def test_pixels_stand_in_for_missing_angles():
    assert factor(pixel=(0, 30)) == pytest.approx(NOTCH_FACTOR)
    assert factor(pixel=(0, -30)) == pytest.approx(1 / NOTCH_FACTOR)


def test_axes_that_alt_or_shift_swapped_are_swapped_back():
    assert factor(angle=(120, 0), alt=True) == pytest.approx(NOTCH_FACTOR)
    assert factor(angle=(120, 0), shift=True) == pytest.approx(NOTCH_FACTOR ** (1 / 8))


def test_a_fling_is_capped_in_both_directions():
    assert factor(angle=(0, 120 * 50)) == pytest.approx(NOTCH_FACTOR**MAX_NOTCHES)
    assert factor(angle=(0, -120 * 50)) == pytest.approx(NOTCH_FACTOR**-MAX_NOTCHES)


def test_two_fingers_pan_and_ctrl_or_the_setting_makes_them_zoom():
    scroll: dict[str, Any] = {"angle": (16, 24), "pixel": (8, 12), "touchpad": True}
    assert interpret(WheelInput(**scroll)) == Pan(8, 12)
    assert isinstance(interpret(WheelInput(**scroll, ctrl=True)), Zoom)
    assert isinstance(interpret(WheelInput(**scroll), touchpad_pans=False), Zoom)
    assert interpret(WheelInput(**scroll, ctrl=True), touchpad_pans=False) == Pan(8, 12)
    assert interpret(WheelInput(touchpad=True)) is None
    assert interpret(WheelInput(angle=(0, 120), touchpad=True)) == Pan(0, 60)


def test_ctrl_on_a_touchpad_zooms_at_the_ordinary_rate():
    zoom = interpret(WheelInput(angle=(0, 120), touchpad=True, ctrl=True))
    assert zoom == Zoom(NOTCH_FACTOR)


def test_what_counts_as_a_touchpad():
    assert is_touchpad(True, False, (0, 0))
    assert is_touchpad(False, True, (0.0, 3.0))
    assert not is_touchpad(False, True, (0.0, 0.0)), "a wheel on a platform that has phases"
    assert not is_touchpad(False, False, (0.0, 3.0)), "a wheel on a platform that has pixels"


@given(st.floats(-10, 10))
def test_a_pinch_step_is_bounded_and_never_mirrors(value):
    assert 0.5 <= pinch_factor(value) <= 2.0


def test_pinch_steps_multiply():
    assert pinch_factor(0.05) == pytest.approx(1.05)
    assert pinch_factor(-0.05) == pytest.approx(0.95)
