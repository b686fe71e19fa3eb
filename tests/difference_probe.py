"""Run by test_difference.py in a process of its own, since the scale factor is fixed at start: prints JSON."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.canvas_helpers import screenshot
from tests.window_helpers import WindowMaker, save_picture
from viewer.model.frames.frame_renderer import render_frame


def main() -> None:
    app = QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        maker = WindowMaker(app, Path(folder))
        window = maker()
        canvas = window.canvas

        def settle(done=lambda: True) -> None:
            until = time.perf_counter() + 240.0
            while time.perf_counter() < until and not (done() and window.is_idle()):
                app.processEvents()
                time.sleep(0.005)  # the threads that are waited for want the processor, too
            app.processEvents()

        window.open(save_picture(Path(folder) / "a.png", 400, 300))
        settle(lambda: window.session.document is not None)
        canvas.set_view(canvas.view.set_scale(6.3))
        QTest.keyClick(canvas, Qt.Key.Key_S, Qt.KeyboardModifier.ShiftModifier)
        settle(lambda: canvas.differs)
        ratio = canvas.devicePixelRatioF()
        seen = screenshot(canvas).astype(int)
        frames = [render_frame(s, canvas.view).bgrx for s in (canvas.scene_beside, canvas.scene)]
        left, right = (f[..., 2::-1].astype(int) for f in frames)
        wanted = np.minimum(255, 8 * np.abs(left - right))
        height, width = seen.shape[:2]
        top = round(60 * ratio)
        plate = (np.abs(seen[:top] - wanted[:top, :width]) > 1).any((0, 2))
        found = {
            "ratio": ratio,
            "off": int(np.abs(seen[top:] - wanted[top:height, :width]).max()),
            "brightest": int(wanted.max()),
            "plate": round(float(np.ptp(np.flatnonzero(plate))) / ratio),
        }
        maker.close()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
