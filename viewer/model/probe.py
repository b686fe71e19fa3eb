"""What the status bar asks about a point of a view."""

from __future__ import annotations

from dataclasses import dataclass

from viewer.model.readout import read_point
from viewer.model.scene import Scene

Value = tuple[float, ...]


@dataclass(frozen=True)
class Probe:
    """Values at a source point, in [0, 1], alpha straight; None where there is none."""

    generation: int
    point: tuple[float, float]
    source: Value | None
    field: Value | None


def probe(scene: Scene, scale: float, point: tuple[float, float]) -> Probe:
    """The picture's value and the field's. Not for the GUI thread: it draws a pixel."""
    values = read_point(scene, scale, *point)
    field = values.field
    if field is not None and len(field) == 4:
        field = straight(field)
    return Probe(scene.generation, point, values.source, field)


def straight(value: Value) -> Value:
    """Premultiplied RGB and alpha with the alpha divided out."""
    alpha = value[3]
    return (*(v / alpha if alpha > 1e-6 else 0.0 for v in value[:3]), alpha)
