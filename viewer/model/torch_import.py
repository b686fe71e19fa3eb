"""Loads torch for the methods that need it, without a window noticing."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import sys
from pathlib import Path

# The second is a gigabyte with what it needs, where torch was built with CUDA.
_LIBRARIES = {"linux": ("libtorch_cpu.so", "libtorch_cuda.so"), "darwin": ("libtorch_cpu.dylib",)}


def is_loaded() -> bool:
    return "torch" in sys.modules


def load_torch() -> None:
    """Import torch: a second or two, not for the GUI thread. Raises ImportError with a sentence for the user."""
    if is_loaded() and sys.modules["torch"] is not None:
        return
    if sys.platform == "win32":
        # Its libraries do not load after Qt's; viewer.ui.app imports it first for a method that needs it.
        raise ImportError("This method is ready after the viewer is started again.")
    _load_libraries()
    try:
        importlib.import_module("torch")
    except (ImportError, OSError) as error:
        raise ImportError(f"This method needs torch, which cannot be loaded ({error}).") from error


def _load_libraries() -> None:
    """Load torch's largest libraries before the import does. The import holds the interpreter's lock meanwhile, a fifth
    of a second or more in which a window cannot move; a foreign call does not. Where this cannot be, the import does it
    all."""
    try:
        spec = importlib.util.find_spec("torch")
    except ValueError:
        return
    folders = spec.submodule_search_locations if spec is not None else None
    dlopen = getattr(ctypes.CDLL(None), "dlopen", None) if folders else None
    if not folders or dlopen is None:
        return
    dlopen.argtypes, dlopen.restype = [ctypes.c_char_p, ctypes.c_int], ctypes.c_void_p
    for name in _LIBRARIES.get(sys.platform, ()):
        path = Path(folders[0], "lib", name)
        if path.is_file():
            dlopen(os.fsencode(path), os.RTLD_NOW | os.RTLD_LOCAL)
