"""Ranges of the histograms choose which Gaussians are marked."""

from __future__ import annotations

import math
import threading
import time
from types import SimpleNamespace

import numpy as np
import pyqtgraph
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from gaussian_core.field import GaussianField
from tests.canvas_helpers import mouse, screenshot
from tests.test_distribution import by_key, field_of
from tests.window_helpers import font_of, open_and_wait, save_picture, wait_until_idle
from viewer.model.frames.scene import Scene
from viewer.model.overlays import distribution as module
from viewer.model.overlays.choice import chosen
from viewer.model.overlays.distribution import (
    QUANTITIES,
    distribution,
    histogram,
    values_of,
    within,
)
from viewer.model.overlays.inspector import nearest_gaussian
from viewer.model.overlays.overlay_geometry import overlay_geometry
from viewer.model.overlays.overlay_options import OverlayOptions, ValueRange
from viewer.model.settings import Settings
from viewer.model.view.view_state import ViewState
from viewer.ui.canvas.canvas import Canvas
from viewer.ui.dialogs import distribution_plots
from viewer.ui.dialogs.range_plot import RangePlot

KEYS = tuple(q.key for q in QUANTITIES)
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
EVERYWHERE = (-9.0, -9.0, 99.0, 99.0)


def values_in(field: GaussianField) -> dict[str, np.ndarray]:
    drifts = None if field.drifts is None else field.drifts.astype(float)
    return values_of(field.covariances.astype(float), drifts)


RANGES = st.dictionaries(st.sampled_from(KEYS), st.tuples(*[st.floats(-0.3, 3.0)] * 2), max_size=4)


@given(RANGES, st.integers(0, 3), st.booleans())
def test_the_kernel_chooses_what_the_values_say(ranges, seed, drifts):
    field = field_of(seed=seed, drifts=drifts)
    field.covariances[:40, 1] = 0.0  # round ones
    field.covariances[:40, 2] = field.covariances[:40, 0]
    only = [
        ValueRange(k, *sorted(x * (60 if k == "angle" else 1) for x in ends))
        for k, ends in ranges.items()
    ]
    index = np.arange(3, len(field), 2)
    wanted = index[within(values_in(field), only, len(field))[index]]
    assert np.array_equal(chosen(field, index, only), wanted)


def test_both_ends_are_within_and_open_ones_reach_everywhere():
    field = GaussianField([[1, 1]] * 3, [[v, 0, 1.0] for v in (0.25, 0.5, 4.0)], [[1]] * 3, (4, 4))
    index = np.arange(3)
    for low, high, wanted in (
        (0.25, 0.5, [0, 1]),
        (0.3, math.inf, [1, 2]),
        (-math.inf, 0.3, [0]),
        (0.6, 0.7, []),
    ):
        only = [ValueRange("xx", low, high)]
        assert chosen(field, index, only).tolist() == wanted
        assert index[within(values_in(field), only, 3)].tolist() == wanted


def test_round_ones_lie_in_no_direction_and_what_is_not_known_within_no_range():
    field = GaussianField([[1, 1], [2, 2]], [[0.2, 0, 0.2], [0.4, 0, 0.1]], [[1], [1]], (4, 4))
    index = np.arange(2)
    assert chosen(field, index, [ValueRange("angle", -math.inf, math.inf)]).tolist() == [1]
    assert chosen(field, index, [ValueRange("drift", -math.inf, math.inf)]).tolist() == []


@pytest.mark.parametrize("scale", [0.5, 4.0, 30.0])
@pytest.mark.parametrize("kind", ["centres", "ellipses", "drifts"])
def test_marks_are_of_those_within_all_ranges_and_of_no_others(kind, scale, monkeypatch):
    monkeypatch.setattr(
        "viewer.model.overlays.overlay_geometry.DOT_AREA", 0.1
    )  # there is room for all
    field = field_of(600)
    field.drifts = field.drifts.astype(np.float16)
    view = ViewState.opening((40, 60), (320, 240)).centred_on(30.0, 20.0, scale)
    only = (ValueRange("xx", 0.1, 0.2), ValueRange("ratio", 1.5, math.inf))
    inside = within(values_in(field), only, len(field))
    alone = GaussianField(
        field.means[inside],
        field.covariances[inside],
        field.amplitudes[inside],
        field.extent,
        drifts=field.drifts[inside],
    )
    options = {"colour": "#ff00ff", kind: True}
    some = overlay_geometry(
        Scene((40, 60), tiles={0: field}), view, OverlayOptions(**options, only=only)
    )
    wanted = overlay_geometry(Scene((40, 60), tiles={0: alone}), view, OverlayOptions(**options))
    for name in ("points", "centres", "shapes", "lines"):
        a, b = (np.asarray(getattr(g, name)).tolist() for g in (some, wanted))
        assert sorted(a) == sorted(b), name
    assert some.chosen == some.shown == wanted.in_view < some.in_view
    everything = overlay_geometry(
        Scene((40, 60), tiles={0: field}), view, OverlayOptions(**options)
    )
    assert everything.chosen == everything.in_view == some.in_view


