"""The cache of compiled kernels."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gaussian_core import compiled, kernel_compiler
from gaussian_core.compiled import sources
from gaussian_core.errors import Cancelled

ROOT = Path(__file__).resolve().parents[1]
LONG = 600
"""Seconds: where others compile beside it, too, each kernel takes ten times as long."""
# Those of the marks: few, so that compiling them takes seconds.
SCRIPT = """
from gaussian_core.kernel_compiler import compile_apart, is_ready
from viewer.model.overlays.overlay_kernels import MODULE, PARTS, draw_lines
before = is_ready(MODULE)
compile_apart(MODULE)
for use in PARTS:
    use()
import numba
print(before, is_ready(MODULE), sum(draw_lines.stats.cache_misses.values()), numba.config.CACHE_DIR)
"""
LATER_START = """
import numba.core.event as event
import numpy as np

compiled = []

class Listener(event.Listener):
    def on_start(self, happening):
        compiled.append(happening.data["dispatcher"].py_func.__qualname__)

    def on_end(self, happening):
        pass

event.register("numba:compile", Listener())
from gaussian_core import Viewport, build_field, rasterize, rasterizer
from gaussian_core.imaging.array_picture import picture_of_array
from gaussian_core.pyramid import Pyramid
from gaussian_core.resampling import KERNELS, resample

rasterizer.warm_up()
image = np.random.default_rng(1).integers(0, 255, (40, 50, 4), np.uint8)
for method in ("continuoussr", "kernel"):
    for channels in (3, 4):
        field = build_field(image[..., :channels], method)
        for scale in (0.7, 1.0, 1.3, 2.0, 7.5, 300.0):
            for kind in ("bgrx8", "float"):
                rasterize(field, Viewport((3.3, 4.1), scale, (61, 37)), format=kind)
for channels in (3, 4):
    pyramid = Pyramid(picture_of_array(image[..., :channels]))
    for method in KERNELS:
        for scale in (0.4, 3.0):
            resample(pyramid, Viewport((3.3, 4.1), scale, (61, 37)), method=method, format="bgrx8")
print(compiled)
"""


def test_a_cache_depends_on_every_file_that_its_kernels_use(tmp_path):
    """An edit to what a kernel imports, even by way of another file, names another folder; other edits do not."""
    package = tmp_path / "program" / "gaussian_core"
    shutil.copytree(ROOT / "gaussian_core", package, ignore=shutil.ignore_patterns("__pycache__"))
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    script = (
        "from pathlib import Path; import gaussian_core.compiled as c;"
        "print(c.cache_folder(Path('gaussian_core/rasterizer/cpu_kernel.py').resolve()).name)"
    )

    def folder():
        command = [sys.executable, "-c", script]
        done = subprocess.run(
            command, cwd=package.parent, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    first = folder()
    for name, matters in (
        ("rasterizer/cpu_kernel.py", True),
        ("rasterizer/vector_ir.py", True),
        ("models/config.py", False),
    ):
        file = package / name
        file.write_text(file.read_text() + "\n")
        assert (folder() != first) is matters
        first = folder()


CHOOSES_LANES = """
import numba
import numpy as np
from gaussian_core.rasterizer.cells_ir import LANES, add_spread

@numba.njit
def take(plane, cells, after, pixels):
    add_spread(
        plane.ctypes.data, plane.nbytes, 1, cells.ctypes.data, after.ctypes.data, pixels.ctypes.data
    )

