"""The command line as a person uses it: pictures in, files out, and one clear line for everything that goes wrong."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gaussian_core.field import GaussianField
from gaussian_core.models.config import weights_path
from viewer import cli
from viewer.cli import main
from viewer.model.endings import endings

ROOT = Path(__file__).resolve().parents[1]
LONG = 300
"""Seconds: where the machine is busy a program takes a minute to begin."""


def picture(width: int, height: int, channels: int = 3) -> np.ndarray:
    """A smooth picture with an edge in it, uint8."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [128 + 100 * np.sin(x / 5 + c) * np.cos(y / (4 + c)) for c in range(channels)]
    values = np.stack(planes, axis=-1)
    values[:, width // 2 :, 0] = 230
    return np.clip(values, 0, 255).astype(np.uint8)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(picture(37, 23)).save(path)
    return path


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


def run(*arguments: object) -> int:
    return main([str(a) for a in arguments])


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run what must fail: exit code 1, one line on stderr, no traceback, and the output not made. Returns the line."""
    code = run(*arguments)
    err = capsys.readouterr().err
    assert code == 1
    assert err.count("\n") == 1 and len(err) > 20 and "Traceback" not in err
    return err


# What comes out


def test_render_at_a_fractional_scale(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    assert run("render", photo, out, "--scale", "3.7") == 0
    assert pixels(out).shape == (85, 137, 3)  # 23 * 3.7 = 85.1, 37 * 3.7 = 136.9
    # Shrunk to its own size again it is the picture.
    with Image.open(out) as image:
        small = np.asarray(image.resize((37, 23), Image.Resampling.BOX)).astype(int)
    assert np.abs(small - pixels(photo)).mean() < 3


def test_render_at_one_gives_the_file_back(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    assert run("render", photo, out, "--scale", "1") == 0
    assert np.abs(pixels(out) - pixels(photo)).max() <= 1


def test_render_each_axis_at_its_own_scale(photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    assert run("render", photo, out, "--scale", "2,0.5") == 0
    assert pixels(out).shape == (12, 74, 3)  # 11.5 rounds to the even 12


def test_a_region_is_the_same_pixels_as_in_the_whole(photo: Path, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole.png", tmp_path / "part.png"
    assert run("render", photo, whole, "--scale", "4") == 0
    assert run("render", photo, part, "--scale", "4", "--region", "5,3,20,10") == 0
    assert np.array_equal(pixels(part), pixels(whole)[12:52, 20:100])


def test_below_one_the_picture_is_antialiased(tmp_path: Path) -> None:
    stripes, out = tmp_path / "stripes.png", tmp_path / "out.png"
    values = np.zeros((60, 60, 3), np.uint8)
    values[:, ::2] = 255
    Image.fromarray(values).save(stripes)
    assert run("render", stripes, out, "--scale", "0.3") == 0
    inner = pixels(out)[2:-2, 2:-2]
    assert inner.shape == (14, 14, 3)
    assert np.abs(inner - 127.5).max() < 12


@pytest.mark.parametrize("method", ["nearest", "bilinear", "bicubic", "lanczos"])
def test_interpolations_are_methods_too(photo: Path, tmp_path: Path, method: str) -> None:
    out = tmp_path / "out.png"
    assert run("render", photo, out, "--scale", "3", "--method", method) == 0
    result = pixels(out)
    # The middle of every source pixel keeps its value.
    assert np.abs(result[1::3, 1::3] - pixels(photo))[2:-2, 2:-2].max() <= 1


def test_strips_leave_no_seam(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, strips = tmp_path / "whole.png", tmp_path / "strips.png"
    assert run("render", photo, whole, "--scale", "9.3") == 0
    monkeypatch.setattr("gaussian_core.writing.file_renderer.STRIP_BYTES", 344 * 3 * 4 * 5)
    assert run("render", photo, strips, "--scale", "9.3") == 0
    assert np.array_equal(pixels(whole), pixels(strips))


def test_a_field_is_built_saved_and_drawn(photo: Path, tmp_path: Path) -> None:
    field, from_field, direct = (tmp_path / n for n in ("f.safetensors", "a.png", "b.png"))
    assert run("build", photo, field) == 0
    assert GaussianField.open(field).metadata["method"] == "continuoussr"  # the default
    assert run("render", field, from_field, "--scale", "3.7") == 0
    assert run("render", photo, direct, "--scale", "3.7") == 0
    assert np.abs(pixels(from_field) - pixels(direct)).max() <= 1


def test_transparency_is_kept_where_the_format_can(tmp_path: Path) -> None:
    source = tmp_path / "glass.png"
    values = np.zeros((20, 48, 4), np.uint8)
    values[..., 0] = 200
    values[:, :16, 3] = 128
    values[:, 32:, 3] = 255
    Image.fromarray(values).save(source)
    for name in ("out.png", "out.tif", "out.webp"):
        out = tmp_path / name
        assert run("render", source, out, "--scale", "4") == 0
        result = pixels(out)
        assert result.shape == (80, 192, 4)
        assert np.abs(result[30:50, 156:176] - (200, 0, 0, 255)).max() <= 2
        assert np.abs(result[30:50, 16:36] - (200, 0, 0, 128)).max() <= 2
        assert result[30:50, 84:108, 3].max() <= 1


def test_without_alpha_the_picture_lies_on_white(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = tmp_path / "glass.png", tmp_path / "out.jpg"
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(source)
    assert run("render", source, out, "--scale", "2") == 0
    assert pixels(out).min() >= 253
    assert "white" in capsys.readouterr().err


def test_sixteen_bits(photo: Path, tmp_path: Path) -> None:
    fine, coarse = tmp_path / "fine.tif", tmp_path / "coarse.tif"
    assert run("render", photo, fine, "--scale", "2.5", "--bits", "16") == 0
    assert run("render", photo, coarse, "--scale", "2.5") == 0
    import tifffile

    deep = tifffile.imread(fine)
    assert deep.dtype == np.uint16
    assert np.abs(deep / 257.0 - pixels(coarse)).max() <= 0.51
    assert len(np.unique(deep)) > 256


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 2)])
@pytest.mark.parametrize("scale", ["0.01", "0.7", "1", "5.5"])
def test_the_smallest_pictures(tmp_path: Path, size: tuple[int, int], scale: str) -> None:
    source, out = tmp_path / "tiny.png", tmp_path / "out.png"
    Image.new("RGB", size, (200, 40, 90)).save(source)
    assert run("render", source, out, "--scale", scale) == 0
    assert np.abs(pixels(out) - (200, 40, 90)).max() <= 2


def test_a_grey_and_a_palette_picture(photo: Path, tmp_path: Path) -> None:
    for mode in ("L", "P", "1", "CMYK"):
        source, out = tmp_path / f"{mode}.tif", tmp_path / f"{mode}.png"
        with Image.open(photo) as image:
            image.convert(mode).save(source)
        assert run("render", source, out, "--scale", "2") == 0
        assert pixels(out).shape[:2] == (46, 74)


# What goes wrong


@pytest.fixture
def out(tmp_path: Path) -> Iterator[Path]:
    """An output path; afterwards nothing may lie there, whole or half."""
    folder = tmp_path / "results"
    folder.mkdir()
    yield folder / "out.png"
    assert list(folder.iterdir()) == []


def test_missing(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "nowhere.png" in fails(capsys, "render", "nowhere.png", out, "--scale", 2)
    assert "nowhere.png" in fails(capsys, "build", "nowhere.png", out.with_suffix(".safetensors"))
    assert "no.safetensors" in fails(capsys, "render", "no.safetensors", out, "--scale", 2)


def test_empty(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "empty.jpg"
    source.touch()
    assert "empty.jpg" in fails(capsys, "render", source, out, "--scale", 2)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], share: float
) -> None:
    """Of other kinds of files what there is of them is drawn: test_damaged_files."""
    source = tmp_path / "cut.avif"
    noise = np.random.default_rng(1).integers(0, 255, (90, 120, 3), np.uint8)
    Image.fromarray(noise).save(source)
    whole = source.read_bytes()
    source.write_bytes(whole[: int(len(whole) * share)])
    assert source.name in fails(capsys, "render", source, out, "--scale", 2)


def test_not_an_image(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("notes.txt", "notes.png", "notes.safetensors"):
        source = tmp_path / name
        source.write_text("This is not a picture.\n" * 20)
        assert name in fails(capsys, "render", source, out, "--scale", 2)


def test_a_folder(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "folder" in fails(capsys, "render", tmp_path, out, "--scale", 2)


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="this user may read everything"
)
def test_unreadable(
    photo: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # pragma: no cover
    photo.chmod(0)
    assert "photo.png" in fails(capsys, "render", photo, out, "--scale", 2)


def test_a_decompression_bomb(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file of a few hundred bytes that claims to be 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    source = tmp_path / "bomb.png"
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(100_000))
    source.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )
    assert "bomb.png" in fails(capsys, "render", source, out, "--scale", 0.01)


@pytest.fixture
def field(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    path = tmp_path / "photo.safetensors"
    assert run("build", photo, path) == 0
    capsys.readouterr()
    return path


@pytest.mark.parametrize("keep", [0, 4, 100, 0.5, 0.99])
def test_a_field_cut_short(
    field: Path, out: Path, capsys: pytest.CaptureFixture[str], keep: float
) -> None:
    whole = field.read_bytes()
    field.write_bytes(whole[: int(keep * len(whole)) if keep < 1 else int(keep)])
    assert "photo.safetensors" in fails(capsys, "render", field, out, "--scale", 2)


@pytest.mark.parametrize("name", ["means", "covariances", "amplitudes"])
def test_a_field_with_nan(
    field: Path, out: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    from safetensors import safe_open
    from safetensors.numpy import save_file

    with safe_open(field, framework="numpy") as file:
        metadata = file.metadata()
        tensors = {key: file.get_tensor(key).copy() for key in file.keys()}
    tensors[name].flat[3] = np.nan
    save_file(tensors, field, metadata=metadata)
    assert "NaN" in fails(capsys, "render", field, out, "--scale", 2)


def test_an_unwritable_output(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(tmp_path.iterdir())
    for target in (tmp_path / "no" / "out.png", tmp_path, photo / "out.png"):
        fails(capsys, "render", photo, target, "--scale", 2)
    for target in (tmp_path / "no" / "f.safetensors", photo / "f.safetensors"):
        fails(capsys, "build", photo, target)
    assert sorted(tmp_path.iterdir()) == before


def test_an_unknown_output_format(
    photo: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ".docx" in fails(capsys, "render", photo, out.with_suffix(".docx"), "--scale", 2)
    assert ".safetensors" in fails(capsys, "build", photo, out)
    assert ".png" in fails(capsys, "bench", "--plot", out.with_suffix(".xyz"))


def test_an_unknown_method_names_the_known_ones(
    photo: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = fails(capsys, "render", photo, out, "--scale", 2, "--method", "magic")
    assert "magic" in line and "kernel" in line and "bicubic" in line
    line = fails(capsys, "build", photo, out.with_suffix(".safetensors"), "--method", "bicubic")
    assert "bicubic" in line and "kernel" in line


@pytest.mark.parametrize(
    "spoilt", [None, b"", b"half", 0.5], ids=["missing", "empty", "text", "cut"]
)
def test_without_usable_weights_nothing_is_written(
    photo: Path,
    out: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    spoilt: bytes | float | None,
) -> None:
    """A command does what it was asked to or fails; it is the window that falls back and says so."""
    from gaussian_core.models import weights

    path = tmp_path / "continuoussr-light.safetensors"
    if isinstance(spoilt, float):
        whole = weights.weights_path().read_bytes()
        path.write_bytes(whole[: int(spoilt * len(whole))])
    elif spoilt is not None:
        path.write_bytes(spoilt)
    monkeypatch.setattr("gaussian_core.models.tile_builder.weights_path", lambda *_: path)
    assert path.name in fails(capsys, "render", photo, out, "--scale", 2)
    assert path.name in fails(capsys, "build", photo, out.with_suffix(".safetensors"))


@pytest.mark.parametrize(
    "region", ["0,0,0,5", "-1,0,5,5", "30,0,20,5", "0,0,nan,5", "0,0,5,-5", "0,0,inf,5"]
)
def test_a_region_outside_the_picture(
    photo: Path, out: Path, capsys: pytest.CaptureFixture[str], region: str
) -> None:
    for asked in ([f"--region={region}"], ["--region", region]):
        assert "37x23" in fails(capsys, "render", photo, out, "--scale", 2, *asked)


@pytest.mark.parametrize("scale", ["0", "-2", "nan", "inf", "2,0"])
def test_an_impossible_scale(
    photo: Path, out: Path, capsys: pytest.CaptureFixture[str], scale: str
) -> None:
    assert "scale" in fails(capsys, "render", photo, out, f"--scale={scale}")
    assert "scale" in fails(capsys, "render", photo, out, "--scale", scale)


@pytest.mark.parametrize(
    "arguments",
    [
        ["render"],
        ["render", "a.png", "b.png"],
        ["render", "a.png", "b.png", "--scale", "two"],
        ["render", "a.png", "b.png", "--scale", "1,2,3"],
        ["render", "a.png", "b.png", "--scale", "2", "--region", "1,2,3"],
        ["render", "a.png", "b.png", "--scale", "2", "--bits", "12"],
        ["build", "a.png"],
        ["--no-such-option"],
        ["a.png", "b.png"],
    ],
    ids=" ".join,
)
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage:" in capsys.readouterr().err


# The program as a process


def start(*arguments: object, own_group: bool = False, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
        process_group=0 if own_group else None,
    )


def test_help_and_version() -> None:
    from gaussian_core import __version__

    shown, _ = start("-h").communicate()
    assert "render" in shown and "build" in shown and "IMAGE" in shown
    shown, _ = start("--version").communicate()
    assert shown.strip().endswith(__version__)
    shown, _ = start("render", "-h").communicate()
    assert "--region X,Y,W,H" in shown


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is a display")
def test_without_a_display_it_points_to_render(photo: Path) -> None:
    bare = dict.fromkeys(("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"), "")
    process = start(photo, **bare)
    _, err = process.communicate()
    assert process.returncode == 1
    assert err.count("\n") == 1 and " render " in err


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_ctrl_c_and_a_terminal_that_is_closed_leave_nothing_behind(
    photo: Path, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    # These tests themselves may have been started by nohup.
    ignored = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    process = start("render", photo, folder / "out.png", "--scale", "600")
    signal.signal(signal.SIGHUP, ignored)
    deadline = time.monotonic() + LONG
    while not list(folder.iterdir()) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(getattr(signal, name))
    _, err = process.communicate(timeout=LONG)
    assert process.returncode == 130
    assert err.count("\n") == 1 and "interrupted" in err
    assert list(folder.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("workers", [0, 2])
def test_a_training_that_is_interrupted_is_told_from_one_that_is_done(
    tmp_path: Path, workers: int
) -> None:
    pytest.importorskip("torch")
    from gaussian_core.training.synthetic import page

    (tmp_path / "set").mkdir()
    Image.fromarray(page(1, 80)).save(tmp_path / "set" / "a.png")
    words = f"--workers {workers} --every 1 --batch 1 --patch 20 --channels 8 --blocks 1 --device cpu --steps"
    folders = ("train", tmp_path / "set", "--out", tmp_path / "out")
    process = start(*folders, *words.split(), "100000", own_group=True)
    assert process.stdout is not None
    for line in process.stdout:
        if "loss" in line:
            break
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: those that draw get it too
    out, err = process.communicate(timeout=LONG)
    assert (process.returncode, err) == (130, "")
    reached = int(out.strip().rpartition(" ")[2])
    again = start(*folders, *words.split(), str(reached + 1))
    out, err = again.communicate(timeout=LONG)
    assert (again.returncode, err) == (0, "") and f"going on from step {reached}" in out


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("module", ["numpy", "PySide6.QtGui", "viewer.ui.main_window"])
def test_ctrl_c_while_libraries_are_loaded(photo: Path, tmp_path: Path, module: str) -> None:
    """They may swallow exceptions just then."""
    script = (
        "import os, runpy, signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # tests in the background ignore it
        "class Interrupted:\n"
        "    def find_spec(name, path=None, target=None):\n"
        f"        if name == {module!r}:\n"
        "            try: os.kill(os.getpid(), signal.SIGINT)\n"
        "            except BaseException: pass\n"
        "sys.meta_path.insert(0, Interrupted)\n"
        f"sys.argv = ['main.py', {str(photo)!r}]\n"
        "runpy.run_path('main.py', run_name='__main__')\n"
    )
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_CONFIG_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=environment,
        timeout=LONG,
    )
    assert done.returncode == 130
    assert done.stderr.count("\n") == 1 and "interrupted" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes")
def test_a_closed_pipe_ends_it_silently(photo: Path) -> None:
    words = ("evaluate", photo.parent, "--methods", "nearest", "--scales", "2")
    process = start(*words)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    with process.stderr:
        assert (process.wait(), process.stderr.read()) == (141, "")


@pytest.mark.parametrize(("file", "code"), [(None, 141), ("out.png", 1)])
def test_a_closed_pipe_ends_it_silently_on_windows_too(monkeypatch, capsys, file, code) -> None:
    """Where it is an argument that is not valid; of a file that is an error like others."""

    def printing(*_: object) -> int:
        raise OSError(22, "Invalid argument", file)

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(cli, "_run", printing)
    assert main(["render"]) == code
    assert ("Invalid argument" in capsys.readouterr().err) is (file is not None)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/full is Linux's")
def test_what_cannot_be_printed_is_said_in_a_line(photo: Path, tmp_path: Path) -> None:
    words = ("render", photo, tmp_path / "out.png", "--scale", "1", "--method", "nearest")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, ROOT / "main.py", *map(str, words)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "No space left on device" in done.stderr


@pytest.mark.parametrize("module", ["viewer.cli", "viewer.commands.render", "gaussian_core.errors"])
def test_ctrl_c_while_modules_are_loaded(module: str) -> None:
    script = (
        "import runpy, sys\n"
        "class Interrupted:\n"
        "    def find_spec(name, path=None, target=None):\n"
        f"        if name == {module!r}: raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted)\n"
        "sys.argv = ['main.py', 'render', 'a.png', 'b.png', '--scale', '2']\n"
        "runpy.run_path('main.py', run_name='__main__')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 130
    assert done.stderr.count("\n") == 1 and "interrupted" in done.stderr


def said_by_program(prepared: str, settings: Path) -> str:
    """What the whole program prints in a process of its own, in which these lines of Python came first."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_CONFIG_HOME": str(settings)}
    script = f"{prepared}from viewer.cli import run_program\nrun_program()\n"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_closed_window_leaves_with_its_code_and_its_settings(photo: Path, tmp_path: Path) -> None:
    """Without taking the interpreter apart: the settings are on disk and what was printed has come out."""
    script = (
        "import sys\n"
        "from PySide6.QtCore import QTimer\n"
        "from viewer.ui.main_window import MainWindow\n"
        "shown = MainWindow.show\n"
        "def show(window):\n"
        "    shown(window)\n"
        "    window.change(sigma=2.5)\n"
        "    print('about to close', end='')\n"
        "    QTimer.singleShot(0, window.close)\n"
        "MainWindow.show = show\n"
        "import atexit; atexit.register(print, 'taken apart')\n"
        f"sys.argv = ['main.py', {str(photo)!r}]\n"
    )
    assert said_by_program(script, tmp_path) == "about to close"
    if sys.platform.startswith("linux"):
        assert '"sigma": 2.5' in (tmp_path / "gaussian-zoom" / "settings.json").read_text()


