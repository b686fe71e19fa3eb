"""Run by test_hidpi.py in a process of its own, with screens of several scale factors: prints JSON.

The canvas goes from screen to screen and fills each, which has as many physical pixels as the one before.
"""

from __future__ import annotations

import json
import sys

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from gaussian_core.field import GaussianField
from tests.canvas_helpers import BACKGROUND, CountingRenderer, pixels, settle
from viewer.model.frames.scene import Scene
from viewer.model.overlays.overlay_options import OverlayOptions
from viewer.model.view.view_state import ViewState
from viewer.ui.canvas.canvas import Canvas

EXTENT = (4000, 4000)
MARK = (255, 0, 255)


def main() -> None:
    app = QApplication([])
    canvas = Canvas(render=CountingRenderer(), prepare=lambda: None)
    canvas.setWindowFlag(Qt.WindowType.FramelessWindowHint)
    canvas.set_background(BACKGROUND)
    canvas.set_glide(0.0)
    screens = sorted(app.screens(), key=lambda screen: screen.geometry().x())
    canvas.setGeometry(screens[0].geometry())
    canvas.show()

    field = GaussianField(np.array([[110.5, 90.5]]), [[0.3, 0, 0.3]], np.full((1, 3), 0.5), EXTENT)
    canvas.set_scene(Scene(EXTENT, tiles={0: field}))
    canvas.set_overlays(OverlayOptions(centres=True, colour="#ff00ff"))
    settle(canvas)
    canvas.set_view(ViewState(EXTENT, canvas.view.size, (10.0, 20.0), 1.0))
    settle(canvas)
    found = []
    for screen in screens:
        handle = canvas.windowHandle()
        handle.setScreen(screen)
        canvas.setGeometry(screen.geometry())
        settle(canvas)
        shown = pixels(canvas.grab().toImage()).astype(int)
        marked = (np.abs(shown - MARK).max(-1) < 60).sum()
        part = shown[300:, 300:]
        found.append(
            {
                "ratio": canvas.devicePixelRatioF(),
                "size": canvas.view.size,
                "scale": canvas.view.scale,
                "shown": [shown.shape[1], shown.shape[0]],
                "in_step": bool(
                    (np.diff(part[3, :, 0]) % 256 == 1).all()
                    and (np.diff(part[:, 3, 1]) % 256 == 1).all()
                ),
                "marked": int(marked),
            }
        )
    canvas.shutdown()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
