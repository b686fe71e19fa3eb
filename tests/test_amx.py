"""The matrix unit's kernels against the definition: bfloat16 factors, everything else in double precision."""

from __future__ import annotations

import ctypes
import logging
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")  # what the networks are compared by

from gaussian_core.amx import arrays, learning, unit  # noqa: E402
from gaussian_core.field import GaussianField  # noqa: E402
from gaussian_core.models.config import weights_path  # noqa: E402
from gaussian_core.models.encoders import ResidualBlock  # noqa: E402
from gaussian_core.models.plain_network import PlainNetwork  # noqa: E402
from gaussian_core.models.tensor_file import read_tensors  # noqa: E402
from gaussian_core.rasterizer import rasterize  # noqa: E402
from gaussian_core.viewport import Viewport  # noqa: E402
from tests.small_networks import CONFIGS, SMALL, check, picture, surrounded, twins  # noqa: E402

pytestmark = pytest.mark.skipif(
    not unit.usable(), reason="this processor has no AMX, or the system does not permit it"
)
SLOPE = np.float32(0.1)


def seen(x):
    """What is left of float32 in bfloat16."""
    return (arrays.halves(x).astype(np.uint32) << 16).view(np.float32)


def test_rounding_is_to_the_nearest_and_to_even():
    rng = np.random.default_rng(0)
    x = (rng.normal(size=4000) * 10.0 ** rng.integers(-20, 20, 4000)).astype(np.float32)
    x[:4] = 1 + 2.0**-8, 1 + 3 * 2.0**-8, -0.0, np.inf
    wanted = torch.from_numpy(x).bfloat16().float().numpy()
    assert np.array_equal(seen(x), wanted)


def convolved(x, weight, bias, padding):
    """The definition: (H, W, C) -> (H - 2 + 2 padding, .., K) in float64."""
    x = np.pad(x.astype(float), ((padding, padding), (padding, padding), (0, 0)))
    height, width = x.shape[0] - 2, x.shape[1] - 2
    out = np.zeros((height, width, len(weight))) + bias
    for i in range(3):
        for j in range(3):
            out += x[i : i + height, j : j + width] @ weight[:, :, i, j].T.astype(float)
    return out


def block_by_definition(x, first, second, padding):
    inner = convolved(seen(x), seen(first[0]), first[1], padding).astype(np.float32)
    inner = np.maximum(inner, inner * SLOPE)
    lost = 2 - 2 * padding
    kept = x[lost:-lost, lost:-lost] if lost else x
    return kept + convolved(seen(inner), seen(second[0]), second[1], padding)


def layers(channels, rng):
    return [
        (
            (rng.normal(size=(channels, channels, 3, 3)) / channels).astype(np.float32),
            rng.normal(size=channels).astype(np.float32),
        )
        for _ in range(2)
    ]


@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("size", [(5, 5), (5, 70), (33, 37), (60, 36), (6, 101)], ids=str)
@pytest.mark.parametrize("channels", [16, 32, 48, 64, 80, 96])
def test_a_residual_block_is_what_it_is_defined_as(channels, size, padding):
    rng = np.random.default_rng(channels + padding)
    first, second = layers(channels, rng)
    x = rng.normal(size=(*size, channels)).astype(np.float32)
    made = arrays.residual_block(
        x[None], arrays.convolution(*first), arrays.convolution(*second), padding, float(SLOPE)
    )[0]
    wanted = block_by_definition(x, first, second, padding)
    assert made.shape == wanted.shape
    # What is between may be rounded to the next bfloat16 where sums of another order are.
    assert np.abs(made - wanted).max() < 5e-3


def test_strips_do_not_change_a_bit(monkeypatch):
    """A row's values are the same whoever computes it, in whatever company."""
    rng = np.random.default_rng(5)
    first, second = (arrays.convolution(*parts) for parts in layers(48, rng))
    x = rng.normal(size=(1, 41, 50, 48)).astype(np.float32)
    for padding in (0, 1):
        whole = arrays.residual_block(x, first, second, padding, 0.1)
        for strip in (1, 2, 5):
            monkeypatch.setattr(arrays, "STRIP", strip)
            assert np.array_equal(arrays.residual_block(x, first, second, padding, 0.1), whole)