def test_who_quits_while_a_slow_method_is_exported_finds_nothing_left_of_it(
    photo: Path, tmp_path: Path
) -> None:
    """Also where the method does not hear in time that it is to stop."""
    folder = tmp_path / "results"
    folder.mkdir()
    script = (
        "import sys, time\n"
        "from PySide6.QtCore import QTimer\n"
        "from viewer.model.exports.picture_export import ExportPlan\n"
        "from viewer.ui.main_window import MainWindow\n"
        "import gaussian_core.writing.file_renderer as renderer\n"
        "from pathlib import Path\n"
        f"folder = Path({str(folder)!r})\n"
        "renderer._File.draw = lambda file, stop: time.sleep(600)\n"
        "def look(window):\n"
        "    if window.session.document is None:\n"
        "        return\n"
        "    if not window.exporter.running:\n"
        "        plan = ExportPlan(2.0)\n"
        "        window.exporter.export(window.session.document, plan, str(folder / 'out.png'))\n"
        "    elif list(folder.iterdir()):\n"
        "        print('leaves', len(list(folder.iterdir())), end='')\n"
        "        window.timer.stop()\n"
        "        window.leave()\n"
        "shown = MainWindow.show\n"
        "def show(window):\n"
        "    shown(window)\n"
        "    window.timer = QTimer(window)\n"
        "    window.timer.timeout.connect(lambda: look(window))\n"
        "    window.timer.start(20)\n"
        "MainWindow.show = show\n"
        f"sys.argv = ['main.py', {str(photo)!r}, '--method', 'bicubic']\n"
    )
    assert said_by_program(script, tmp_path) == "leaves 1" and list(folder.iterdir()) == []