plane = np.arange(2 * LANES, dtype=np.float32)
cells = np.where(np.arange(LANES) % 3 == 1, -1, 5 + np.arange(LANES)).astype(np.int32)
pixels = np.ones(LANES, np.float32)
take(plane, cells, np.full(LANES, 5, np.int32), pixels)
assert (pixels == np.where(cells >= 0, cells + 1, 1)).all(), pixels
"""


@pytest.mark.parametrize(
    "setting",
    [
        {"NUMBA_ENABLE_AVX": "0"},
        {"NUMBA_CPU_NAME": "nocona"},
        {"NUMBA_CPU_FEATURES": "+avx512fp16,-avx512f"},
        {"NUMBA_CPU_NAME": "generic"},
        {},
    ],
)
def test_kernels_use_no_instructions_that_numba_has_put_away(setting):
    """Such as AVX in a virtual machine that names no processor (nocona): LLVM then ends the program with no more than a
    line on the terminal."""
    done = subprocess.run(
        [sys.executable, "-c", CHOOSES_LANES],
        cwd=ROOT,
        env={**os.environ, **setting},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_kernels_of_another_processor_are_not_taken_for_ready(tmp_path):
    """Whose home is on several machines, or who has updated Numba: the window would compile for minutes itself, and
    stand still meanwhile."""
    script = (
        "from gaussian_core.kernel_compiler import _marker;"
        "print(_marker('viewer.model.overlays.overlay_kernels'))"
    )

    def marker(**setting: str) -> str:
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path), **setting}
        command = [sys.executable, "-c", script]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    assert marker() == marker()
    assert marker() != marker(NUMBA_CPU_NAME="generic")


def test_no_kernel_is_compiled_anew_after_a_change_that_has_nothing_to_do_with_it():
    """Whoever gets a new version waits for what it changes, and not for all kernels since files are written anew."""
    for file in (ROOT / "gaussian_core").rglob("*.py"):
        if "\n@compiled(" in file.read_text(encoding="utf-8"):
            used = {path.relative_to(ROOT / "gaussian_core").as_posix() for path in sources(file)}
            assert not used & {"atomic.py", "builder.py", "field.py", "images.py"}, file.name


def test_kernels_are_compiled_once_in_processes_of_their_own_and_later_starts_load_them(tmp_path):
    """Of two that start together the first is killed while it compiles: its compiling processes go too, and the second
    takes over. No misses in the programs themselves: others compiled. The user's setting stays as it was."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}

    def start() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SCRIPT]
        return subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )

    first = start()
    deadline = time.monotonic() + LONG
    while not list(tmp_path.glob("*/*.lock")) and time.monotonic() < deadline:
        time.sleep(0.05)
    second = start()
    first.kill()
    first.communicate()
    out, _ = second.communicate(timeout=LONG)
    assert out.strip() == f"False True 0 {tmp_path}"
    assert not _processes_with(f"NUMBA_CACHE_DIR={tmp_path}")
    out, _ = start().communicate(timeout=LONG)
    assert out.strip() == f"True True 0 {tmp_path}"
    assert len(list(tmp_path.glob("kernels-*/*.ready"))) == 1


def _processes_with(setting: str) -> list[str]:
    """Numbers of the running processes with that in their environment; none where the system does not tell."""
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        try:
            if setting.encode() in file.read_bytes().split(b"\0"):
                found.append(file.parent.name)
        except OSError:  # ended meanwhile, or somebody else's
            continue
    return found


def test_a_later_start_compiles_nothing():
    """What this session compiled before its first test is all that frames and building need."""
    done = subprocess.run(
        [sys.executable, "-c", LATER_START],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=LONG,
    )
    assert done.stdout.strip() == "[]"


