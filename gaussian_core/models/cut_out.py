"""Pictures with transparent parts, drawn by networks that know colours alone.

The network is asked twice: for the colours, which go on beyond the edges of what is seen so that no backdrop gets into
them, and for alpha, as a picture of greys. Both edges are then its own and agree, so that a cut-out has no fringe. Away
from changes of alpha the network has nothing to add: there alpha is interpolated, and what is opaque stays opaque.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gaussian_core.models.transparency import nearness
from gaussian_core.parallel import Stop
from gaussian_core.viewport import Viewport

if TYPE_CHECKING:
    from gaussian_core.builder import PictureLike, Rect
    from gaussian_core.images import PictureSource
    from gaussian_core.methods.interface import Drawing

Floats = NDArray[np.float32]

BLURS = (9.0, 3.0, 1.0)
"""Standard deviations, source pixels, of the surroundings that give a pixel its colour where its own is hardly seen."""
CUT = 3.0
"""Of those, where the surroundings end."""
BLED = int(CUT * max(BLURS))
TRACE = 1e-2
"""Of a mean alpha: where it is less, the next larger surroundings count."""
OWN_FROM = 0.25
"""Of alpha, from where on a pixel's colour is its own: what a file holds where nearly nothing is seen is no colour."""
REACH, FADING = 2, 1
"""Source pixels from a change of alpha within which it is the network's, and within which it is less and less."""
AROUND = REACH + 2 * FADING


def drawing_with_alpha(picture: PictureSource, draw: Callable[[PictureLike], Drawing]) -> Drawing:
    """What draws a picture by `draw`, which makes a drawing of opaque ones: that itself, or a CutOutDrawing."""
    if not picture.has_alpha:
        return draw(picture)
    return CutOutDrawing(picture, draw(Colours(picture)), draw(Alpha(picture)))


class CutOutDrawing:
    """Draws any viewport of a picture with alpha: (h, w, 4) float32, premultiplied, in [0, 1].

    colours, alpha: drawings of Colours and of Alpha of it. What else the first of them can do (`kernels`, `model`) it
    does for both.
    """

    channels = 4

    def __init__(self, picture: PictureSource, colours: Drawing, alpha: Drawing) -> None:
        from gaussian_core.pyramid import levels_of

        self.extent = picture.extent
        self.colours, self.alpha = colours, alpha
        self._picture = picture
        self._levels = levels_of(picture)

    def __getattr__(self, name: str) -> Any:
        if name == "colours":  # asked for before it is there
            raise AttributeError(name)
        return getattr(self.colours, name)

    @property
    def notes(self) -> tuple[str, ...]:
        return self.colours.notes

    def encode(self, stop: Stop | None = None) -> None:
        self.colours.encode(stop)
        self.alpha.encode(stop)

    def draw(self, viewport: Viewport, stop: Stop | None = None) -> Floats:
        """Raises as the drawings do. One thread at a time."""
        from gaussian_core.resampling import resample

        plain = resample(self._levels, viewport, stop=stop)[..., 3]
        frame = np.zeros((*plain.shape, 4), np.float32)
        alpha = np.clip(plain, 0, 1)
        near = self._near(viewport)
        if near.any():
            part, seen = _part(viewport, near > 0)
            made = np.clip(self.alpha.draw(seen, stop).mean(2), 0, 1)
            alpha[part] += near[part] * (made - alpha[part])
        if alpha.any():
            part, seen = _part(viewport, alpha > 0)
            frame[part][..., :3] = np.clip(self.colours.draw(seen, stop), 0, 1)
        frame[..., :3] *= alpha[..., None]
        frame[..., 3] = alpha
        return frame

    def _near(self, viewport: Viewport) -> Floats:
        """(h, w) from 0 to 1: how near a change of alpha the pixels are."""
        height, width = self.extent
        x0, y0, x1, y1 = viewport.source_rect
        left, top = min(max(int(x0) - 1, 0), width - 1), min(max(int(y0) - 1, 0), height - 1)
        right = min(max(int(np.ceil(x1)) + 1, left + 1), width)
        bottom = min(max(int(np.ceil(y1)) + 1, top + 1), height)
        outer, inner = _widened((left, top, right, bottom), AROUND, self.extent)
        near = nearness(Alpha(self._picture).as_float(outer)[..., 0], REACH, FADING)[inner]
        xs, ys = viewport.pixel_centres()
        return _interpolated(near, xs - left, ys - top)