@pytest.mark.parametrize("command", ["render", "figure", "build", "fit"])
def test_what_is_read_is_not_written_over(
    photo: Path, tmp_path: Path, command: str, capsys
) -> None:
    """One slip in a script would cost an original."""
    suffix = ".safetensors" if command in ("build", "fit") else ".png"
    folder = tmp_path / "folder"
    folder.mkdir()
    source = folder / f"source{suffix}"
    shutil.copy(photo, source)
    before = source.read_bytes()
    options = ["--scale", "2"] if suffix == ".png" else []
    same = folder / ".." / folder.name / source.name
    assert main([command, str(source), str(same), *options]) == 1
    assert "it is the file that is read" in capsys.readouterr().err
    assert source.read_bytes() == before and list(folder.iterdir()) == [source]


@pytest.mark.parametrize(
    ("scales", "said"),
    [
        (["2", "2"], "asked for twice"),
        (["0"], "got 0."),
        (["2,-1"], "got 2 and -1."),
        (["1e7"], "must lie between"),
        (["1e6"], "37,000,000 pixels wide"),
    ],
)
def test_scales_that_make_no_sense(photo: Path, tmp_path: Path, scales, said, capsys) -> None:
    options = [word for scale in scales for word in ("--scale", scale)]
    assert main(["render", str(photo), str(tmp_path / "o{scale}.png"), *options]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_who_was_told_to_outlive_the_terminal_does(monkeypatch) -> None:
    # As by nohup, in the background.
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_IGN)
    assert endings() == [signal.SIGINT, signal.SIGTERM]


