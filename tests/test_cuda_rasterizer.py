"""The CUDA rasterizer: its kernel on a GPU or through Triton's interpreter, and machines that have neither."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gaussian_core.field import GaussianField
from gaussian_core.rasterizer import cuda, rasterize
from gaussian_core.rasterizer.cuda_tables import BIN_HEIGHT, BIN_WIDTH, Tables
from gaussian_core.viewport import Viewport
from tests.fields import random_field

torch = pytest.importorskip("torch")

ROOT = Path(__file__).resolve().parents[1]

needs_triton = pytest.mark.skipif(
    importlib.util.find_spec("triton") is None,
    reason="Triton is not installed: it is the extra 'cuda', for Linux",
)


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Python in a process of its own, so that nobody has imported Triton before."""
    environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"} | variables
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )


@needs_triton
def test_the_kernel_agrees_with_the_reference():
    """Every case of cuda_rasterizer_cases.py, and of resident_field_cases.py: of fields that were built there."""
    variables = {} if torch.cuda.is_available() else {"TRITON_INTERPRET": "1"}
    cases = ("tests/cuda_rasterizer_cases.py", "tests/resident_field_cases.py")
    said = run("-m", "pytest", "-q", *cases, **variables)
    assert said.returncode == 0, said.stdout[-5000:] + said.stderr[-1000:]


def test_without_triton_the_gather_draws(monkeypatch, caplog):
    """As on Apple's devices, here with the CPU in the device's place."""
    field, view = random_field(30), Viewport((-3.2, 2.1), 1.5, (30, 20))
    field.correction = random_field(30, seed=1)
    monkeypatch.setattr(cuda, "_device", lambda: None)
    monkeypatch.setattr(cuda, "_gather_device", lambda: "cpu")
    cuda._say_gather.cache_clear()
    slow = rasterize(field, view, backend="reference")
    np.testing.assert_allclose(rasterize(field, view, backend="cuda"), slow, atol=1e-3)
    assert "slow" in caplog.text
    out = np.empty((20, 30, 4), np.uint8)
    assert rasterize(field, view, backend="cuda", format="bgrx8", out=out) is out
    slow = rasterize(field, view, format="bgrx8", backend="reference")
    assert np.abs(out.astype(int) - slow.astype(int)).max() <= 1


def test_the_gather_in_single_precision_agrees(monkeypatch):
    """Apple's devices have no float64."""
    from gaussian_core.rasterizer import gather

    field, view = random_field(30), Viewport((12.3, 4.5), 16.0, (40, 30))
    monkeypatch.setattr(gather, "_widest", lambda device: torch.float32)
    slow = rasterize(field, view, backend="reference")
    np.testing.assert_allclose(rasterize(field, view, backend="torch"), slow, atol=1e-3)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
@needs_triton
def test_without_a_device_it_says_so_in_one_line():
    code = (
        "from gaussian_core import DeviceError, GaussianField, Viewport, rasterize\n"
        "field = GaussianField([[1, 1]], [[1, 0, 1]], [[1]], (2, 2))\n"
        "view = Viewport((0, 0), 1.0, (2, 2))\n"
        "rasterize(field, view)\n"
        "try:\n"
        "    rasterize(field, view, backend='cuda')\n"
        "except DeviceError as error:\n"
        "    print(error)\n"
    )
    said = run("-c", code)
    assert said.stderr == ""
    assert said.stdout.strip() == (
        "There is no CUDA device that torch can use here: use the cpu backend."
    )


COMPILE = """
import sys
from triton import compile
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from gaussian_core.field import GaussianField
from gaussian_core.rasterizer import cuda_kernel as kernel

pointers = {"integers": "*i64", "numbers": "*fp32", "anchors_x": "*fp32", "anchors_y": "*fp32"}
pointers |= {"bins": "*i32", "listed": "*i32", "put_away": "*i64"}
singles = {"scale_x": "fp32", "scale_y": "fp32", "footprint": "fp32"}
for channels, as_bytes, zoom in ((3, True, 1), (4, True, 4), (1, False, 4)):
    width, height = kernel.block_size((zoom, zoom))
    constants = dict(
        CHANNELS=channels, AS_BYTES=as_bytes, LANES=kernel.LANES, WIDTH=width, HEIGHT=height,
    )
    known = {**pointers, **singles, **dict.fromkeys(constants, "constexpr")}
    signature = {name: known.get(name, "i32") for name in kernel.render_blocks.arg_names}
    signature["out"] = "*i32" if as_bytes else "*fp32"
    done = compile(
        ASTSource(kernel.render_blocks, signature, constants),
        target=GPUTarget("cuda", 90, 32),
        options={"num_warps": 1, "num_stages": 1, "enable_fp_fusion": True},
    )
    # Nothing goes through shared memory, and all pixels of a lane stay in registers.
    print(done.metadata.shared == 0, ".local" in done.asm["ptx"])
"""


@needs_triton
def test_the_kernel_compiles_for_a_gpu(tmp_path):
    """The interpreter forgives what the compiler does not: types that change in a loop, for one."""
    said = run("-c", COMPILE, TRITON_CACHE_DIR=str(tmp_path))
    assert said.returncode == 0, said.stderr
    assert said.stdout.split() == ["True", "False"] * 3


