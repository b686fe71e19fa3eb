"""How far two frames are apart, amplified: one pass over their bytes, without the GIL."""

# mypy: disable-error-code="call-arg,no-untyped-def"

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from gaussian_core.compiled import compiled

MOST_DOUBLINGS = 7
"""After as many every level but none is white."""
I8 = ir.IntType(8)
MANY, PIXEL = 64, 4
"""Bytes that a step takes: a vector's, and for what is left over a pixel's."""


def _step(count: int) -> Any:
    """Make the intrinsic that writes `count` bytes of the amplified difference, every fourth of them 255.

    Sums and differences saturate: |a - b| is one of two differences, the other is 0, and a doubling ends at white.
    """

    @intrinsic
    def step(typingctx: Any, one: Any, other: Any, doublings: Any, target: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            one_, other_, doublings_, target_ = args
            kind = ir.VectorType(I8, count)

            def at(address: Any) -> Any:
                return builder.inttoptr(address, kind.as_pointer())

            def saturating(name: str, x: Any, y: Any) -> Any:
                fnty = ir.FunctionType(kind, [kind, kind])
                full = f"llvm.{name}.sat.v{count}i8"
                return builder.call(
                    cgutils.get_or_insert_function(builder.module, fnty, full), [x, y]
                )

            a, b = (builder.load(at(address), align=1) for address in (one_, other_))
            apart = builder.or_(saturating("usub", a, b), saturating("usub", b, a))
            for number in range(MOST_DOUBLINGS):
                wanted = builder.icmp_signed(">", doublings_, ir.Constant(ir.IntType(64), number))
                apart = builder.select(wanted, saturating("uadd", apart, apart), apart)
            opaque = ir.Constant(kind, [0, 0, 0, 255] * (count // 4))
            builder.store(builder.or_(apart, opaque), at(target_), align=1)
            return context.get_dummy_value()

        i = types.int64
        return types.none(i, i, i, i), codegen

    return step


_many, _pixel = _step(MANY), _step(PIXEL)


@compiled()
def _subtract(one, other, doublings, target, size):
    """Of `size` bytes at two addresses to a third."""
    k = 0
    while k + MANY <= size:
        _many(one + k, other + k, doublings, target + k)
        k += MANY
    while k < size:
        _pixel(one + k, other + k, doublings, target + k)
        k += PIXEL


def subtract_frames(
    a: NDArray[np.uint8], b: NDArray[np.uint8], doublings: int, out: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """min(255, 2**doublings |a - b|) of two frames (h, w, 4), BGRX, into a third, opaque. All of one size and
    C-contiguous. Raises ValueError where they are not."""
    frames = (a, b, out)
    if any(f.shape != out.shape or f.dtype != np.uint8 or f.shape[2:] != (4,) for f in frames):
        raise ValueError("frames that are subtracted are bytes (h, w, 4) of one size")
    if not all(f.flags.c_contiguous for f in frames) or not out.flags.writeable:
        raise ValueError("frames that are subtracted lie in one piece each, the last to be written")
    if not 0 <= doublings <= MOST_DOUBLINGS:
        raise ValueError(f"a difference is doubled 0 to {MOST_DOUBLINGS} times, not {doublings}")
    _subtract(a.ctypes.data, b.ctypes.data, doublings, out.ctypes.data, out.size)
    return out


def warm() -> None:
    """Compile or load what the viewer needs."""
    pixel = np.zeros((1, 1, 4), np.uint8)
    subtract_frames(pixel, pixel, 0, pixel)
