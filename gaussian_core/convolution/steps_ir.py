"""Small steps on sixteen channels of a pixel, written as LLVM vector instructions: copy, add, finish."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from gaussian_core.rasterizer.vector_ir import I64, Vectors

LANES = 16  # channels of a step: two vectors of AVX2, one of AVX-512, four of NEON


@intrinsic
def copy_lanes(typingctx: Any, source: Any, target: Any) -> Any:
    """target = source, both addresses of LANES float32; zeros where source is 0."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        v = Vectors(builder, LANES)
        source_, target_ = args
        entry = builder.block
        there = builder.icmp_signed("!=", source_, ir.Constant(I64, 0))
        loading = builder.append_basic_block("loading")
        storing = builder.append_basic_block("storing")
        builder.cbranch(there, loading, storing)
        builder.position_at_end(loading)
        loaded = v.load(source_, v.f32)
        builder.branch(storing)
        builder.position_at_end(storing)
        value = builder.phi(v.f32)
        value.add_incoming(v.const(0.0), entry)
        value.add_incoming(loaded, loading)
        v.store(value, target_)
        return context.get_dummy_value()

    return types.none(types.int64, types.int64), codegen


@intrinsic
def add_lanes(typingctx: Any, source: Any, target: Any) -> Any:
    """target += source, both addresses of LANES float32."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        v = Vectors(builder, LANES)
        source_, target_ = args
        v.store(builder.fadd(v.load(source_, v.f32), v.load(target_, v.f32)), target_)
        return context.get_dummy_value()

    return types.none(types.int64, types.int64), codegen


@intrinsic
def finish_lanes(typingctx: Any, source: Any, bias: Any, slope: Any, target: Any) -> Any:
    """target = act(source + bias), addresses of LANES float32; act: negative values times slope, which is 1 at most."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        v = Vectors(builder, LANES)
        source_, bias_, slope_, target_ = args
        value = builder.fadd(v.load(source_, v.f32), v.load(bias_, v.f32))
        v.store(v.call("maxnum", value, builder.fmul(value, v.splat(slope_))), target_)
        return context.get_dummy_value()

    i = types.int64
    return types.none(i, i, types.float32, i), codegen