def test_of_those_that_are_chosen_no_more_are_drawn_than_the_cap_and_that_is_counted():
    scene = Scene((40, 60), tiles={0: field_of(600)})
    view = ViewState.opening((40, 60), (600, 400))
    only = (ValueRange("xx", 0.1, 0.2),)
    marks = overlay_geometry(scene, view, OverlayOptions(centres=True, only=only, centre_cap=50))
    assert len(marks.points) == marks.shown == 50 < marks.chosen < marks.in_view


def test_a_click_finds_the_nearest_of_those_that_are_marked():
    field = GaussianField(
        [[2.0, 2.0], [2.5, 2.0]], [[0.2, 0, 0.2], [0.4, 0, 0.1]], [[1], [1]], (4, 4)
    )
    scene = Scene((4, 4), tiles={0: field})
    assert nearest_gaussian(scene, 2.1, 2.0).mean == (2.0, 2.0)
    assert nearest_gaussian(scene, 2.1, 2.0, (ValueRange("xx", 0.3, 1.0),)).mean == (2.5, 2.0)
    assert nearest_gaussian(scene, 2.1, 2.0, (ValueRange("drift", 0.0, 1.0),)) is None


def test_those_within_the_ranges_are_counted(monkeypatch):
    field = field_of()
    scene = Scene((40, 60), tiles={0: field})
    only = (ValueRange("yy", 0.1, 0.2), ValueRange("drift", 0.05, math.inf))
    wanted = int(within(values_in(field), only, len(field)).sum())
    assert distribution(scene, EVERYWHERE, only=only).chosen == wanted > 10
    assert distribution(scene, EVERYWHERE).chosen == len(field)
    monkeypatch.setattr(module, "MOST", 100)
    some = distribution(scene, EVERYWHERE, only=only)
    assert some.taken == 100 and 0 < some.chosen < 100


# ---- in the window ----------------------------------------------------------------------------


@pytest.fixture
def window(make_window, qtbot, tmp_path):
    """With a field of shapes of all kinds at 800 %, and with its histograms."""
    field_of(3000, extent=(60, 80)).save(tmp_path / "a.safetensors")
    return with_histograms(make_window, qtbot, tmp_path / "a.safetensors")


def with_histograms(make_window, qtbot, path):
    window = make_window(Settings(centres=True, own_colours=False, colour="#ff00ff"))
    open_and_wait(qtbot, window, path)
    window.canvas.set_glide(0.0)
    window.canvas.zoom_to(8.0)
    wait_until_idle(qtbot, window)
    QTest.keyClick(window.canvas, Qt.Key.Key_H)
    wait_until_idle(qtbot, window)
    qtbot.waitExposed(window.side_windows.distribution)
    return window


def plot_of(window, key) -> RangePlot:
    return window.side_windows.distribution.plots._cells[key].plot


def place_of(plot: RangePlot, value: float) -> tuple[float, float]:
    """Of a value, in the middle of the plot's height, on its viewport."""
    field = plot.getViewBox()
    middle = field.viewRange()[1]
    at = plot.mapFromScene(field.mapViewToScene(pyqtgraph.Point(value, sum(middle) / 2)))
    return float(at.x()), float(at.y())


def drag_in(plot: RangePlot, start: float, end: float, steps: int = 4) -> None:
    """From a value to another, by real events."""
    port = plot.viewport()
    (x0, y), (x1, _) = place_of(plot, start), place_of(plot, end)
    mouse(port, QEvent.Type.MouseMove, (x0, y))
    mouse(port, QEvent.Type.MouseButtonPress, (x0, y), LEFT, LEFT)
    for step in range(1, steps + 1):
        _let_a_move_pass()
        at = (x0 + (x1 - x0) * step / steps, y)
        mouse(port, QEvent.Type.MouseMove, at, NONE, LEFT)
    _let_a_move_pass()
    mouse(port, QEvent.Type.MouseButtonRelease, (x1, y), LEFT, NONE)


