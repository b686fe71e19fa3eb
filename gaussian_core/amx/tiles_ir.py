"""Instructions of AMX as LLVM writes them, and the few vector steps from and to bfloat16.

Eight tile registers hold 16 rows of 64 bytes each. One instruction adds the product of a tile of 16 x 32 bfloat16 with
one of 32 x 16 to a tile of 16 x 16 float32. The left one is laid out row by row; of the right one a row holds, for each
of its 16 columns, two values that follow each other down the column.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from gaussian_core.convolution.steps_ir import LANES
from gaussian_core.rasterizer.vector_ir import I64, Vectors

I8, I16 = ir.IntType(8), ir.IntType(16)
POINTER = I8.as_pointer()

ROWS, COLUMNS, DEPTH = 16, 16, 32
"""Of a sum of products, and how many values of bfloat16 each product is of."""
HIGH, WIDE = 2, 3
"""Tiles of sums at once, HIGH x up to WIDE. The two registers that are left hold what is multiplied."""
LEFT, RIGHT = 6, 7
TILE = 1024  # bytes
EIGHT = 8  # words of a row that are turned at once

CONFIGURATION = (
    bytes([1] + 15 * [0]) + 8 * bytes([64, 0]) + 16 * bytes([0]) + bytes(8 * [16] + 8 * [0])
)
"""Of the registers, palette 1: eight tiles of 64 bytes a row and 16 rows."""


def _call(builder: Any, name: str, *arguments: Any) -> None:
    kind = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.x86.{name}")
    builder.call(function, arguments)


def _number(register: int) -> Any:
    return ir.Constant(I8, register)


def _far(builder: Any, address: Any, times: int, step: Any) -> Any:
    return builder.add(address, builder.mul(step, ir.Constant(I64, times)))


@intrinsic
def configure(typingctx: Any, address: Any) -> Any:
    """Set the registers up as the 64 bytes at the address say, for this thread, until `release`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _call(builder, "ldtilecfg", builder.inttoptr(args[0], POINTER))
        return context.get_dummy_value()

    return types.none(types.int64), codegen


@intrinsic
def release(typingctx: Any) -> Any:
    """Give the registers back: the system need not keep them where it turns to another thread."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _call(builder, "tilerelease")
        return context.get_dummy_value()

    return types.none(), codegen


def _each_sum(instruction: str, wide: int) -> Any:
    """Make the intrinsic that loads or stores HIGH x wide tiles of sums: tile (i, j) at start + i down + j across, its
    rows `row` bytes apart."""

    @intrinsic
    def each(typingctx: Any, start: Any, down: Any, across: Any, row: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            start_, down_, across_, row_ = args
            for i in range(HIGH):
                for j in range(wide):
                    place = _far(builder, _far(builder, start_, i, down_), j, across_)
                    pointer = builder.inttoptr(place, POINTER)
                    _call(builder, instruction, _number(i * wide + j), pointer, row_)
            return context.get_dummy_value()

        i = types.int64
        return types.none(i, i, i, i), codegen

    return each


def _products(wide: int) -> Any:
    """Make the intrinsic that adds the products of HIGH tiles with `wide` ones to the sums, `count` times.

    left: address of the first of HIGH tiles, left_down bytes apart, of rows that are left_row bytes apart; DEPTH values
    further on at each step. right: of tiles one after the other, `wide` at each step.
    """
    # Each register is loaded for two products where it can be: of two neighbours in this order one factor stays.
    order = [
        (i, j) for j in range(wide) for i in (range(HIGH) if j % 2 == 0 else reversed(range(HIGH)))
    ]

    @intrinsic
    def products(
        typingctx: Any, left: Any, left_row: Any, left_down: Any, right: Any, count: Any
    ) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            left_, left_row_, left_down_, right_, count_ = args
            entry = builder.block
            loop = builder.append_basic_block("products")
            done = builder.append_basic_block("products.done")
            builder.branch(loop)
            builder.position_at_end(loop)
            here, there, remaining = (builder.phi(I64) for _ in range(3))
            for phi, value in ((here, left_), (there, right_), (remaining, count_)):
                phi.add_incoming(value, entry)
            loaded: tuple[int | None, int | None] = (None, None)
            for i, j in order:
                if loaded[0] != i:
                    pointer = builder.inttoptr(_far(builder, here, i, left_down_), POINTER)
                    _call(builder, "tileloadd64", _number(LEFT), pointer, left_row_)
                if loaded[1] != j:
                    pointer = builder.inttoptr(
                        builder.add(there, ir.Constant(I64, TILE * j)), POINTER
                    )
                    _call(builder, "tileloadd64", _number(RIGHT), pointer, ir.Constant(I64, 64))
                loaded = (i, j)
                _call(builder, "tdpbf16ps", _number(i * wide + j), _number(LEFT), _number(RIGHT))
            fewer = builder.sub(remaining, ir.Constant(I64, 1))
            here.add_incoming(builder.add(here, ir.Constant(I64, 2 * DEPTH)), loop)
            there.add_incoming(builder.add(there, ir.Constant(I64, TILE * wide)), loop)
            remaining.add_incoming(fewer, loop)
            builder.cbranch(builder.icmp_signed(">", fewer, ir.Constant(I64, 0)), loop, done)
            builder.position_at_end(done)
            return context.get_dummy_value()

        i = types.int64
        return types.none(i, i, i, i, i), codegen

    return products


load_1, load_2, load_3 = (_each_sum("tileloadd64", wide) for wide in range(1, WIDE + 1))
store_1, store_2, store_3 = (_each_sum("tilestored64", wide) for wide in range(1, WIDE + 1))
products_1, products_2, products_3 = map(_products, range(1, WIDE + 1))


def _rounded(v: Vectors, value: Any) -> Any:
    """The upper halves of float32 after rounding to the nearest bfloat16, to even ones between two, as int32."""
    b = v.b
    bits = b.bitcast(value, v.i32)
    upper = b.lshr(bits, v.const(16, v.i32))
    odd = b.and_(upper, v.const(1, v.i32))
    raised = b.add(bits, b.add(odd, v.const(0x7FFF, v.i32)))
    return b.lshr(raised, v.const(16, v.i32))


@intrinsic
def round_lanes(typingctx: Any, source: Any, slope: Any, target: Any) -> Any:
    """LANES bfloat16 at target = act(LANES float32 at source); act: negative values times slope, which is 1 at most."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        v = Vectors(builder, LANES)
        source_, slope_, target_ = args
        value = v.load(source_, v.f32)
        value = v.larger(value, builder.fmul(value, v.splat(slope_)))
        v.store(builder.trunc(_rounded(v, value), ir.VectorType(I16, LANES)), target_)
        return context.get_dummy_value()

    return types.none(types.int64, types.float32, types.int64), codegen


