"""The pictures of a benchmark: folders of originals, or of low and high resolution side by side.

What is transparent in them is laid on white, as in a comparison figure.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gaussian_core.errors import ImageError
from gaussian_core.evaluation.degradation import NONE, Degradation
from gaussian_core.imaging.losses import Losses
from gaussian_core.imaging.picture import in_bytes
from gaussian_core.paper import on_paper
from gaussian_core.picture_folders import SUFFIXES, check_folder, pictures

HIGH, LOW = "_HR", "_LR"
"""At the end of names, where a benchmark keeps both in one folder."""


@dataclass(frozen=True)
class Pair:
    """low (h, w, 3) and high (H, W, 3), float32 in [0, 1]. losses: of the file that low is from."""

    name: str
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    losses: Losses | None = None

    @property
    def scale(self) -> tuple[float, float]:
        """(sx, sy)."""
        return (self.high.shape[1] / self.low.shape[1], self.high.shape[0] / self.low.shape[0])


def reduced(high: NDArray[np.uint8], scale: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(low, high): antialiased bicubic, 8 bits, after cropping high to what a whole number of low pixels covers."""
    h, w = (max(1, int(n / scale + 1e-9)) for n in high.shape[:2])
    high = high[: min(high.shape[0], round(h * scale)), : min(high.shape[1], round(w * scale))]
    low = Image.fromarray(high).resize((w, h), Image.Resampling.BICUBIC)
    return np.asarray(low), high


def originals(folder: Path) -> list[Path]:
    """The pictures of a folder but for what some benchmarks lay beside their originals (img_001_SRF_2_HR.png): the low
    resolution ones (.._LR.png) and what other methods made of these (.._bicubic.png). Raises ImageError where there are
    none."""
    found = pictures(folder)
    with_low = {path.stem[: path.stem.rindex(LOW)] for path in found if LOW in path.stem}
    scenes = {_scene(path.stem) for path in found if path.stem.endswith(HIGH)}
    beside = tuple(f"{scene}_" for scene in scenes & with_low)
    return [p for p in found if p.stem.endswith(HIGH) or not p.stem.startswith(beside)]


def pairs(folder: Path, scale: float, low_folder: Path | None = None) -> Iterator[Pair]:
    """Pairs of a folder of originals at one scale; with low_folder, its pictures of the same names instead of ours."""
    for path in originals(folder):
        yield pair_of(path, scale, low_folder)


def pair_of(
    path: Path,
    scale: float,
    low_folder: Path | None = None,
    degradation: Degradation = NONE,
) -> Pair:
    """The pair of one original. degradation: what is done to a low resolution picture that is made here. Raises
    ImageError."""
    high = _pixels(path)
    if low_folder is None:
        low, high = reduced(high, scale)
        low, losses = degradation.apply(low)
    else:
        low, losses = _read(_low_path(low_folder, path, scale))
        _check_sizes(path, low, high, scale)
        rows, columns = (round(n * scale) for n in low.shape[:2])
        high = high[:rows, :columns]
    return Pair(path.stem, _as_float(low), _as_float(high), losses)


def measurable(
    folder: Path,
    scales: Sequence[float] = (),
    low_folder: Path | None = None,
    limit: int | None = None,
    warn: Callable[[str], None] | None = None,
) -> list[Path]:
    """The first `limit` originals of a folder but for those that cannot be decoded: `warn` is told why of each.

    Each is decoded, so that a long measuring does not come upon what is wrong with the last one. Raises ImageError
    where no picture is left, and where low resolution pictures are missing or of other sizes.
    """
    if low_folder is not None:
        check_folder(low_folder)
    found = []
    for path in originals(folder)[:limit]:
        # What is missing is a mistake in what was asked for, and ends it; what is broken is left out.
        lows = [(scale, _low_path(low_folder, path, scale)) for scale in scales if low_folder]
        try:
            high, given = _pixels(path), [(scale, _pixels(low)) for scale, low in lows]
        except ImageError as error:
            if warn is not None:
                warn(f"left out: {error}")
            continue
        for scale, low in given:
            _check_sizes(path, low, high, scale)
        found.append(path)
    if not found:
        raise ImageError(f"The folder {folder} holds no picture that can be read.")
    return found


def check_measurable(folder: Path) -> None:
    """Raise ImageError unless some picture of the folder can be measured."""
    for path in originals(folder):
        with contextlib.suppress(ImageError):
            if _pixels(path)[..., 0].size > 1:
                return
    raise ImageError(f"The folder {folder} holds no picture that can be measured.")


def _pixels(path: Path) -> NDArray[np.uint8]:
    return _read(path)[0]


def _read(path: Path) -> tuple[NDArray[np.uint8], Losses | None]:
    """(H, W, 3), what is transparent laid on white, and what its file lost."""
    from gaussian_core.images import open_picture

    picture = open_picture(path)
    if picture.has_alpha:
        return on_paper(picture.as_float()), picture.losses
    stored, _ = picture.stored((0, 0, picture.width, picture.height))
    return in_bytes(stored, picture.full), picture.losses


def _as_float(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.divide(pixels, 255, dtype=np.float32)


def _scene(stem: str) -> str:
    """What an original and its low resolution picture are both called, where their names say which is which."""
    return stem.removesuffix(HIGH)


def _low_path(folder: Path, high: Path, scale: float) -> Path:
    """The low resolution picture of an original, in a folder or in the one for the scale in it, by the names that
    benchmarks have: baby.png, 0801x2.png in X2 (DIV2K), baby.png in LRbicx2, img_001_SRF_2_LR.png, Canon_001_LR2.png
    (RealSR). Raises ImageError where there is none."""
    names = [high.stem, f"{high.stem}x{scale:g}"]
    if high.stem.endswith(HIGH):
        low = _scene(high.stem) + LOW
        names += [low, f"{low}{scale:g}"]
    places = [folder, *(folder / f"{kind}{scale:g}" for kind in ("X", "x", "LRbicx"))]
    known = sorted(SUFFIXES)
    # The original's own first, however it is spelled: as a rule few names are looked up.
    suffixes = dict.fromkeys((high.suffix, *known, *map(str.upper, known)))
    for suffix, place, name in product(suffixes, places, names):
        path = place / f"{name}{suffix}"
        if path.exists() and not path.samefile(high):
            return path
    raise ImageError(
        f"{folder} holds no low resolution picture for {high.name}, which would be named {' or '.join(names)}, there or in "
        f"a folder X{scale:g} in it."
    )


def _check_sizes(path: Path, low: NDArray[np.uint8], high: NDArray[np.uint8], scale: float) -> None:
    rows, columns = (round(n * scale) for n in low.shape[:2])
    if abs(rows - high.shape[0]) > scale or abs(columns - high.shape[1]) > scale:
        raise ImageError(f"{path.name} is not {scale:g} times its low resolution picture.")