def test_the_floor_of_a_frame_is_counted_by_hand():
    """One round Gaussian in view, one out of it."""
    from gaussian_core.benchmarks.frames import floor

    field = GaussianField([[4, 4], [90, 4]], [[1, 0, 1]] * 2, np.ones((2, 3)), (9, 99))
    least = floor(field, Viewport((0, 0), 10.0, (80, 80)))
    assert least.bytes == 8 * 4 + 80 * 80 * 4
    # exp(-r*r / 2) = 1/512, at 10 pixels per standard deviation; 11 operations a pixel
    assert least.operations == pytest.approx(np.pi * 2 * np.log(512) * 100 * 11, rel=1e-2)


@needs_triton
@pytest.mark.parametrize(("capability", "resident"), [((9, 0), 32), ((8, 9), 24), ((7, 5), 16)])
def test_frames_stay_on_the_device_that_was_current_at_the_first(monkeypatch, capability, resident):
    """Threads begin with the first device as their current one: they must not launch there what lies on the second."""
    from contextlib import contextmanager

    from gaussian_core.rasterizer import cuda_device, cuda_kernel

    current = [1]
    within = []

    @contextmanager
    def enter(what):
        within.append(what)
        yield
        within.remove(what)

    monkeypatch.setattr(cuda_kernel, "INTERPRETED", False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: current[0])
    monkeypatch.setattr(torch.cuda, "Stream", lambda name, priority: (name, priority))
    major, minor = capability
    processors = SimpleNamespace(multi_processor_count=3, major=major, minor=minor)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda name: processors)
    monkeypatch.setattr(torch.cuda, "device", enter)
    monkeypatch.setattr(torch.cuda, "stream", enter)
    cuda_device._find.cache_clear()
    try:
        device = cuda._device()
        current[0] = 0
        assert cuda._device() is device
    finally:
        cuda_device._find.cache_clear()
    with device.active():
        assert device.name == "cuda:1" and within == ["cuda:1", ("cuda:1", -1)]
    assert within == [] and device.programs == 3 * resident


@pytest.mark.parametrize(("pinned", "copies"), [(True, 1), (False, 2)])
def test_a_frame_is_copied_once_to_pinned_memory_and_waited_for(monkeypatch, pinned, copies):
    """With the CPU in the device's place. Who gets the frame may show it: nothing writes there any more."""
    done = []

    class Device:
        def wait(self):
            done.append("wait")

    frame = torch.arange(24, dtype=torch.uint8).reshape(2, 3, 4)
    out = np.zeros((2, 3, 4), np.uint8)
    copy, empty = torch.Tensor.copy_, torch.empty
    monkeypatch.setattr(
        torch.Tensor, "copy_", lambda self, *a, **k: done.append("copy") or copy(self, *a)
    )
    monkeypatch.setattr(torch, "empty", lambda shape, dtype, pin_memory: empty(shape, dtype=dtype))
    monkeypatch.setattr(torch.Tensor, "is_cuda", True)
    monkeypatch.setattr(torch.Tensor, "is_pinned", lambda self: pinned)
    assert cuda._to_host(frame, out, Device()) is out
    np.testing.assert_array_equal(out.ravel(), np.arange(24))
    assert done == ["copy", "wait", "copy"][: copies + 1]


def tiles_of(width, height, size=128):
    """Grid levels as of a field in tiles, one Gaussian of up to a source pixel in each cell, and the tiles' corners.
    They count from several origins."""
    for top in range(0, height, size):
        for left in range(0, width, size):
            x, y = left // 512 * 512, top // 512 * 512
            numbers = [[left - x, top - y, 1.0, 0.9, 0.4, 512.0, size, size, x, y]]
            yield (
                SimpleNamespace(
                    addresses=np.zeros((1, 4), np.int64), numbers=np.array(numbers, float)
                ),
                (left, top),
            )


@pytest.mark.parametrize(
    ("origin", "scale"), [((0.0, 0.0), 1.0), ((700.3, 411.8), (2.0, 3.7)), ((-900.0, 1e9), 0.3)]
)
def test_blocks_are_offered_the_levels_that_may_reach_them_and_few_others(origin, scale):
    fields, corners = zip(*tiles_of(1920, 1080), strict=True)
    view = Viewport(origin, scale, (1283, 721))
    tables = Tables(list(fields), (1.0,) * len(fields), view, 0.3, (16, 8))
    bins, listed = (part.numpy() for part in tables.parts(torch.from_numpy(tables.buffer))[4:])
    (sx, sy), wanted = view.scale, 0
    bin_rows = -(-tables.rows * 8 // BIN_HEIGHT)
    for row in range(bin_rows):
        for column in range(tables.bin_columns):
            number = row * tables.bin_columns + column
            offered = listed[bins[number] : bins[number + 1]]
            assert (np.diff(offered) > 0).all(), "in one order, whatever the viewport"
            left, top = tables.left + column * BIN_WIDTH, tables.top + row * BIN_HEIGHT
            x0, y0 = view.to_source(left + 0.5, top + 0.5)
            x1, y1 = view.to_source(left + BIN_WIDTH - 0.5, top + BIN_HEIGHT - 0.5)
            reach_x, reach_y = (
                3.8 * np.sqrt(v + (0.3 / s) ** 2) for v, s in ((0.9, sx), (0.4, sy))
            )
            near = {
                i
                for i, (x, y) in enumerate(corners)
                if x - reach_x <= x1 and x0 <= x + 128 + reach_x
                if y - reach_y <= y1 and y0 <= y + 128 + reach_y
            }
            assert near <= set(offered)
            wanted += len(near)
    assert bins[number + 1] <= 1.2 * wanted
