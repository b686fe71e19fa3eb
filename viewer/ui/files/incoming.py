"""What was dropped or pasted: files, an image, the bytes of one, or nothing that can be opened."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QImage, QImageReader

from gaussian_core.imaging.png_chunks import SIGNATURE
from gaussian_core.machine.memory import physical_memory

PNG = "image/png"
MAX_PATH_TEXT = 4096
MAX_TEXT = 1 << 20
MEMORY_SHARE = 4
"""Of the machine's memory, what a pasted image may take."""


def is_welcome(data: QMimeData) -> bool:
    """Whether something that hovers over the window may be dropped. Cheap: nothing is decoded."""
    return data.hasImage() or data.hasFormat(PNG) or any(url.isLocalFile() for url in data.urls())


def incoming(data: QMimeData) -> list[Path] | QImage | bytes | None:
    """The local files, else the image itself, else paths written as text, one a line. bytes: of a PNG file, which are
    still to be decoded: that takes seconds of a large picture, and Qt would do it here, without its colour profile."""
    if files := [_file_of(url) for url in data.urls() if url.isLocalFile()]:
        return files
    if data.hasFormat(PNG):
        coded = bytes(data.data(PNG).data())
        if coded.startswith(SIGNATURE):
            return coded
    if data.hasImage():
        # Qt decodes no more than 256 MB unless it is told: a photograph of 33 megapixels in 16 bits.
        QImageReader.setAllocationLimit(physical_memory() // MEMORY_SHARE >> 20)
        image = data.imageData()
        if isinstance(image, QImage) and not image.isNull():
            return image
    text = data.text() if data.hasText() else ""
    if len(text) > MAX_TEXT:
        return None
    paths = [_path_in(line) for line in text.splitlines() if line.strip()]
    found = [path for path in paths if path is not None]
    return found if found and len(found) == len(paths) else None


def _file_of(url: QUrl) -> Path:
    """Some programs name this machine in the URLs of its files."""
    if url.host() in ("localhost", socket.gethostname().lower()):
        url = QUrl(url)
        url.setHost("")
    return Path(url.toLocalFile())


def _path_in(text: str) -> Path | None:
    text = text.strip().strip("\"'")
    if not text or len(text) > MAX_PATH_TEXT:
        return None
    if text[:5].lower() == "file:":
        url = QUrl(text)
        return _file_of(url) if url.isLocalFile() else None
    expanded = os.path.expanduser(text)
    return Path(expanded) if os.path.isabs(expanded) else None
