"""A device that runs out of memory or fails while a field is built: said in one line, and the CPU goes on."""

from __future__ import annotations

import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from gaussian_core.builder import FieldBuilder, build_field  # noqa: E402
from gaussian_core.errors import DeviceError  # noqa: E402
from gaussian_core.imaging.picture import Picture  # noqa: E402
from gaussian_core.models import devices, faults, tile_builder, torch_network  # noqa: E402
from gaussian_core.models.device_index import grid_rows  # noqa: E402
from gaussian_core.models.published import tiles as published  # noqa: E402
from gaussian_core.models.published.continuoussr import PublishedContinuousSR  # noqa: E402
from gaussian_core.models.published.drawing import LIIFDrawing  # noqa: E402
from gaussian_core.models.published.opening import build_model  # noqa: E402
from gaussian_core.models.tile_builder import ContinuousSRTiles, open_network  # noqa: E402
from gaussian_core.models.weights import weights_path  # noqa: E402
from gaussian_core.rasterizer import cuda_fields, rasterize  # noqa: E402
from gaussian_core.resident_field import ResidentField  # noqa: E402
from gaussian_core.viewport import Viewport  # noqa: E402
from tests import published_checkpoints as small  # noqa: E402

LOST = torch.AcceleratorError if hasattr(torch, "AcceleratorError") else RuntimeError
LOST_TEXT = "CUDA error: unspecified launch failure\nCompile with `TORCH_USE_CUDA_DSA`\n\nFor debugging ...\n"


@pytest.fixture(autouse=True)
def a_sound_device(monkeypatch):
    """What one test loses the next has again."""
    monkeypatch.setattr(devices, "_lost", "")


class Device:
    """The network of the CPU in the place of one on a GPU. fail: called with the number of pixels of every piece of
    work."""

    device = "cuda"

    def __init__(self, network, fail):
        self._network, self._fail = network, fail

    def __getattr__(self, name):
        return getattr(self._network, name)

    def rows(self, pixels, *others):
        self._fail(pixels.shape[0] * pixels.shape[1])
        return self._network.rows(pixels, *others)


def pixels_of(height, width):
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([0.5 + 0.4 * np.sin(x / 5 + k) * np.cos(y / 7) for k in range(3)], -1).astype(
        np.float32
    )


def on_a_device(picture, fail, tile=40):
    builder = FieldBuilder(picture, "continuoussr", "cpu", tile=tile)
    builder._tiles.network = Device(builder._tiles.network, fail)
    return builder


def same(made, wanted, tolerance=2e-3):
    assert made.keys() == wanted.keys()
    for key, field in wanted.items():
        assert len(made[key]) == len(field)
        np.testing.assert_allclose(made[key].means, field.means, atol=tolerance)
        np.testing.assert_allclose(
            made[key].correction.amplitudes, field.correction.amplitudes, atol=tolerance
        )


PICTURE = Picture.from_array(pixels_of(60, 80))
KEYS = [(0, 0), (1, 0)]


@pytest.fixture(scope="module")
def wanted():
    return FieldBuilder(PICTURE, "continuoussr", "cpu", tile=40).build_tiles(KEYS)


def test_out_of_memory_frees_what_frames_hold_before_anything_gets_smaller(wanted, monkeypatch):
    """The fields of the frames were what filled the device: the tiles are built as they were to be."""
    freed, asked = [], []
    monkeypatch.setattr(cuda_fields, "forget", lambda: freed.append(True))

    def fail(pixels):
        asked.append(pixels)
        if not freed:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    builder = on_a_device(PICTURE, fail)
    same(builder.build_tiles(KEYS), wanted)
    assert freed == [True] and len(set(asked)) == 1
    assert builder.note == ""


def test_out_of_memory_brings_fields_that_stayed_on_the_device_to_the_host():
    (rows,) = grid_rows(torch.full((3, 2, 2), 0.5), 0, 0, [(0, 0, 2, 2)], 0.1)
    field = ResidentField(rows, (2, 2))
    faults.free_memory()
    assert field.device_rows is None and field.is_on_host
    np.testing.assert_array_equal(field.amplitudes, 0.5)


def test_a_program_that_never_drew_by_cuda_does_not_load_it_to_free_memory(monkeypatch):
    monkeypatch.delitem(sys.modules, "gaussian_core.rasterizer.cuda_fields")
    faults.free_memory()
    assert "gaussian_core.rasterizer.cuda_fields" not in sys.modules