def test_versions_of_a_kernel_that_processes_save_at_once_are_all_kept(tmp_path):
    """Each of several processes compiles one kernel for arguments of its own, all at the same time, and takes long to
    read the list of those that there are."""
    (tmp_path / "kernels.py").write_text(
        "import sys, time\n"
        "from pathlib import Path\n"
        "import numba\n"
        "from filelock import FileLock\n"
        "from numba.core.caching import IndexDataCacheFile\n"
        "from gaussian_core.kernel_compiler import _save_in_turn\n"
        "read = IndexDataCacheFile._load_index\n"
        "def slowly(self):\n"
        "    index = read(self)\n"
        "    time.sleep(0.2)\n"
        "    return index\n"
        "IndexDataCacheFile._load_index = slowly\n"
        "@numba.njit(cache=True)\n"
        "def first(values):\n"
        "    return values[0]\n"
        "if sys.argv[1] == 'all':\n"
        "    for n in range(2, 7):\n"
        "        assert first((n,) * n) == n\n"
        "    print(sum(first.stats.cache_misses.values()))\n"
        "else:\n"
        "    _save_in_turn(FileLock(Path(__file__).with_name('saving')))\n"
        "    while not Path(__file__).with_name('go').exists():\n"
        "        time.sleep(0.001)\n"
        "    n = int(sys.argv[1])\n"
        "    first((n,) * n), first((float(n),) * n)\n"
    )
    environment = {
        **os.environ,
        "NUMBA_CACHE_DIR": str(tmp_path / "cache"),
        "PYTHONPATH": str(ROOT),
    }

    def start(argument: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(tmp_path / "kernels.py"), argument]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    several = [start(str(n)) for n in range(2, 7)]
    (tmp_path / "go").touch()
    for process in several:
        process.communicate(timeout=LONG)
        assert process.returncode == 0
    out, _ = start("all").communicate(timeout=LONG)
    assert out.strip() == "0"


INTERRUPTED = """
import os, signal, sys
from pathlib import Path
from gaussian_core import kernel_compiler

marker = Path(sys.argv.pop()) / "some.ready"
kernel_compiler._marker = lambda module: marker
kernel_compiler.serve("some", [lambda: os.kill(os.getpid(), signal.SIGINT)])
print(marker.exists())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there a signal to itself ends a process")
def test_ctrl_c_is_for_the_program_not_for_what_compiles_for_it(tmp_path):
    """It would compile itself what is not compiled then, and write a page of a traceback into its log."""
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,  # open: its end would be the program's
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read().strip() == "True"


LOOKING = """
import os, sys
from pathlib import Path
from gaussian_core import kernel_compiler

marker = Path(sys.argv.pop()) / "some.ready"
kernel_compiler._marker = lambda module: marker
kernel_compiler.serve("some", [lambda: print(os.read(0, 1))])
"""


def test_libraries_may_look_at_the_standard_input_while_they_are_loaded_for_compiling(tmp_path):
    """On Windows one that asks about the pipe that a thread waits for would wait, too, and the first start for ever."""
    with subprocess.Popen(
        [sys.executable, "-c", LOOKING, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        process.wait(timeout=60)  # its standard input stays open
        assert process.stdout is not None
        assert process.stdout.read().strip() == "b''"


PRIORITY = """
import os, sys
from pathlib import Path
from gaussian_core import kernel_compiler

sys.platform = "darwin"
marker = Path(sys.argv[2]) / "some.ready"
kernel_compiler._marker = lambda module: marker
sys.argv[1:] = sys.argv[1:2]
before = os.nice(0)
kernel_compiler.serve("some", [lambda: print(os.nice(0) - before)])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="its priorities are of another kind")
def test_what_compiles_on_all_cores_gives_way_to_the_window_on_a_mac_too(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", PRIORITY, "0", str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,  # open: its end would be the program's
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert 0 < int(process.stdout.read()) <= kernel_compiler.BESIDE_A_WINDOW


def test_and_on_windows(monkeypatch):
    asked: list[int] = []
    monkeypatch.setattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0x4000, raising=False)
    monkeypatch.setattr(
        subprocess, "Popen", lambda *_, creationflags=0, **__: asked.append(creationflags)
    )
    kernel_compiler._started("some")
    assert asked == [0x4000]


ONE_KERNEL = """
import sys
from numba.core.caching import IndexDataCacheFile

def full(self, *_):
    raise OSError(28, "No space left on device")

if sys.argv[1:]:
    IndexDataCacheFile.save = full
from gaussian_core import compiled, kernel_compiler
from gaussian_core.machine.cache_lines import lines
print(len(lines(5)), sum(lines.stats.cache_hits.values()), compiled.why_not_kept(), lines.stats.cache_path)
"""


