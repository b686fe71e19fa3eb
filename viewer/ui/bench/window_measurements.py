"""What `bench --window` measures, one after the other, and how it tells of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gaussian_core.machine.memory import peak_memory_mb
from gaussian_core.parallel import Stop
from viewer.model.frames.frame_timing import BANDS, Distribution
from viewer.model.view.zoom_script import HERTZ, browse, fit_to_256_and_back
from viewer.ui.bench.window_bench import WindowBench, clock

BUILD_TIMEOUT = 600.0
REFRESH_MS = 1e3 / HERTZ
NONE_MISSED_MS = 1.5 * REFRESH_MS
"""From one frame to the next, while inputs come once a refresh: more, and a display of that rate has shown one twice.

Frames follow inputs, and a system brings some of those a few milliseconds late and the next ones sooner: half of the
intervals are longer than a refresh whatever a frame takes, so that nine in ten are shorter cannot be asked."""


@dataclass(frozen=True)
class WindowOptions:
    """path: of the picture. size: of the canvas, device pixels. wait: until the field is built, as far as its memory
    goes, before anything moves. browse: seconds to look about at all zooms instead of the ride to 256x and back."""

    path: Path
    method: str
    size: tuple[int, int] = (1920, 1080)
    wait: bool = True
    browse: float = 0.0


def measure_window(
    options: WindowOptions, stop: Stop, say: Callable[[str], object]
) -> dict[str, object]:
    """Open, zoom in, ride; each result is said as it comes. Raises UserError and Cancelled."""
    report: dict[str, object] = {
        "picture": options.path.name,
        "method": options.method,
        "size": list(options.size),
    }
    with WindowBench(options.method, options.size, stop) as bench:
        opened = bench.open(options.path)
        height, width = bench.canvas.view.extent
        say(f"{options.path.name}, {width} x {height}, {options.method}, on {options.size}")
        report["extent"] = [height, width]
        report["first_look_s"], report["first_exact_s"] = opened.first_look, opened.exact
        say(f"first picture on screen after {opened.first_look:.2f} s, exact {opened.exact:.2f} s")
        bench.run_for(1.0)
        sharp = bench.sharp_after_zoom(8.0)
        report["first_sharp_8x_s"] = sharp
        say(f"first sharp view at 8x {sharp:.2f} s after the wheel stopped")
        if options.wait and not options.browse:
            report["build_s"] = bench.wait_for_field(BUILD_TIMEOUT)
            say(f"field built in {report['build_s']:.1f} s more")
        bench.canvas.set_view(bench.canvas.view.fit())
        bench.run_for(0.5)
        bench.start_recording()
        began = clock()
        bench.play(browse(options.browse) if options.browse else fit_to_256_and_back())
        report["ride_s"] = clock() - began
        recorder = bench.recorder
        report["bands"] = recorder.as_data()
        say(recorder.as_text())
        report["goals"] = goals = _goals(recorder.over)
        for goal in goals:
            say(f"{'met ' if goal['met'] else 'MISSED'} {goal['what']}: {goal['value']:.1f} ms")
    report["peak_memory_mb"] = peak_memory_mb()
    if report["peak_memory_mb"] is not None:
        say(f"peak memory {report['peak_memory_mb']:.0f} MB")
    return report


def _goals(over: Callable[..., Distribution]) -> list[dict[str, object]]:
    near = [band for band in BANDS if band[0] >= 4]
    far = [band for band in BANDS if band[0] < 4]
    wanted = (
        ("60 frames a second at 4x and closer (median)", over("interval", near).median, REFRESH_MS),
        ("no refresh of 60 missed there (p90)", over("interval", near).p90, NONE_MISSED_MS),
        ("a frame drawn within one of them (p90)", over("frame", near).p90, REFRESH_MS),
        ("30 frames a second elsewhere (median)", over("interval", far).median, 2 * REFRESH_MS),
        ("30 frames a second elsewhere (p90)", over("interval", far).p90, 2 * REFRESH_MS),
        ("exact within 100 ms of rest (p90)", over("rest").p90, 100.0),
    )
    # A timer of whole milliseconds cannot keep 16.67 to the last tenth.
    return [
        {"what": what, "value": value, "goal": goal, "met": value <= goal + 1.0}
        for what, value, goal in wanted
        if not math.isnan(value)
    ]
