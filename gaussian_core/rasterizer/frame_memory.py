"""Memory for frames: where a CUDA device draws them it is pinned, so that the device writes there itself."""

from __future__ import annotations

import logging

import numpy as np
from numpy.typing import NDArray

from gaussian_core.rasterizer import cuda

log = logging.getLogger(__name__)


def frame_memory(nbytes: int) -> NDArray[np.uint8]:
    """(nbytes,) uint8, contents undefined: pinned where "auto" frames are the device's. A frame in other memory costs
    one more copy of it on the CPU."""
    if cuda.chosen():
        import torch

        try:
            pinned = torch.empty(nbytes, dtype=torch.uint8, pin_memory=True)
        except RuntimeError as error:  # a limit on what a process may pin
            log.warning(
                "Frames take a copy more: no pinned memory (%s).", str(error).split("\n")[0]
            )
        else:
            array: NDArray[np.uint8] = pinned.numpy()  # which holds on to the tensor
            return array
    return np.empty(nbytes, np.uint8)


def is_suitable(memory: NDArray[np.uint8]) -> bool:
    """Whether memory from `frame_memory` is still what would be given now."""
    if not cuda.chosen():
        return True
    import torch

    return torch.from_numpy(memory).is_pinned()