@intrinsic
def pair_lanes(typingctx: Any, first: Any, second: Any, target: Any) -> Any:
    """LANES pairs of bfloat16 at target: of each the positive part of a float32 at `first`, then of one at `second`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        v = Vectors(builder, LANES)
        low, high = (
            _rounded(v, v.larger(v.load(place, v.f32), v.const(0.0))) for place in args[:2]
        )
        v.store(builder.or_(low, builder.shl(high, v.const(16, v.i32))), args[2])
        return context.get_dummy_value()

    i = types.int64
    return types.none(i, i, i), codegen


@intrinsic
def masked_lanes(typingctx: Any, source: Any, sign: Any, slope: Any, target: Any) -> Any:
    """LANES bfloat16 at target = the float32 at source, times slope where the bfloat16 at `sign` is negative."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        v = Vectors(builder, LANES)
        source_, sign_, slope_, target_ = args
        halves = ir.VectorType(I16, LANES)
        value = v.load(source_, v.f32)
        below = builder.icmp_signed("<", v.load(sign_, halves), ir.Constant(halves, [0] * LANES))
        value = builder.select(below, builder.fmul(value, v.splat(slope_)), value)
        v.store(builder.trunc(_rounded(v, value), halves), target_)
        return context.get_dummy_value()

    i = types.int64
    return types.none(i, i, types.float32, i), codegen


@intrinsic
def zip_lanes(typingctx: Any, first: Any, second: Any, target: Any) -> Any:
    """LANES pairs at target, of each a value of 16 bits at `first` and one at `second`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        v = Vectors(builder, LANES)
        halves = ir.VectorType(I16, LANES)
        low, high = (builder.zext(v.load(place, halves), v.i32) for place in args[:2])
        v.store(builder.or_(low, builder.shl(high, v.const(16, v.i32))), args[2])
        return context.get_dummy_value()

    i = types.int64
    return types.none(i, i, i), codegen


@intrinsic
def add_rounded(typingctx: Any, source: Any, target: Any) -> Any:
    """LANES float32 at target += LANES bfloat16 at source."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        v = Vectors(builder, LANES)
        bits = builder.zext(v.load(args[0], ir.VectorType(I16, LANES)), v.i32)
        value = builder.bitcast(builder.shl(bits, v.const(16, v.i32)), v.f32)
        v.store(builder.fadd(v.load(args[1], v.f32), value), args[1])
        return context.get_dummy_value()

    return types.none(types.int64, types.int64), codegen


@intrinsic
def sum_lanes(typingctx: Any, one: Any, other: Any, target: Any) -> Any:
    """target = one + other, addresses of LANES float32."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        v = Vectors(builder, LANES)
        v.store(builder.fadd(v.load(args[0], v.f32), v.load(args[1], v.f32)), args[2])
        return context.get_dummy_value()

    i = types.int64
    return types.none(i, i, i), codegen


@intrinsic
def turn_words(typingctx: Any, source: Any, step: Any, target: Any, target_step: Any) -> Any:
    """EIGHT rows of 16 words of 32 bits, target_step bytes apart: of 16 rows of EIGHT words, `step` bytes apart, the
    columns."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source_, step_, target_, target_step_ = args
        eight = Vectors(builder, EIGHT)
        rows = [eight.load(_far(builder, source_, k, step_), eight.i32) for k in range(16)]

        def chosen(one: Any, other: Any, numbers: list[int]) -> Any:
            mask = ir.Constant(ir.VectorType(ir.IntType(32), len(numbers)), numbers)
            return builder.shuffle_vector(one, other, mask)

        # Rows k and k + 8 side by side; then three times what is 4, 2 and 1 words further on goes to another row.
        both = [chosen(rows[k], rows[k + 8], list(range(16))) for k in range(8)]
        for by in (4, 2, 1):
            for k in [k for k in range(8) if not k & by]:
                one, other = both[k], both[k + by]
                stay = [n if not n & by else 16 + n - by for n in range(16)]
                move = [n + by if not n & by else 16 + n for n in range(16)]
                both[k], both[k + by] = chosen(one, other, stay), chosen(one, other, move)
        lanes = Vectors(builder, 16)
        for k, row in enumerate(both):
            lanes.store(row, _far(builder, target_, k, target_step_))
        return context.get_dummy_value()

    i = types.int64
    return types.none(i, i, i, i), codegen
