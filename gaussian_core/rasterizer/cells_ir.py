"""The vector steps of `cells_kernel`: one Gaussian of each of LANES neighbouring cells, a cell as large as a pixel.

A Gaussian's weights are walked from the pixel of its cell outwards, by the recurrences of a quadratic exponent: along
a column g <- g a, a <- a q; from column to column g <- g s, s <- s q', and a <- a t. Neighbouring lanes write
neighbouring pixels, so that no lane idles. Along columns, since a row's next vector would overlap the one just stored
and have to wait for it.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from gaussian_core.rasterizer.vector_ir import F32, I32, I64, LOG2_E, Vectors, compiles_for

# One vector register of what most machines have; with AVX-512 its registers, which are twice as wide.
LANES = 16 if compiles_for("avx512f") else 8
SLOTS = 4
"""Gaussians of a cell that are taken together: what they add to a pixel stays in registers."""

# The vectors of one slot, LANES four-byte values each; the amplitudes of the C channels follow.
(
    WEIGHT, DOWN, UP, RIGHT, LEFT, BEND_X, BEND_Y, TURN, TURN_BACK, FIRST_COLUMN, LAST_COLUMN,
    NOW_WEIGHT, NOW_STEP, NOW_DOWN, NOW_UP, AMPLITUDES,
) = range(16)  # fmt: skip
# After the slots: the bounds of all their boxes.
LEFTMOST, RIGHTMOST, TOPMOST, LOWEST = range(4)
BOUNDS = 4

# Exponents (of 2) that may occur in a box: the recurrences stay far from what single precision cannot hold.
DEEPEST = -100.0
LARGEST_RATIO = 2.0**100
FAR = 2.0**20


def slot_vectors(channels: int) -> int:
    """How many vectors the scratch block holds for each slot."""
    return AMPLITUDES + channels


def _place(b: Any, scratch: Any, vector: int) -> Any:
    return b.add(scratch, ir.Constant(I64, vector * LANES * 4))


@intrinsic
def most_in_a_cell(typingctx: Any, starts: Any, cells: Any) -> Any:
    """The largest number of Gaussians in one of LANES cells, of which the first `cells` exist."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        v = Vectors(builder, LANES)
        counts, _ = _counts(v, args[0], args[1])
        return builder.sext(v.reduce("smax", counts), I64)

    return types.int64(types.int64, types.int64), codegen


def _counts(v: Vectors, starts: Any, cells: Any) -> tuple[Any, Any]:
    """How many Gaussians each cell has, and the number of its first."""
    b = v.b
    first = v.load(starts, v.i32)
    after = v.load(b.add(starts, ir.Constant(I64, 4)), v.i32)
    exists = b.icmp_signed("<", v.iota(v.i32), v.splat(b.trunc(cells, I32)))
    return b.select(exists, b.sub(after, first), v.const(0, v.i32)), first


@intrinsic
def clear_bounds(typingctx: Any, scratch: Any, template: Any) -> Any:
    """Begin a new group of slots: no box yet."""
    channels = len(template)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        v = Vectors(builder, LANES)
        base = SLOTS * slot_vectors(channels)
        for which, value in ((LEFTMOST, FAR), (RIGHTMOST, -FAR), (TOPMOST, FAR), (LOWEST, -FAR)):
            v.store(v.const(value), _place(builder, args[0], base + which))
        return context.get_dummy_value()

    return types.none(types.int64, template), codegen


def _bound(which: int) -> Any:
    @intrinsic
    def bound(typingctx: Any, scratch: Any, template: Any) -> Any:
        channels = len(template)

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            v = Vectors(builder, LANES)
            place = _place(builder, args[0], SLOTS * slot_vectors(channels) + which)
            rounding, name = ("ceil", "smin") if which in (LEFTMOST, TOPMOST) else ("floor", "smax")
            values = builder.fptosi(v.call(rounding, v.load(place, v.f32)), v.i32)
            return builder.sext(v.reduce(name, values), I64)

        return types.int64(types.int64, template), codegen

    return bound


leftmost, rightmost, topmost, lowest = (_bound(k) for k in (LEFTMOST, RIGHTMOST, TOPMOST, LOWEST))


