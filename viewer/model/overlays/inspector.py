"""One Gaussian, looked at: the one whose centre is nearest to a place."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from gaussian_core.principal_axes import principal_axes
from viewer.model.frames.scene import Scene
from viewer.model.overlays.distribution import values_of, within
from viewer.model.overlays.overlay_options import ValueRange

REACH = 1.0
"""Source pixels around a place in which a centre is looked for."""


@dataclass(frozen=True)
class Inspected:
    """mean: x, y, source pixels. covariance: xx, xy, yy, source pixels squared. amplitude: what it adds at its centre.
    drift: how far the mean is from where it began, x and y; None where the field does not tell."""

    mean: tuple[float, float]
    covariance: tuple[float, float, float]
    amplitude: tuple[float, ...]
    drift: tuple[float, float] | None

    @property
    def sigmas(self) -> tuple[float, float]:
        """Standard deviations along the longer and the shorter axis, source pixels."""
        longer, shorter, _ = principal_axes([self.covariance])
        return math.sqrt(longer[0]), math.sqrt(max(shorter[0], 0.0))

    @property
    def angle(self) -> float:
        """Of the longer axis, degrees from the x axis towards y (down), -90 < angle <= 90."""
        _, _, angle = principal_axes([self.covariance])
        return math.degrees(angle[0])

    @property
    def text(self) -> str:
        """One line."""
        longer, shorter = self.sigmas
        shape = f"σ {longer:.3f} × {shorter:.3f} px"
        if longer > 1.005 * shorter:
            shape += f" at {self.angle:z.0f}°"
        # As the values beside it are, from 0 to 255.
        amplitude = " ".join(f"{value * 255:+z.1f}" for value in self.amplitude)
        parts = [
            f"Gaussian at {self.mean[0]:z.3f}, {self.mean[1]:z.3f}",
            shape,
            f"adds {amplitude}",
        ]
        if self.drift is not None:
            parts.append(f"drifted {math.hypot(*self.drift):.3f} px")
        return "; ".join(parts)


def nearest_gaussian(
    scene: Scene, x: float, y: float, only: Collection[ValueRange] = ()
) -> Inspected | None:
    """The Gaussian whose centre is nearest to a source point and within REACH of it, of those that lie within all
    ranges; None where there is none."""
    rect = (x - REACH, y - REACH, x + REACH, y + REACH)
    best, found = REACH, None
    for field, _ in scene.fields_in(rect):
        near = field.in_rect(rect)
        if only:
            drifts = None if field.drifts is None else field.drifts[near].astype(np.float64)
            values = values_of(field.covariances[near].astype(np.float64), drifts)
            near = near[within(values, only, len(near))]
        if not len(near):
            continue
        away = field.means_of(near) - (x, y)
        distances = np.hypot(away[:, 0], away[:, 1])
        least = int(distances.argmin())
        if distances[least] <= best:
            best, found = float(distances[least]), (field, int(near[least]))
    if found is None:
        return None
    field, place = found
    return Inspected(
        tuple(field.means_of(np.array([place]))[0].tolist()),
        tuple(field.covariances[place].tolist()),
        tuple(field.amplitudes[place].tolist()),
        None if field.drifts is None else tuple(field.drifts[place].astype(float).tolist()),
    )