def _one_kernel(cache: Path, *arguments: str) -> tuple[str, str]:
    """What a process prints that calls one kernel, and what it warns of."""
    done = subprocess.run(
        [sys.executable, "-c", ONE_KERNEL, *arguments],
        cwd=ROOT,
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip(), done.stderr


def test_where_nothing_can_be_kept_kernels_are_compiled_and_nothing_lies_beside_the_program(
    tmp_path,
):
    """Numba would refuse to start where it can write nowhere, and else keep them where they become stale."""
    (tmp_path / "file").touch()
    assert _one_kernel(tmp_path / "file" / "cache")[0] == "5 0  None"


def test_a_folder_of_another_user_is_none(tmp_path, monkeypatch):
    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    source = ROOT / "gaussian_core" / "machine" / "cache_lines.py"
    find = compiled.cache_folder.__wrapped__
    assert find(source).parent == tmp_path
    monkeypatch.setattr(compiled.tempfile, "TemporaryFile", refuse)
    assert find(source) is None


def test_a_full_disk_keeps_nobody_from_drawing(tmp_path):
    """It is said once, and the compiling process does not take them for kept."""
    said, warned = _one_kernel(tmp_path, "full")
    assert said.startswith("5 0 [Errno 28] No space left on device")
    assert warned.count("cannot be kept") == 1
    with subprocess.Popen(
        [sys.executable, "-c", NOT_KEPT, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,  # open: its end would be the program's
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.wait(timeout=60) == 1 and process.stderr is not None
        assert process.stderr.read().strip() == "the disk is full"
    assert not (tmp_path / "some.ready").exists()


NOT_KEPT = """
import sys
from pathlib import Path
from gaussian_core import kernel_compiler

marker = Path(sys.argv.pop()) / "some.ready"
kernel_compiler._marker = lambda module: marker
kernel_compiler.why_not_kept = lambda: "the disk is full"
kernel_compiler.serve("some", [lambda: None])
"""


@pytest.mark.parametrize("files", ["*.nbi", "*.nbc"])
@pytest.mark.parametrize("left", [b"", bytes(64)])
def test_a_kernel_whose_file_was_damaged_is_compiled_anew_and_kept(tmp_path, files, left):
    """As a power cut leaves files: empty, or full of zeros. Before, no frame was drawn until somebody deleted them."""
    assert _one_kernel(tmp_path)[0].startswith("5 0")
    (broken,) = tmp_path.rglob(files)
    broken.write_bytes(left)
    said, warned = _one_kernel(tmp_path)
    assert said.startswith("5 0") and "compiled anew" in warned
    said, warned = _one_kernel(tmp_path)
    assert said.startswith("5 1") and not warned


def test_stopping_ends_the_wait(tmp_path, monkeypatch):
    monkeypatch.setattr(kernel_compiler, "cache_folder", lambda source: tmp_path)
    with pytest.raises(Cancelled):
        kernel_compiler.compile_apart("gaussian_core.rasterizer.warm", stop=lambda: True)


def test_a_compiler_that_says_much_before_it_fails_does_not_wait_to_be_read(
    tmp_path, monkeypatch, caplog
):
    """A page of a traceback fills a pipe: 64 KB on Linux, 4 on Windows."""
    (tmp_path / "loud.py").write_text("import sys\nsys.exit('x' * 200_000 + ' no such target')\n")
    monkeypatch.setattr(kernel_compiler, "ROOT", tmp_path)
    monkeypatch.setattr(kernel_compiler, "cache_folder", lambda source: tmp_path)
    end = time.monotonic() + LONG
    kernel_compiler.compile_apart("loud", stop=lambda: time.monotonic() > end)
    assert caplog.messages[-1].endswith("x no such target")
    assert len(caplog.messages[-1]) < 1000