@intrinsic
def prepare_slot(
    typingctx: Any,
    rows: Any,
    row_bytes: Any,
    starts: Any,
    cells: Any,
    number: Any,
    slot: Any,
    edge_x: Any,
    edge_y: Any,
    cell: Any,
    scale: Any,
    shifts_x: Any,
    shift_y: Any,
    footprint: Any,
    reach: Any,
    limit: Any,
    gain: Any,
    scratch: Any,
    template: Any,
) -> Any:
    """Set up Gaussian `number` of each of LANES cells in place `slot` of the scratch block.

    starts: address of the number of the first Gaussian of each cell, of which `cells` exist. (edge_x, edge_y): the
    first cell's corner, source pixels; cell: its side. scale: device pixels per source pixel. A cell's pixel has its
    centre (shift x, shift_y) device pixels from the cell's corner; shifts_x: address of LANES of them. limit: pixels
    from a cell's own that are written to at most, each way.
    Returns the lanes, a bit each, whose Gaussian exists but has to be drawn by itself.
    """
    channels = len(template)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        b = builder
        (
            rows_, row_b, starts_, cells_, number_, slot_, edge_x_, edge_y_, cell_, scale_,
            shifts_x_, shift_y_, foot, reach_, limit_, gain_, scratch_, _,
        ) = args  # fmt: skip
        v = Vectors(b, LANES)
        zero, one = v.const(0.0), v.const(1.0)
        counts, first = _counts(v, starts_, cells_)
        wanted = v.splat(b.trunc(number_, I32))
        exists = b.icmp_signed("<", wanted, counts)
        values = _load_lanes(v, rows_, row_b, first, exists, wanted, number_, 5 + channels)
        x, y, sxx, sxy, syy = values[:5]
        target = b.add(scratch_, b.mul(slot_, ir.Constant(I64, slot_vectors(channels) * LANES * 4)))

        def put(vector: int, value: Any) -> None:
            v.store(value, _place(b, target, vector))

        # Offsets of the cell's pixel from the centre. Positions are differences to the cell's own edge, which single
        # precision holds exactly.
        vscale = v.splat(scale_)
        edges = v.fma(v.iota(v.f32), v.splat(cell_), v.splat(edge_x_))
        ex = b.fsub(v.load(shifts_x_, v.f32), b.fmul(b.fsub(x, edges), vscale))
        ey = b.fsub(v.splat(shift_y_), b.fmul(b.fsub(y, v.splat(edge_y_)), vscale))
        area = b.fmul(vscale, vscale)
        own_xx, xy, own_yy = (b.fmul(s, area) for s in (sxx, sxy, syy))
        xx, yy = b.fadd(own_xx, v.splat(foot)), b.fadd(own_yy, v.splat(foot))
        # The determinant grows by the footprint: a sum of positive terms, where a difference would cancel again.
        own_det = v.difference_of_products(own_xx, own_yy, xy, xy)
        det = v.fma(v.splat(foot), b.fadd(own_xx, yy), own_det)
        inverse = b.fdiv(one, det)
        factor = b.fmul(inverse, v.const(-0.5 * LOG2_E))
        quad_xx, quad_yy = b.fmul(yy, factor), b.fmul(xx, factor)
        quad_xy = b.fmul(b.fmul(xy, factor), v.const(-2.0))
        norm = b.fmul(v.call("sqrt", v.larger(b.fmul(own_det, inverse), zero)), v.splat(gain_))
        # The box of pixels, relative to the cell's, and the exponent in its worst corner: no further out, where a third
        # of the Gaussians along an edge would be too deep.
        boxes, radii = [], []
        for variance, away in ((xx, ex), (yy, ey)):
            radius = b.fmul(v.splat(reach_), v.call("sqrt", variance))
            radii.append(radius)
            boxes.append((b.fneg(b.fadd(radius, away)), b.fsub(radius, away)))
        # The walk begins at the cell's own pixel, which may be outside, and its first step goes one further. With half
        # a pixel more the ratio of two steps is within the bound, too.
        wx, wy = (
            v.larger(radius, b.fadd(v.call("fabs", away), v.const(1.5)))
            for radius, away in zip(radii, (ex, ey), strict=True)
        )
        cross = v.call("fabs", b.fmul(b.fmul(quad_xy, wx), wy))
        worst = b.fadd(b.fmul(b.fmul(quad_xx, wx), wx), b.fmul(b.fmul(quad_yy, wy), wy))
        within = b.fcmp_ordered(">", b.fsub(worst, cross), v.const(DEEPEST))
        fit = b.and_(exists, within)
        for low, high in boxes:
            farthest = v.larger(b.fneg(low), high)
            fit = b.and_(fit, b.fcmp_ordered("<=", farthest, v.splat(limit_)))
        # A lane without a Gaussian keeps finite numbers and adds nothing.
        quad_xx, quad_xy, quad_yy = (b.select(fit, q, zero) for q in (quad_xx, quad_xy, quad_yy))
        for vector, end in ((FIRST_COLUMN, 0), (LAST_COLUMN, 1)):
            put(vector, b.select(fit, boxes[0][end], v.const(FAR)))
        base = SLOTS * slot_vectors(channels)
        for which, axis, end in (
            (LEFTMOST, 0, 0), (RIGHTMOST, 0, 1), (TOPMOST, 1, 0), (LOWEST, 1, 1),
        ):  # fmt: skip
            place = _place(b, scratch_, base + which)
            # Not a choice of what to store: that becomes a masked store, slow on some processors.
            value = b.select(fit, boxes[axis][end], v.const(-FAR if end else FAR))
            before = v.load(place, v.f32)
            v.store((v.larger if end else v.smaller)(value, before), place)
        along_x = v.fma(quad_xx, ex, b.fmul(quad_xy, ey))  # exponent = along_x ex + quad_yy ey^2
        put(WEIGHT, v.exp2_of_moderate(v.fma(along_x, ex, b.fmul(b.fmul(quad_yy, ey), ey))))
        slope_x = v.fma(b.fadd(quad_xx, quad_xx), ex, b.fmul(quad_xy, ey))
        slope_y = v.fma(b.fadd(quad_yy, quad_yy), ey, b.fmul(quad_xy, ex))
        # The ratios to both sides multiply to the bend: a division is cheaper than an exponential.
        for quad, slope, bend, forth, back in (
            (quad_xx, slope_x, BEND_X, RIGHT, LEFT), (quad_yy, slope_y, BEND_Y, DOWN, UP),
        ):  # fmt: skip
            curved = v.exp2_of_moderate(b.fadd(quad, quad))
            ratio = v.exp2_of_moderate(b.fadd(quad, slope))
            put(bend, curved)
            put(forth, ratio)
            put(back, b.fdiv(curved, ratio))
        turn = v.exp2_of_moderate(quad_xy)
        put(TURN, turn)
        put(TURN_BACK, b.fdiv(one, turn))
        for c in range(channels):
            put(AMPLITUDES + c, b.select(fit, b.fmul(values[5 + c], norm), zero))
        alone = b.and_(exists, b.not_(fit))
        return b.zext(b.bitcast(alone, ir.IntType(LANES)), I64)

    i, f = types.int64, types.float32
    return types.int64(i, i, i, i, i, i, f, f, f, f, i, f, f, f, f, f, i, template), codegen


