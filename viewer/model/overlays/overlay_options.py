"""What the overlays show."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class ValueRange:
    """From low to high, both of them within, of the quantity of that key, see viewer.model.overlays.distribution."""

    key: str
    low: float
    high: float


@dataclass(frozen=True)
class OverlayOptions:
    """Which marks are drawn over the picture, and how.

    centres: a dot at every Gaussian's mean.
    ellipses: the outline at `sigma` standard deviations (0.5 to 3) of every Gaussian's covariance.
    drifts: a line from where every Gaussian began to its mean.
    colour: "#rrggbb" for all, or None for each Gaussian's own colour.
    only: ranges, each of another quantity: marked are the Gaussians that lie within all of them.
    cap: the most ellipses drawn at once, and the most lines (the longest); centre_cap the same for centres.
    """

    centres: bool = False
    ellipses: bool = False
    drifts: bool = False
    sigma: float = 1.0
    colour: str | None = None
    only: tuple[ValueRange, ...] = ()
    cap: int = 20_000
    centre_cap: int = 100_000

    @property
    def any(self) -> bool:
        return self.centres or self.ellipses or self.drifts

    def draws_as(self, other: OverlayOptions) -> bool:
        """Whether the same marks are drawn in the same way, maybe of other Gaussians."""
        return replace(self, only=other.only) == other

    @property
    def kind(self) -> str:
        """What the status bar calls the marks."""
        return "ellipses" if self.ellipses else "drifts" if self.drifts else "centres"
