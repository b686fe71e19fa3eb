"""The measurements measure what they say; how long anything takes is not tested."""

from __future__ import annotations

import ctypes
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from gaussian_core.benchmarks import curves, liif, pictures, suite
from gaussian_core.benchmarks.curves import Curve
from gaussian_core.benchmarks.plot import plot_curves
from gaussian_core.benchmarks.subjects import Photo, all_tiles, tiles_in_view
from gaussian_core.builder import FieldBuilder
from gaussian_core.machine import memory, own_process
from gaussian_core.rasterizer import rasterize
from viewer.cli import main


def test_a_synthetic_picture_has_its_size_and_detail_at_every_scale():
    height, width = pictures.extent_of(0.3)
    assert abs(height * width - 3e5) < 1000
    pixels = pictures.synthetic_picture(height, width)
    assert pixels.shape == (height, width, 3)
    for step in (1, 8, 64):
        part = pixels[::step, ::step].astype(int)
        assert np.abs(np.diff(part, axis=1)).mean() > 1


def test_a_picture_larger_than_the_patch_goes_on_without_a_seam(monkeypatch):
    monkeypatch.setattr(pictures, "PATCH", 64)
    pixels = pictures.synthetic_picture(100, 150).astype(int)
    inside = np.abs(np.diff(pixels[:, :64], axis=1)).mean()
    assert np.abs(pixels[:, 64] - pixels[:, 63]).mean() <= inside


def test_the_tiles_in_view_show_what_the_whole_field_shows():
    photo = Photo(2.0)
    view = photo.view(8.0, (160, 90))
    part = tiles_in_view(photo, view, FieldBuilder(photo, "kernel"))
    whole = list(all_tiles(photo).values())
    assert len(part) < len(whole)
    np.testing.assert_allclose(rasterize(part, view), rasterize(whole, view), atol=1e-5)


def test_curves_have_a_figure_for_each_size(monkeypatch):
    monkeypatch.setattr(curves, "FLAT_SIZES", (0.05, 0.1))
    monkeypatch.setattr(curves, "ONE_FIELD_SIZES", (0.05,))
    monkeypatch.setattr(curves, "BUILD_SIZES", {"kernel": (0.05,), "continuoussr": (0.01,)})
    monkeypatch.setattr(curves, "MEMORY_SIZES", (0.1,))
    monkeypatch.setattr(curves, "MEMORY_ZOOMS", (8.0,))
    monkeypatch.setattr(curves, "MEMORY_PICTURE", 0.1)
    made = [
        *curves.frame_curves(1, lambda: None),
        *curves.build_curves(lambda: None),
        *curves.memory_curves(lambda: None),
    ]
    assert len(made) >= 4
    for curve in made:
        assert len(curve.xs) == len(curve.ys) and all(y > 0 for y in curve.ys)
        assert curve.name in curve.as_text()


def test_on_cuda_both_networks_are_timed_and_named(monkeypatch):
    """The goal is for light, what opens there is base: one figure must not stand for the other."""
    from gaussian_core.models import devices

    asked = []

    def work(photo, method, tile, weights, device):
        asked.append((method, weights, tile, device))
        return lambda: None

    monkeypatch.setattr(curves, "BUILD_SIZES", {"kernel": (0.01,), "continuoussr": (0.01,)})
    monkeypatch.setattr(curves, "_build_work", work)
    monkeypatch.setattr(devices, "is_cpu", lambda device: False)
    monkeypatch.setattr(devices, "pick_device", lambda device: torch.device("cuda"))
    names = [curve.name for curve in curves.build_curves(lambda: None)]
    assert names[0] == "building, kernel" and len(set(names)) == 5
    assert [sum(name in n for n in names) for name in ("light", "base")] == [2, 2]
    assert {device for method, *_, device in asked if method != "kernel"} == {"cuda"}
    assert {w for method, w, *_ in asked if method != "kernel"} == {"light", "base"}


def test_short_times_are_told_in_full():
    assert "1: 27.31" in Curve("a", "megapixels", "ms", (1.0,), (27.314,)).as_text()


