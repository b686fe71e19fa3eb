"""Loads torch for the methods that need it, without a window noticing."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import sys
from pathlib import Path

_LIBRARY = {"linux": "libtorch_cpu.so", "darwin": "libtorch_cpu.dylib"}


def is_loaded() -> bool:
    return "torch" in sys.modules


def load_torch() -> None:
    """Import torch: a second or two, not for the GUI thread. Raises ImportError with a sentence for the user."""
    if is_loaded() and sys.modules["torch"] is not None:
        return
    if sys.platform == "win32":
        # Its libraries do not load after Qt's; viewer.ui.app imports it first for a method that needs it.
        raise ImportError("This method is ready after the viewer is started again.")
    _load_library()
    try:
        importlib.import_module("torch")
    except (ImportError, OSError) as error:
        raise ImportError(f"This method needs torch, which cannot be loaded ({error}).") from error


def _load_library() -> None:
    """Load torch's largest library before the import does. The import holds the interpreter's lock meanwhile, a fifth
    of a second in which a window cannot move; a foreign call does not. Where this cannot be, the import does it all."""
    name = _LIBRARY.get(sys.platform)
    try:
        spec = importlib.util.find_spec("torch")
    except ValueError:
        return
    folders = spec.submodule_search_locations if spec is not None else None
    if name is None or not folders:
        return
    path = Path(folders[0], "lib", name)
    if not path.is_file():
        return
    dlopen = getattr(ctypes.CDLL(None), "dlopen", None)
    if dlopen is not None:
        dlopen.argtypes, dlopen.restype = [ctypes.c_char_p, ctypes.c_int], ctypes.c_void_p
        dlopen(os.fsencode(path), os.RTLD_NOW | os.RTLD_LOCAL)
