"""Writing pictures: whole or not at all, row by row where the format allows it.

PNG and TIFF are streamed, so their size is bounded by the disk, not by the memory. JPEG, WebP and BMP are collected in
memory first and have the size limits of their formats. All are tagged as sRGB where the format can hold the tag.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import OutputError
from gaussian_core.writing.atomic import check_target, whole_file
from gaussian_core.writing.png_encoder import PngEncoder
from gaussian_core.writing.tiff_encoder import TiffEncoder

JPEG_QUALITY = 95
MAX_COLLECTED = 2 << 30  # bytes of pixels that a format without streaming may take


class Encoder(Protocol):
    """Takes the rows of one picture from the top, as stored: (n, width, channels) of the file's own type."""

    def write(self, rows: NDArray[Any]) -> None: ...

    def finish(self) -> None: ...


class _Abandoned(Exception):
    """Ends the temporary file without its taking the target's place."""


class ImageWriter:
    """An image file that is written from the top in any number of pieces.

        with ImageWriter("out.png", width, height, channels=3) as writer:
            for rows in strips:
                writer.write_rows(rows)

    channels: 1 grey, 2 grey + alpha, 3 RGB, 4 RGB + alpha (straight, not premultiplied). bits: 8, or 16 for PNG and
    TIFF. The format follows from the file's ending. The file appears when the block ends with all rows written; on
    any exception, KeyboardInterrupt included, nothing is left and an older file stays as it was.
    Raises OutputError: unknown ending, a size or kind of picture that the format cannot hold, an unwritable folder, a
    full disk. ValueError: rows that do not fit, or too few.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        width: int,
        height: int,
        channels: int = 3,
        bits: int = 8,
    ) -> None:
        if channels not in (1, 2, 3, 4) or bits not in (8, 16) or width < 1 or height < 1:
            raise ValueError(
                f"no picture has {width} x {height} x {channels} values of {bits} bits"
            )
        self.path = Path(path)
        self.shape = (height, width, channels)
        self.dtype = np.dtype(np.uint8 if bits == 8 else np.uint16)
        self.rows_written = 0
        self._format = _format_of(self.path)
        self._check_format(width, height, channels, bits)
        check_target(self.path)
        self._temporary: AbstractContextManager[Path] | None = None
        self._file: BinaryIO | None = None
        self._encoder: Encoder | None = None

    def _check_format(self, width: int, height: int, channels: int, bits: int) -> None:
        kind = _FORMATS[self._format]
        problem = None
        if bits > kind.bits:
            problem = f"{self._format} holds 8 bits a channel: write 16 bits as PNG or TIFF"
        elif channels in (2, 4) and not kind.alpha:
            problem = f"{self._format} holds no transparency: write it as PNG, TIFF or WebP"
        elif max(width, height) > kind.side:
            larger = kind.side < max(f.side for f in _FORMATS.values())
            way = "write it as TIFF or PNG" if larger else "ask for a smaller scale"
            problem = (
                f"{width:.9g} x {height:.9g} pixels are too many for {self._format}, which holds"
                f" {kind.side:,} a side: {way}"
            )
        elif not kind.streams and width * height * channels > MAX_COLLECTED:
            problem = f"{width} x {height} pixels are too many for {self._format}: write it as TIFF or PNG"
        if problem:
            raise OutputError(f"Cannot write {self.path}: {problem}.")

    def __enter__(self) -> ImageWriter:
        self._temporary = whole_file(self.path)
        temporary = self._temporary.__enter__()
        try:
            self._file = open(temporary, "wb")
            self._encoder = _FORMATS[self._format].encoder(self._file, self.shape, self.dtype)
        except OSError as error:
            self._abandon()
            raise self._cannot(error) from error
        except BaseException:
            self._abandon()
            raise
        return self

    def write_rows(self, rows: NDArray[Any]) -> None:
        """Append rows (n, width, channels), or (n, width) for grey.

        Floats are values in [0, 1], clipped and rounded to the nearest level (NaN is 0); uint8 and uint16 are levels,
        widened or narrowed to the file's bits.
        """
        if self._encoder is None:
            raise ValueError("the writer is not open")
        rows = np.asarray(rows)
        if rows.ndim == 2 and self.shape[2] == 1:
            rows = rows[..., None]
        if rows.ndim != 3 or rows.shape[1:] != self.shape[1:]:
            raise ValueError(f"rows of shape {rows.shape} do not fit a picture of {self.shape}")
        if self.rows_written + len(rows) > self.shape[0]:
            raise ValueError(f"more than {self.shape[0]} rows")
        try:
            self._encoder.write(quantized(rows, self.dtype))
        except OSError as error:
            raise self._cannot(error) from error
        self.rows_written += len(rows)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._abandon()
            return
        assert self._encoder is not None and self._file is not None
        assert self._temporary is not None
        try:
            if self.rows_written < self.shape[0]:
                raise ValueError(f"only {self.rows_written} of {self.shape[0]} rows were written")
            self._encoder.finish()
            self._file.flush()
            os.fsync(self._file.fileno())  # a full disk may say so only now
            self._file.close()
        except OSError as problem:
            self._abandon()
            raise self._cannot(problem) from problem
        except BaseException:
            self._abandon()
            raise
        self._encoder = None
        self._temporary.__exit__(None, None, None)

    def _abandon(self) -> None:
        self._encoder = None
        try:
            if self._file is not None:
                self._file.close()
        except OSError:
            pass  # what could not be flushed to a full disk is thrown away anyway
        finally:
            if self._temporary is not None:
                self._temporary.__exit__(_Abandoned, _Abandoned(), None)

    def _cannot(self, error: OSError) -> OutputError:
        return OutputError(f"Cannot write {self.path}: {error.strerror or error}.")


def most_bits(path: str | os.PathLike[str]) -> int:
    """Bits a channel that the format of a file, which follows from its ending, can hold: 8 or 16. Raises OutputError
    for a format that is not written."""
    return _FORMATS[_format_of(Path(path))].bits


def write_image(
    path: str | os.PathLike[str],
    rows: NDArray[Any] | Iterable[NDArray[Any]],
    *,
    size: tuple[int, int] | None = None,
    channels: int = 3,
    bits: int = 8,
) -> None:
    """Write an array (H, W) or (H, W, C), or blocks of rows (n, W, C) from an iterable, as `ImageWriter` does.

    A tensor is an array, too, its channels last. size: (width, height) and channels are needed for an iterable only.
    Raises OutputError, and ValueError as `ImageWriter` does.
    """
    if hasattr(rows, "__array__"):
        rows = np.asarray(rows)
        array = rows[..., None] if rows.ndim == 2 else rows
        if array.ndim != 3:
            raise ValueError(f"a picture is (H, W) or (H, W, C), not {rows.shape}")
        height, width, channels = array.shape
        # Blocks, so that the rounding of a large float array takes little memory beside it.
        step = max(1, (1 << 22) // max(1, width * channels))
        blocks: Iterable[NDArray[Any]] = (array[y : y + step] for y in range(0, height, step))
    elif size is None:
        raise ValueError(
            f"a {type(rows).__name__} is no array (numpy.asarray makes one), and rows from an iterable need a size"
        )
    else:
        (width, height), blocks = size, rows
    with ImageWriter(path, width, height, channels, bits) as writer:
        for block in blocks:
            writer.write_rows(block)


def quantized(rows: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Levels of the given unsigned type: floats in [0, 1] clipped and rounded to nearest, integers rescaled."""
    if rows.dtype == dtype:
        return rows
    if rows.dtype.kind == "f":
        top = np.float32(np.iinfo(dtype).max)
        levels = np.nan_to_num(rows.astype(np.float32), nan=0.0, posinf=1.0, neginf=0.0)
        np.clip(levels, 0, 1, out=levels)
        levels *= top
        levels += np.float32(0.5)
        # 65535.5 is not a float32 below 65536 by much: what was rounded up past the last level stays at it.
        return np.minimum(levels, top).astype(dtype)
    if rows.dtype == np.uint8 and dtype == np.uint16:
        return rows.astype(np.uint16) * np.uint16(257)
    if rows.dtype == np.uint16 and dtype == np.uint8:
        return ((rows.astype(np.uint32) + 128) // 257).astype(np.uint8)
    raise ValueError(f"rows must be float, uint8 or uint16, not {rows.dtype}")


class _Collected:
    """Rows gathered in memory for the formats that Pillow writes in one go."""

    def __init__(self, file: BinaryIO, shape: tuple[int, int, int], dtype: np.dtype[Any]) -> None:
        self._file = file
        self._pixels = np.empty(shape, dtype)
        self._next = 0

    def write(self, rows: NDArray[Any]) -> None:
        self._pixels[self._next : self._next + len(rows)] = rows
        self._next += len(rows)

    def _save(self, name: str, **options: Any) -> None:
        from PIL import Image, ImageCms

        if name != "BMP":
            options["icc_profile"] = ImageCms.ImageCmsProfile(
                ImageCms.createProfile("sRGB")
            ).tobytes()
        pixels = self._pixels[..., 0] if self._pixels.shape[2] == 1 else self._pixels
        Image.fromarray(pixels).save(self._file, name, **options)


class _Jpeg(_Collected):
    def finish(self) -> None:
        # 4:4:4: halved colour would blur what was just drawn sharp.
        if self._pixels.shape[2] == 1:
            self._save_grey()
        else:
            self._save("JPEG", quality=JPEG_QUALITY, subsampling=0)

    def _save_grey(self) -> None:
        from PIL import Image

        # Without a profile: an RGB profile does not fit a grey JPEG, and grey without one is read as sRGB.
        Image.fromarray(self._pixels[..., 0]).save(self._file, "JPEG", quality=JPEG_QUALITY)


class _WebP(_Collected):
    def finish(self) -> None:
        if self._pixels.shape[2] < 3:  # WebP has no grey
            grey = self._pixels[..., :1].repeat(3, axis=2)
            self._pixels = np.concatenate([grey, self._pixels[..., 1:]], axis=2)
        self._save("WEBP", quality=JPEG_QUALITY, method=4)


class _Bmp(_Collected):
    def finish(self) -> None:
        self._save("BMP")


class _Format:
    def __init__(
        self,
        encoder: Callable[[BinaryIO, tuple[int, int, int], np.dtype[Any]], Encoder],
        side: int,
        *,
        bits: int = 8,
        alpha: bool = False,
        streams: bool = False,
    ) -> None:
        self.encoder, self.side = encoder, side
        self.bits, self.alpha, self.streams = bits, alpha, streams


_FORMATS = {
    "PNG": _Format(PngEncoder, 2**31 - 1, bits=16, alpha=True, streams=True),
    "TIFF": _Format(TiffEncoder, 2**31 - 1, bits=16, alpha=True, streams=True),
    "JPEG": _Format(_Jpeg, 65_500),  # libjpeg's own limit, a little below the 65,535 of the format
    "WebP": _Format(_WebP, 16_383, alpha=True),
    "BMP": _Format(_Bmp, 65_535),
}
_ENDINGS = {
    ".png": "PNG",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WebP",
    ".bmp": "BMP",
}


def _format_of(path: Path) -> str:
    ending = path.suffix.lower()
    if ending not in _ENDINGS:
        known = ", ".join(_ENDINGS)
        said = (
            f"{ending} is not an image format it can write" if ending else "its name has no ending"
        )
        raise OutputError(f"Cannot write {path}: {said}; use one of {known}.")
    return _ENDINGS[ending]