def test_a_tile_is_a_part_of_the_whole_to_the_bit():
    rng = np.random.default_rng(6)
    first, second = (arrays.convolution(*parts) for parts in layers(48, rng))
    x = rng.normal(size=(1, 60, 90, 48)).astype(np.float32)
    whole = arrays.residual_block(x, first, second, 0, 0.1)
    tile = np.ascontiguousarray(x[:, 11:44, 13:71])
    made = arrays.residual_block(tile, first, second, 0, 0.1)
    assert np.array_equal(made, whole[:, 11:40, 13:67])


@pytest.mark.parametrize("count", [1, 47, 48, 49, 5000])
@pytest.mark.parametrize("sizes", [(48, 96, 84), (16, 16, 3), (64, 32, 32), (96, 48, 100)], ids=str)
def test_the_heads_of_a_network(sizes, count):
    channels, middle, outputs = sizes
    rng = np.random.default_rng(count)
    x, hidden, hidden_bias, out, out_bias = (
        rng.normal(size=s).astype(np.float32)
        for s in ((count, channels), (middle, channels), middle, (outputs, middle), outputs)
    )
    made = arrays.heads(x, arrays.layer(hidden, hidden_bias), arrays.layer(out, out_bias))
    inner = seen(x).astype(float) @ seen(hidden).T.astype(float) + hidden_bias
    inner = np.maximum(inner, 0).astype(np.float32)
    wanted = seen(out).astype(float) @ seen(inner).T.astype(float) + out_bias[:, None]
    assert made.shape == wanted.shape
    assert np.abs(made - wanted).max() < 3e-3 * np.abs(wanted).max()


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("size", [(37, 41), (5, 5), (6, 90)], ids=str)
def test_networks_are_those_of_float32_but_for_the_rounding(name, size):
    slow, _ = twins(CONFIGS[name])
    fast = PlainNetwork("w.safetensors", CONFIGS[name], slow._tensors, matrix_unit=True)
    colours, _ = surrounded(fast, *size)
    made, wanted = (n.planes(n.features(colours, check)) for n in (fast, slow))
    assert made.shape == wanted.shape
    assert np.abs(made - wanted).max() < 0.02 * np.abs(wanted).max()


def test_tiles_of_a_network_fit_together():
    config = replace(SMALL, channels=48, hidden=96)
    slow, _ = twins(config)
    network = PlainNetwork("w.safetensors", config, slow._tensors, matrix_unit=True)
    reach, colours = network.encoder_reach, picture(64, 80)
    whole, part = (
        network.planes(network.features(seen, check)) for seen in (colours, colours[8:50, 5:61])
    )
    assert np.array_equal(part, whole[:, 8 : 50 - 2 * reach, 5 : 61 - 2 * reach])


def test_where_the_system_does_not_permit_it_networks_run_in_float32(monkeypatch, caplog):
    class Refusing:
        def __init__(self, *_, **__):
            pass

        def syscall(self, *_):
            return -1

    unit.usable.cache_clear()
    monkeypatch.setattr(ctypes, "CDLL", Refusing)
    try:
        with caplog.at_level(logging.INFO):
            assert not unit.usable()
        assert "float32" in caplog.text
    finally:
        monkeypatch.undo()
        unit.usable.cache_clear()
    assert unit.usable()


def test_weights_that_are_shipped_show_the_same_picture_in_both():
    """On noise, the hardest of pictures, half a level apart in the mean."""
    path = weights_path("light")
    config, tensors = read_tensors(path)
    pixels = picture(60, 70)
    shown = []
    for matrix_unit in (False, True):
        network = PlainNetwork(path, config, tensors, matrix_unit)
        reach = network.encoder_reach
        around = np.pad(pixels, ((reach, reach), (reach, reach), (0, 0)), mode="reflect")
        rect = (reach, reach, reach + 70, reach + 60)
        rows = network.rows(around, (-reach, -reach), rect, None, check)
        field = GaussianField.from_rows(rows, (60, 70))
        shown.append(rasterize(field, Viewport((0, 0), 3.0, (210, 180))))
    assert np.abs(shown[0] - shown[1]).mean() < 0.5 / 255
    assert np.abs(shown[0] - shown[1]).max() < 8 / 255


