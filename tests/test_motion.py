"""Glides of discrete commands, by a clock that a test turns."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.clock import Clock
from viewer.model.view.motion import Glide, between
from viewer.model.view.view_state import ViewState

START = ViewState((3000, 4000), (1000, 800)).centred_on(1500, 900, 2.0)


@given(st.floats(0.0, 1.0), st.floats(0.3, 300.0), st.floats(10, 990), st.floats(10, 790))
def test_a_glide_about_a_point_keeps_the_point_all_the_way(part, scale, u, v):
    target = START.set_scale(scale, (u, v))
    assume(target.to_device(*START.to_source(u, v)) == pytest.approx((u, v), abs=1e-6))
    view = between(START, target, part)
    assert view.to_device(*START.to_source(u, v)) == pytest.approx((u, v), abs=1e-5)
    assert math.log(view.scale / START.scale) == pytest.approx(
        part * math.log(target.scale / START.scale), abs=1e-9
    )


@given(st.floats(0.0, 1.0))
def test_a_pan_is_straight(part):
    target = START.pan_by(120, -60)
    view = between(START, target, part)
    assert view.scale == pytest.approx(START.scale)
    assert view.to_device(*START.origin) == pytest.approx((120 * part, -60 * part), abs=1e-6)


def test_scales_that_differ_by_rounding_only_glide_smoothly():
    target = START.pan_by(100, 0).set_scale(START.scale * (1 + 1e-14))
    xs = [between(START, target, part / 10).origin[0] for part in range(11)]
    steps = [b - a for a, b in itertools.pairwise(xs)]
    assert steps == pytest.approx([steps[0]] * 10, rel=1e-3)


def test_a_glide_starts_here_slows_down_and_arrives_exactly():
    clock = Clock()
    target = START.fit()
    glide = Glide(START, target, clock, 0.15)
    assert glide.view() == START
    scales = []
    for _ in range(14):
        clock.now += 0.01
        scales.append(math.log(glide.view().scale))
    steps = [abs(b - a) for a, b in itertools.pairwise(scales)]
    assert steps == sorted(steps, reverse=True)
    clock.now += 0.02
    assert glide.finished
    assert glide.view() == target
    assert glide.view().follow == "fit"


def test_no_duration_arrives_at_once():
    glide = Glide(START, START.fit(), Clock(), 0.0)
    assert glide.finished and glide.view() == START.fit()
