"""What the status bar says, and what may be typed as a zoom."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.model import status_text as t


@pytest.mark.parametrize(
    ("scale", "text"),
    [
        (1.0, "100 %"),
        (3.5, "350 %"),
        (0.125, "12.5 %"),
        (0.031, "3.1 %"),
        (0.0031, "0.31 %"),
        (1000.0, "100,000 %"),
        (0.9999, "100 %"),
        (0.5, "50 %"),
        (0.1, "10 %"),
    ],
)
def test_zooms_are_written_short(scale, text):
    assert t.zoom_text(scale) == text


@pytest.mark.parametrize(
    ("text", "scale"),
    [
        ("350%", 3.5),
        ("350 %", 3.5),
        ("3.5x", 3.5),
        ("x3.5", 3.5),
        ("3.5 ×", 3.5),
        ("4", 4.0),
        ("50", 0.5),
        ("20", 0.2),
        ("19.5", 19.5),
        ("100,000 %", 1000.0),
        ("12,5 %", 0.125),
        (".5x", 0.5),
        ("32x", 32.0),
        ("x3,5", 3.5),
        ("350％", 3.5),
        ("٣٥٠٪", 3.5),
        ("1\u202f000 %", 10.0),
        ("1’000 %", 10.0),
    ],
)
def test_zooms_can_be_typed_in_many_ways(text, scale):
    assert t.parse_zoom(text) == pytest.approx(scale)


@pytest.mark.parametrize(
    "text", ["", "%", "x", "abc", "-3x", "0", "0%", "1e5", "3.5.1", "nan", "9" * 400, "3 3x"]
)
def test_what_is_no_zoom_is_refused(text):
    assert t.parse_zoom(text) is None


@given(st.floats(0.001, 1000))
def test_a_shown_zoom_can_be_typed_back(scale):
    back = t.parse_zoom(t.zoom_text(scale))
    assert back is not None
    assert math.isclose(back, scale, rel_tol=0.006)


def test_positions_have_the_digits_that_the_zoom_can_show():
    assert t.position_text(1.23456, 2.0, 0.5) == "1.2, 2.0"
    assert t.position_text(1.23456, 2.0, 8.0) == "1.23, 2.00"
    assert t.position_text(1.23456, 2.0, 500.0) == "1.235, 2.000"
    assert t.position_text(-0.01, -0.06, 1.0) == "0.0, -0.1"


def test_values_are_bytes():
    assert t.value_text((0.0, 0.5, 1.0)) == "0 128 255"
    assert t.value_text((1.5, -0.2, float("nan"))) == "255 0 0"
    assert t.value_text(None) == "–"
    assert t.swatch_rgb((0.5,)) == (128, 128, 128)
    assert t.swatch_rgb((1.0, 0.0, 0.5, 0.3)) == (255, 0, 128)
    assert t.swatch_rgb(None) is None


def test_counts_are_honest_about_a_cap():
    assert t.count_text(312_456) == "312,456 Gaussians"
    assert t.count_text(1) == "1 Gaussian"
    assert t.count_text(500, 500, "ellipses") == "500 Gaussians", "those out of view reach in"
    assert t.count_text(312_456, 20_000, "ellipses") == "20,000 of 312,456 ellipses"
    assert t.count_text(726_712, 99_991, "centres") == "99,991 of 726,712 centres"
    assert t.count_text(726_712, 1_250, "centres", 1_250) == "1,250 chosen of 726,712"
    assert t.count_text(726_712, 0, "centres", 0) == "0 chosen of 726,712"
    assert t.count_text(726_712, 99_991, "centres", 400_000) == "99,991 of 400,000 chosen"


def test_other_texts():
    assert t.preview_text(1) == ""
    assert t.preview_text(2) == "preview 1/2"
    assert t.time_text(9.96) == "10.0 ms"
    assert t.time_text(123.4) == "123 ms"
    assert t.time_text(13_093.0) == "13.1 s"
    assert t.progress_text(1, 3) == "Building field: 33 %"
    assert t.progress_text(0, 0, "Exporting") == "Exporting: 0 %"


def test_the_field_is_counted_in_tiles_while_some_in_view_are_missing():
    assert t.building_text(3, 768, 3, 12) == "Building the field: 3 of 12 tiles"
    assert t.building_text(192, 768, 12, 12) == "Building field: 25 %"