def test_ctrl_break_ends_it_in_good_order_as_ctrl_c_does(monkeypatch) -> None:
    """Windows has that, too: what a training has reached is not thrown away."""
    monkeypatch.setattr(signal, "SIGBREAK", signal.SIGABRT, raising=False)
    assert signal.SIGABRT in endings()


def test_neither_weights_nor_pictures_are_written_over(photo: Path, tmp_path: Path, capsys) -> None:
    weights = tmp_path / "mine.safetensors"
    shutil.copy(weights_path("light"), weights)
    before = weights.read_bytes(), photo.read_bytes()
    assert main(["build", str(photo), str(weights), "--weights", str(weights)]) == 1
    assert "it is the file that is read" in capsys.readouterr().err
    for words in (
        ["bench", "--only", "frames", "--json", photo],
        ["bench", "--only", "frames", "--json", weights],
        ["fit", photo.parent, "--prior", photo],
        ["evaluate", photo.parent, "--methods", "nearest", "--json", photo],
    ):
        assert main([str(word) for word in words]) == 1
        assert "Name it .json." in capsys.readouterr().err
    words = ["fit", photo.parent, "--prior", tmp_path / "p.json", "--plot", photo]
    assert main([str(word) for word in words]) == 1
    assert "it is the file that is read" in capsys.readouterr().err
    assert (weights.read_bytes(), photo.read_bytes()) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes and links")
