"""Reads a picture or a field on a thread: a quick look first, then the whole."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage

from gaussian_core.errors import UserError
from gaussian_core.field import is_field_file
from gaussian_core.imaging.file_state import FileState
from gaussian_core.imaging.picture import Picture, PictureSource
from viewer.model.documents.document import Document
from viewer.model.documents.overview import overview_of
from viewer.model.methods import DEFAULT
from viewer.ui.image_arrays import array_from_image, image_from_array
from viewer.ui.workers.background import Worker

log = logging.getLogger(__name__)

OVERVIEW_SIDE = 2048
"""Longer side of the quick look: about what a window shows."""


@dataclass(frozen=True)
class Opening:
    """What is being opened, and how its field will be made: by a method, or by weights.

    path: None for a picture from the clipboard, which is in `image`, decoded or as the bytes of a PNG file, and for a
    copy of 1 / factor of `picture`. state: of the file that `picture` was read from. again: what is open already is
    read once more, and stays until that is done. forgiving: of a damaged file what there is of it will do.
    """

    number: int
    name: str
    method: str
    weights: Path | None = None
    path: Path | None = None
    image: QImage | bytes | None = None
    picture: PictureSource | None = None
    factor: int = 1
    state: FileState | None = None
    again: bool = False
    forgiving: bool = True


class OpenWorker(Worker):
    """Opens one thing after another; what was asked for last counts, and the results of earlier ones are dropped."""

    overview_ready = Signal(object, QImage, int, int)
    """The opening, a small image of the picture, the picture's width and height."""
    opened = Signal(object, object)
    """The opening, the Document."""
    failed = Signal(object, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("open", parent)
        self._number = 0
        self._looked_at = 0  # the number of the last opening that began with a small image

    def open(
        self,
        path: str | os.PathLike[str],
        method: str = DEFAULT,
        weights: Path | None = None,
    ) -> Opening:
        path = Path(os.path.abspath(path))
        return self._start(Opening(self._number + 1, path.name, method, weights, path))

    def reopen(
        self,
        document: Document,
        method: str = DEFAULT,
        weights: Path | None = None,
    ) -> Opening:
        """What a document was read from, once more: all of it, unless there was not all of it before."""
        path, picture = document.source, document.picture
        assert path is not None
        forgiving = picture is not None and bool(picture.damage) and not picture.outdated
        return self._start(
            Opening(
                *(self._number + 1, path.name, method, weights, path),
                factor=document.factor,
                again=True,
                forgiving=forgiving,
            )
        )

    def open_image(
        self, image: QImage | bytes, method: str = DEFAULT, weights: Path | None = None
    ) -> Opening:
        """image: decoded, or the bytes of a PNG file."""
        name = "Pasted picture"
        return self._start(Opening(self._number + 1, name, method, weights, image=image))

    def open_reduced(
        self,
        picture: PictureSource,
        name: str,
        factor: int,
        method: str = DEFAULT,
        weights: Path | None = None,
        state: FileState | None = None,
    ) -> Opening:
        """A copy of 1 / factor of a picture; with 1 the picture itself. state: of its file when it was read."""
        number = self._number + 1
        return self._start(
            Opening(number, name, method, weights, picture=picture, factor=factor, state=state)
        )

    def abandon(self) -> None:
        """Drop what is being opened."""
        self._number += 1

    def is_current(self, opening: Opening) -> bool:
        return opening.number == self._number

    def _start(self, opening: Opening) -> Opening:
        self._number = opening.number
        self._run(self._open, opening)
        return opening

    # ---- its thread ---------------------------------------------------------------------------

    def _open(self, opening: Opening) -> None:
        try:
            document = self._document(opening)
        except UserError as error:
            self._emit(self.failed, opening, str(error))
        except MemoryError:
            self._emit(self.failed, opening, f"There is not enough memory to open {opening.name}.")
        except Exception as error:  # a decoder's own fault must not end the program
            log.exception("opening %s failed", opening.name)
            self._emit(self.failed, opening, f"{opening.name} cannot be opened: {error}")
        else:
            self._emit(self.opened, opening, document)

    def _document(self, opening: Opening) -> Document:
        # Before it is read: what is written to it meanwhile is to be noticed afterwards.
        state = opening.state if opening.path is None else FileState.of(opening.path)
        document = self._read(opening)
        if self._looked_at != opening.number and document.unread is None:
            scene = replace(document.scene, overview=overview_of(document.scene))
            document = replace(document, scene=scene)
        return replace(document, state=state)

    def _read(self, opening: Opening) -> Document:
        if opening.picture is not None:
            return Document.reduced(
                opening.picture, opening.name, opening.factor, opening.method, opening.weights
            )
        if opening.path is None:
            picture = _pasted(opening)
            return Document.from_picture(picture, method=opening.method, weights=opening.weights)
        if opening.factor > 1:
            from gaussian_core.images import open_picture

            whole = open_picture(opening.path, forgiving=opening.forgiving)
            return Document.reduced(
                whole, opening.path.name, opening.factor, opening.method, opening.weights
            )
        if not opening.again and not is_field_file(opening.path):
            self._look(opening)
        return Document.open(
            opening.path, opening.method, weights=opening.weights, forgiving=opening.forgiving
        )

    def _look(self, opening: Opening) -> None:
        from gaussian_core.images import open_overview

        assert opening.path is not None
        look = open_overview(opening.path, OVERVIEW_SIDE)
        if look is not None and self.is_current(opening):
            self._looked_at = opening.number
            pixels, (width, height) = look
            self._emit(self.overview_ready, opening, _overview_image(pixels), width, height)


def _pasted(opening: Opening) -> Picture:
    from gaussian_core.images import picture_of_png

    assert opening.image is not None
    if isinstance(opening.image, QImage):
        pasted = Picture.from_array(array_from_image(opening.image), opening.name)
        return replace(pasted, opened=True)
    return picture_of_png(opening.image, opening.name, forgiving=opening.forgiving)


def _overview_image(pixels: NDArray[np.uint8]) -> QImage:
    """Transparent parts stand on the checkerboard's mean grey: the squares come with the first frame."""
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        alpha = pixels[..., 3:].astype(np.uint16)
        grey = np.uint16(round(0.7 * 255))
        mixed = pixels[..., :3].astype(np.uint16) * alpha + grey * (255 - alpha)
        pixels = ((mixed + 127) // 255).astype(np.uint8)
    return image_from_array(pixels)
