"""From the samples of a TIFF page to sRGB pixels: of all of it at once, or of any part by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from gaussian_core.errors import ImageError
from gaussian_core.imaging import colour, pillow_reader
from gaussian_core.imaging.deep_picture import widened
from gaussian_core.imaging.finite import finite
from gaussian_core.imaging.measurements import Range
from gaussian_core.imaging.tiff_files import profile_of

WHITE_IS_ZERO, GREY, RGB, PALETTE, CMYK, YCBCR = 0, 1, 2, 3, 5, 6
_KNOWN = (WHITE_IS_ZERO, GREY, RGB, PALETTE, CMYK)
WEBP, JPEG_XL = 50001, 50002
JPEG = 7  # the compression whose decoder gives RGB also of YCbCr
CONTIGUOUS = 1  # planar configuration: a pixel's samples side by side
_ASSOCIATED, _STRAIGHT = 1, 2


class Samples(Protocol):
    """notes: what is done to the picture on the way, as far as it was converted. dtype, channels (1 or 3), has_alpha:
    of what comes out."""

    notes: list[str]
    dtype: np.dtype[Any]
    channels: int
    has_alpha: bool

    def convert(self, values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """values: (h, w, samples) as stored. To sRGB (h, w, 3), or grey (h, w, 1), and straight alpha (h, w)."""
        ...


def wants_depth(page: Any) -> bool:
    """Whether a page holds more than 8 bits a channel."""
    return page.dtype is not None and page.dtype.kind in "uif" and page.dtype != np.uint8


def beyond_pillow(page: Any) -> bool:
    """Whether Pillow lacks the decoder of a page's compression: JPEG 2000, JPEG XL, LERC and others, and WebP, which it
    may have or not; or takes the page wrongly: bytes in separate planes of which one is no colour, which it refuses, or
    finds transparent where they are not."""
    from PIL.TiffImagePlugin import COMPRESSION_INFO

    if int(page.compression) not in COMPRESSION_INFO or int(page.compression) == WEBP:
        return True
    planes = page.samplesperpixel > 1 and int(page.planarconfig) != CONTIGUOUS
    plain = page.dtype == np.uint8 and page.bitspersample == 8
    return bool(planes and page.extrasamples and plain and int(page.photometric) != YCBCR)


def beyond_bytes(page: Any) -> bool:
    """Whether DeepSamples reads a page: more than 8 bits, and bits and bytes in an order of channels that Pillow does
    not know, as of ink with opacity or of two masks beside the colours."""
    from PIL.TiffImagePlugin import II, OPEN_INFO

    if wants_depth(page):
        return True
    if page.dtype is None or page.dtype.kind not in "ub" or int(page.photometric) not in _KNOWN:
        return False
    bits = (int(page.bitspersample),) * int(page.samplesperpixel)
    extra = tuple(int(kind) for kind in page.extrasamples)
    return (II, int(page.photometric), (1,), int(page.fillorder), bits, extra) not in OPEN_INFO


def samples_of(path: Path, file: BinaryIO, page: Any, measured: Range | None = None) -> Samples:
    """Whatever reads a page. measured: see DeepSamples. Raises ImageError where it cannot be read."""
    if beyond_bytes(page):
        return DeepSamples(path, page, measured)
    return ByteSamples(path, file, page)


class DeepSamples:
    """Any number of bits: up to 8 come out as uint8, others as uint16 or float32. Raises ImageError for colours that
    cannot be read."""

    def __init__(self, path: Path, page: Any, measured: Range | None = None) -> None:
        """measured: what its values are shown from and to; None where they are brightness."""
        self._measured = measured
        self._photometric = int(page.photometric)
        if self._photometric not in _KNOWN:
            raise ImageError(
                f"{path} holds its colours as {_name_of(page)} in {page.bitspersample} bits, which cannot be read: save it"
                " as RGB first."
            )
        self._colours = {RGB: 3, PALETTE: 3, CMYK: 4}.get(self._photometric, 1)
        given = 3 if self._photometric == PALETTE else page.samplesperpixel
        if given < self._colours:
            raise ImageError(
                f"{path} is damaged: it has {page.samplesperpixel} of {self._colours} channels."
            )
        self._bits = page.bitspersample
        self._table: NDArray[np.uint16] | None = None
        if self._photometric == PALETTE:
            self._table = np.asarray(page.colormap, np.uint16).T
        extra = [int(kind) for kind in page.extrasamples]
        self._premultiplied = _ASSOCIATED in extra
        # The first extra sample that is alpha. An unspecified one is not: depth maps and masks are stored so too.
        places = [n for n, kind in enumerate(extra) if kind in (_ASSOCIATED, _STRAIGHT)][:1]
        alpha = self._colours + places[0] if places else given
        self._alpha = alpha if alpha < given else None
        self._mode = {1: "L", 3: "RGB", 4: "CMYK"}[self._colours]
        self._convert, note = colour.conversion(profile_of(page), self._mode)
        self.notes = [note]
        if self._colours == 1 and given > 1 + len(places):
            self.notes.append(f"first of {given - len(places)} channels")
        whole = page.dtype == np.uint16 or self._table is not None
        self.dtype: np.dtype[Any] = np.dtype(np.uint16 if whole else np.float32)
        if self._table is None and page.dtype.itemsize == 1 and page.dtype.kind in "ub":
            self.dtype = np.dtype(np.uint8)
        self.channels = 1 if self._mode == "L" and self._convert is None else 3
        self.has_alpha = self._alpha is not None

    def convert(self, values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
        if self._table is not None:
            values = self._table[values[..., 0].astype(np.intp).clip(0, len(self._table) - 1)]
        elif self._measured is not None:
            values = self._measured.shown(values)
        else:
            values = finite(_scaled(values, self._bits), self.notes)
        alpha = values[..., self._alpha] if self._alpha is not None else None
        colours = values[..., : self._colours]
        if alpha is not None and self._premultiplied:
            colours = _unpremultiplied(colours, alpha)
        if self._photometric == WHITE_IS_ZERO:
            colours = colours.dtype.type(_full(colours.dtype)) - colours
        colours = colour.deep_to_srgb(colours, self._mode, self._convert)
        return colours, None if alpha is None else alpha.astype(self.dtype, copy=False)


class ByteSamples:
    """8 bits, by way of Pillow, which reads such pictures whole: a part comes out the same to the bit."""

    dtype: np.dtype[Any] = np.dtype(np.uint8)

    def __init__(self, path: Path, file: BinaryIO, page: Any) -> None:
        """Raises ImageError as Pillow's reading of the header does."""
        from PIL import Image

        if beyond_pillow(page):
            self._stored, self._raw = _modes(path, page)
            image: Any = Image.new(self._stored, (1, 1))
        else:
            image = pillow_reader.identify(path, file, whole=False)
            self._stored = image.mode
            self._raw = str(image.tile[0].args[0])  # how the samples lie in memory
        self._mode, self.has_alpha = pillow_reader.colour_mode(image)
        self._convert, note = colour.conversion(profile_of(page), self._mode)
        self.notes = [note]
        self._palette: bytes | None = None
        if image.mode == "P":
            self._palette = (np.asarray(page.colormap) >> 8).astype(np.uint8).T.tobytes()
        self.channels = 1 if self._mode == "L" and self._convert is None else 3

    def convert(self, values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
        from PIL import Image

        size = (values.shape[1], values.shape[0])
        image = Image.frombytes(self._stored, size, values.tobytes(), "raw", self._raw)
        if self._palette is not None:
            image.putpalette(self._palette)
        rgb = np.asarray(pillow_reader.to_rgb(image, self._mode, self.has_alpha, self._convert))
        alpha = rgb[..., 3] if self.has_alpha else None
        return rgb[..., : self.channels], alpha


def _modes(path: Path, page: Any) -> tuple[str, str]:
    """Pillow's mode and raw mode of a page of bytes whose compression it does not know."""
    from PIL.TiffImagePlugin import II, OPEN_INFO

    photometric, samples = int(page.photometric), int(page.samplesperpixel)
    if photometric == YCBCR and samples == 3:
        # The decoders of these two give RGB; those of JPEG 2000 what was stored.
        return ("RGB", "RGB") if int(page.compression) in (WEBP, JPEG_XL) else ("YCbCr", "YCbCr")
    extra = tuple(int(kind) for kind in page.extrasamples)
    found = OPEN_INFO.get((II, photometric, (1,), 1, (8,) * samples, extra))
    if found is None or page.dtype != np.uint8:
        raise ImageError(
            f"{path} holds its colours as {_name_of(page)} in {samples} channels, which cannot be read: save it as RGB"
            " first."
        )
    return str(found[0]), str(found[1])


def parts_in_bytes(page: Any) -> bool:
    """Whether ByteSamples reads a page: whole bytes in the usual order, in colours that need no neighbours."""
    photometric = int(page.photometric)
    known = photometric in (WHITE_IS_ZERO, GREY, RGB, PALETTE, CMYK)
    whole = int(page.compression) == JPEG or beyond_pillow(page)
    known = known or (photometric == YCBCR and whole)
    planes = page.samplesperpixel > 1 and int(page.planarconfig) != CONTIGUOUS
    usual = page.bitspersample == 8 and int(page.fillorder) == 1
    return bool(page.dtype == np.uint8 and known and usual and not planes)


def _full(dtype: np.dtype[Any]) -> float:
    return 1.0 if dtype.kind == "f" else float(np.iinfo(dtype).max)


def _name_of(page: Any) -> str:
    return str(getattr(page.photometric, "name", page.photometric))


def _scaled(values: NDArray[Any], bits: int) -> NDArray[Any]:
    """uint8 and uint16 over their whole range, or float32: floats as they are, wide and signed integers from 0 to 1."""
    if values.dtype.kind in "ub" and values.dtype.itemsize <= 2:
        return widened(values, (1 << bits) - 1)  # also of 4, 10, 12 or 14 bits, unpacked
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):  # of doubles; what becomes infinite is white, and said
            return values.astype(np.float32, copy=False)
    top = (1 << bits) - 1 if values.dtype.kind == "u" else (1 << (bits - 1)) - 1
    return (values * (1 / top)).astype(np.float32)


def _unpremultiplied(colours: NDArray[Any], alpha: NDArray[Any]) -> NDArray[Any]:
    full = _full(colours.dtype)
    share = np.maximum(alpha, full * 1e-6)[..., None].astype(np.float32) / np.float32(full)
    straight = colours / share
    if colours.dtype.kind == "f":
        return straight.astype(np.float32)
    return np.clip(straight + 0.5, 0, full).astype(colours.dtype)
