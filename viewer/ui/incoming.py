"""What was dropped or pasted: a file, an image, or nothing that can be opened."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QImage

MAX_PATH_TEXT = 4096


def is_welcome(data: QMimeData) -> bool:
    """Whether something that hovers over the window may be dropped. Cheap: nothing is decoded."""
    return data.hasImage() or any(url.isLocalFile() for url in data.urls())


def incoming(data: QMimeData) -> Path | QImage | None:
    """The first local file, else the image itself, else a path written as text."""
    for url in data.urls():
        if url.isLocalFile():
            return Path(url.toLocalFile())
    if data.hasImage():
        image = data.imageData()
        if isinstance(image, QImage) and not image.isNull():
            return image
    return _path_in(data.text()) if data.hasText() else None


def _path_in(text: str) -> Path | None:
    text = text.strip().strip("\"'")
    if not text or len(text) > MAX_PATH_TEXT or "\n" in text:
        return None
    if text.startswith("file:"):
        url = QUrl(text)
        return Path(url.toLocalFile()) if url.isLocalFile() else None
    expanded = os.path.expanduser(text)
    return Path(expanded) if os.path.isabs(expanded) else None