def _let_a_move_pass() -> None:
    """Plots take no more moves a second than this."""
    time.sleep(1.2 / pyqtgraph.getConfigOption("mouseRateLimit"))


def marks_of(window) -> int:
    return int((screenshot(window.canvas) == (255, 0, 255)).all(-1).sum())


def key_in(plot: RangePlot, key: Qt.Key, held=Qt.KeyboardModifier.NoModifier, times: int = 1):
    for _ in range(times):
        QTest.keyClick(plot, key, held)


def test_the_keyboard_goes_where_it_can_do_something(window, qtbot):
    """From histogram to histogram, and to the button; before that the arrow keys pan the picture."""
    dialog, canvas = window.side_windows.distribution, window.canvas
    dialog.activateWindow()
    qtbot.waitActive(dialog)
    before = canvas.view
    QTest.keyClick(dialog.focusWidget() or dialog, Qt.Key.Key_Right)
    assert canvas.view != before and canvas.overlays.only == ()
    drag_in(plot_of(window, "xx"), 0.1, 0.2)  # which lets the button be pressed
    wait_until_idle(qtbot, window)
    assert not any(plot_of(window, key).hasFocus() for key in KEYS)
    been = []
    for _ in range(7):
        QTest.keyClick(dialog.focusWidget() or dialog, Qt.Key.Key_Tab)
        been.append(dialog.focusWidget())
    assert been == [*(plot_of(window, key) for key in KEYS), dialog.all]


def test_a_range_is_chosen_and_moved_by_keys_which_is_said(window, qtbot, monkeypatch):
    said = []
    monkeypatch.setattr(distribution_plots, "announce", lambda _, text: said.append(text))
    dialog, canvas, plot = window.side_windows.distribution, window.canvas, plot_of(window, "yy")
    dialog.activateWindow()
    qtbot.waitActive(dialog)
    unseen = screenshot(plot)
    plot.setFocus(Qt.FocusReason.TabFocusReason)
    assert not np.array_equal(screenshot(plot), unseen), "one sees where the keyboard is"
    view, histogram = canvas.view, plot._histogram
    shift, control = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
    bar = histogram.edges[1] - histogram.edges[0]
    key_in(plot, Qt.Key.Key_Right)
    assert plot.chosen == pytest.approx((histogram.low, histogram.high)), "what nine in ten have"
    key_in(plot, Qt.Key.Key_Right)
    low, high = histogram.low + bar, histogram.high + bar
    assert plot.chosen == pytest.approx((low, high))
    key_in(plot, Qt.Key.Key_Left, shift, 3)
    key_in(plot, Qt.Key.Key_Right, control, 2)
    assert plot.chosen == pytest.approx((low + 2 * bar, high - 3 * bar))
    wait_until_idle(qtbot, window)
    assert canvas.overlays.only == dialog.plots.chosen and canvas.view == view
    assert said[-1] == dialog.plots.texts()["yy"] and said[-1].startswith("chosen: ")
    heard = QAccessible.queryAccessibleInterface(plot)
    assert heard.text(QAccessible.Text.Name) == "Histogram: σy², px²"
    assert heard.text(QAccessible.Text.Description) == said[-1]
    assert dialog.choice.text().split()[0] == window.status.counts.text.split()[0]
    key_in(plot, Qt.Key.Key_Right, shift, 60)
    assert plot.chosen == (pytest.approx(low + 2 * bar), math.inf)
    key_in(plot, Qt.Key.Key_Left, control, 60)
    assert plot.chosen == (-math.inf, math.inf)
    key_in(plot, Qt.Key.Key_Left, shift, 60)
    assert plot.chosen[0] == -math.inf and plot.chosen[1] == pytest.approx(plot._ends[0])
    key_in(plot, Qt.Key.Key_Delete)
    assert plot.chosen is None and canvas.overlays.only == ()
    assert not said[-1].startswith("chosen")


