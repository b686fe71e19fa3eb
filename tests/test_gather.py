"""The differentiable rasterizer against the float64 reference, and its gradients."""

from __future__ import annotations

import numpy as np
import pytest

from gaussian_core.errors import Cancelled
from gaussian_core.field import GaussianField
from gaussian_core.rasterizer import rasterize
from gaussian_core.viewport import Viewport
from tests.fields import dense_field, random_field, slanted

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("scale", [0.05, 0.4, 1.0, (1.5, 3.7), 16.0, (64.0, 20.0), 1000.0])
@pytest.mark.parametrize("channels", [1, 3, 8])
@pytest.mark.parametrize(("sigma", "correlation"), [((0.1, 2.0), 0.6), ((0.01, 50.0), 0.99)])
def test_agrees_with_the_reference(scale, channels, sigma, correlation):
    field = random_field(40, channels, sigma=sigma, correlation=correlation, seed=channels)
    for origin, size in (((-5.3, 7.77), (131, 90)), ((11.1, 9.2), (1, 1)), ((900, 0), (20, 20))):
        view = Viewport(origin, scale, size)
        slow = rasterize(field, view, backend="reference")
        np.testing.assert_allclose(rasterize(field, view, backend="torch"), slow, atol=1e-3)


@pytest.mark.parametrize("angle", [0.1, 0.5, 0.785, 1.2])
@pytest.mark.parametrize("thin", [1e-3, 5e-4])
def test_thin_slanted_gaussians_agree(angle, thin):
    """Their determinants are what is left of numbers a million times as large."""
    field = GaussianField([[8, 8]], [slanted(angle, 3.0, thin)], [[1]], (16, 16))
    view = Viewport((4, 4), 8, (64, 64))
    fast, slow = (rasterize(field, view, backend=name) for name in ("torch", "reference"))
    np.testing.assert_allclose(fast, slow, atol=5e-3 * slow.max())


@pytest.mark.parametrize("angle", [0.1, 0.5, 0.98, 1.5, 2.6])
@pytest.mark.parametrize("thin", [2e-3, 1e-2])
def test_lines_that_points_see_agree_along_all_of_their_length(angle, thin):
    """At some points exponents came out far above 0 and the line a million times too bright."""
    field = GaussianField([[50.3, 49.6]], [slanted(angle, 40.0, thin)], [[1]], (100, 100))
    view = Viewport((0, 0), 1, (100, 100))
    fast, slow = (
        rasterize(field, view, backend=name, pixel_sigma=0) for name in ("torch", "reference")
    )
    np.testing.assert_allclose(fast, slow, atol=2e-3)


def test_huge_gaussians_are_numbers():
    field = GaussianField([[8, 8]], [[1e30, 0, 1e30]], [[1]], (16, 16))
    np.testing.assert_allclose(rasterize(field, Viewport((4, 4), 8, (9, 9)), backend="torch"), 1)


def test_a_dense_field_and_several_fields_agree():
    one, two = dense_field(20, 24, seed=1), dense_field(20, 24, seed=2)
    view = Viewport((2.2, 3.3), 5.0, (75, 66))
    slow = rasterize([one, two], view, backend="reference")
    np.testing.assert_allclose(rasterize([one, two], view, backend="torch"), slow, atol=1e-3)


def test_an_empty_field_is_black_and_work_can_be_stopped():
    empty = GaussianField(np.zeros((0, 2)), np.zeros((0, 3)), np.zeros((0, 3)), extent=(4, 4))
    assert not rasterize(empty, Viewport((0, 0), 1.0, (5, 5)), backend="torch").any()
    view = Viewport((0, 0), 1.0, (9, 9))
    with pytest.raises(Cancelled):
        rasterize(random_field(), view, backend="torch", stop=lambda: True)


