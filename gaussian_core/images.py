"""Pictures: reading them with their orientation, colour and depth put right.

Values come out sRGB-encoded in the depth of the file: 8 and 16 bits as integers, floats as float32.
"""

from __future__ import annotations

import io
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import DamagedError, ImageError
from gaussian_core.imaging.file_state import FileState
from gaussian_core.imaging.files import damaged, is_jpeg, is_tiff, opened, pillow_guard
from gaussian_core.imaging.picture import Picture, PictureSource, Rect, in_bytes
from gaussian_core.pyramid import size_of_level

if TYPE_CHECKING:
    from gaussian_core.imaging.lazy_tiff import LazyTiff

__all__ = ["Picture", "PictureSource", "Rect", "load_image", "open_overview", "open_picture"]


def load_image(path: str | os.PathLike[str]) -> NDArray[np.float32]:
    """A picture file as float32 (H, W, 3), sRGB-encoded in [0, 1], beyond it only where a file of floats is;
    transparency is left out. Raises ImageError."""
    picture = open_picture(path)
    pixels, _ = picture.stored((0, 0, picture.width, picture.height))
    return Picture(pixels).as_float()


def open_picture(path: str | os.PathLike[str], *, forgiving: bool = False) -> PictureSource:
    """Read a picture file: JPEG, PNG, TIFF, WebP, AVIF, GIF, BMP and others; of several frames the first.

    A large TIFF is only opened: its parts are read as they are asked for, wherever its tiles or strips allow it.
    Upright by its EXIF orientation, converted to sRGB by its colour profile, alpha kept.
    forgiving: of a JPEG, PNG, GIF, WebP or TIFF file that is cut short or damaged give what there is, the rest grey;
    its `damage` says so. Raises ImageError with one line that says what is wrong with the file.
    """
    source = Path(path)
    waiting = _overviews.take(source)
    if waiting is not None and (forgiving or not waiting.damage):
        return waiting
    with opened(source) as file:
        return _decoded(source, file, forgiving)


def picture_of_png(data: bytes, name: str, *, forgiving: bool = False) -> Picture:
    """The picture that the bytes of a PNG file are, as open_picture reads one. name: what to call it, in messages, too.
    Raises ImageError."""
    picture = _decoded(Path(name), io.BytesIO(data), forgiving)
    assert isinstance(picture, Picture)
    return replace(picture, path=None)


def open_overview(
    path: str | os.PathLike[str], max_side: int
) -> tuple[NDArray[np.uint8], tuple[int, int]] | None:
    """A first look at a picture file: (pixels, (width, height) of the whole picture).

    pixels: uint8 (h, w, 3), or (h, w, 4) with straight alpha, upright and sRGB, no side longer than max_side. A JPEG is
    decoded at a fraction of its size, in a fraction of the time; of a TIFF of several resolutions a small one is read.
    None for a large TIFF without: there a look takes as long as reading it all. Other files have to be decoded whole;
    that picture is kept for the next `open_picture` of the same file, which then costs nothing. Of a damaged file it
    shows what there is. Raises ImageError.
    """
    source = Path(path)
    with opened(source) as file, pillow_guard():
        state = FileState.of_open(file)  # before it is read
        head = file.read(4)
        if is_jpeg(head):
            return _jpeg_look(source, file, max_side)
        if is_tiff(head):
            from gaussian_core.imaging.tiff_overview import tiff_overview

            small = tiff_overview(source, file, max_side)
            if small is not None:
                return small
        file.seek(0)
        picture = _decoded(source, file, forgiving=True)
    _overviews.keep(source, state, picture)
    size = (picture.width, picture.height)
    if isinstance(picture, Picture):
        return _reduced(picture, max_side), size
    level = picture.levels.quick_look(max_side)
    if level is None:
        return None
    height, width = size_of_level(picture.extent, level)
    return _reduced(Picture(*picture.level_part(level, (0, 0, width, height))), max_side), size


def _decoded(source: Path, file: BinaryIO, forgiving: bool) -> Picture | LazyTiff:
    try:
        with pillow_guard():
            try:
                return _as_opened(_read(source, file))
            except DamagedError as error:
                fault = DamagedError(str(error))  # without its trace, which holds what was decoded
            return _as_opened(_mended(source, file, forgiving, fault))
    except MemoryError:
        raise ImageError(
            f"{source} needs more memory to open than there is: close other programs, or reduce it first."
        ) from None


def _as_opened(picture: Picture | LazyTiff) -> Picture | LazyTiff:
    return replace(picture, opened=True) if isinstance(picture, Picture) else picture


