"""Fit Gaussians to a picture: places by its detail, amplitudes by least squares, then all of it by gradient descent.

The field is linear in its amplitudes: given places and shapes, the best ones solve a linear system (conjugate
gradients). From there Adam moves everything at once. GaussianImage (arXiv 2403.08551) fits its Gaussians in this way.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import Cancelled, ImageError
from gaussian_core.field import GaussianField
from gaussian_core.fitting import kernels
from gaussian_core.parallel import Stop, run_strips
from gaussian_core.rasterizer import PIXEL_SIGMA

Array = NDArray[np.float32]

LARGEST = 6.0  # standard deviations, source pixels
SOLVE = 12  # steps of conjugate gradients at the start
BAND, CHUNK = 32, 4096  # rows, Gaussians a thread takes at a time


@dataclass(frozen=True)
class FitOptions:
    """gaussians_per_pixel: how many there are, at most 1 a pixel. sharpest: least standard deviation in the field,
    source pixels: narrower ones make dots of what is between the pixels, and are no more exact at 100 % (at 0.6 a
    picture of half the size is enlarged as well as by bicubic, at 0.3 worse by 1.5 dB). even: share of the Gaussians
    that is spread evenly, the rest goes where the detail is. steps: of gradient descent, the rates fall towards the
    last one."""

    gaussians_per_pixel: float = 0.5
    sharpest: float = 0.6
    even: float = 0.4
    steps: int = 400
    place_rate: float = 0.03
    shape_rate: float = 0.02
    amplitude_rate: float = 0.01


@dataclass(frozen=True)
class Progress:
    """psnr: of the field seen at 100 % against the picture, all channels, dB. done: 0 .. 1."""

    step: int
    psnr: float
    done: float


class Fit:
    """One picture float32 in [0, 1] and its Gaussians: (H, W, 3), (H, W, 1), which is grey, or (H, W, 4), premultiplied
    RGB and alpha, which is fitted as the colours are. Raises ImageError for other shapes."""

    def __init__(self, image: Array, options: FitOptions | None = None) -> None:
        self.options = options or FitOptions()
        if image.ndim != 3 or image.shape[2] not in (1, 3, 4) or 0 in image.shape:
            raise ImageError("A fit needs a grey or an RGB picture, or RGB with alpha.")
        if not 0 < self.options.gaussians_per_pixel <= 1:
            raise ImageError("A fit has more than 0 and at most 1 Gaussian a pixel.")
        self.channels = image.shape[2]
        rgb = np.broadcast_to(image, (*image.shape[:2], max(3, self.channels)))
        self.image = np.ascontiguousarray(rgb, np.float32)
        self.extent = (image.shape[0], image.shape[1])
        self.floor = np.float32(PIXEL_SIGMA**2 + self.options.sharpest**2)
        self.params = self._start()
        self.shown = np.empty_like(self.image)
        self._gradients = np.zeros_like(self.params)
        self._moments = np.zeros_like(self.params), np.zeros_like(self.params)
        self._step = 0

    def __len__(self) -> int:
        return self.params.shape[1]

    def run(
        self, seconds: float | None = None, report: int = 10, stop: Stop | None = None
    ) -> Iterator[Progress]:
        """Fit, yielding every `report` steps. seconds: end after that time, the rates falling towards it; None: after
        options.steps. Ends early when `stop` says so; what is reached stays, and is the best that was seen."""
        with closing(self.steps(seconds, report, stop)) as steps:
            yield from (progress for progress in steps if progress is not None)

    def steps(
        self, seconds: float | None = None, report: int = 10, stop: Stop | None = None
    ) -> Generator[Progress | None]:
        """As run, for who wants to do something else between any two steps: None while there is nothing to tell, as in
        the seconds that a large picture's start takes."""
        began = time.perf_counter()
        best, kept = -math.inf, self.params.copy()
        try:
            yield from self._solve(stop)
            kept = self.params.copy()
            while True:
                self._draw(stop)
                psnr = self.psnr
                if psnr > best and self._step % report == 0:
                    best, kept = psnr, self.params.copy()
                passed = (time.perf_counter() - began) / seconds if seconds else 0.0
                done = passed if seconds else self._step / self.options.steps
                if self._step % report == 0 or done >= 1:
                    yield Progress(self._step, psnr, min(done, 1.0))
                if done >= 1:
                    break
                self._descend(done, stop)
            if psnr > best:
                kept = self.params
        except Cancelled:
            pass
        finally:
            self.params = kept

    @property
    def psnr(self) -> float:
        """Of what was drawn last, dB."""
        error = float(np.mean(np.square(self.shown - self.image), dtype=np.float64))
        return 10 * math.log10(1 / max(error, 1e-12))

    def field(self) -> GaussianField:
        """The field as fitted so far: the footprint taken off again."""
        x, y, l11, l21, l22 = self.params[:5]
        narrow = np.float32(self.options.sharpest**2)
        seen = _determinant(l11, l21, l22, self.floor)
        own = _determinant(l11, l21, l22, narrow)
        amplitudes = self.params[5:] * np.sqrt(seen / own)
        if self.channels == 1:
            amplitudes = amplitudes[:1]
        covariances = np.stack([l11 * l11 + narrow, l11 * l21, l21 * l21 + l22 * l22 + narrow], 1)
        metadata = {"method": "fit"}
        means = np.stack([x, y], 1)
        return GaussianField(means, covariances, amplitudes.T.copy(), self.extent, metadata)

    # ---- the start ------------------------------------------------------------------------------

    def _start(self) -> Array:
        from skimage.filters import gaussian

        grey = self.image.mean(2)
        gy, gx = np.gradient(grey) if min(grey.shape) > 1 else (grey * 0, grey * 0)
        detail = np.sqrt(gaussian(gx * gx + gy * gy, 1.0)) + 1e-4
        wanted = self.options.gaussians_per_pixel * grey.size
        even = self.options.even * self.options.gaussians_per_pixel
        density = _scaled(np.sqrt(detail), even, wanted).astype(np.float32)
        dots = kernels.dither(density.copy())
        if not dots.any():
            dots[grey.shape[0] // 2, grey.shape[1] // 2] = True
        rows, columns = np.nonzero(dots)
        # About as wide as the distance to the neighbours asks for.
        sigma = np.clip(0.55 / np.sqrt(density[rows, columns]), 0.5, LARGEST / 2)
        radius = np.sqrt(np.maximum(sigma**2 - self.floor, 0.01))
        params = np.zeros((5 + self.image.shape[2], len(rows)), np.float32)
        params[0], params[1] = columns + 0.5, rows + 0.5
        params[2], params[4] = radius, radius
        # Several cover each pixel.
        share = density[rows, columns] * 2 * math.pi * sigma**2
        params[5:] = self.image[rows, columns].T / np.maximum(share, 1)
        return params

    # ---- drawing and descending -----------------------------------------------------------------

    def _draw(
        self, stop: Stop | None, params: Array | None = None, out: Array | None = None
    ) -> Array:
        params = self.params if params is None else params
        out = self.shown if out is None else out
        height = self.extent[0]
        lines = np.clip(params[1].astype(np.int64), 0, height - 1)
        order = np.argsort(lines, kind="stable")
        starts = np.searchsorted(lines[order], np.arange(height + 1))
        tallest = float(np.max(params[3] ** 2 + params[4] ** 2)) + float(self.floor)
        reach = math.ceil(math.sqrt(float(kernels.CUT) * tallest)) + 1

        def band(number: int) -> None:
            top = number * BAND
            bottom = min(top + BAND, height)
            kernels.draw_rows(
                params, self.floor, order, starts, top, bottom, reach, out, _alpha_of(out)
            )

        run_strips(band, -(-height // BAND), stop)
        return out

    def _chunks(self, work, stop: Stop | None) -> None:  # type: ignore[no-untyped-def]
        def chunk(number: int) -> None:
            work(number * CHUNK, min((number + 1) * CHUNK, len(self)))

        run_strips(chunk, -(-len(self) // CHUNK), stop)

    def _descend(self, done: float, stop: Stop | None) -> None:
        o = self.options
        residual = self.shown - self.image
        alpha = _alpha_of(residual)
        fall = 0.5 * (1 + math.cos(math.pi * done)) + 0.01
        rates = np.array(
            [o.place_rate] * 2 + [o.shape_rate] * 3 + [o.amplitude_rate] * (len(self.params) - 5),
            np.float32,
        ) * np.float32(fall)
        limits = np.array([self.extent[1], self.extent[0], LARGEST], np.float32)
        self._step += 1

        def work(first: int, last: int) -> None:
            kernels.gradients_of(
                self.params, self.floor, first, last, residual, alpha, self._gradients
            )
            kernels.adam_step(
                self.params, self._gradients, *self._moments, rates, self._step, first, last, limits
            )

        self._chunks(work, stop)

    def _solve(self, stop: Stop | None) -> Generator[None]:
        """Amplitudes by least squares: conjugate gradients on the normal equations, preconditioned by the diagonal.
        Yields after each step."""
        params = self.params.copy()

        def transposed(residual: Array) -> Array:
            out = np.empty((len(params) - 5, len(self)), np.float32)
            alpha = _alpha_of(residual)
            self._chunks(
                lambda first, last: kernels.amplitude_gradients(
                    params, self.floor, first, last, residual, alpha, out
                ),
                stop,
            )
            return out

        scratch = np.empty_like(self.image)
        seen = np.sqrt(_determinant(params[2], params[3], params[4], self.floor))
        weight = (math.pi * seen).astype(np.float32)  # of one Gaussian's square
        x = params[5:].copy()
        r = transposed(self.image - self._draw(stop, params, scratch))
        z: Array = r / weight
        p: Array = z.copy()
        rho = np.sum(r * z, 1, dtype=np.float64)
        for _ in range(SOLVE):
            yield
            params[5:] = p
            ap = transposed(self._draw(stop, params, scratch))
            alpha = rho / np.maximum(np.sum(p * ap, 1, dtype=np.float64), 1e-30)
            x += (alpha[:, None] * p).astype(np.float32)
            r -= (alpha[:, None] * ap).astype(np.float32)
            z = (r / weight).astype(np.float32)
            rho, before = np.sum(r * z, 1, dtype=np.float64), rho
            p = (z + (rho / np.maximum(before, 1e-30))[:, None] * p).astype(np.float32)
        self.params[5:] = x


def _alpha_of(pixels: Array) -> Array | None:
    """The last of four planes (H, W, 4); None of three."""
    return pixels[..., 3] if pixels.shape[2] == 4 else None


def _determinant(l11: Array, l21: Array, l22: Array, floor: np.float32) -> Array:
    xy = l11 * l21
    return np.asarray((l11 * l11 + floor) * (l21 * l21 + l22 * l22 + floor) - xy * xy, np.float32)


def _scaled(detail: NDArray[np.floating], even: float, wanted: float) -> NDArray[np.floating]:
    """even plus a multiple of detail, at most 1, that sums to `wanted`."""
    low, high = 0.0, 1e6
    for _ in range(60):
        middle = (low + high) / 2
        total = float(np.minimum(even + middle * detail, 1).sum())
        low, high = (middle, high) if total < wanted else (low, middle)
    scaled: NDArray[np.floating] = np.minimum(even + high * detail, 1)
    return scaled
