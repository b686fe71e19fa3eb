"""How the Gaussians in view are distributed: the figures, and the window that shows them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from gaussian_core.builder import TileGrid
from gaussian_core.errors import Cancelled
from gaussian_core.field import GaussianField
from tests.window_helpers import LONG, open_and_wait, save_picture, wait_until_idle
from viewer.model.frames.lazy_drawing import LazyDrawing
from viewer.model.frames.scene import Scene
from viewer.model.overlays import distribution as module
from viewer.model.overlays.distribution import BINS, MOST, distribution, values_of
from viewer.model.settings import Settings


def field_of(count=400, seed=1, drifts=True, extent=(40, 60)):
    rng = np.random.default_rng(seed)
    sx, sy = rng.uniform(0.2, 0.6, (2, count))
    rho = rng.uniform(-0.9, 0.9, count)
    covariances = np.stack([sx * sx, rho * sx * sy, sy * sy], axis=1)
    means = rng.uniform((0, 0), extent[::-1], (count, 2))
    field = GaussianField(means, covariances, rng.random((count, 3)), extent)
    if drifts:
        field.drifts = rng.normal(0, 0.1, (count, 2)).astype(np.float32)
    return field


def by_key(found):
    return {h.quantity.key: h for h in found.histograms}


def test_the_figures_are_those_of_all_gaussians_in_view():
    field = field_of()
    rect = (10.0, 5.0, 45.0, 30.0)
    x, y = field.means.T
    inside = (x >= 10) & (x < 45) & (y >= 5) & (y < 30)
    found = distribution(Scene((40, 60), tiles={0: field}), rect)
    assert found.total == found.taken == inside.sum() > 50
    for key, values in (
        ("xx", field.covariances[inside, 0]),
        ("xy", field.covariances[inside, 1]),
        ("yy", field.covariances[inside, 2]),
        ("drift", np.hypot(*field.drifts[inside].T)),
    ):
        histogram = by_key(found)[key]
        low, median, high = np.quantile(values.astype(float), (0.05, 0.5, 0.95))
        assert (histogram.low, histogram.median, histogram.high) == pytest.approx(
            (low, median, high)
        )
        assert histogram.counts.sum() + histogram.beyond == inside.sum()
        assert histogram.beyond <= 0.01 * inside.sum()
        wanted, _ = np.histogram(values, histogram.edges)
        assert np.array_equal(histogram.counts, wanted) and len(wanted) == BINS


def test_axes_and_directions_are_those_of_the_ellipses():
    """Against NumPy's eigenvectors."""
    rows = field_of(50).covariances.astype(float)
    values = values_of(rows, None)
    angles = []
    for (xx, xy, yy), ratio in zip(rows, values["ratio"], strict=True):
        (small, large), vectors = np.linalg.eigh([[xx, xy], [xy, yy]])
        assert ratio == pytest.approx(math.sqrt(large / small), rel=1e-6)
        if ratio >= module.LONG:
            angle = math.degrees(math.atan2(vectors[1, 1], vectors[0, 1]))
            angles.append((angle + 90) % 180 - 90)
        else:
            angles.append(math.nan)
    assert np.array_equal(np.isnan(angles), np.isnan(values["angle"]))
    away = (values["angle"] - angles + 90) % 180 - 90
    assert np.nanmax(np.abs(away)) < 1e-6 and "drift" not in values


def test_round_ones_have_no_direction():
    field = GaussianField([[1, 1], [2, 2]], [[0.2, 0, 0.2]] * 2, [[1], [1]], (4, 4))
    found = by_key(distribution(Scene((4, 4), tiles={0: field}), (0, 0, 4, 4)))
    assert math.isnan(found["angle"].median) and found["angle"].counts.sum() == 0
    assert found["ratio"].median == 1.0 and "drift" not in found


