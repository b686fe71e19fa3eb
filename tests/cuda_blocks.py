"""How much of a picture a step of the CUDA kernel takes in the tests."""

from __future__ import annotations

import pytest

from gaussian_core.rasterizer import cuda_kernel


@pytest.fixture
def larger_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter pays by the step, not by the pixel: let it take larger ones."""
    if cuda_kernel.INTERPRETED:
        monkeypatch.setattr(cuda_kernel, "block_size", lambda scale: (64, 32))
