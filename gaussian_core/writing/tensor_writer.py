"""Writes safetensors files, of fields and of weights: whole or not at all, the same bytes for the same contents."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from gaussian_core.errors import OutputError
from gaussian_core.writing.atomic import whole_file

LENGTH = 8
"""Bytes, at the beginning of such a file, of the length of its header."""


def write_tensors(
    path: str | os.PathLike[str], tensors: dict[str, NDArray[Any]], metadata: dict[str, str]
) -> None:
    """Raises OutputError."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    # A file's name, such as that of weights, may hold bytes that no text has.
    readable = {k: v.encode(errors="backslashreplace").decode() for k, v in metadata.items()}
    with whole_file(path) as temporary:
        try:
            save_file(tensors, temporary, metadata=readable)
        except SafetensorError as error:  # its own kind, for a full disk too
            raise OutputError(f"Cannot write {path}: {error}") from error
        _sort_metadata(temporary)


def _sort_metadata(path: Path) -> None:
    """safetensors writes them in another order each time: who knows files by their digest would take one for two."""
    with path.open("r+b") as file:
        size = int.from_bytes(file.read(LENGTH), "little")
        header = json.loads(file.read(size))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        # Longer only were something escaped in another way: the tensors come next.
        if len(text) <= size:
            file.seek(LENGTH)
            file.write(text.ljust(size))
