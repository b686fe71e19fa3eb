"""Run by test_hidpi.py in a process of its own, since the scale factor is fixed at start: prints JSON."""

from __future__ import annotations

import json
import sys

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication, QMenuBar, QVBoxLayout, QWidget

from tests.canvas_helpers import CountingRenderer, pixels, settle, wheel
from viewer.model.frames.scene import Scene
from viewer.model.view.view_state import ViewState
from viewer.ui.canvas.canvas import Canvas
from viewer.ui.theme import Theme


def main() -> None:
    app = QApplication([])
    window = QWidget()
    # An odd offset: under fractional factors the canvas then begins between two physical pixels.
    layout = QVBoxLayout(window)
    layout.setContentsMargins(3, 23, 0, 0)
    canvas = Canvas(render=CountingRenderer(), prepare=lambda: None)
    canvas.set_glide(0.0)
    layout.addWidget(canvas)
    window.resize(301, 224)
    window.show()

    canvas.set_scene(Scene((4000, 4000)))
    settle(canvas)
    canvas.set_view(ViewState((4000, 4000), canvas.view.size, (10.0, 20.0), 1.0))
    settle(canvas)
    shown = pixels(window.screen().grabWindow(window.winId()).toImage()).astype(int)
    ratio = canvas.devicePixelRatioF()
    top, left = int(23 * ratio) + 2, int(3 * ratio) + 2
    part = shown[top:, left:]

    at = (100.0, 80.0)
    device = canvas._moving.grid.pixel_centre(QPointF(*at))
    before = canvas.view.to_source(*device)
    wheel(canvas, at, 120)
    after = canvas.view.to_device(*before)
    canvas.shutdown()
    Theme(app)
    bar = QMenuBar()
    for title in ("File", "Edit", "View"):
        bar.addMenu(title)
    bar.resize(200, bar.sizeHint().height())
    edge = pixels(bar.grab().toImage())[-3:]
    json.dump(
        {
            "ratio": ratio,
            "size": canvas.view.size,
            "first": [int(part[0, 0, 0]), int(part[0, 0, 1])],
            "expected": [10 + left - int(3 * ratio), 20 + top - int(23 * ratio)],
            "columns_in_step": bool((np.diff(part[3, :, 0]) % 256 == 1).all()),
            "rows_in_step": bool((np.diff(part[:, 3, 1]) % 256 == 1).all()),
            "edge_of_menus": bool((edge == edge[:, :1]).all()),
            "drift": float(np.hypot(after[0] - device[0], after[1] - device[1])),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