def test_out_of_memory_on_a_block_means_tile_by_tile_and_the_block_is_not_tried_again():
    picture, asked = Picture.from_array(pixels_of(40, 200)), []
    builder = on_a_device(picture, asked.append)
    wanted = builder.build_tiles(KEYS)
    (block,) = asked
    for key in KEYS:
        builder.build_tile(key)
    assert max(asked[1:]) < block

    def fail(pixels):
        asked.append(pixels)
        if pixels >= block:
            raise torch.OutOfMemoryError("CUDA out of memory")

    asked.clear()
    builder = on_a_device(picture, fail)
    same(builder.build_tiles(KEYS), wanted)
    assert builder._tiles.network.device == "cuda"
    assert builder.note == tile_builder.SMALLER
    assert asked.count(block) == 2  # once more when memory was given back
    builder.build_tiles(KEYS)
    assert asked.count(block) == 2


def test_out_of_memory_on_a_tile_means_parts_of_it_that_make_the_same_field():
    """300 pixels wide, which the surroundings of its parts leave smaller."""
    picture = Picture.from_array(pixels_of(140, 300))
    wanted = FieldBuilder(picture, "continuoussr", "cpu", tile=300).build_tiles([(0, 0)])

    def fail(pixels):
        if pixels > 34_000:
            raise RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be ...")

    builder = on_a_device(picture, fail, tile=300)
    made = builder.build_tiles([(0, 0)])
    assert builder._tiles.network.device == "cuda" and builder.note == tile_builder.SMALLER
    (field,), (expected,) = made.values(), wanted.values()
    assert len(field) == len(expected) and len(field.correction) == len(expected.correction)
    assert field.drifts.shape == (len(field), 2)
    np.testing.assert_allclose(
        np.sort(field.drifts.astype(float), 0), np.sort(expected.drifts.astype(float), 0), atol=0.02
    )
    for scale in (1.0, 3.0):
        view = Viewport((0, 0), scale, (int(300 * scale), int(140 * scale)))
        shown, wished = rasterize(field, view), rasterize(expected, view)
        assert np.abs(shown - wished).max() <= 1 / 255


def test_out_of_memory_on_the_smallest_parts_means_the_cpu_which_is_said(wanted):
    def fail(pixels):
        raise torch.OutOfMemoryError("CUDA out of memory")

    builder = on_a_device(PICTURE, fail)
    same(builder.build_tiles(KEYS), wanted)
    assert (
        builder.note == "The GPU is out of memory: the field is built on the CPU, which is slower."
    )
    assert devices.loss() == ""  # the next picture may find memory


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (LOST(LOST_TEXT), True),
        (RuntimeError(LOST_TEXT), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED\nmore"), False),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"), False),
    ],
)
def test_a_device_that_fails_means_the_cpu_and_its_network_is_not_kept(
    wanted, monkeypatch, error, lost
):
    kept = []
    monkeypatch.setattr(torch_network, "forget_networks", lambda: kept.append("dropped"))

    def fail(pixels):
        raise error

    builder = on_a_device(PICTURE, fail)
    same(builder.build_tiles(KEYS), wanted)
    assert builder._tiles.network.device == "cpu"
    assert "\n" not in builder.note and "built on the CPU" in builder.note
    assert bool(devices.loss()) == lost
    assert kept == (["dropped"] if "ALLOC" not in str(error) else [])
    if lost:
        # Nothing goes there again, and the next picture says why.
        assert devices.is_cpu("auto") and devices.pick_device("auto").type == "cpu"
        assert "unspecified launch failure" in ContinuousSRTiles(PICTURE).note
        with pytest.raises(DeviceError, match="failed before"):
            devices.pick_device("cuda")


