"""What networks run on: the device, and the type that it multiplies fastest."""

from __future__ import annotations

import ctypes.util
import os
import sys
from typing import TYPE_CHECKING

from gaussian_core.errors import DeviceError
from gaussian_core.rasterizer.cuda import DEVICE_FILES

if TYPE_CHECKING:
    import torch

    from gaussian_core.rasterizer import Backend


_lost = ""


def give_up(said: str) -> None:
    """The CUDA device is lost: "auto" is the CPU until the program ends. said: why, in one line."""
    global _lost
    _lost = said


def loss() -> str:
    """Why the CUDA device was given up, in one line; empty where it was not."""
    return _lost


def drawn_by(device: str) -> Backend:
    """What draws for a network on that device. For one on the CPU the CPU does: who asks for that has a reason to leave
    the GPU alone."""
    return "cpu" if device == "cpu" else "auto"


def pick_device(device: str) -> torch.device:
    """ "auto" is CUDA where there is one and it has not been lost. Raises DeviceError for what is not usable here.

    Of several the one that is current here: with its number, since it may be another on the next thread.
    """
    import torch

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() and not _lost else "cpu"
    if device == "cuda" and _lost:
        raise DeviceError(
            f"The GPU failed before ({_lost}): start the program anew, or use --device cpu."
        )
    if device == "cuda" and not torch.cuda.is_available():
        raise DeviceError("There is no CUDA device that torch can use here: use --device cpu.")
    if device not in ("cpu", "cuda"):
        raise DeviceError(f"Unknown device {device!r}: use auto, cpu or cuda.")
    if device == "cpu":
        return torch.device(device)
    return torch.device(device, torch.cuda.current_device())


def is_cpu(device: str) -> bool:
    """Whether the device is the CPU, as far as that can be told without torch: where it cannot, False."""
    if device != "auto":
        return device == "cpu"
    if _lost:
        return True
    if sys.platform == "win32":
        return ctypes.util.find_library("nvcuda") is None
    return not any(os.path.exists(path) for path in DEVICE_FILES)


def fast_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the hardware multiplies it natively, else float32.

    What CUDA emulates (before Ampere) is slower than float32. Such devices do multiply float16, which is not used: the
    networks are trained in the range of bfloat16, and what exceeds 65504 between two layers would be infinite.
    """
    import torch

    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if native else torch.float32
    on_cpu = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return torch.bfloat16 if on_cpu() else torch.float32