def _read(source: Path, file: BinaryIO) -> Picture | LazyTiff:
    from gaussian_core.imaging import deep_codecs, deep_reader, lazy_tiff, netpbm, pillow_reader

    head = file.read(32)
    if deep_reader.is_deep_png(head):
        return deep_reader.read_png(source, file)
    if is_tiff(head):
        lazy = lazy_tiff.open_lazy(source, file)
        if lazy is not None:
            return lazy
        picture = deep_reader.read_tiff(source, file)
        if picture is not None:
            return picture
    for read in (netpbm.read, deep_codecs.read):
        picture = read(source, file)
        if picture is not None:
            return picture
    return pillow_reader.read(source, file)


def _mended(
    source: Path, file: BinaryIO, forgiving: bool, fault: DamagedError
) -> Picture | LazyTiff:
    """What there is of a file that could not be decoded. Raises `fault` where that is nothing, or not wanted."""
    from gaussian_core.imaging.mending import mended

    file.seek(0)
    if forgiving and is_tiff(file.read(4)):
        return _of_cut_tiff(source, file, fault)
    whole = mended(file)
    if whole is None or (whole.lacks and not forgiving):
        raise fault
    whole.file.seek(0)
    try:
        picture = _read(source, whole.file)
    except DamagedError:
        raise fault from None
    assert isinstance(picture, Picture)
    return replace(picture, damage=whole.lacks, losses=picture.losses or whole.losses)


def _of_cut_tiff(source: Path, file: BinaryIO, fault: DamagedError) -> Picture | LazyTiff:
    """Raises `fault` where there is nothing of it."""
    from gaussian_core.imaging import lazy_tiff

    try:
        found = lazy_tiff.open_cut(source, file)
    except DamagedError:
        raise fault from None
    if found is None:
        raise fault
    lazy, missing = found
    percent = min(max(round(100 * missing), 1), 99)
    damage = f"cut short: {percent} % of the picture is missing and shown grey"
    if lazy.width * lazy.height >= lazy_tiff.LAZY_FROM:
        lazy.damage = damage
        return lazy
    pixels, alpha = lazy.stored((0, 0, lazy.width, lazy.height))
    return Picture(pixels, alpha, lazy.name, lazy.path, lazy.note, damage=damage)


def _jpeg_look(
    source: Path, file: BinaryIO, max_side: int
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    from gaussian_core.imaging.mending import mended

    try:
        return _jpeg_overview(source, file, max_side)
    except DamagedError as error:
        fault = DamagedError(str(error))
    whole = mended(file)
    if whole is None:
        raise fault
    return _jpeg_overview(source, whole.file, max_side)


def _jpeg_overview(
    source: Path, file: Any, max_side: int
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    from PIL import Image

    from gaussian_core.imaging import colour, orientation, pillow_reader

    image = pillow_reader.identify(source, file)
    try:
        turn = orientation.exif_turn(image)
        width, height = image.size
        # The decoder halves as long as what is left is no smaller than this: two thirds are enough for a first look.
        enough = max(1, max_side * 2 // 3)
        image.draft(None, (enough, enough))  # None: the file's own mode
        image.load()
        image.thumbnail((max_side, max_side), Image.Resampling.BOX, reducing_gap=None)
        mode, _ = pillow_reader.colour_mode(image)
        convert, _ = colour.conversion(image.info.get("icc_profile"), mode)
        pixels = np.asarray(pillow_reader.to_rgb(image, mode, False, convert))
    except pillow_reader.DECODER_FAULTS as error:
        raise damaged(source, error) from error
    size = (height, width) if orientation.swaps_sides(turn) else (width, height)
    return orientation.turned_upright(pixels, turn), size


def _reduced(picture: Picture, max_side: int) -> NDArray[np.uint8]:
    """Every so many-th pixel: a first look, for less than a tenth of a second."""
    step = max(1, -(-max(picture.extent) // max_side))
    small = Picture(
        picture.pixels[::step, ::step],
        None if picture.alpha is None else picture.alpha[::step, ::step],
    )
    planes = [small.pixels] if small.alpha is None else [small.pixels, small.alpha[..., None]]
    return in_bytes(np.concatenate(planes, axis=2), picture.full)


class _Waiting:
    """The one picture that was decoded for an overview and is about to be asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: tuple[Path, FileState] | None = None
        self._picture: PictureSource | None = None

    def keep(self, source: Path, state: FileState, picture: PictureSource) -> None:
        """state: of the file when it was read."""
        with self._lock:
            self._key, self._picture = (source.absolute(), state), picture

    def take(self, source: Path) -> PictureSource | None:
        """The picture, if it is of this file as it is now. It is let go in any case: never held in vain."""
        with self._lock:
            key, picture = self._key, self._picture
            self._key, self._picture = None, None
        same = key is not None and key == (source.absolute(), FileState.of(source))
        return picture if same else None


_overviews = _Waiting()
