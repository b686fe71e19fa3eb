"""The slow, obviously right rasterizer: every Gaussian at every pixel it can matter to, in float64."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gaussian_core.field import GaussianField
from gaussian_core.viewport import Viewport

# exp(-1/2 r^2) is under 1e-19 there: below what float64 adds to a value of order one.
REACH = 9.4


def rasterize_reference(
    fields: tuple[GaussianField, ...], viewport: Viewport, pixel_sigma: float = 0.3
) -> NDArray[np.float64]:
    """(H, W, C) float64: the sum of the fields, each Gaussian convolved with the pixel's footprint.

    The footprint is a Gaussian of standard deviation pixel_sigma device pixels, so pixel_sigma / s source pixels on
    each axis: Sigma' = Sigma + diag((pixel_sigma / s)^2), a' = a sqrt(|Sigma| / |Sigma'|).
    """
    xs, ys = viewport.pixel_centres()
    out = np.zeros((len(ys), len(xs), fields[0].channels))
    foot_x, foot_y = ((pixel_sigma / s) ** 2 for s in viewport.scale)
    for field in fields:
        for (x, y), (sxx, sxy, syy), a in zip(
            field.means.astype(np.float64),
            field.covariances.astype(np.float64),
            field.amplitudes.astype(np.float64),
            strict=True,
        ):
            xx, yy = sxx + foot_x, syy + foot_y
            det = xx * yy - sxy * sxy
            norm = np.sqrt((sxx * syy - sxy * sxy) / det)
            columns = slice(*np.searchsorted(xs, x + REACH * np.sqrt(xx) * np.array([-1, 1])))
            rows = slice(*np.searchsorted(ys, y + REACH * np.sqrt(yy) * np.array([-1, 1])))
            dx = xs[columns][None, :] - x
            dy = ys[rows][:, None] - y
            quad = (yy * dx * dx - 2 * sxy * dx * dy + xx * dy * dy) / det
            out[rows, columns] += np.exp(-0.5 * quad)[..., None] * (a * norm)
    return out
