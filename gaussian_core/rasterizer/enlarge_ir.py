"""Twice as many samples: the vector steps of the enlargement of coarse lattices, see coarse.py.

Every second sample of the finer lattice is a sample of the coarser one; those between are a weighted sum of an even
number of neighbours, the same on both sides.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from gaussian_core.rasterizer.vector_ir import I32, I64, Vectors

# Weights of the nearest neighbours, the next ones and so on, by how many there are on each side. They sum to 1/2 and
# have the least largest error midway between samples of Gaussians of no less than 1.25, 2.5 and 5 samples' standard
# deviation: 7e-4, 6e-5 and 5e-5 of their height.
WEIGHTS = {
    5: (
        0.6231742818006386,
        -0.17395780826100074,
        0.0703979916587939,
        -0.024629026195545474,
        0.005014560997113733,
    ),
    3: (0.5918711627739804, -0.10691736892629472, 0.01504620615231428),
    2: (0.5639058332928986, -0.0639058332928986),
}
NEIGHBOURS = (5, 3, 2)
"""On each side: of what is drawn on the lattice itself, of what is drawn on the next coarser one, or on others."""
MOST_NEIGHBOURS = NEIGHBOURS[0]


def _midway(v: Vectors, address: Any, step: Any, neighbours: int) -> Any:
    """The vector between the samples at `address` and `step` bytes after it."""
    b = v.b

    def at(number: int) -> Any:
        return v.load(b.add(address, b.mul(step, ir.Constant(I64, number))), v.f32)

    total = None
    for k, weight in enumerate(WEIGHTS[neighbours]):
        pair, by = b.fadd(at(-k), at(k + 1)), v.const(weight)
        total = b.fmul(pair, by) if total is None else v.fma(pair, by, total)
    return total


def _make_widen(neighbours: int) -> Any:
    @intrinsic
    def widen(typingctx: Any, source: Any, target: Any) -> Any:
        """Write 16 samples to `target`: the 8 at `source` and, after each, the one midway to the next."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            v = Vectors(builder, 8)
            between = _midway(v, args[0], ir.Constant(I64, 4), neighbours)
            own = v.load(args[0], v.f32)
            order = [lane // 2 + 8 * (lane % 2) for lane in range(16)]
            mask = ir.Constant(ir.VectorType(I32, 16), order)
            v.store(builder.shuffle_vector(own, between, mask), args[1])
            return context.get_dummy_value()

        return types.none(types.int64, types.int64), codegen

    return widen


def _make_between(neighbours: int) -> Any:
    @intrinsic
    def between(typingctx: Any, source: Any, row_bytes: Any, target: Any) -> Any:
        """Write 16 samples to `target`: those midway between the row at `source` and the next."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            v = Vectors(builder, 16)
            v.store(_midway(v, args[0], args[1], neighbours), args[2])
            return context.get_dummy_value()

        return types.none(types.int64, types.int64, types.int64), codegen

    return between


widen_rough, widen_smooth, widen_smoothest = (_make_widen(n) for n in NEIGHBOURS)
between_rough, between_smooth, between_smoothest = (_make_between(n) for n in NEIGHBOURS)


@intrinsic
def copy_16(typingctx: Any, source: Any, target: Any) -> Any:
    """Copy 16 float32."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        v = Vectors(builder, 16)
        v.store(v.load(args[0], v.f32), args[1])
        return context.get_dummy_value()

    return types.none(types.int64, types.int64), codegen
