"""The kernels of the convolution against torch's in double precision: all sizes, borders, gradients, any threads."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402

from gaussian_core.convolution import arrays, transforms, winograd  # noqa: E402
from gaussian_core.convolution.multiply_ir import (  # noqa: E402
    LANES,
    WIDE,
    WIDE_ROWS,
    multiply,
    multiply_lanes,
    multiply_wide,
)

LAYOUTS = [torch.channels_last, torch.contiguous_format]


@pytest.fixture(params=[1, 2])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def layer(inputs, outputs, seed=0):
    torch.manual_seed(seed)
    return torch.nn.Conv2d(inputs, outputs, 3)


def picture(*shape, layout=torch.channels_last):
    return torch.randn(shape).to(memory_format=layout)


def exact(conv, x, padding, slope=1.0, plus=None):
    """The definition, in float64."""
    weight, bias = conv.weight.detach().double(), conv.bias.detach().double()
    out = F.conv2d(x.double(), weight, bias, padding=padding)
    out = torch.where(out < 0, out * slope, out)
    if plus is not None:
        cut = (plus.shape[-1] - out.shape[-1]) // 2
        height, width = out.shape[-2:]
        out = out + plus.double()[..., cut : cut + height, cut : cut + width]
    return out


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("side", [(3, 3), (4, 7), (6, 6), (13, 5), (5, 34), (29, 30)])
def test_a_convolution_is_what_it_is_defined_as(side, padding, layout, threads):
    conv, x = layer(16, 32), picture(2, 16, *side, layout=layout)
    with torch.no_grad():
        made = winograd.conv3x3(conv, x, padding)
    wanted = exact(conv, x, padding)
    assert made.shape == wanted.shape
    assert float((made - wanted).abs().max()) < 2e-5 * float(wanted.abs().max())


@pytest.mark.parametrize("channels", [(16, 16), (48, 48), (48, 96), (64, 16)])
def test_any_number_of_channels_in_steps_of_sixteen(channels):
    conv, x = layer(*channels), picture(1, channels[0], 11, 12)
    with torch.no_grad():
        made = winograd.conv3x3(conv, x, 1)
    wanted = exact(conv, x, 1)
    assert float((made - wanted).abs().max()) < 2e-5 * float(wanted.abs().max())


@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("slope", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("gradient", [False, True])
def test_activation_and_what_is_added(slope, padding, gradient):
    conv, x = layer(16, 16), picture(2, 16, 15, 10)
    larger = picture(2, 16, 15, 10)  # without padding: two pixels larger than the result
    with torch.set_grad_enabled(gradient):
        made = winograd.conv3x3(conv, x, padding, slope, larger)
    wanted = exact(conv, x, padding, slope, larger)
    assert float((made.detach() - wanted).abs().max()) < 2e-5 * float(wanted.abs().max())


def test_what_is_added_stays_as_it_is():
    conv, x = layer(16, 16), picture(1, 16, 9, 9)
    before = x.clone()
    with torch.no_grad():
        winograd.conv3x3(conv, x, 1, 0.1, x)
    assert torch.equal(x, before)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("side", [(3, 4), (9, 30), (22, 21)])
def test_gradients_are_those_of_the_definition(side, padding, layout, threads):
    conv, x = layer(16, 32), picture(3, 16, *side, layout=layout).requires_grad_()
    made = winograd.conv3x3(conv, x, padding)
    back = picture(*made.shape)
    made.backward(back)
    own = [x.grad, conv.weight.grad, conv.bias.grad]
    x2 = x.detach().double().requires_grad_()
    w2, b2 = (p.detach().double().requires_grad_() for p in (conv.weight, conv.bias))
    F.conv2d(x2, w2, b2, padding=padding).backward(back.double())
    for mine, wanted in zip(own, (x2.grad, w2.grad, b2.grad), strict=True):
        assert mine.shape == wanted.shape
        assert float((mine - wanted).abs().max()) < 2e-5 * float(wanted.abs().max())


def test_no_gradient_is_made_for_a_picture_that_needs_none():
    conv, x = layer(16, 16), picture(1, 16, 8, 8)
    winograd.conv3x3(conv, x, 1).sum().backward()
    assert x.grad is None and conv.weight.grad is not None


@pytest.mark.parametrize("kind", ["channels", "double", "bfloat16", "tiny"])
def test_what_the_kernel_cannot_do_torch_does(kind):
    conv = layer(12 if kind == "channels" else 16, 16)
    side = 2 if kind == "tiny" else 7
    x = picture(1, conv.in_channels, side, side)
    if kind in ("double", "bfloat16"):
        dtype = getattr(torch, kind if kind == "bfloat16" else "float64")
        conv, x = conv.to(dtype), x.to(dtype)
    assert not winograd.suits(x, conv.weight)
    with torch.no_grad():
        made = winograd.conv3x3(
            conv, x, 1, 0.1, conv.bias[None, :, None, None].expand(1, 16, side, side)
        )
    wanted = F.leaky_relu(F.conv2d(x, conv.weight, conv.bias, padding=1), 0.1)
    wanted = wanted + conv.bias[None, :, None, None]
    assert torch.allclose(made, wanted, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 6, 7, 8, 12, 13, 15, 24])
@pytest.mark.parametrize("add", [0, 1])
def test_products_of_small_matrices(rows, add):
    for columns in (16, 48, 80, 96):
        _compare_product(
            lambda *args, n=columns: multiply(*args[:-2], n, *args[-2:]), rows, columns, add
        )


@pytest.mark.parametrize("rows", [1, 7, 8, 15, 16])
@pytest.mark.parametrize("add", [0, 1])
def test_blocks_of_all_kinds_of_processors(rows, add):
    """With AVX-512 or without, as `multiply` puts them together."""
    _compare_product(multiply_lanes, rows, LANES, add)
    _compare_product(multiply_lanes_after_wide, rows, WIDE * LANES, add)


def multiply_lanes_after_wide(a, a_row, a_step, b, b_step, c, c_row, rows, inner, add):
    multiply_wide(a, a_row, a_step, b, b_step, c, c_row, rows, inner, add)
    i = rows // WIDE_ROWS * WIDE_ROWS
    for j in range(WIDE):
        multiply_lanes(
            a + i * a_row, a_row, a_step, b + j * LANES * 4, b_step, c + i * c_row + j * LANES * 4, c_row,
            rows - i, inner, add,
        )  # fmt: skip


def _compare_product(product, rows, columns, add):
    """product(a, a_row, a_step, b, b_step, c, c_row, rows, inner, add)"""
    rng = np.random.default_rng(rows)
    a, b = (rng.normal(size=s).astype(np.float32) for s in ((rows, 9), (9, columns)))
    c = rng.normal(size=(rows, columns)).astype(np.float32)
    wanted = a.astype(float) @ b + add * c.astype(float)
    turned = np.ascontiguousarray(a.T)
    step = 4 * columns
    for left, row, across in ((a, 36, 4), (turned, 4, rows * 4)):
        out = np.full((rows + 1, columns), 7, np.float32)
        out[:rows] = c
        product(
            left.ctypes.data, row, across, b.ctypes.data, step, out.ctypes.data, step, rows, 9, add
        )
        assert np.abs(out[:rows] - wanted).max() < 1e-5
        assert (out[rows] == 7).all()


def test_the_transforms_are_those_of_the_matrices():
    """Each against the matrices of the paper, channel by channel; the adjoints by what an adjoint is."""
    rng = np.random.default_rng(0)
    d, m = (rng.normal(size=s).astype(np.float32) for s in ((6, 6, 16), (36, 16)))
    small = rng.normal(size=(4, 4, 16)).astype(np.float32)
    t, points = np.empty(36 * 16, np.float32), np.empty((36, 16), np.float32)
    b, a = transforms.PICTURE, transforms.RESULT

    transforms.transform_in(d.ctypes.data, 6 * 64, t.ctypes.data, points.ctypes.data, 64, 16)
    assert np.allclose(points.reshape(6, 6, 16), np.einsum("ia,jb,abc->ijc", b, b, d), atol=1e-4)
    out = np.empty((4, 4, 16), np.float32)
    transforms.transform_out(m.ctypes.data, 64, t.ctypes.data, out.ctypes.data, 16)
    grid = m.reshape(6, 6, 16)
    assert np.allclose(out, np.einsum("ia,jb,abc->ijc", a, a, grid), atol=1e-4)
    transforms.transform_out_adjoint(
        small.ctypes.data, 4 * 64, t.ctypes.data, points.ctypes.data, 64, 16
    )
    wanted = np.einsum("ai,bj,abc->ijc", a, a, small)
    assert np.allclose(points.reshape(6, 6, 16), wanted, atol=1e-4)
    back = np.empty((6, 6, 16), np.float32)
    transforms.transform_in_adjoint(m.ctypes.data, 64, t.ctypes.data, back.ctypes.data, 16)
    assert np.allclose(back, np.einsum("ai,bj,abc->ijc", b, b, grid), atol=1e-3)


def test_the_heads_of_a_network(threads):
    torch.manual_seed(3)
    hidden, weight, bias = torch.nn.Conv2d(16, 32, 1), torch.randn(21, 32), torch.randn(21)
    x = picture(1, 16, 19, 13)
    with torch.no_grad():
        made = winograd.heads(x, hidden, weight, bias)
        wanted = F.conv2d(
            hidden.double()(x.double()).relu(), weight.double()[..., None, None], bias.double()
        )[0]
    assert float((made - wanted).abs().max()) < 1e-5


def test_strips_do_not_change_a_bit(monkeypatch):
    """A tile's values are the same whoever computes it, in whatever company."""
    conv, x = layer(16, 16), picture(1, 16, 41, 37)
    with torch.no_grad():
        whole = winograd.conv3x3(conv, x, 1)
        monkeypatch.setattr(arrays, "STRIP", 1)
        assert torch.equal(winograd.conv3x3(conv, x, 1), whole)
