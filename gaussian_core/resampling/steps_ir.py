"""The innermost steps of resampling, written as LLVM vector instructions.

Pixels are interleaved, three or four values each, which no auto-vectorizer handles well: along a row it falls back to
gathers, several times slower than loading a pixel as one vector. Sums are fused multiply-adds in the order of the
taps, whatever the number of lanes: the same bits for every way to cut the work.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from gaussian_core.rasterizer.vector_ir import F32, I64, Vectors

I8, I16 = ir.IntType(8), ir.IntType(16)


def _sum_taps(
    builder: Any, v: Any, taps: Any, weights: Any, address: Any, step: Any, load: Any
) -> Any:
    """Sum over t < taps (at least 1) of weights[t] * load(address + t * step)."""
    b = builder
    entry = b.block
    loop = b.append_basic_block("taps")
    done = b.append_basic_block("taps.done")
    b.branch(loop)
    b.position_at_end(loop)
    left, weight, here, total = b.phi(I64), b.phi(I64), b.phi(I64), b.phi(v.f32)
    for phi, start in ((left, taps), (weight, weights), (here, address), (total, v.const(0.0))):
        phi.add_incoming(start, entry)
    factor = b.load(b.inttoptr(weight, ir.PointerType(F32)), align=4)
    summed = v.fma(v.splat(factor), load(here), total)
    fewer = b.sub(left, ir.Constant(I64, 1))
    left.add_incoming(fewer, loop)
    weight.add_incoming(b.add(weight, ir.Constant(I64, 4)), loop)
    here.add_incoming(b.add(here, step), loop)
    total.add_incoming(summed, loop)
    b.cbranch(b.icmp_signed(">", fewer, ir.Constant(I64, 0)), loop, done)
    b.position_at_end(done)
    return summed


def _blend(lanes: int) -> Any:
    """Make the intrinsic that mixes `lanes` neighbouring values of several rows."""

    @intrinsic
    def blend(
        typingctx: Any,
        kind: Any,
        source: Any,
        row_bytes: Any,
        weights: Any,
        taps: Any,
        target: Any,
    ) -> Any:
        """float32 target[k] = sum over t of weights[t] * source[k] of row t, for k < lanes.

        kind: any value of the source's type, uint8, uint16 or float32. source, weights, target: addresses.
        """
        stored = {types.uint8: I8, types.uint16: I16, types.float32: F32}[kind]

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            _, source_, row_bytes_, weights_, taps_, target_ = args
            v = Vectors(builder, lanes)
            vector = ir.VectorType(stored, lanes)

            def load(address: Any) -> Any:
                values = v.load(address, vector, align=1)
                if stored is F32:
                    return values
                return builder.sitofp(builder.zext(values, v.i32), v.f32)

            total = _sum_taps(builder, v, taps_, weights_, source_, row_bytes_, load)
            v.store(total, target_)
            return context.get_dummy_value()

        i = types.int64
        return types.none(kind, i, i, i, i, i), codegen

    return blend


blend_many = _blend(64)
blend_some = _blend(16)
blend_one = _blend(1)


@intrinsic
def mix_pixels(typingctx: Any, source: Any, step: Any, weights: Any, taps: Any, target: Any) -> Any:
    """Write to `target` the sum over t of weights[t] * the four float32 at source + t * step.

    source, weights, target: addresses. step: bytes.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source_, step_, weights_, taps_, target_ = args
        v = Vectors(builder, 4)

        def load(address: Any) -> Any:
            return v.load(address, v.f32)

        v.store(_sum_taps(builder, v, taps_, weights_, source_, step_, load), target_)
        return context.get_dummy_value()

    i = types.int64
    return types.none(i, i, i, i, i), codegen


def _pack(over_grey: bool) -> Any:
    """Make the intrinsic that turns four interleaved pixels into BGRX bytes, clipped and rounded.

    over_grey: the fourth value is alpha, and what it lets through is shown at the greys (four pixels of four values).
    """

    @intrinsic
    def pack(typingctx: Any, pixels: Any, greys: Any, target: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            b = builder
            pixels_, greys_, target_ = args
            v = Vectors(b, 16)
            value = v.load(pixels_, v.f32)

            def pick(order: tuple[int, int, int, int], source: Any) -> Any:
                lanes = [4 * p + k for p in range(4) for k in order]
                indices = ir.Constant(v.i32, lanes)
                return b.shuffle_vector(source, ir.Constant(v.f32, ir.Undefined), indices)

            if over_grey:
                alpha = v.clamp(pick((3, 3, 3, 3), value), 0.0, 1.0)
                rest = b.fsub(v.const(1.0), alpha)
                # See display.over.
                value = v.smaller(v.larger(value, v.const(0.0)), alpha)
                value = b.fadd(value, b.fmul(rest, v.load(greys_, v.f32)))
            level = v.clamp(pick((2, 1, 0, 3), value), 0.0, 1.0)
            level = v.fma(level, v.const(255.0), v.const(0.5))
            octets = ir.VectorType(I8, 16)
            whole = b.trunc(b.fptosi(level, v.i32), octets)
            v.store(b.or_(whole, ir.Constant(octets, [0, 0, 0, 255] * 4)), target_, align=1)
            return context.get_dummy_value()

        i = types.int64
        return types.none(i, i, i), codegen

    return pack


pack_opaque = _pack(over_grey=False)
pack_over_greys = _pack(over_grey=True)
