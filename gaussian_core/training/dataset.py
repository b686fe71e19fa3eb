"""Training samples: crops, their low resolution versions at random scales, positions and the colours there."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from gaussian_core.errors import ImageError
from gaussian_core.paper import on_paper
from gaussian_core.picture_folders import fingerprint, pictures_below
from gaussian_core.training.synthetic import page
from gaussian_core.writing.atomic import atomic_write, make_folder, whole_file

MAX_SCALE = 8.0
FAR_SHARE = 0.15  # of the crops, whose scales are beyond 4
LEAST_REDUCTION = 0.4  # originals are reduced to this part of their size at most


@dataclass(frozen=True)
class Batch:
    """low (B, 3, L, L); positions (B, 2, h, w) in source pixels, one a cell of its inner part; colours (B, 3, h, w)
    there; cell (B,): side of a pixel of the original in source pixels."""

    low: Tensor
    positions: Tensor
    colours: Tensor
    cell: Tensor

    def to(self, device: torch.device) -> Batch:
        return Batch(*(t.to(device) for t in self._parts()))

    def crop(self, i: int) -> Batch:
        """The batch of its crop i alone."""
        return Batch(*(t[i : i + 1] for t in self._parts()))

    @staticmethod
    def together(batches: Sequence[Batch]) -> Batch:
        """One batch of all their crops, which are of one size."""
        return Batch(*map(torch.cat, zip(*(b._parts() for b in batches), strict=True)))

    def _parts(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.low, self.positions, self.colours, self.cell


@dataclass(frozen=True)
class Layout:
    """What is asked of a crop of patch x patch source pixels: one place in each of its cells x cells a pixel, but for
    `margin` pixels at its sides, or, with a window, window x window neighbouring pixels of the original."""

    patch: int
    cells: int
    margin: int
    window: int = 0

    def choose(
        self, rng: np.random.Generator, scale: float, side: int
    ) -> tuple[Tensor, NDArray[np.int64], NDArray[np.int64]]:
        """Columns and rows of an original of side x side pixels, `scale` to a source pixel, and the positions
        (2, h, w) of their centres: in the cells, or next to them where they are smaller."""
        columns, rows = (
            self._window(rng, scale, side) if self.window else self._cells(rng, scale, side)
        )
        places = np.stack([(columns + 0.5) / scale, (rows + 0.5) / scale]).astype(np.float32)
        return torch.from_numpy(places), columns, rows

    def _cells(
        self, rng: np.random.Generator, scale: float, side: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        inner = self.cells * (self.patch - 2 * self.margin)
        first = np.arange(inner) / self.cells + self.margin
        jitter = rng.random((2, inner, inner), np.float32) / self.cells
        columns = np.minimum(((first[None, :] + jitter[0]) * scale).astype(np.int64), side - 1)
        rows = np.minimum(((first[:, None] + jitter[1]) * scale).astype(np.int64), side - 1)
        return columns, rows

    def _window(
        self, rng: np.random.Generator, scale: float, side: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        margin = math.ceil(self.margin * scale)
        first = rng.integers(margin, max(margin, side - margin - self.window) + 1, 2)
        numbers = np.arange(self.window)
        columns, rows = np.meshgrid(first[0] + numbers, first[1] + numbers)
        return np.minimum(columns, side - 1), np.minimum(rows, side - 1)


class PictureStore:
    """All pictures decoded once into one memory-mapped file of bytes, what is transparent laid on white, with a measure
    of detail for each. fingerprint: of their files, which tells what was learned from them from what was learned from
    others."""

    def __init__(self, folders: Sequence[Path], cache: Path) -> None:
        """Raises ImageError for folders without pictures and for one that is broken, OutputError."""
        files = pictures_below(*folders)
        self.fingerprint = fingerprint(files)
        stamps = [[str(p), p.stat().st_mtime_ns, p.stat().st_size] for p in files]
        data, table = cache / "pictures.bin", cache / "pictures.json"
        make_folder(cache)
        kept = _table(table)
        if kept.get("files") != stamps or not _holds(data, kept["shapes"]):
            table.unlink(missing_ok=True)  # it is not of the pixels that follow
            kept = {"files": stamps, "shapes": self._decode(files, data), "detail": []}
            kept["detail"] = [_detail(p) for p in self._map(data, kept["shapes"])]
            atomic_write(table, json.dumps(kept))
        self.pictures = self._map(data, kept["shapes"])
        # Some pictures are mostly flat; the square root leaves them a share.
        weights = np.sqrt(np.maximum(np.array(kept["detail"]), 1.0))
        self.weights = weights / weights.sum()

    @staticmethod
    def _decode(files: Sequence[Path], data: Path) -> list[tuple[int, int]]:
        from gaussian_core.images import open_picture

        shapes = []
        with whole_file(data) as part, part.open("wb") as out:
            for path in files:
                picture = open_picture(path)
                values = np.clip(picture.as_float(), 0, 1)
                opaque = not picture.has_alpha
                pixels = np.round(values * 255).astype(np.uint8) if opaque else on_paper(values)
                shapes.append((pixels.shape[0], pixels.shape[1]))
                out.write(pixels.tobytes())
        return shapes

    @staticmethod
    def _map(data: Path, shapes: Sequence[Sequence[int]]) -> list[NDArray[np.uint8]]:
        flat, place, out = np.memmap(data, np.uint8, "r"), 0, []
        for h, w in shapes:
            out.append(flat[place : place + h * w * 3].reshape(h, w, 3))
            place += h * w * 3
        return out


def _table(path: Path) -> dict[str, Any]:
    """What is kept of pictures that were decoded; nothing where there is no file, or a damaged one."""
    try:
        kept = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    whole = isinstance(kept, dict) and {"files", "shapes", "detail"} <= set(kept)
    return kept if whole else {}


def _holds(data: Path, shapes: Sequence[Sequence[int]]) -> bool:
    """Whether a file is as large as pictures of these shapes."""
    return data.is_file() and data.stat().st_size == sum(3 * h * w for h, w in shapes)


def floats(pixels: NDArray[np.uint8]) -> Tensor:
    """(H, W, 3) bytes as (3, H, W) float32 in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))).float() / 255


