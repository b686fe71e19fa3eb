"""What the overlays show."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OverlayOptions:
    """Which marks are drawn over the picture, and how.

    centres: a dot at every Gaussian's mean.
    ellipses: the outline at `sigma` standard deviations (0.5 to 3) of every Gaussian's covariance.
    drifts: a line from where every Gaussian began to its mean.
    colour: "#rrggbb" for all, or None for each Gaussian's own colour.
    cap: the most ellipses drawn at once, and the most lines (the longest); centre_cap the same for centres.
    """

    centres: bool = False
    ellipses: bool = False
    drifts: bool = False
    sigma: float = 1.0
    colour: str | None = None
    cap: int = 20_000
    centre_cap: int = 100_000

    @property
    def any(self) -> bool:
        return self.centres or self.ellipses or self.drifts

    @property
    def kind(self) -> str:
        """What the status bar calls the marks."""
        return "ellipses" if self.ellipses else "drifts" if self.drifts else "centres"