def test_a_drag_in_a_histogram_marks_those_within_and_says_how_many(window, qtbot):
    dialog, canvas = window.side_windows.distribution, window.canvas
    plot = plot_of(window, "xx")
    picture, all_marks = canvas.grab_frame(), marks_of(window)
    drag_in(plot, 0.08, 0.12)
    wait_until_idle(qtbot, window)
    (only,) = canvas.overlays.only
    pixel = 1.5 * (plot.getViewBox().viewRange()[0][1]) / plot.getViewBox().width()
    assert only.key == "xx"
    assert (only.low, only.high) == pytest.approx((0.08, 0.12), abs=pixel)
    found = distribution(canvas.scene, canvas.view.source_rect, only=(only,))
    assert 0 < found.chosen < found.total
    percent = 100 * found.chosen / found.total
    assert dialog.choice.text().startswith(f"{found.chosen:,} of them ({percent:.0f} %) are chosen")
    assert window.status.counts.text == f"{found.chosen:,} chosen of {found.total:,}"
    assert dialog.plots.texts()["xx"] == f"chosen: {only.low:.3g} to {only.high:.3g}"
    assert 0 < marks_of(window) != all_marks
    assert canvas.grab_frame() == picture, "the picture itself is not changed"


def test_ranges_of_several_histograms_are_combined_and_one_goes_by_a_double_click(window, qtbot):
    canvas = window.canvas
    drag_in(plot_of(window, "xx"), 0.08, 0.12)
    wait_until_idle(qtbot, window)
    ratio = plot_of(window, "ratio")
    drag_in(ratio, 2.0, ratio.getViewBox().viewRange()[0][1])
    wait_until_idle(qtbot, window)
    xx, longer = canvas.overlays.only
    assert (xx.key, longer.key, longer.high) == ("xx", "ratio", math.inf)
    assert (
        window.side_windows.distribution.plots.texts()["ratio"] == f"chosen: from {longer.low:.3g}"
    )
    found = distribution(canvas.scene, canvas.view.source_rect, only=(xx, longer))
    alone = distribution(canvas.scene, canvas.view.source_rect, only=(xx,))
    assert found.chosen < alone.chosen
    assert window.side_windows.distribution.choice.text().startswith(f"{found.chosen:,} of them")
    port = plot_of(window, "xx").viewport()
    at = QPoint(*(round(v) for v in place_of(plot_of(window, "xx"), 0.1)))
    QTest.mouseDClick(port, LEFT, pos=at)
    QTest.mouseRelease(port, LEFT, pos=at)
    assert canvas.overlays.only == (longer,)
    assert not window.side_windows.distribution.plots.texts()["xx"].startswith("chosen")


def test_a_range_is_moved_and_its_ends_are(window, qtbot):
    plot = plot_of(window, "xx")
    drag_in(plot, 0.08, 0.12)
    low, high = plot.chosen
    drag_in(plot, 0.1, 0.13)
    assert plot.chosen == pytest.approx((low + 0.03, high + 0.03), abs=0.004)
    drag_in(plot, plot.chosen[1], 0.18)
    assert plot.chosen == pytest.approx((low + 0.03, 0.18), abs=0.004)
    drag_in(plot, plot.chosen[1], 0.05)
    assert plot.chosen == pytest.approx((0.05, low + 0.03), abs=0.004), "one end past the other"
    drag_in(plot, 0.14, 0.18)
    assert plot.chosen == pytest.approx((0.14, 0.18), abs=0.004), "beside it another begins"


@pytest.mark.parametrize("way", ["button", "key", "close"])
def test_there_is_a_way_back_to_all(window, qtbot, way):
    dialog, canvas = window.side_windows.distribution, window.canvas
    all_marks = marks_of(window)
    assert not dialog.all.isEnabled() and "Drag" in dialog.choice.text()
    drag_in(plot_of(window, "xx"), 0.08, 0.12)
    drag_in(plot_of(window, "yy"), 0.08, 0.12)
    assert len(canvas.overlays.only) == 2 and dialog.all.isEnabled()
    if way == "button":
        QTest.mouseClick(dialog.all, LEFT)
    elif way == "key":
        QTest.keyClick(dialog, Qt.Key.Key_H)
    else:
        dialog.close()
    wait_until_idle(qtbot, window)
    assert canvas.overlays.only == () and marks_of(window) == all_marks
    assert "chosen" not in window.status.counts.text
    QTest.keyClick(canvas, Qt.Key.Key_H)
    wait_until_idle(qtbot, window)
    assert dialog.plots.chosen == () and "Drag" in dialog.choice.text()
    assert not dialog.all.isEnabled() and not plot_of(window, "xx")._region.isVisible()


