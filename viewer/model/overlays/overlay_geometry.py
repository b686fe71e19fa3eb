"""Which Gaussians the overlays mark, and where: centres, k-sigma ellipses and drifts in device pixels."""

from __future__ import annotations

import dataclasses
import functools
import math
import weakref
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import Cancelled
from gaussian_core.field import GaussianField
from gaussian_core.parallel import Stop
from viewer.model.frames.frame import Columns, seen_source
from viewer.model.frames.scene import Scene
from viewer.model.overlays import overlay_kernels
from viewer.model.overlays.choice import chosen as chosen_of
from viewer.model.overlays.overlay_options import OverlayOptions
from viewer.model.pixel_rects import area, common
from viewer.model.view.view_state import ViewState

Rect = tuple[float, float, float, float]
Places = NDArray[np.int64] | range
"""Of Gaussians in a field. All of them are a range: of a photograph that is in view as a whole the numbers would take
hundreds of megabytes."""
_Rings = tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]
_Tiny = tuple[NDArray[np.int64], NDArray[np.float32]]

MIN_RADIUS = 1.5
"""Device pixels: an ellipse whose longer half-axis is below this is drawn as a point."""

DOT_AREA = 8.0
"""Logical pixels squared: there is no more than one dot in so much of the picture on average, or the dots, and their
rims, would cover it."""

MIN_DRIFT = 1.5
"""Device pixels: of a Gaussian that is less far from where it began there is nothing to see."""

SATURATION = 1.7
DARKEST = 0.7
"""How a Gaussian's own colour is made legible: saturation multiplied, brightness from here to 1."""


@dataclasses.dataclass(frozen=True, eq=False)
class OverlayGeometry:
    """Marks in device pixels of the view they were made for.

    points: (P, 2) float32. point_colours: (P, 3) uint8 RGB.
    centres: (E, 2) float32 and shapes: (E, 3) float32, the ellipses: p^T S^-1 p = 1 for p relative
        to the centre and S = [[s0, s1], [s1, s2]] = k^2 * covariance, device pixels squared. The
        covariance is the field's own, without the pixel's footprint. The largest come first.
    ellipse_colours: (E, 3) uint8 RGB.
    lines: (D, 4) float32, from where a Gaussian began to its mean, x y x y. line_colours: (D, 3) uint8 RGB.
    shown: Gaussians in view with every mark that was asked for. in_view: Gaussians whose centre is
        in view. chosen: of these, those that marks are asked for. area: of the part of the view that Gaussians are
        known of, device pixels squared, where there are points.
    """

    points: NDArray[np.float32]
    point_colours: NDArray[np.uint8]
    centres: NDArray[np.float32]
    shapes: NDArray[np.float32]
    ellipse_colours: NDArray[np.uint8]
    shown: int
    in_view: int
    lines: NDArray[np.float32] = dataclasses.field(
        default_factory=lambda: np.empty((0, 4), np.float32)
    )
    line_colours: NDArray[np.uint8] = dataclasses.field(
        default_factory=lambda: np.empty((0, 3), np.uint8)
    )
    chosen: int = 0
    area: float = math.inf