def test_a_link_stays_one_and_a_pipe_is_no_file_to_write(
    photo: Path, tmp_path: Path, capsys
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    link, pipe = tmp_path / "link.png", tmp_path / "pipe.png"
    link.symlink_to(folder / "real.png")
    os.mkfifo(pipe)
    words = ["--scale", "1", "--method", "nearest"]
    for _ in range(2):  # not there yet, and there
        assert main(["render", str(photo), str(link), *words]) == 0
        assert link.is_symlink() and pixels(folder / "real.png").shape == pixels(photo).shape
    assert main(["render", str(photo), str(pipe), *words]) == 1
    assert "it is a pipe or a device" in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir() if p != photo) == [
        "elsewhere",
        "link.png",
        "pipe.png",
    ]


def test_what_an_option_does_not_change_is_said(photo: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out-{scale}.png"
    small = ["render", str(photo), str(out), "--method", "kernel", "--scale", "0.5"]
    assert main([*small, "--pixel-sigma", "1"]) == 0
    said = capsys.readouterr().err
    assert "below x1 the antialiased picture stands for Kernel interpolation" in said
    assert "a pixel's footprint is for fields of Gaussians" in said
    words = ["render", str(photo), str(out), "--method", "kernel", "--scale", "2"]
    assert main([*words, "--pixel-sigma", "1"]) == 0 and capsys.readouterr().err == ""
    assert main(["render", str(photo), str(out), "--scale", "0.5"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX file descriptors")
def test_it_works_with_no_stderr_and_says_names_that_the_terminal_cannot(
    photo: Path, tmp_path: Path
) -> None:
    out = tmp_path / "größer.png"
    words = ["render", photo, out, "--scale", "1", "--method", "nearest"]
    command = shlex.join(map(str, [sys.executable, ROOT / "main.py", *words]))
    done = subprocess.run(
        ["sh", "-c", f"{command} 2>&-"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0 and out.exists()
    assert "gr\\xf6\\xdfer.png: " in done.stdout


def test_a_region_of_almost_nothing_is_refused(photo: Path, tmp_path: Path, capsys) -> None:
    words = ["render", str(photo), str(tmp_path / "o.png"), "--scale", "4"]
    assert main([*words, "--region", "0,0,1e-9,1e-9"]) == 1
    assert "is too small to be drawn" in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_fit_is_not_drawn_on_another_device_than_was_asked_for(
    photo: Path, tmp_path: Path, capsys
) -> None:
    words = ["render", str(photo), str(tmp_path / "o.png"), "--scale", "2", "--method", "fit"]
    assert main([*words, "--device", "cuda"]) == 1
    assert capsys.readouterr().err.count("\n") == 1 and not (tmp_path / "o.png").exists()
