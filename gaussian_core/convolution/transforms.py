"""Winograd's transforms of tiles, F(4 x 4, 3 x 3): six by six values of a picture give four by four of its convolution.

A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural Networks (2016), section 4.3: with the matrices below,
y = A^T ((G g G^T) * (B^T d B)) A for a filter g and a tile d. In the middle each of the 36 values is a product of
matrices over the channels. The gradients are the same with the matrices transposed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from gaussian_core.compiled import compiled
from gaussian_core.convolution.steps_ir import LANES
from gaussian_core.rasterizer.vector_ir import I64, Vectors

POINTS = 36  # values of a tile of 6 x 6 pixels

FILTER = np.array(  # G
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)
PICTURE = np.array(  # B^T
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
RESULT = np.array(  # A^T
    [
        [1, 1, 1, 1, 1, 0],
        [0, 1, -1, 2, -2, 0],
        [0, 1, 1, 4, 4, 0],
        [0, 1, -1, 8, -8, 1],
    ]
)


def _product(matrix: NDArray[Any]) -> Any:
    """Make the intrinsic target = matrix source for LANES columns: one vector a row, `step` bytes apart."""
    outputs, inputs = matrix.shape

    @intrinsic
    def product(
        typingctx: Any, source: Any, source_step: Any, target: Any, target_step: Any
    ) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            source_, source_step_, target_, target_step_ = args
            v = Vectors(builder, LANES)

            def place(start: Any, step: Any, number: int) -> Any:
                return builder.add(start, builder.mul(step, ir.Constant(I64, number)))

            values = [v.load(place(source_, source_step_, j), v.f32) for j in range(inputs)]
            for i in range(outputs):
                terms = [(float(f), x) for f, x in zip(matrix[i], values, strict=True) if f]
                terms.sort(key=lambda term: abs(term[0]) != 1)  # those without a product first
                factor, total = terms[0]
                if factor != 1:
                    total = builder.fmul(total, v.const(factor))
                for factor, x in terms[1:]:
                    if factor == 1:
                        total = builder.fadd(total, x)
                    elif factor == -1:
                        total = builder.fsub(total, x)
                    else:
                        total = v.fma(x, v.const(factor), total)
                v.store(total, place(target_, target_step_, i))
            return context.get_dummy_value()

        i = types.int64
        return types.none(i, i, i, i), codegen

    return product


_in, _out = _product(PICTURE), _product(RESULT)
_in_adjoint, _out_adjoint = _product(PICTURE.T), _product(RESULT.T)


@compiled()
def transform_in(d, d_row, t, points, point_bytes, channels):  # type: ignore[no-untyped-def]
    """The 36 values B^T d B of a tile d of 6 x 6 pixels of `channels` floats, rows d_row bytes apart.

    They go to points, point_bytes apart. t: scratch for 36 channels floats. All addresses; channels a multiple of 16.
    """
    size = channels * 4
    for q in range(0, 6 * size, 64):
        _in(d + q, d_row, t + q, 6 * size)
    for i in range(6):
        for c in range(0, size, 64):
            _in(t + 6 * i * size + c, size, points + 6 * i * point_bytes + c, point_bytes)


@compiled()
def transform_out(points, point_bytes, t, out, channels):  # type: ignore[no-untyped-def]
    """out (4, 4 channels) = A^T m A of the 36 values m, point_bytes apart. t: scratch for 24 channels floats."""
    size = channels * 4
    for j in range(6):
        for c in range(0, size, 64):
            _out(points + j * point_bytes + c, 6 * point_bytes, t + j * size + c, 6 * size)
    for i in range(4):
        for c in range(0, size, 64):
            _out(t + 6 * i * size + c, size, out + 4 * i * size + c, size)


@compiled()
def transform_out_adjoint(d, d_row, t, points, point_bytes, channels):  # type: ignore[no-untyped-def]
    """The 36 values A d A^T of a tile d of 4 x 4 pixels: the adjoint of transform_out. t: 24 channels floats."""
    size = channels * 4
    for q in range(0, 4 * size, 64):
        _out_adjoint(d + q, d_row, t + q, 4 * size)
    for i in range(6):
        for c in range(0, size, 64):
            _out_adjoint(t + 4 * i * size + c, size, points + 6 * i * point_bytes + c, point_bytes)


@compiled()
def transform_in_adjoint(points, point_bytes, t, out, channels):  # type: ignore[no-untyped-def]
    """out (6, 6 channels) = B v B^T of the 36 values v: the adjoint of transform_in. t: 36 channels floats."""
    size = channels * 4
    for j in range(6):
        for c in range(0, size, 64):
            _in_adjoint(points + j * point_bytes + c, 6 * point_bytes, t + j * size + c, 6 * size)
    for i in range(6):
        for c in range(0, size, 64):
            _in_adjoint(t + 6 * i * size + c, size, out + 6 * i * size + c, size)