def test_who_has_chosen_without_marks_is_told_how_to_see_them_and_the_keys_work_there(
    window, qtbot
):
    dialog = window.side_windows.distribution
    with qtbot.waitActive(dialog):
        dialog.activateWindow()
    QTest.keyClick(dialog, Qt.Key.Key_C)
    assert not window.settings.centres
    drag_in(plot_of(window, "xx"), 0.08, 0.12)
    wait_until_idle(qtbot, window)
    assert dialog.choice.text().endswith("press C, E or D to mark them.")
    QTest.keyClick(dialog, Qt.Key.Key_E)
    wait_until_idle(qtbot, window)
    assert window.settings.ellipses and window.canvas.overlays.only
    assert dialog.choice.text().endswith("only they are marked.")


def test_all_keys_of_the_window_work_in_the_histograms_and_their_own_closes_them(window, qtbot):
    dialog, canvas = window.side_windows.distribution, window.canvas
    with qtbot.waitActive(dialog):
        dialog.activateWindow()
    QTest.keyClick(dialog, Qt.Key.Key_5)
    qtbot.waitUntil(lambda: canvas.view.scale == 16.0)
    QTest.keyClick(dialog, Qt.Key.Key_F)
    qtbot.waitUntil(lambda: canvas.view.scale == canvas.view.fit_scale)
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()
    for shown in (True, False):
        with qtbot.waitActive(window):
            window.activateWindow()
        QTest.keyClick(canvas, Qt.Key.Key_H)
        assert dialog.isVisible() is shown


def test_what_is_chosen_stays_while_the_view_and_the_method_change(make_window, qtbot, tmp_path):
    window = with_histograms(make_window, qtbot, save_picture(tmp_path / "a.png", 80, 60))
    dialog, canvas = window.side_windows.distribution, window.canvas
    plot = plot_of(window, "ratio")
    drag_in(plot, 2.2, 2.6)
    before = canvas.overlays.only
    canvas.pan(150, 50)
    wait_until_idle(qtbot, window)
    assert canvas.overlays.only == before
    window.menus.actions["method.kernel"].trigger()
    wait_until_idle(qtbot, window)
    qtbot.waitUntil(lambda: "Kernel interpolation" in dialog.summary.text())
    assert canvas.overlays.only == before == dialog.plots.chosen
    low, high = plot.getViewBox().viewRange()[0]
    assert low < before[0].low and high > before[0].high, "what is chosen is seen"
    assert plot._region.getRegion() == pytest.approx((before[0].low, before[0].high))
    drag_in(plot_of(window, "drift"), 0.1, 0.2)
    assert len(canvas.overlays.only) == 1, "there is nothing to choose from"


def test_while_a_range_is_drawn_to_and_fro_marks_are_seen(window, qtbot):
    """A choice that is being drawn is shown, though the next one is there already."""
    counted: list[int] = []
    begun, go_on, seen = threading.Event(), threading.Event(), threading.Event()

    def count(shown, of, some):
        counted.append(some)
        seen.set()

    window.canvas.overlay_counts.connect(count)
    painter = window.canvas._overlay_painter
    draw, drawn = painter._draw, []

    def draw_when_told(request):
        begun.set()
        assert (seen if drawn else go_on).wait(10.0)
        drawn.append(request)
        return draw(request)

    painter._draw = draw_when_told
    first, second = (ValueRange("xx", 0.1, high) for high in (0.12, 0.15))
    window.marks.choose((first,))
    qtbot.waitUntil(begun.is_set)
    window.marks.choose((second,))
    go_on.set()
    wait_until_idle(qtbot, window)
    rect = window.canvas.view.source_rect
    wanted = [distribution(window.canvas.scene, rect, only=(r,)).chosen for r in (first, second)]
    assert counted[0] == wanted[0] and counted[-1] == wanted[1]