def trained(block, x, gradient, dtype):
    """(result, gradients of x and of the parameters): by torch, the weights as rounded as the unit sees them."""
    x = x.detach().to(dtype).requires_grad_()
    layers = (block.first, block.second)
    parameters = [p.detach().to(dtype) for conv in layers for p in (conv.weight, conv.bias)]
    for number in (0, 2):
        parameters[number] = parameters[number].bfloat16().to(dtype)
    parameters = [p.requires_grad_() for p in parameters]
    inner = torch.nn.functional.conv2d(x, parameters[0], parameters[1], padding=1)
    inner = torch.nn.functional.leaky_relu(inner, block.slope)
    y = x + torch.nn.functional.conv2d(inner, parameters[2], parameters[3], padding=1)
    y.backward(gradient.to(dtype))
    return [y.detach(), x.grad, *(p.grad for p in parameters)]


@pytest.mark.parametrize("size", [(44, 44), (2, 2), (7, 9), (5, 30), (33, 20)], ids=str)
@pytest.mark.parametrize("channels", [16, 48, 64, 80])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_block_learns_as_by_torch(channels, size, threads):
    torch.manual_seed(channels)
    block = ResidualBlock(channels, 0.1)
    with torch.no_grad():
        block.second.weight.mul_(3)
    x, gradient = torch.randn(2, 2, channels, *size)
    x.requires_grad_()
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.autocast("cpu", torch.bfloat16):
            y = block(x)
        y.backward(gradient)
    finally:
        torch.set_num_threads(before)
    assert y.dtype == torch.float32
    made = [y.detach(), x.grad]
    made += [p.grad for conv in (block.first, block.second) for p in (conv.weight, conv.bias)]
    wanted = trained(block, x, gradient, torch.float64)
    # Where what is between is near zero, rounding decides on which side it is: torch's bfloat16 is as far off.
    for mine, exact, share in zip(made, wanted, (2e-3, 0.02, 0.06, 0.06, 0.01, 1e-5), strict=True):
        assert mine.shape == exact.shape
        assert float((mine - exact).norm()) < share * float(exact.norm())


def test_gradients_add_up_over_crops_and_steps():
    block = ResidualBlock(16, 0.1)
    x = torch.randn(3, 16, 9, 8)

    def gradients(*parts):
        block.zero_grad()
        for part in parts:
            with torch.autocast("cpu", torch.bfloat16):
                block(part).square().mean(0).sum().mul(len(part)).backward()
        return [p.grad.clone() for p in block.parameters()]

    for whole, apart in zip(gradients(x), gradients(x[:1], x[1:]), strict=True):
        assert torch.allclose(whole, apart, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("channels", [16, 48, 64])
def test_packing_at_every_step_is_that_of_the_arrays(channels, turned):
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(channels, channels, 3, 3)).astype(np.float32)
    read = weight.transpose(1, 0, 2, 3)[:, :, ::-1, ::-1] if turned else weight
    wanted = arrays.convolution(np.ascontiguousarray(read), np.zeros(channels, np.float32))
    assert np.array_equal(learning.packed(weight, turned), wanted.filters)


def test_what_is_learnt_in_float32_or_by_a_plain_relu_is_left_to_torch():
    x, block = torch.randn(1, 16, 8, 8), ResidualBlock(16, 0.1)
    weight = block.first.weight
    assert not learning.suits(x, weight, 0.1)  # float32 is asked for
    with torch.autocast("cpu", torch.bfloat16):
        assert learning.suits(x, weight, 0.1)
        assert not learning.suits(x, weight, 0.0)
        assert not learning.suits(x, ResidualBlock(24, 0.1).first.weight, 0.1)
