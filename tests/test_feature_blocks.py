"""Memory of feature maps: blocks come back when their last tensor goes, and no two tensors share one."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import torch

from gaussian_core.convolution.blocks import Blocks

FLOATS = 1 << 20  # 4 MiB


def test_a_block_comes_back_when_the_last_view_of_its_tensor_goes() -> None:
    blocks = Blocks()
    tensor = torch.from_numpy(blocks.empty(4, FLOATS // 4).T)
    view = tensor[1:].T
    del tensor
    gc.collect()
    assert blocks.free_bytes == 0, "the view still shows it"
    view.fill_(3)
    del view
    gc.collect()
    assert blocks.free_bytes == 4 * FLOATS


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
def test_a_forked_process_has_a_copy() -> None:
    """As multiprocessing starts them on Linux before Python 3.14: two that build fields must not share one's maps."""
    code = (
        "import os\n"
        "from gaussian_core.convolution.blocks import Blocks\n"
        "floats = Blocks().empty(1 << 20)\n"
        "floats[:] = 1\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    floats[:] = 2\n"
        "    os._exit(0)\n"
        "os.waitpid(child, 0)\n"
        "assert (floats == 1).all()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_next_layer_takes_the_block_of_one_before() -> None:
    blocks = Blocks()
    first = blocks.empty(FLOATS)
    place = first.ctypes.data
    del first
    second = blocks.empty(FLOATS - 1000)  # a layer without padding is a little smaller
    assert second.ctypes.data == place
    assert blocks.free_bytes == 0


def test_a_small_map_does_not_keep_a_large_block() -> None:
    blocks = Blocks()
    large = blocks.empty(FLOATS)
    del large
    small = blocks.empty(FLOATS // 2)
    assert blocks.free_bytes == 4 * FLOATS
    assert small.nbytes == 2 * FLOATS


def test_no_more_is_held_than_allowed() -> None:
    blocks = Blocks(kept=8 << 20)
    maps = [blocks.empty(FLOATS) for _ in range(5)]
    assert blocks.free_bytes == 0
    del maps
    gc.collect()
    assert blocks.free_bytes <= 8 << 20


def test_threads_never_share_a_block() -> None:
    blocks = Blocks()
    shared = []

    def work(number: int) -> None:
        for round_ in range(50):
            mine = blocks.empty(FLOATS // 2 + 1000 * (round_ % 7))
            mine[:: 1 << 12] = number
            if not np.all(mine[:: 1 << 12] == number):
                shared.append(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shared == []