def test_networks_that_are_forgotten_are_read_again():
    path = weights_path()
    first = torch_network.read_network(path, 0, "cpu")
    assert torch_network.read_network(path, 0, "cpu") is first
    torch_network.forget_networks()
    assert torch_network.read_network(path, 0, "cpu") is not first


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
            "a smaller --batch",
        ),
        (LOST(LOST_TEXT), "(CUDA error: unspecified launch failure): the same command goes on"),
    ],
)
@pytest.mark.parametrize("command", ["train", "ablate"])
def test_a_device_that_fails_while_it_learns(monkeypatch, tmp_path, capsys, command, error, said):
    from PIL import Image

    from gaussian_core.training import ablation
    from gaussian_core.training import command as training
    from viewer.cli import main

    def fail(*_):
        raise error

    monkeypatch.setattr(training, "_train", fail)
    monkeypatch.setattr(ablation, "ablate", fail)
    monkeypatch.setattr(devices, "pick_device", lambda device: torch.device("cuda", 0))
    (tmp_path / "set").mkdir()
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(tmp_path / "set" / "a.png")
    words = [command, str(tmp_path / "set"), "--out", str(tmp_path / "out")]
    tests = ["--tests", str(tmp_path / "set")] if command == "ablate" else []
    assert main([*words, *tests]) == 1
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1


def test_errors_of_a_training_that_are_not_the_devices_stay_what_they_are():
    with pytest.raises(RuntimeError, match="mat1 and mat2"), faults.failures_of_training("cuda"):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")


def test_of_several_devices_the_network_stays_on_the_one_it_was_opened_for(monkeypatch):
    """The threads that build tiles have the first as their current one, to which a device without a number leads."""
    monkeypatch.setattr(tile_builder, "is_cpu", lambda device: device == "cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    monkeypatch.setattr(torch_network, "read_network", lambda path, changed, device: device)
    assert {open_network(weights_path(), name) for name in ("auto", "cuda")} == {"cuda:1"}


def test_of_several_threads_whose_device_fails_every_one_gets_its_tile(monkeypatch):
    """The first has taken the CPU's network by the time that the others meet the failure."""
    tiles = ContinuousSRTiles(PICTURE, "cpu")
    on_cpu, all_there = tiles.network, threading.Barrier(4)

    def fail(pixels):
        raise torch.OutOfMemoryError("CUDA out of memory")

    tiles.network = Device(on_cpu, fail)
    opened, build = [], tiles._build_block

    def slowly(network, rects, stop):
        if network.device == "cuda" and len(opened) == 0:
            all_there.wait(30)
        return build(network, rects, stop)

    def open_again(path, device):
        opened.append(device)
        return on_cpu

    monkeypatch.setattr(tiles, "_build_block", slowly)
    monkeypatch.setattr(tile_builder, "open_network", open_again)
    monkeypatch.setattr(tile_builder, "attempt_twice", faults.attempt)  # the barrier opens once
    made, failed = [], []

    def work():
        try:
            made.append(tiles.build((0, 0, 40, 40)))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed and len(made) == 4
    assert opened == ["cpu"]


@pytest.mark.parametrize(("device", "goes_on"), [("auto", True), ("cuda", False)])
def test_a_device_that_fails_when_the_network_is_put_on_it(monkeypatch, device, goes_on):
    """ "auto" goes on with the CPU; who asks for the GPU hears in a line why not."""

    def opened(path, device):
        if device != "cpu":
            raise LOST(LOST_TEXT)
        return open_network(path, device)

    monkeypatch.setattr(tile_builder, "open_network", opened)
    monkeypatch.setattr(tile_builder, "is_cpu", lambda device: False)
    monkeypatch.setattr(
        tile_builder,
        "pick_device",
        lambda device: torch.device("cpu" if device == "cpu" else "cuda:0"),
    )
    if goes_on:
        tiles = ContinuousSRTiles(PICTURE, device)
        assert tiles.network.device == "cpu" and "built on the CPU" in tiles.note
    else:
        with pytest.raises(DeviceError, match=r"unspecified launch failure.*--device cpu") as said:
            ContinuousSRTiles(PICTURE, device)
        assert "\n" not in str(said.value)


def test_errors_of_the_cpu_are_not_taken_for_a_devices():
    tiles = ContinuousSRTiles(PICTURE, "cpu")

    class Broken(Device):
        device = "cpu"

    def fail(pixels):
        raise RuntimeError("a fault of ours")

    tiles.network = Broken(tiles.network, fail)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        tiles.build((0, 0, 40, 40))


@pytest.mark.parametrize("channels", [3, 4])
def test_with_the_cpu_asked_for_nothing_is_drawn_by_cuda(monkeypatch, channels):
    """Not the correction, nor where transparency is settled: a GPU that is busy or broken is left alone."""
    from gaussian_core.rasterizer import cuda

    def drawn(*arguments):
        raise AssertionError("drawn by CUDA")

    monkeypatch.setattr(cuda, "chosen", lambda: True)
    monkeypatch.setattr(cuda, "rasterize_cuda", drawn)
    pixels = pixels_of(20, 24)
    if channels == 4:
        alpha = np.zeros((20, 24, 1), np.float32)
        alpha[5:15, 5:15] = 1
        pixels = np.concatenate([pixels * alpha, alpha], 2)
    assert build_field(pixels, device="cpu").channels == channels


# The authors' weights


def failing(error):
    def fail(*_):
        raise error

    return fail


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), LOST(LOST_TEXT)])
def test_published_continuoussr_goes_on_with_the_cpu(monkeypatch, error):
    weights, golden = small.golden("continuoussr_small")
    whole = FieldBuilder(Picture.from_array(golden["image"]), weights=weights).build_tile((0, 0))
    builder = FieldBuilder(Picture.from_array(golden["image"]), weights=weights)
    tiles = builder._tiles
    tiles.device = SimpleNamespace(type="cuda")
    monkeypatch.setattr(tiles.features, "around", failing(error))
    made = builder.build_tile((0, 0))
    np.testing.assert_allclose(made.means, whole.means, atol=1e-5)
    assert "built on the CPU" in builder.note and "\n" not in builder.note