def _load_lanes(
    v: Vectors, rows: Any, row_bytes: Any, first: Any, exists: Any, wanted: Any, number: Any,
    quantities: int,
) -> list[Any]:  # fmt: skip
    """Gaussian `number` of each cell: its quantities, a vector each."""
    b = v.b
    zero_lane = ir.Constant(I32, 0)
    start = b.extract_element(first, zero_lane)
    # The usual case: SLOTS in every cell, so that the lanes lie at equal distances. Where one does not exist the others
    # may end before what would be read of it.
    even = b.icmp_signed("==", b.sub(first, v.splat(start)), v.steps(SLOTS))
    flags = b.bitcast(b.and_(even, exists), ir.IntType(LANES))
    all_even = b.icmp_unsigned("==", flags, ir.Constant(ir.IntType(LANES), -1))
    strided = b.append_basic_block("lanes.strided")
    scattered = b.append_basic_block("lanes.scattered")
    ready = b.append_basic_block("lanes.ready")
    b.cbranch(all_even, strided, scattered)

    def row(k: int) -> Any:
        return b.add(rows, b.mul(row_bytes, ir.Constant(I64, k)))

    b.position_at_end(strided)
    at = b.mul(b.add(b.sext(start, I64), number), ir.Constant(I64, 4))
    whole = ir.VectorType(F32, LANES * SLOTS)
    places = ir.Constant(v.i32, [SLOTS * k for k in range(LANES)])
    one_way = []
    for k in range(quantities):
        block = v.load(b.add(row(k), at), whole)
        one_way.append(b.shuffle_vector(block, ir.Constant(whole, ir.Undefined), places))
    b.branch(ready)
    strided_end = b.block

    b.position_at_end(scattered)
    chosen = b.select(exists, b.add(first, wanted), v.const(0, v.i32))
    offsets = [
        b.mul(b.sext(b.extract_element(chosen, ir.Constant(I32, k)), I64), ir.Constant(I64, 4))
        for k in range(LANES)
    ]
    other_way = []
    for k in range(quantities):
        gathered = ir.Constant(v.f32, ir.Undefined)
        for lane, offset in enumerate(offsets):
            pointer = b.inttoptr(b.add(row(k), offset), ir.PointerType(F32))
            gathered = b.insert_element(gathered, b.load(pointer, align=4), ir.Constant(I32, lane))
        other_way.append(gathered)
    b.branch(ready)
    scattered_end = b.block

    b.position_at_end(ready)
    values = []
    for one, other in zip(one_way, other_way, strict=True):
        value = b.phi(v.f32)
        value.add_incoming(one, strided_end)
        value.add_incoming(other, scattered_end)
        values.append(value)
    return values


