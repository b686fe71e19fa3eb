"""exp2 and friends for compiled loops, in arithmetic that the compiler vectorizes (a call to libm it does not)."""

# mypy: disable-error-code="no-untyped-def, call-arg"

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from gaussian_core.compiled import compiled

LOG2E = np.float32(1.4426950408889634)
# exp2 on [0, 1): minimax coefficients, relative error below 3e-6.
P0, P1, P2, P3, P4, P5 = (
    np.float32(v)
    for v in (0.99999994, 0.69315308, 0.24015361, 0.055826318, 0.0089893397, 0.0018775767)
)


@intrinsic
def bits_as_float(typing_context, value):
    """Read an int32 as the float32 of the same bits (Numba has no view of a scalar that vectorizes)."""

    def emit(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), emit


@intrinsic
def as_float(typing_context, value):
    """A float32 as it is, or an int16 that holds the bits of a bfloat16 as the float32 of the same value."""
    if value == types.float32:
        return types.float32(types.float32), lambda context, builder, signature, args: args[0]

    def emit(context, builder, signature, arguments):
        word = ir.IntType(32)
        wide = builder.shl(builder.zext(arguments[0], word), ir.Constant(word, 16))
        return builder.bitcast(wide, ir.FloatType())

    return types.float32(types.int16), emit


@compiled(inline="always", fastmath=True)
def exp2(x):
    """2^x for float32 x up to 127; below -80 what it is there, not quite 0."""
    x = max(x, np.float32(-80.0))
    whole = np.floor(x)
    f = x - whole
    p = P0 + f * (P1 + f * (P2 + f * (P3 + f * (P4 + f * P5))))
    return p * bits_as_float(np.int32((np.int32(whole) + np.int32(127)) << np.int32(23)))
