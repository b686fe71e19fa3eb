"""What was dropped or pasted: files, an image, or nothing that can be opened."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QImage

MAX_PATH_TEXT = 4096


def is_welcome(data: QMimeData) -> bool:
    """Whether something that hovers over the window may be dropped. Cheap: nothing is decoded."""
    return data.hasImage() or any(url.isLocalFile() for url in data.urls())


def incoming(data: QMimeData) -> list[Path] | QImage | None:
    """The local files, else the image itself, else a path written as text."""
    if files := [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]:
        return files
    if data.hasImage():
        image = data.imageData()
        if isinstance(image, QImage) and not image.isNull():
            return image
    path = _path_in(data.text()) if data.hasText() else None
    return None if path is None else [path]


def _path_in(text: str) -> Path | None:
    text = text.strip().strip("\"'")
    if not text or len(text) > MAX_PATH_TEXT or "\n" in text:
        return None
    if text.startswith("file:"):
        url = QUrl(text)
        return Path(url.toLocalFile()) if url.isLocalFile() else None
    expanded = os.path.expanduser(text)
    return Path(expanded) if os.path.isabs(expanded) else None
