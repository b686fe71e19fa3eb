"""Loads torch for the methods that need it, without a window noticing."""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import logging
import os
import sys
from pathlib import Path

from viewer.model.methods import SHIPPED, imports_torch, method_named

log = logging.getLogger(__name__)

# The second is a gigabyte with what it needs, where torch was built with CUDA.
_LIBRARIES = {"linux": ("libtorch_cpu.so", "libtorch_cuda.so"), "darwin": ("libtorch_cpu.dylib",)}

AGAIN = "This method is ready after the viewer is started again."
"""What is said on Windows once Qt is loaded, after which torch's libraries fail to initialise."""


def is_loaded() -> bool:
    return "torch" in sys.modules


def load_before_qt(method: str, weights: str | None = None) -> None:
    """Import torch on Windows, where it cannot be imported later, if what a window begins with needs it; call it before
    the first import of PySide6. weights: the name of shipped ones, or a file."""
    if sys.platform != "win32":
        return
    of_a_file = weights is not None and weights not in SHIPPED
    if of_a_file or imports_torch(method_named(method)):
        try:
            importlib.import_module("torch")
        except (ImportError, OSError) as error:  # the window says so when it falls back
            log.warning("torch cannot be loaded: %s", error)


def load_torch(too_late: str = AGAIN) -> None:
    """Import torch: a second or two, not for the GUI thread. Raises ImportError with a sentence for the user, which on
    Windows, where `load_before_qt` has not done it, is `too_late`: how to have it."""
    if is_loaded() and sys.modules["torch"] is not None:
        return
    if sys.platform == "win32":
        raise ImportError(too_late)
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