def _detail(pixels: NDArray[np.uint8]) -> float:
    green = pixels[..., 1].astype(np.int16)
    steps = [np.abs(np.diff(green, axis=axis)) for axis in (0, 1) if green.shape[axis] > 1]
    return float(sum(s.mean() for s in steps))


def reduced(pixels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Antialiased, in bytes: what the low resolution pictures of the benchmarks are made with."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC))


def any_scale(rng: np.random.Generator, far_share: float = FAR_SHARE) -> float:
    """Of a crop: in 4 .. MAX_SCALE with a chance of far_share, else in 1 .. 4."""
    return rng.uniform(4, MAX_SCALE) if rng.random() < far_share else rng.uniform(1, 4)


@lru_cache(256)
def _page(seed: int) -> NDArray[np.uint8]:
    """Drawn when it is first needed, and once for all trainings of a process: one takes a quarter of a second."""
    return page(seed)


class Sampler:
    """Draws batches. Each batch depends on (seed, number) alone, so a resumed training goes on with the same ones."""

    def __init__(
        self,
        pictures: Sequence[NDArray[np.uint8]],
        weights: NDArray[np.float64],
        *,
        batch: int = 8,
        patch: int = 44,
        cells: int = 2,
        margin: int = 2,
        pages: int = 240,
        page_share: float = 0.3,
        far_share: float = FAR_SHARE,
        reduced_share: float = 0.6,
        window: int = 0,
        seed: int = 0,
    ) -> None:
        """patch, cells, margin, window: see Layout. page_share: of text, drawings and dead leaves; far_share: of scales
        in 4 .. 8 instead of 1 .. 4; reduced_share: of originals made smaller first, by a random factor, which makes
        them crisper and busier and takes away the noise and the blocks of a JPEG file."""
        usable = [i for i, p in enumerate(pictures) if min(p.shape[:2]) >= patch]
        if not usable:
            raise ImageError(
                f"No training picture is at least {patch} pixels to each side: name larger ones, or ask for a smaller "
                "--patch."
            )
        self.pictures = [pictures[i] for i in usable]
        self.weights = weights[usable] / weights[usable].sum()
        self.page_count = pages if page_share > 0 else 0
        self.batch, self.patch = batch, patch
        self.layout = Layout(patch, cells, margin, window)
        self.page_share, self.far_share = page_share, far_share
        self.reduced_share, self.seed = reduced_share, seed

    def draw(self, number: int) -> Batch:
        rng = np.random.default_rng([self.seed, number])
        parts = [self._one(rng) for _ in range(self.batch)]
        low, positions, colours, cell = zip(*parts, strict=True)
        return Batch(
            torch.stack(low), torch.stack(positions), torch.stack(colours), torch.tensor(cell)
        )

    def _one(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor, float]:
        if self.page_count and rng.random() < self.page_share:
            picture = _page(self.seed * 100_000 + int(rng.integers(self.page_count)))
        else:
            picture = self.pictures[rng.choice(len(self.pictures), p=self.weights)]
        limit = min(MAX_SCALE, min(picture.shape[:2]) / self.patch)
        scale = any_scale(rng, self.far_share)
        side = round(self.patch * min(scale, limit))
        taken = side
        if rng.random() < self.reduced_share:
            taken = round(min(side / rng.uniform(LEAST_REDUCTION, 1), min(picture.shape[:2])))
        # Every other row and column tells the busier of two crops as well as all of them.
        crops = [self._crop(rng, picture, taken) for _ in range(2)]
        crop = max(crops, key=lambda pixels: _detail(pixels[::2, ::2]))
        if taken > side:
            crop = reduced(crop, side)
        crop = np.rot90(crop, int(rng.integers(4)))
        crop = crop[:, ::-1] if rng.random() < 0.5 else crop
        crop = np.ascontiguousarray(crop)
        low = crop
        if side > self.patch:
            low = reduced(crop, self.patch)
        scale = side / self.patch
        positions, columns, rows = self.layout.choose(rng, scale, side)
        return floats(low), positions, floats(crop[rows, columns]), 1 / scale

    @staticmethod
    def _crop(rng: np.random.Generator, picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
        y, x = (int(rng.integers(n - side + 1)) for n in picture.shape[:2])
        return picture[y : y + side, x : x + side]