def overlay_geometry(
    scene: Scene,
    view: ViewState,
    options: OverlayOptions,
    stop: Stop | None = None,
    ratio: float = 1.0,
    columns: Columns | None = None,
) -> OverlayGeometry:
    """Choose and place the marks. ratio: device pixels per logical pixel, see draw_overlay. columns: those of the view
    in which the scene is seen, None: all. Raises Cancelled when `stop`, polled between tiles, says so.

    Ellipses: those whose longer half-axis reaches MIN_RADIUS, at most `cap`, the larger the likelier; the smaller ones
    are points, and no more of them than of ellipses as large would be: patches of them would stand out. Drifts: those
    as long as MIN_DRIFT, the `cap` longest. Points: at most `centre_cap`, and one to DOT_AREA, drawn evenly from all of
    them.
    """
    rect = seen_source(view, columns)
    in_view = wanted = 0
    ellipses, lines = _First(options.cap), _First(options.cap)
    dots: list[tuple[GaussianField, Places]] = []
    tiny: list[tuple[GaussianField, NDArray[np.int64], NDArray[np.float32]]] = []
    # Gaussians in view with an ellipse, with a line, and those that are too small for one.
    ringed, small, lined, still = 0, 0, 0, 0
    tiles = list(scene.fields_in(rect, stop, kept=not options.any))  # only to be counted
    least = MIN_RADIUS / (options.sigma * view.scale)
    ringing = options.ellipses and any(_largest_sigma(tile) >= least for tile, _ in tiles)
    points_only = options.ellipses and not ringing
    for tile, whole in tiles:
        if stop is not None and stop():
            raise Cancelled("the view has changed")
        inside = _inside(tile, rect, whole, view.scale)
        in_view += len(inside)
        if not options.any:
            continue
        if options.only:
            inside = chosen_of(tile, _numbers(inside), options.only)
        wanted += len(inside)
        if ringing:
            rings, rest, within = _rings(tile, rect, whole, options, view.scale)
            ellipses.add(tile, *rings)
            tiny.append((tile, *rest))
            ringed, small = ringed + within, small + len(rest[0])
        elif points_only:
            small += len(inside)
        if options.drifts and tile.drifts is not None:
            moved, lengths = _moved(tile, _numbers(inside), view.scale)
            lines.add(tile, moved, lengths, lengths)
            lined, still = lined + len(moved), still + len(inside) - len(moved)
        if options.centres or points_only:
            dots.append((tile, inside))

    if ringing and not options.centres:
        dots = [(tile, rest[keys >= ellipses.threshold]) for tile, rest, keys in tiny]
    known = math.inf
    chosen_dots = []
    if dots:  # of a huge picture it takes a while to be told
        known = _known_area(scene, rect) * view.scale**2
        room = math.ceil(known / (DOT_AREA * ratio**2))
        chosen_dots = _evenly(dots, min(options.centre_cap, room))
    chosen, chosen_lines = ellipses.chosen(), lines.chosen()
    shown_dots = sum(len(index) for _, index in chosen_dots)
    shown = [wanted]
    if options.centres:
        shown.append(shown_dots)
    if options.ellipses:
        kept = sum(int(np.count_nonzero(_within(f, i, rect))) for f, i in chosen)
        shown.append(min(kept, ringed) + min(small, shown_dots))
    if options.drifts:
        kept = sum(len(index) for _, index in chosen_lines)
        shown.append(min(kept, lined) + still)
    return OverlayGeometry(
        points=_centres(chosen_dots, view),
        point_colours=_colours(chosen_dots, options.colour),
        centres=_centres(chosen, view),
        shapes=_shapes(chosen, view, options.sigma),
        ellipse_colours=_colours(chosen, options.colour),
        shown=min(shown),
        in_view=in_view,
        lines=_lines(chosen_lines, view),
        line_colours=_colours(chosen_lines, options.colour),
        chosen=wanted if options.any else in_view,
        area=known,
    )


def _known_area(scene: Scene, rect: Rect) -> float:
    """Of the part of a rectangle that is built, source pixels squared."""
    if scene.grid is None or scene.drawing is not None:
        return area(common(scene.bounds, rect))
    keys = (key for key in scene.grid.keys_in(rect) if key in scene.tiles)
    return sum(area(common(scene.grid.rect(key), rect)) for key in keys)


def _rings(
    tile: GaussianField, rect: Rect, whole: bool, options: OverlayOptions, scale: float
) -> tuple[_Rings, _Tiny, int]:
    """What overlay_kernels.classify says."""
    reach = _largest_sigma(tile) * options.sigma
    # Their centres may lie out of view while their outlines reach into it.
    grown = (rect[0] - reach, rect[1] - reach, rect[2] + reach, rect[3] + reach)
    reaching = _numbers(_inside(tile, grown, whole, scale))
    if options.only:
        reaching = chosen_of(tile, reaching, options.only)
    own = _from_origin(tile, rect)
    return overlay_kernels.classify(
        tile.offsets, tile.covariances, reaching, own, options.sigma * scale, MIN_RADIUS
    )