def test_published_continuoussr_without_anything_to_go_on_with_says_so_in_a_line(monkeypatch):
    model = build_model(small.checkpoint("continuous-gaussian", small.continuoussr_args()))
    assert isinstance(model, PublishedContinuousSR)
    tiles = published.PublishedTiles(PICTURE, model, torch.device("cpu"), "small")
    tiles.device = SimpleNamespace(type="cuda")
    monkeypatch.setattr(tiles.features, "around", failing(LOST(LOST_TEXT)))
    with pytest.raises(DeviceError, match="unspecified launch failure") as said:
        tiles.build((0, 0, 8, 8))
    assert "\n" not in str(said.value)


def test_weights_that_do_not_fit_the_device_are_said_in_a_line(monkeypatch, tmp_path):
    monkeypatch.setattr(published, "_model", failing(torch.OutOfMemoryError("CUDA out of memory")))
    with pytest.raises(DeviceError, match=r"too little free memory.*--device cpu"):
        published.load_for(tmp_path / "any.pth", torch.device("cuda"))


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA out of memory"), LOST(LOST_TEXT)])
def test_liif_on_a_device_that_fails_says_so_in_a_line(monkeypatch, error):
    drawing = LIIFDrawing(PICTURE, build_model(small.checkpoint("liif", small.liif_args())))
    monkeypatch.setattr(drawing._features, "device", SimpleNamespace(type="cuda"))
    monkeypatch.setattr(drawing._features, "around", failing(error))
    for work in (drawing.encode, lambda: drawing.draw(Viewport((0, 0), 2.0, (8, 8)))):
        with pytest.raises(DeviceError, match="--device cpu") as said:
            work()
        assert "\n" not in str(said.value)


def test_gaussiansr_on_a_device_that_fails_says_so_in_a_line(monkeypatch):
    from gaussian_core.models.gaussiansr import GaussianSR, GaussianSRConfig
    from gaussian_core.models.gaussiansr_drawing import GaussianSRDrawing

    model = GaussianSR(GaussianSRConfig("edsr-baseline", {"n_resblocks": 1, "n_feats": 16}))
    drawing = GaussianSRDrawing(PICTURE, model.eval())
    monkeypatch.setattr(drawing._features, "device", SimpleNamespace(type="cuda"))
    monkeypatch.setattr(drawing._features, "around", failing(LOST(LOST_TEXT)))
    for work in (
        lambda: drawing.draw(Viewport((0, 0), 2.0, (8, 8))),
        lambda: drawing.kernels((0, 0, 4, 4)),
    ):
        with pytest.raises(DeviceError, match="unspecified launch failure"):
            work()


@pytest.mark.parametrize(("native", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_bfloat16_is_used_where_the_device_multiplies_it_and_not_where_it_emulates_it(
    monkeypatch, native, dtype
):
    monkeypatch.setattr(
        torch.cuda,
        "is_bf16_supported",
        lambda including_emulation=True: native or including_emulation,
    )
    assert devices.fast_dtype(torch.device("cuda")) == dtype
