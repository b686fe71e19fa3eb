"""What the window does while a CUDA device is made ready, and when it fails. There is none here: the CPU draws in its
place."""

from __future__ import annotations

import threading

import pytest

from gaussian_core.errors import DeviceError
from gaussian_core.rasterizer import cuda, cuda_use, frame_memory
from gaussian_core.rasterizer.cpu import rasterize_cpu
from gaussian_core.rasterizer.cuda_use import DeviceFull, DeviceUse
from tests.window_helpers import open_and_wait, save_picture, wait_until_idle
from viewer.model import status_text


class Device:
    """Draws as the CPU does, once it is let go on; raises `fails`, where that is set."""

    def __init__(self) -> None:
        self.awake = threading.Event()
        self.fails: DeviceError | None = None
        self.threads: set[str] = set()

    def draw(self, fields, gains, viewport, pixel_sigma, as_bytes, out, stop, keep=True):
        from gaussian_core.display import frame_array

        self.threads.add(threading.current_thread().name)
        assert self.awake.wait(30)
        if self.fails is not None:
            raise self.fails
        target = frame_array(viewport.size, fields[0].channels, as_bytes, out)
        rasterize_cpu(fields, gains, viewport, pixel_sigma, as_bytes, target, stop)
        cuda_use.use.worked()
        return target


@pytest.fixture
def device(monkeypatch):
    made = Device()
    monkeypatch.setattr(cuda_use, "use", DeviceUse(usable=lambda: True))
    monkeypatch.setattr(cuda_use, "is_possible", lambda: True)
    monkeypatch.setattr(cuda, "rasterize_cuda", made.draw)
    monkeypatch.setattr(frame_memory, "_refused", True)  # nothing can be pinned here
    yield made
    made.awake.set()


def look_closer(qtbot, window):
    window.canvas.zoom_to(window.canvas.view.scale * 1.5)
    wait_until_idle(qtbot, window)


def test_the_cpu_draws_until_the_device_is_ready(device, make_window, qtbot, tmp_path):
    window = make_window()
    open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    window.canvas.zoom_to(4.0)
    wait_until_idle(qtbot, window)
    assert window.status.device.text == "CPU"
    assert status_text.GPU_LATER in window.status.device.toolTip()
    qtbot.waitUntil(lambda: device.threads == {"kernels"}, timeout=60_000)
    with qtbot.waitSignal(window.warm_up.device_ready, timeout=60_000):
        device.awake.set()
    look_closer(qtbot, window)
    assert window.status.device.text == "GPU"
    assert status_text.GPU_LATER not in window.status.device.toolTip()


@pytest.mark.parametrize("error", [DeviceFull("It is full."), DeviceError("It is lost.")])
def test_the_window_says_that_the_device_failed(device, make_window, qtbot, tmp_path, error):
    device.awake.set()
    window = make_window()
    with qtbot.waitSignal(window.warm_up.device_ready, timeout=60_000):
        open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    window.canvas.zoom_to(4.0)
    wait_until_idle(qtbot, window)
    assert window.status.device.text == "GPU" and not cuda.remark()
    device.fails = error
    look_closer(qtbot, window)
    qtbot.waitUntil(lambda: window.status.message == cuda.remark() != "")
    assert window.status.device.text == "CPU"
    assert cuda.remark() in window.status.device.toolTip()


def test_a_device_that_fails_at_once_leaves_frames_to_the_cpu(device, make_window, qtbot, tmp_path):
    device.awake.set()
    device.fails = DeviceError("The driver is too old.")
    window = make_window()
    with qtbot.waitSignal(window.warm_up.device_ready, timeout=60_000):
        open_and_wait(qtbot, window, save_picture(tmp_path / "a.png"))
    window.canvas.zoom_to(4.0)
    wait_until_idle(qtbot, window)
    assert window.status.device.text == "CPU" and "too old" in window.status.device.toolTip()