@pytest.mark.parametrize("pixel_sigma", [0.0, 0.3])
def test_gradients_are_right(pixel_sigma):
    from gaussian_core.rasterizer.gather import rasterize_torch

    field = random_field(5, 2, extent=(4, 5), sigma=(0.5, 1.5))
    inputs = [
        torch.tensor(np.asarray(a, np.float64), requires_grad=True)
        for a in (field.means, field.covariances, field.amplitudes)
    ]
    view = Viewport((0.3, -0.2), (2.0, 1.5), (6, 7))
    assert torch.autograd.gradcheck(
        lambda m, s, a: rasterize_torch(m, s, a, view, pixel_sigma), inputs
    )


def test_beside_all_gaussians_there_are_gradients_too():
    from gaussian_core.rasterizer.gather import rasterize_torch

    inputs = [torch.ones(4, n, requires_grad=True) for n in (2, 3, 1)]
    rasterize_torch(*inputs, Viewport((100, 100), 2.0, (8, 8))).sum().backward()
    assert all(torch.equal(t.grad, torch.zeros_like(t)) for t in inputs)


@pytest.mark.parametrize("pixel_sigma", [0.0, 0.3])
@pytest.mark.parametrize("corner", [1e-4, 0.0])
def test_a_gaussian_without_area_leaves_the_others_their_gradients(pixel_sigma, corner):
    """A fit by Cholesky factors comes there: in single precision 2 * 2 + 1e-8 is 4, and the determinant 0. Its
    gradients were no numbers, and after a step by them the field had none, either."""
    from gaussian_core.rasterizer.gather import rasterize_torch

    means = torch.tensor([[4.0, 4.0], [3.0, 5.0]], requires_grad=True)
    factors = torch.tensor([[3.0, 2.0, corner], [1.0, 0.2, 0.8]], requires_grad=True)
    heights = torch.ones(2, 3, requires_grad=True)
    l11, l21, l22 = factors.T
    shapes = torch.stack([l11 * l11, l11 * l21, l21 * l21 + l22 * l22], dim=1)
    view = Viewport((0, 0), (2.0, 3.0), (16, 24))
    both = rasterize_torch(means, shapes, heights, view, pixel_sigma)
    other = rasterize_torch(means[1:], shapes[1:], heights[1:], view, pixel_sigma)
    assert torch.equal(both, other)
    both[::2].sum().backward()
    for tensor in (means, factors, heights):
        assert torch.isfinite(tensor.grad).all()
        assert tensor.grad[1].abs().min() > 0


def test_what_is_no_number_is_told():
    from gaussian_core.rasterizer.gather import rasterize_torch

    means, shapes, heights = torch.ones(4, 2), torch.tensor([[1.0, 0.0, 1.0]] * 4), torch.ones(4, 3)
    view = Viewport((0, 0), 2.0, (8, 8))
    with pytest.raises(ValueError, match="the means hold NaN"):
        rasterize_torch(means * torch.nan, shapes, heights, view)
    with pytest.raises(ValueError, match="the covariances hold NaN or infinite"):
        rasterize_torch(means, shapes * torch.inf, heights, view)
    for sigma in (torch.nan, -0.3):
        with pytest.raises(ValueError, match="pixel_sigma must be zero or positive"):
            rasterize_torch(means, shapes, heights, view, sigma)


def test_tensors_that_do_not_fit_are_refused():
    from gaussian_core.rasterizer.gather import rasterize_torch

    means, shapes, heights = torch.ones(4, 2), torch.tensor([[1.0, 0.0, 1.0]] * 4), torch.ones(4, 3)
    view = Viewport((0, 0), 2.0, (8, 8))
    assert rasterize_torch(means, shapes, heights, view).shape == (8, 8, 3)
    for wrong in ((means[:3], shapes, heights), (means, shapes, heights[:, 0]), (shapes,) * 3):
        with pytest.raises(ValueError, match=r"means \(N, 2\)"):
            rasterize_torch(*wrong, view)
    for wrong in ((means.long(), shapes.long(), heights.long()), (means, shapes.double(), heights)):
        with pytest.raises(ValueError, match="share a floating dtype"):
            rasterize_torch(*wrong, view)
    with pytest.raises(ValueError, match="must be tensors"):
        rasterize_torch(means.numpy(), shapes, heights, view)