def _outwards(right: bool, first: bool) -> Any:
    """Make the intrinsic that stands all slots on column 0 (right) or -1 (left), or moves them to the next one."""

    @intrinsic
    def move(typingctx: Any, scratch: Any, template: Any) -> Any:
        channels = len(template)

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            b = builder
            v = Vectors(b, LANES)
            limit = v.const(LARGEST_RATIO)
            turn, turn_back = (TURN, TURN_BACK) if right else (TURN_BACK, TURN)
            sources = (
                (WEIGHT, RIGHT if right else LEFT, DOWN, UP)
                if first
                else (NOW_WEIGHT, NOW_STEP, NOW_DOWN, NOW_UP)
            )
            for slot in range(SLOTS):
                target = _place(b, args[0], slot * slot_vectors(channels))

                def get(vector: int, target: Any = target) -> Any:
                    return v.load(_place(b, target, vector), v.f32)

                weight, step, down, up = (get(k) for k in sources)
                if not (first and right):
                    weight, step = b.fmul(weight, step), b.fmul(step, get(BEND_X))
                    # Columns outside a Gaussian's box are masked, but have to stay finite.
                    down = v.smaller(b.fmul(down, get(turn)), limit)
                    up = v.smaller(b.fmul(up, get(turn_back)), limit)
                for vector, value in (
                    (NOW_WEIGHT, weight), (NOW_STEP, step), (NOW_DOWN, down), (NOW_UP, up),
                ):  # fmt: skip
                    v.store(value, _place(b, target, vector))
            return context.get_dummy_value()

        return types.none(types.int64, template), codegen

    return move


begin_right, begin_left = _outwards(True, True), _outwards(False, True)
advance_right, advance_left = _outwards(True, False), _outwards(False, False)