@pytest.mark.parametrize("size", [9, 13])
def test_no_number_of_an_axis_is_cut(qtbot, qapp, size):
    with font_of(qapp, size):
        plot = RangePlot()
        qtbot.addWidget(plot)
        plot.setBackground("black")
        plot.resize(220, 110)
        plot.show_histogram(histogram(QUANTITIES[0], np.linspace(0.0, 1.0, 400)))
        plot.show()
        qtbot.waitExposed(plot)
        for top in np.linspace(4.0, 30.0, 60):
            plot.setYRange(0.0, top, padding=0.1)
            plot.setXRange(0.0, top, padding=0.01)
            seen = screenshot(plot)
            assert not seen[0].any() and not seen[:, -1].any(), top
            assert seen[:, :26].any()


@pytest.mark.parametrize(("size", "low"), [(9, (1024, 500)), (14, (1366, 768)), (14, (1024, 600))])
def test_of_the_histograms_nothing_is_cut_in_large_letters_nor_on_low_screens(
    make_window, qtbot, qapp, tmp_path, monkeypatch, size, low
):
    screen = SimpleNamespace(availableGeometry=lambda: QRect(0, 0, *low))
    monkeypatch.setattr(Canvas, "screen", lambda _: screen)
    field_of(3000, extent=(60, 80)).save(tmp_path / "a.safetensors")
    with font_of(qapp, size):
        window = with_histograms(make_window, qtbot, tmp_path / "a.safetensors")
        dialog = window.side_windows.distribution
        assert screen.availableGeometry().contains(QRect(dialog.pos(), dialog.size()))
        for label in dialog.findChildren(QLabel):
            wide, high = label.width(), label.height()
            assert (
                high >= label.heightForWidth(wide)
                if label.wordWrap()
                else (wide >= label.sizeHint().width())
            ), label.text()
        for key in KEYS:
            plot = plot_of(window, key)
            # All of the numbers below the bars, on the left the largest of those that are a grid line's.
            below, left = (plot.getAxis(side) for side in ("bottom", "left"))
            assert below.sceneBoundingRect().bottom() <= plot.height()
            assert below.height() >= plot.fontMetrics().ascent()
            assert left.width() >= plot.fontMetrics().horizontalAdvance("100")


def test_no_plot_is_squeezed_whatever_is_said_above_and_below(window, qtbot, monkeypatch):
    dialog = window.side_windows.distribution
    sizes = [plot_of(window, key).size() for key in KEYS]
    monkeypatch.setattr(module, "MOST", 1000)
    window.canvas.pan(100, 0)
    wait_until_idle(qtbot, window)
    assert "of which" in dialog.summary.text()
    drag_in(plot_of(window, "ratio"), 1.2, 2.0)
    wait_until_idle(qtbot, window)
    assert "About" in dialog.choice.text()
    assert [plot_of(window, key).size() for key in KEYS] == sizes
    for key in KEYS:
        plot = plot_of(window, key)
        corner = plot.mapTo(dialog, plot.rect().bottomRight())
        assert plot.parentWidget().rect().contains(plot.geometry())
        assert dialog.rect().contains(corner)
        assert plot.height() >= plot.minimumHeight()


def test_bars_beyond_the_range_are_within_one_that_ends_with_the_plot():
    """Of the outliers, which the plot leaves out, one wants to see where they are."""
    field = field_of()
    field.covariances[7] = (9.0, 0.0, 9.0)
    found = by_key(distribution(Scene((40, 60), tiles={0: field}), EVERYWHERE))["xx"]
    assert found.beyond >= 1 and found.edges[-1] < 9.0
    only = [ValueRange("xx", float(found.edges[-2]), math.inf)]
    assert 7 in chosen(field, np.arange(len(field)), only)


def test_what_was_chosen_can_end_after_its_window(window):
    drag_in(plot_of(window, "xx"), 0.08, 0.12)
    window.close()
    assert not window.isVisible()
    window.side_windows.distribution.close()
    assert window.canvas.overlays.only == ()


def test_the_histograms_appear_within_the_screen(window, monkeypatch):
    dialog = window.side_windows.distribution
    dialog.close()
    for room in (QRect(0, 0, 1000, 560), QRect(40, 30, 700, 500)):
        screen = SimpleNamespace(availableGeometry=lambda room=room: room)
        monkeypatch.setattr(window.canvas, "screen", lambda screen=screen: screen)
        dialog._placed = False
        dialog.show_beside()
        assert room.top() <= dialog.y()
        assert room.left() <= dialog.x() and dialog.x() + dialog.width() <= room.right() + 1
        tall = dialog.height() > room.height()
        assert tall or dialog.y() + dialog.height() <= room.bottom() + 1
