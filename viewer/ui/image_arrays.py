"""Between QImage and NumPy arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QColorSpace, QImage


def image_from_array(pixels: NDArray[np.uint8]) -> QImage:
    """An (h, w, 3) RGB or (h, w) grey uint8 array as Format_RGB32, the fastest to paint. It owns its pixels."""
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    height, width = pixels.shape[:2]
    bgrx = np.empty((height, width, 4), np.uint8)
    bgrx[..., :3] = pixels[..., 2::-1]
    bgrx[..., 3] = 255
    image = QImage(bgrx.data, width, height, 4 * width, QImage.Format.Format_RGB32)
    return image.copy()


def array_from_image(image: QImage) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """(h, w, 3) or, where any of it is transparent, (h, w, 4) straight alpha; uint16 where the image has more than 8
    bits.

    Colours are converted to sRGB where the image says that they are in another space.
    """
    srgb = QColorSpace(QColorSpace.NamedColorSpace.SRgb)
    space = image.colorSpace()
    if space.isValid() and space != srgb:
        image = image.convertedToColorSpace(srgb)
    deep = image.depth() > 32 or image.format() in (
        QImage.Format.Format_Grayscale16,
        QImage.Format.Format_BGR30,
        QImage.Format.Format_RGB30,
        QImage.Format.Format_A2BGR30_Premultiplied,
        QImage.Format.Format_A2RGB30_Premultiplied,
    )
    form = QImage.Format.Format_RGBA64 if deep else QImage.Format.Format_RGBA8888
    alpha = image.hasAlphaChannel()
    image = image.convertToFormat(form)
    width, height = image.width(), image.height()
    kind = np.uint16 if deep else np.uint8
    rows = np.frombuffer(image.constBits(), kind).reshape(height, -1)
    pixels: NDArray[Any] = rows[:, : width * 4].reshape(height, width, 4)
    # An alpha that hides nothing, as screenshots have, would cost a channel in everything that follows.
    alpha = alpha and int(pixels[..., 3].min()) < np.iinfo(kind).max
    # In memory of its own: the image's goes with the image, of which NumPy knows nothing.
    return pixels[..., : 4 if alpha else 3].copy()