class Colours:
    """The colours of a picture with alpha, as if it were opaque: those of what is transparent are of what is near."""

    def __init__(self, picture: PictureLike) -> None:
        self.picture = picture
        self.extent = picture.extent

    def as_float(self, rect: Rect | None = None) -> Floats:
        rect = rect or (0, 0, self.extent[1], self.extent[0])
        outer, inner = _widened(rect, BLED, self.extent)
        return np.ascontiguousarray(colours_everywhere(self.picture.as_float(outer))[inner])


class Alpha:
    """The alpha of a picture, as a picture of greys (h, w, 1)."""

    def __init__(self, picture: PictureLike) -> None:
        self.picture = picture
        self.extent = picture.extent

    def as_float(self, rect: Rect | None = None) -> Floats:
        return np.ascontiguousarray(self.picture.as_float(rect)[..., 3:])


def colours_everywhere(pixels: Floats) -> Floats:
    """(H, W, 3) of premultiplied pixels (H, W, 4): their own where they are seen, beyond that those of what is seen
    nearby, and black where nothing is. A pixel is decided by those within BLED of it."""
    from skimage.filters import gaussian

    seen = pixels[..., 3:]
    colours = np.zeros_like(pixels[..., :3])
    if not seen.any():
        return colours
    own = np.divide(pixels[..., :3], seen, out=colours.copy(), where=seen > 0)
    if seen.min() >= OWN_FROM:
        return own
    for sigma in BLURS:
        mean = gaussian(pixels, sigma, mode="constant", truncate=CUT, channel_axis=2)
        colours = (mean[..., :3] + TRACE * colours) / (mean[..., 3:] + TRACE)
    share = np.minimum(seen / OWN_FROM, 1)
    return np.clip(colours + share * (own - colours), 0, 1)


def _widened(rect: Rect, by: int, extent: tuple[int, int]) -> tuple[Rect, tuple[slice, slice]]:
    """The rectangle with as much around it, cut at the picture, and where in that it lies."""
    x0, y0, x1, y1 = rect
    left, top = max(0, x0 - by), max(0, y0 - by)
    outer = (left, top, min(extent[1], x1 + by), min(extent[0], y1 + by))
    return outer, (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))


def _part(viewport: Viewport, wanted: NDArray[np.bool_]) -> tuple[tuple[slice, slice], Viewport]:
    """The smallest part of a viewport with all pixels that are wanted, of which there are some."""
    (top, bottom), (left, right) = (
        (int(found[0]), int(found[-1]) + 1)
        for found in (np.flatnonzero(wanted.any(axis)) for axis in (1, 0))
    )
    seen = viewport.part(left, top, right - left, bottom - top)
    return (slice(top, bottom), slice(left, right)), seen


def _interpolated(values: Floats, xs: NDArray[np.float64], ys: NDArray[np.float64]) -> Floats:
    """(len(ys), len(xs)): bilinearly, at places in pixels from the corner of the first of (H, W), its border going
    on."""
    for axis, places in ((0, ys), (1, xs)):
        place = np.clip(places - 0.5, 0, values.shape[axis] - 1)
        first = place.astype(np.int64)
        second = np.minimum(first + 1, values.shape[axis] - 1)
        share = (place - first).astype(np.float32)
        share = share[:, None] if axis == 0 else share
        a, b = values.take(first, axis), values.take(second, axis)
        values = a + share * (b - a)
    return values