def test_liif_is_compared_on_the_same_view(monkeypatch):
    monkeypatch.setattr(liif, "FRAME", (64, 36))
    monkeypatch.setattr(liif, "ROWS", 4)
    got = liif.compare(1, lambda: None)
    assert got.rows == 4 and got.liif_frame_ms > got.ours_frame_ms > 0
    assert math.isclose(got.factor, got.liif_frame_ms / got.ours_frame_ms)
    assert "4 of 36 rows" in got.as_text()


def test_curves_become_a_picture(tmp_path):
    path = tmp_path / "curves.png"
    plot_curves(
        path, [Curve("a", "megapixels", "ms", (1, 10, 100), (3.0, 3.1, 3.0)) for _ in "123"]
    )
    with Image.open(path) as image:
        assert image.size == (1280, 800)
        assert len(image.getcolors(1 << 20) or ()) > 3
    plot_curves(path, [])
    assert path.stat().st_size > 100


def test_the_command_writes_what_it_measured(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(curves, "BUILD_SIZES", {"kernel": (0.05, 0.1)})
    path = tmp_path / "figures.json"
    plot = tmp_path / "figures.png"
    assert main(["bench", "--only", "build", "--json", str(path), "--plot", str(plot)]) == 0
    data = json.loads(path.read_text())
    assert [c["name"] for c in data["curves"]] == ["building, kernel"]
    assert data["machine"]["threads"] >= 1
    assert "building, kernel" in capsys.readouterr().out
    assert plot.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "frames,nonsense"], "nonsense"),
        (["--window", "--size", "wide"], "no size"),
        (["picture.jpg"], "--window"),
        (["--window", "--plot", "x.png"], "nothing to plot"),
        (["--window", "--megapixels", "-3"], "megapixels"),
        (["--window", "--only", "frames"], "--only does not go with --window"),
        (["--window", "picture.jpg", "--megapixels", "3"], "leave it or PICTURE out"),
        (["--repeats", "0"], "at least 1"),
        (["--memory"], "--memory is for `bench --window`"),
        (["--while-building"], "--while-building is for `bench --window`"),
        (["--size", "800x600"], "--size is for `bench --window`"),
        (["--method", "kernel"], "--method is for `bench --window`"),
    ],
)
def test_wrong_usage_is_said_in_a_line(arguments, said, capsys):
    try:
        code = main(["bench", *arguments])
    except SystemExit as end:  # argparse
        code = end.code
    assert code
    assert said in capsys.readouterr().err


def test_results_can_be_told_apart_in_the_report():
    report = suite.Report([Curve("a", "x", "y", (1.0,), (2.0,))])
    assert json.loads(json.dumps(report.as_data()))["curves"][0]["ys"] == [2.0]
    assert Path(pictures.__file__).is_file()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="where it was counted in")
def test_the_memory_of_a_process_is_not_that_of_the_one_that_started_it():
    large = np.ones(40_000_000)  # 320 MB
    code = "from gaussian_core.machine.memory import peak_memory_mb as peak; print(peak())"
    root = Path(__file__).parents[1]
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert float(said.stdout) < large.nbytes / 2e6


@pytest.mark.parametrize(("told", "peak"), [(1, 123.5), (0, None)])
def test_windows_tells_the_memory_of_a_process_too(monkeypatch, told, peak):
    def tell(process, pointer, length):
        assert process.value == 2**64 - 1
        assert pointer._obj.length == length == 72  # the size of PROCESS_MEMORY_COUNTERS
        pointer._obj.peak = 123_500_000
        return told

    kernel = SimpleNamespace(K32GetProcessMemoryInfo=tell)
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    monkeypatch.setattr(memory, "sys", SimpleNamespace(platform="win32"))
    # On Windows a long has 4 bytes, as what the call counts in has.
    monkeypatch.setattr(ctypes, "c_ulong", ctypes.c_uint32)
    assert memory.peak_memory_mb() == peak


def test_a_process_of_its_own_prints_names_of_all_scripts(tmp_path, monkeypatch):
    """Into a pipe Windows' Python has the letters of a code page, and ends at others."""
    (tmp_path / "saying.py").write_text("import sys; print(sys.argv[1])")
    monkeypatch.setattr(own_process, "ROOT", tmp_path)
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    name = os.fsdecode("Größe σ".encode() + b"\xff")
    assert own_process.printed_by("saying", name, failure="no").strip() == name