@intrinsic
def add_column(
    typingctx: Any,
    scratch: Any,
    pixels: Any,
    row_bytes: Any,
    channel_bytes: Any,
    number: Any,
    first: Any,
    last: Any,
    ring: Any,
    ring_bytes: Any,
    template: Any,
) -> Any:
    """Add all slots to column `number` (relative to the cells' own) of pixels, rows `first` .. `last` of each cell's.

    pixels: address of the first cell's own row in that column, in the plane of the first channel. ring, ring_bytes:
    the rows are in so many bytes from there on, and after the last comes the first.
    """
    channels = len(template)

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        b = builder
        scratch_, pixels_, row_b, channel_b, number_, first_, last_, ring_, ring_b, _ = args
        v = Vectors(b, LANES)
        here = v.splat(b.sitofp(number_, F32))
        zero, one = v.const(0.0), ir.Constant(I64, 1)
        targets = [_place(b, scratch_, k * slot_vectors(channels)) for k in range(SLOTS)]

        def get(slot: int, vector: int) -> Any:
            return v.load(_place(b, targets[slot], vector), v.f32)

        weights = []
        for slot in range(SLOTS):
            low, high = get(slot, FIRST_COLUMN), get(slot, LAST_COLUMN)
            inside = b.and_(b.fcmp_ordered("<=", low, here), b.fcmp_ordered("<=", here, high))
            weights.append(b.select(inside, get(slot, NOW_WEIGHT), zero))
        downs = [get(k, NOW_DOWN) for k in range(SLOTS)]
        ups = [get(k, NOW_UP) for k in range(SLOTS)]
        ring_end = b.add(ring_, ring_b)

        def in_ring(address: Any) -> Any:
            before = b.icmp_signed("<", address, ring_)
            address = b.select(before, b.add(address, ring_b), address)
            behind = b.icmp_signed(">=", address, ring_end)
            return b.select(behind, b.sub(address, ring_b), address)

        above = [b.fmul(w, a) for w, a in zip(weights, ups, strict=True)]
        next_ups = [b.fmul(a, get(k, BEND_Y)) for k, a in enumerate(ups)]
        for g_start, a_start, begin, stride, count in (
            (weights, downs, pixels_, row_b, b.add(last_, one)),
            (above, next_ups, in_ring(b.sub(pixels_, row_b)), b.neg(row_b), b.neg(first_)),
        ):
            entry = b.block
            loop = b.append_basic_block("rows")
            done = b.append_basic_block("rows.done")
            b.cbranch(b.icmp_signed(">", count, ir.Constant(I64, 0)), loop, done)
            b.position_at_end(loop)
            left, address = b.phi(I64), b.phi(I64)
            left.add_incoming(count, entry)
            address.add_incoming(begin, entry)
            g = [b.phi(v.f32) for _ in range(SLOTS)]
            a = [b.phi(v.f32) for _ in range(SLOTS)]
            for k in range(SLOTS):
                g[k].add_incoming(g_start[k], entry)
                a[k].add_incoming(a_start[k], entry)
            for c in range(channels):
                plane = b.add(address, b.mul(channel_b, ir.Constant(I64, c)))
                total = v.load(plane, v.f32)
                for k in range(SLOTS):
                    total = v.fma(g[k], get(k, AMPLITUDES + c), total)
                v.store(total, plane)
            for k in range(SLOTS):
                g[k].add_incoming(b.fmul(g[k], a[k]), loop)
                a[k].add_incoming(b.fmul(a[k], get(k, BEND_Y)), loop)
            left_next = b.sub(left, one)
            left.add_incoming(left_next, loop)
            address.add_incoming(in_ring(b.add(address, stride)), loop)
            b.cbranch(b.icmp_signed(">", left_next, ir.Constant(I64, 0)), loop, done)
            b.position_at_end(done)
        return context.get_dummy_value()

    i = types.int64
    return types.none(i, i, i, i, i, i, i, i, i, template), codegen


@intrinsic
def add_spread(
    typingctx: Any, source: Any, plane_bytes: Any, count: Any, cells: Any, after: Any, pixels: Any
) -> Any:
    """Add to LANES pixels what `count` planes hold for them.

    pixels: address of the first. source: of cell 0 in the first plane; the next one is plane_bytes further on. cells,
    after: addresses of int32, for the first plane; for the next ones they are one further back each. There, for each of
    the pixels: the number of the cell that it takes from that plane, or -1; such numbers rise one by one. And, for the
    first pixel, the first of them.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        b = builder
        source_, plane_b, count_, cells_, after_, pixels_ = args
        v = Vectors(b, LANES)
        zero, one, four = v.const(0.0), ir.Constant(I64, 1), ir.Constant(I64, 4)
        start = v.load(pixels_, v.f32)
        entry = b.block
        loop = b.append_basic_block("planes")
        done = b.append_basic_block("planes.done")
        b.cbranch(b.icmp_signed(">", count_, ir.Constant(I64, 0)), loop, done)
        b.position_at_end(loop)
        left, plane, own, next_ = (b.phi(I64) for _ in range(4))
        total = b.phi(v.f32)
        for phi, begin in (
            (left, count_), (plane, source_), (own, cells_), (next_, after_), (total, start),
        ):  # fmt: skip
            phi.add_incoming(begin, entry)
        numbers = v.load(own, v.i32)
        exists = b.icmp_signed(">=", numbers, v.const(0, v.i32))
        first = b.load(b.inttoptr(next_, ir.PointerType(I32)), align=4)
        place = b.add(plane, b.mul(b.sext(first, I64), four))
        within = b.select(exists, b.sub(numbers, v.splat(first)), v.const(0, v.i32))
        added = b.fadd(total, b.select(exists, v.permuted(place, within), zero))
        fewer = b.sub(left, one)
        for phi, value in (
            (left, fewer), (plane, b.add(plane, plane_b)), (own, b.sub(own, four)),
            (next_, b.sub(next_, four)), (total, added),
        ):  # fmt: skip
            phi.add_incoming(value, loop)
        b.cbranch(b.icmp_signed(">", fewer, ir.Constant(I64, 0)), loop, done)
        b.position_at_end(done)
        result = b.phi(v.f32)
        result.add_incoming(start, entry)
        result.add_incoming(added, loop)
        v.store(result, pixels_)
        return context.get_dummy_value()

    i = types.int64
    return types.none(i, i, i, i, i, i), codegen