def _moved(
    tile: GaussianField, inside: NDArray[np.int64], scale: float
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Places whose drift can be seen, and how long it is in device pixels."""
    assert tile.drifts is not None
    away = np.take(tile.drifts, inside, axis=0).astype(np.float32)
    length = np.hypot(away[:, 0], away[:, 1]) * np.float32(scale)
    seen = length >= MIN_DRIFT
    return inside[seen], length[seen]


class _First:
    """Keeps the `cap` with the highest keys over all tiles."""

    def __init__(self, cap: int) -> None:
        self._cap = max(0, cap)
        self._seen = 0
        self._fields: list[GaussianField] = []
        self._index: list[NDArray[np.int64]] = []
        self._sizes: list[NDArray[np.float32]] = []
        self._keys: list[NDArray[np.float32]] = []

    def add(
        self,
        field: GaussianField,
        index: NDArray[np.int64],
        sizes: NDArray[np.float32],
        keys: NDArray[np.float32],
    ) -> None:
        self._seen += len(index)
        if len(index) > self._cap:
            keep = np.argpartition(keys, len(index) - self._cap)[len(index) - self._cap :]
            index, sizes, keys = index[keep], sizes[keep], keys[keep]
        self._fields.append(field)
        self._index.append(index)
        self._sizes.append(sizes)
        self._keys.append(keys)

    @functools.cached_property
    def threshold(self) -> float:
        """The lowest key of the chosen, when all tiles are added; what any key reaches when all are chosen."""
        if self._seen <= self._cap:
            return -math.inf
        if self._cap == 0:
            return math.inf
        keys = np.concatenate(self._keys)
        first = len(keys) - self._cap
        return float(np.partition(keys, first)[first])

    def chosen(self) -> list[tuple[GaussianField, NDArray[np.int64]]]:
        """(field, places) of the chosen, the largest of each field first."""
        result = []
        for field, index, size, key in zip(
            self._fields, self._index, self._sizes, self._keys, strict=True
        ):
            keep = key >= self.threshold
            order = np.argsort(-size[keep], kind="stable")
            result.append((field, index[keep][order]))
        return result


def _noise(index: NDArray[np.int64]) -> NDArray[np.float32]:
    """A fixed pseudo-random number in [0, 1) for each place (a multiplicative hash)."""
    hashed = index.astype(np.uint32) * np.uint32(2654435769)
    hashed ^= hashed >> np.uint32(15)
    hashed *= np.uint32(2246822519)
    hashed ^= hashed >> np.uint32(13)
    return hashed.astype(np.float32) * np.float32(2.0**-32)


def _evenly(
    parts: Sequence[tuple[GaussianField, Places]], cap: int
) -> list[tuple[GaussianField, NDArray[np.int64]]]:
    """At most `cap` of them, as evenly spread as they are themselves."""
    total = sum(len(index) for _, index in parts)
    if total <= cap:
        return [(field, _numbers(index)) for field, index in parts if len(index)]
    result = []
    for field, index in parts:
        count = int(len(index) * cap / total)
        if count == 0:
            continue
        # One from each of `count` equal stretches, at a place that noise picks: a plain stride
        # over a lattice would draw stripes.
        start = np.arange(count, dtype=np.int64)
        place = ((start + _noise(start)) * (len(index) / count)).astype(np.int64)
        place = np.minimum(place, len(index) - 1)
        result.append((field, place if isinstance(index, range) else index[place]))
    return result


def _numbers(places: Places) -> NDArray[np.int64]:
    return np.arange(len(places), dtype=np.int64) if isinstance(places, range) else places


def _inside(
    field: GaussianField, rect: tuple[float, float, float, float], whole: bool, scale: float
) -> Places:
    if whole:
        return range(len(field))
    if scale < 1.0:
        # Zoomed out the index may not exist yet, and building it for every tile would cost more.
        everything = np.arange(len(field), dtype=np.int64)
        return everything[_within(field, everything, rect)]
    return field.in_rect(rect)


def _within(
    field: GaussianField, index: NDArray[np.int64], rect: tuple[float, float, float, float]
) -> NDArray[np.bool_]:
    rect = _from_origin(field, rect)
    x, y = field.offsets[index, 0], field.offsets[index, 1]
    return (x >= rect[0]) & (x < rect[2]) & (y >= rect[1]) & (y < rect[3])


def _from_origin(field: GaussianField, rect: Rect) -> Rect:
    """As the field's offsets count."""
    x, y = field.origin
    return rect[0] - x, rect[1] - y, rect[2] - x, rect[3] - y


def _largest_sigma(field: GaussianField) -> float:
    """A bound on the standard deviations of a field (known for as long as the field is there)."""
    found = _largest.get(field)
    if found is None:
        trace = field.covariances[:, 0] + field.covariances[:, 2]
        found = _largest[field] = math.sqrt(float(trace.max())) if len(trace) else 0.0
    return found


_largest: weakref.WeakKeyDictionary[GaussianField, float] = weakref.WeakKeyDictionary()


def _centres(
    parts: list[tuple[GaussianField, NDArray[np.int64]]], view: ViewState
) -> NDArray[np.float32]:
    out = np.empty((sum(len(index) for _, index in parts), 2), np.float32)
    done = 0
    for field, index in parts:
        piece = out[done : done + len(index)]
        x0, y0 = (v - o for v, o in zip(view.origin, field.origin, strict=True))
        overlay_kernels.place(field.offsets, index, x0, y0, view.scale, piece)
        done += len(index)
    return out


def _lines(
    parts: list[tuple[GaussianField, NDArray[np.int64]]], view: ViewState
) -> NDArray[np.float32]:
    """(D, 4) of parts whose fields tell drifts."""
    out = np.empty((sum(len(index) for _, index in parts), 4), np.float32)
    out[:, 2:] = _centres(parts, view)
    away = [np.take(f.drifts, index, axis=0) for f, index in parts if f.drifts is not None]
    drifts = np.concatenate(away) if away else np.empty((0, 2), np.float16)
    out[:, :2] = out[:, 2:] - drifts.astype(np.float32) * np.float32(view.scale)
    return out


def _shapes(
    parts: list[tuple[GaussianField, NDArray[np.int64]]], view: ViewState, sigma: float
) -> NDArray[np.float32]:
    factor = np.float32((sigma * view.scale) ** 2)
    scaled = [np.take(field.covariances, index, axis=0) * factor for field, index in parts]
    return np.concatenate(scaled) if scaled else np.empty((0, 3), np.float32)


def _colours(
    parts: list[tuple[GaussianField, NDArray[np.int64]]], colour: str | None
) -> NDArray[np.uint8]:
    """RGB for each: the chosen colour, or the Gaussian's own: the hue of its amplitude, brightened.

    An amplitude is only a share of the sum around it, and a mark in the very colour of what it
    lies on cannot be seen: its hue is what tells one Gaussian from the next.
    """
    out = np.empty((sum(len(index) for _, index in parts), 3), np.uint8)
    if colour is not None:
        value = int(colour.lstrip("#"), 16)
        out[:] = (value >> 16 & 255, value >> 8 & 255, value & 255)
        return out
    done = 0
    for field, index in parts:
        piece = out[done : done + len(index)]
        done += len(index)
        if not len(index):
            continue
        sample = np.take(field.amplitudes, index[:: len(index) // 2000 + 1], axis=0)
        strongest = max(float(np.percentile(sample[:, :3].max(axis=1), 98)), 1e-6)
        overlay_kernels.colour(field.amplitudes, index, strongest, SATURATION, DARKEST, piece)
    return out
