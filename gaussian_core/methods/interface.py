"""What a method is, and what it makes of a picture."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gaussian_core.parallel import Stop
from gaussian_core.viewport import Viewport

if TYPE_CHECKING:
    from gaussian_core.builder import Precision


class Drawing(Protocol):
    """One picture, ready to be drawn by one method. One thread at a time.

    extent: (height, width) in source pixels. channels: of what is drawn, 4 is premultiplied RGB and alpha. notes: what
    the user should know. One that shows Gaussians by Options.pixel_sigma also has a `has_footprint` that is true.
    """

    @property
    def extent(self) -> tuple[int, int]: ...

    @property
    def channels(self) -> int: ...

    @property
    def notes(self) -> tuple[str, ...]: ...

    def encode(self, stop: Stop | None = None) -> None:
        """Do now what is done once for a picture. Without it a part is prepared when it is first drawn, and a large
        picture is never held prepared as a whole. Raises Cancelled."""
        ...

    def draw(self, viewport: Viewport, stop: Stop | None = None) -> NDArray[np.float32]:
        """(h, w, channels) float32, not clipped. `stop` is polled between parts. Raises Cancelled."""
        ...


@dataclass(frozen=True)
class Options:
    """How a method works. device: auto, cpu or cuda, or the torch.device of that name. weights: a file in place of the
    shipped one, or the name of shipped ones of ContinuousSR; precision: what the authors' are computed in. pixel_sigma:
    a field's pixel footprint in device pixels, None: what it was made for. across: width of the part that will be
    drawn, source pixels, None: of all of it."""

    device: str = "auto"
    weights: str | os.PathLike[str] | None = None
    precision: Precision = "float32"
    pixel_sigma: float | None = None
    across: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "device", str(self.device))


Open = Callable[[Any, Options], Drawing]


@dataclass(frozen=True)
class Method:
    """One way to enlarge a picture.

    name: on the command line and in tables. title: what people call it. tip: one sentence without its full stop. open:
    (Picture, Options) -> Drawing; raises WeightsError and DeviceError. rank: its place in lists. makes_field: what it
    draws is a field of Gaussians, which the builder makes under the same name. interpolates: it shows the stored pixels
    and is antialiased below 100 %, so that it needs no help there. has_kernels: its drawings have `kernels`, Gaussians
    that they draw by. needs_torch: opening imports torch. shipped: the file of weights that comes with the program,
    which may be missing.
    """

    name: str
    title: str
    tip: str
    open: Open
    rank: int
    makes_field: bool = False
    interpolates: bool = False
    has_kernels: bool = False
    needs_torch: bool = False
    shipped: Path | None = None

    @property
    def takes_weights(self) -> bool:
        return self.shipped is not None

    @property
    def available(self) -> bool:
        """Whether what it needs besides a file of the user's came with the program."""
        return self.shipped is None or self.shipped.is_file()


def model_size(drawing: Drawing) -> int:
    """Numbers that were learned: 0 for what was not."""
    if (known := getattr(drawing, "parameters", None)) is not None:
        return int(known)
    model = getattr(drawing, "model", None)
    return 0 if model is None else sum(int(p.numel()) for p in model.parameters())
