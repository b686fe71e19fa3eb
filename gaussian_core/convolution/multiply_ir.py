"""The innermost product of small matrices, written as LLVM vector instructions."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from gaussian_core.compiled import compiled
from gaussian_core.convolution.steps_ir import LANES
from gaussian_core.rasterizer.vector_ir import F32, I64, Vectors, compiles_for

ROWS = 6  # rows of a block: with LANES columns as many sums as AVX2 has registers for
WIDE_ROWS, WIDE = 8, 3
"""Rows and LANES columns of a block of AVX-512, which has twice as many registers, of LANES each. The larger a block,
the fewer loads a product: at 6 x 1 there are more than the processor makes beside as many products, and too few sums to
wait for the last."""


IS_WIDE = compiles_for("avx512f")


def _block(rows: int, wide: int = 1) -> Any:
    """Make the intrinsic that computes rows x (wide LANES) sums, held in registers."""

    @intrinsic
    def block(
        typingctx: Any,
        a: Any,
        a_row: Any,
        a_step: Any,
        b: Any,
        b_step: Any,
        c: Any,
        c_row: Any,
        inner: Any,
        add: Any,
    ) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            a_, a_row_, a_step_, b_, b_step_, c_, c_row_, inner_, add_ = args
            v = Vectors(builder, LANES)
            parts = [ir.Constant(I64, 4 * LANES * n) for n in range(wide)]
            targets = [
                builder.add(builder.add(c_, builder.mul(c_row_, ir.Constant(I64, k))), part)
                for k in range(rows)
                for part in parts
            ]
            offsets = [builder.mul(a_row_, ir.Constant(I64, k)) for k in range(rows)]
            zero = v.const(0.0)
            wanted = builder.icmp_signed("!=", add_, ir.Constant(I64, 0))
            entry = builder.block
            loading = builder.append_basic_block("loading")
            loop = builder.append_basic_block("inner")
            done = builder.append_basic_block("inner.done")
            builder.cbranch(wanted, loading, loop)
            builder.position_at_end(loading)
            kept = [v.load(target, v.f32) for target in targets]
            builder.branch(loop)
            builder.position_at_end(loop)
            left, here, there = (builder.phi(I64) for _ in range(3))
            sums = [builder.phi(v.f32) for _ in targets]
            for block_, starts in ((entry, [zero] * len(targets)), (loading, kept)):
                left.add_incoming(inner_, block_)
                here.add_incoming(a_, block_)
                there.add_incoming(b_, block_)
                for phi, start in zip(sums, starts, strict=True):
                    phi.add_incoming(start, block_)
            columns = [v.load(builder.add(there, part), v.f32) for part in parts]
            next_sums = []
            for k, offset in enumerate(offsets):
                pointer = builder.inttoptr(builder.add(here, offset), ir.PointerType(F32))
                factor = v.splat(builder.load(pointer, align=4))
                next_sums += [
                    v.fma(factor, column, phi)
                    for column, phi in zip(columns, sums[k * wide : (k + 1) * wide], strict=True)
                ]
            fewer = builder.sub(left, ir.Constant(I64, 1))
            left.add_incoming(fewer, loop)
            here.add_incoming(builder.add(here, a_step_), loop)
            there.add_incoming(builder.add(there, b_step_), loop)
            for phi, value in zip(sums, next_sums, strict=True):
                phi.add_incoming(value, loop)
            builder.cbranch(builder.icmp_signed(">", fewer, ir.Constant(I64, 0)), loop, done)
            builder.position_at_end(done)
            for value, target in zip(next_sums, targets, strict=True):
                v.store(value, target)
            return context.get_dummy_value()

        i = types.int64
        return types.none(*[i] * 9), codegen

    return block


_block_6, _block_4, _block_2, _block_1 = (_block(rows) for rows in (ROWS, 4, 2, 1))
_wide = _block(WIDE_ROWS, WIDE)


@compiled()
def multiply_lanes(a, a_row, a_step, b, b_step, c, c_row, rows, inner, add):  # type: ignore[no-untyped-def]
    """LANES columns of `multiply`."""
    i = 0
    while i + ROWS <= rows:
        _block_6(a + i * a_row, a_row, a_step, b, b_step, c + i * c_row, c_row, inner, add)
        i += ROWS
    if i + 4 <= rows:
        _block_4(a + i * a_row, a_row, a_step, b, b_step, c + i * c_row, c_row, inner, add)
        i += 4
    if i + 2 <= rows:
        _block_2(a + i * a_row, a_row, a_step, b, b_step, c + i * c_row, c_row, inner, add)
        i += 2
    if i < rows:
        _block_1(a + i * a_row, a_row, a_step, b, b_step, c + i * c_row, c_row, inner, add)


@compiled()
def multiply_wide(a, a_row, a_step, b, b_step, c, c_row, rows, inner, add):  # type: ignore[no-untyped-def]
    """WIDE LANES columns of `multiply`, and of its rows those that make whole blocks."""
    for i in range(0, rows - WIDE_ROWS + 1, WIDE_ROWS):
        _wide(a + i * a_row, a_row, a_step, b, b_step, c + i * c_row, c_row, inner, add)


@compiled()
def multiply(a, a_row, a_step, b, b_step, c, c_row, rows, columns, inner, add):  # type: ignore[no-untyped-def]
    """c = a b, or c += a b where add is not 0. All strides in bytes.

    a, b, c: addresses of float32 matrices (rows, inner), (inner, columns) and (rows, columns); element (i, p) of a is
    at a + i a_row + p a_step, rows of b and c are contiguous. columns: a multiple of 16. inner: at least 1.
    """
    wide = columns // (WIDE * LANES) * (WIDE * LANES) if IS_WIDE else 0
    for j in range(0, wide, WIDE * LANES):
        multiply_wide(a, a_row, a_step, b + j * 4, b_step, c + j * 4, c_row, rows, inner, add)
    for j in range(0, columns, LANES):
        i = rows // WIDE_ROWS * WIDE_ROWS if j < wide else 0
        multiply_lanes(
            a + i * a_row, a_row, a_step, b + j * 4, b_step, c + i * c_row + j * 4, c_row,
            rows - i, inner, add,
        )  # fmt: skip