def test_of_very_many_some_from_everywhere_are_looked_at(monkeypatch):
    monkeypatch.setattr(module, "MOST", 100)
    fields = {n: field_of(300, seed=n) for n in range(3)}
    found = distribution(Scene((40, 60), tiles=fields), (-9.0, -9.0, 70.0, 50.0))
    assert found.total == 900 and 90 <= found.taken <= 100 + len(fields)
    exact = np.quantile(np.concatenate([f.covariances[:, 0] for f in fields.values()]), 0.5)
    assert by_key(found)["xx"].median == pytest.approx(exact, abs=0.05)
    assert MOST > 1000


def test_counting_can_be_stopped():
    with pytest.raises(Cancelled):
        distribution(Scene((40, 60), tiles={0: field_of()}), (0, 0, 60, 40), lambda: True)


def test_nothing_in_view_is_no_error():
    found = distribution(Scene((40, 60), tiles={0: field_of()}), (500.0, 500.0, 510.0, 510.0))
    assert found.total == 0 and all(math.isnan(h.median) for h in found.histograms)


@pytest.fixture
def window(make_window, qtbot, tmp_path):
    window = make_window(Settings())
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 80, 60))
    window.canvas.zoom_to(8.0)
    wait_until_idle(qtbot, window)
    QTest.keyClick(window.canvas, Qt.Key.Key_H)
    wait_until_idle(qtbot, window)
    return window


def test_the_window_follows_the_view_and_the_method(window, qtbot):
    dialog = window.side_windows.distribution
    assert dialog.isVisible()
    found = distribution(window.canvas.scene, window.canvas.view.source_rect)
    assert found.total > 1000
    assert dialog.summary.text() == f"{found.total:,} Gaussians by ContinuousSR light in view"
    median = by_key(found)["xx"].median
    assert dialog.plots.texts()["xx"].startswith(f"{median:.3g} (")
    window.canvas.pan(200, 100)
    wait_until_idle(qtbot, window)
    moved = distribution(window.canvas.scene, window.canvas.view.source_rect)
    assert dialog.summary.text().startswith(f"{moved.total:,} ") and moved.total != found.total
    window.menus.actions["method.kernel"].trigger()
    wait_until_idle(qtbot, window)
    qtbot.waitUntil(lambda: "Kernel interpolation" in dialog.summary.text())
    assert dialog.plots.texts()["ratio"] == "1 (1 to 1)"
    assert dialog.plots.texts()["angle"] == "none"
    window.menus.actions["method.bicubic"].trigger()
    wait_until_idle(qtbot, window)
    qtbot.waitUntil(lambda: "without Gaussians" in dialog.summary.text())
    assert dialog.plots.texts()["xx"] == "not known of this field"
    window.session.close_document()
    qtbot.waitUntil(lambda: dialog.summary.text() == "No picture is open.")


KNOWN_LATER = "Gaussians are known once it has drawn a view, from 100 % up"


@pytest.fixture
def below_100_percent(make_window, qtbot, tmp_path):
    """Of a method, a window in which it has drawn nothing, with the histograms."""

    def make(method):
        window = make_window(Settings(method=method))
        open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 1200, 20))
        assert window.canvas.view.scale < 1
        QTest.keyClick(window.canvas, Qt.Key.Key_H)
        wait_until_idle(qtbot, window)
        return window

    return make


@pytest.mark.parametrize("method", ["fit", "liif"])
def test_of_a_method_that_draws_from_100_percent_up_it_is_said(below_100_percent, method):
    window = below_100_percent(method)
    QTest.keyClick(window.canvas, Qt.Key.Key_C)
    said = window.side_windows.distribution.summary.text()
    if method == "liif":
        assert "without Gaussians" in said and "without Gaussians" in window.status.message
        return
    assert said == window.status.message == f"Fit to this picture's {KNOWN_LATER}"
    assert set(window.side_windows.distribution.plots.texts().values()) == {"not known yet"}


