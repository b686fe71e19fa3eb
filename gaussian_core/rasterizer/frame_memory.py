"""Memory for frames: where a CUDA device draws them it is pinned, so that the device writes there itself."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from gaussian_core.rasterizer import cuda

log = logging.getLogger(__name__)

_refused = False  # what a process may pin is used up: asked once


def frame_memory(nbytes: int) -> NDArray[np.uint8]:
    """(nbytes,) uint8, contents undefined: pinned where "auto" frames are the device's. A frame in other memory costs
    one more copy of it on the CPU."""
    global _refused
    if cuda.chosen() and not _refused:
        import torch

        try:
            pinned = torch.empty(nbytes, dtype=torch.uint8, pin_memory=True)
        except RuntimeError as error:  # a limit on what a process may pin
            _refused = True
            log.warning(
                "Frames take a copy more: no pinned memory (%s).", str(error).split("\n")[0]
            )
        else:
            array: NDArray[np.uint8] = pinned.numpy()  # which holds on to the tensor
            return array
    return np.empty(nbytes, np.uint8)


def is_suitable(memory: NDArray[np.uint8]) -> bool:
    """Whether memory from `frame_memory` is still what would be given now."""
    if _refused or not cuda.chosen():
        return True
    import torch

    try:
        return torch.from_numpy(memory).is_pinned()
    except RuntimeError:  # a device that is lost: the next frame finds out, and says so
        return True