def test_a_network_has_marks_before_it_has_drawn_anything(below_100_percent, qtbot):
    window = below_100_percent("gaussiansr")
    dialog = window.side_windows.distribution
    assert dialog.summary.text() == f"GaussianSR's {KNOWN_LATER}, or marks are shown"
    assert set(dialog.plots.texts().values()) == {"not known yet"}
    QTest.keyClick(window.canvas, Qt.Key.Key_C)
    assert window.status.message == "GaussianSR reads the picture…"
    qtbot.waitUntil(lambda: "24,000 Gaussians by GaussianSR" in dialog.summary.text(), timeout=LONG)
    assert dialog.plots.texts()["xx"] != "not known yet"
    wait_until_idle(qtbot, window)
    assert window.canvas.view.scale < 1 and "24,000" in window.status.counts.text
    assert "reads the picture" not in window.status.message


def test_that_there_are_too_many_to_mark_is_said_once_it_is_known(
    below_100_percent, qtbot, monkeypatch
):
    """A method tells how many it can make when it is open, which it is for the marks."""
    monkeypatch.setattr(LazyDrawing, "kernels", lambda *_: None)
    monkeypatch.setattr(LazyDrawing, "most_kernels", property(lambda self: 1000))
    window = below_100_percent("gaussiansr")
    QTest.keyClick(window.canvas, Qt.Key.Key_C)
    said = "GaussianSR has Gaussians to mark where less of so large a picture is in view"
    qtbot.waitUntil(lambda: window.status.message == said)


def test_bars_are_drawn_in_the_colours_of_the_theme(window, qtbot):
    dialog = window.side_windows.distribution
    for mode in ("dark", "light"):
        window.change(theme=mode)
        wait_until_idle(qtbot, window)
        image = dialog.plots.grab().toImage()
        colours = {
            image.pixelColor(x, y).name()
            for x in range(image.width())
            for y in range(0, image.height(), 3)
        }
        assert QColor(window.theme.colours.accent).name() in colours
        assert QColor(window.theme.colours.base).name() in colours


def test_its_own_key_closes_it_and_nothing_is_counted_then(window, qtbot, monkeypatch):
    dialog = window.side_windows.distribution
    QTest.keyClick(dialog, Qt.Key.Key_H)
    assert not dialog.isVisible()
    asked = []
    monkeypatch.setattr(dialog._worker, "ask", lambda *request: asked.append(request))
    window.canvas.pan(50, 0)
    wait_until_idle(qtbot, window)
    assert not asked and not dialog.busy


def test_of_a_field_that_is_built_in_part_it_is_said(window, qtbot):
    """Far out not all of a large picture's field is built, and there it stays."""
    scene = window.canvas.scene
    part = scene.with_only({})
    assert scene.built_share(window.canvas.view.source_rect) == 1
    assert part.built_share(window.canvas.view.source_rect) == 0
    window.canvas.set_scene(replace(scene, grid=TileGrid(scene.extent, 40), revision=99))
    window.canvas.set_view(window.canvas.view.fit())
    window.side_windows.distribution._count()
    qtbot.waitUntil(
        lambda: (
            "in the 25 % of it that is built" in window.side_windows.distribution.summary.text()
        ),
        timeout=LONG,
    )


def test_after_a_count_that_failed_the_next_view_is_counted(
    make_window, qtbot, tmp_path, monkeypatch
):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png", 200, 150))
    window.canvas.set_view(window.canvas.view.set_scale(8.0))

    def fail(*_):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("viewer.ui.workers.distribution_worker.distribution", fail)
        window.menus.actions["overlay.distribution"].trigger()
        wait_until_idle(qtbot, window)
    dialog = window.side_windows.distribution
    assert "Gaussians by" not in dialog.summary.text()
    window.canvas.pan(8, 0)
    qtbot.waitUntil(lambda: "Gaussians by Kernel" in dialog.summary.text())
    wait_until_idle(qtbot, window)
