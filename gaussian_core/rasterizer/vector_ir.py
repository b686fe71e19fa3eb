"""The innermost steps of the CPU rasterizer, written as LLVM vector instructions.

Numba's auto-vectorizer leaves a loop like "one Gaussian, one column of pixels" at a third of what the machine can do,
so these few steps are emitted as LLVM IR on explicit vectors. LLVM lowers the same IR to AVX-512, splits it for AVX2
and NEON, and nothing here depends on the machine.

Every operation is exact about its order (no fast-math flags), so a pixel's value depends only on its position relative
to the Gaussian, never on the tile that it falls in: that is what makes tiles seamless to the bit.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.codegen import get_host_cpu_features
from numba.extending import intrinsic

from gaussian_core.row_layout import ROW_PADDING

F32, F64, I32, I64 = ir.FloatType(), ir.DoubleType(), ir.IntType(32), ir.IntType(64)

# 2**f on [-1/2, 1/2], degree 5, least maximum relative error (2.4e-7 with float32 rounding).
EXP2_COEFFICIENTS = (
    0.9999999991,
    0.6931471880,
    0.2402264791,
    0.0555033002,
    0.0096184373,
    0.0013399826,
)
LARGEST_EXPONENT = 126.0

PERMUTATIONS = ((16, "avx512f", "avx512.permvar.sf.512"), (8, "avx2", "avx2.permps"))
"""Instructions that choose among the lanes of a vector: how many lanes, what has them, their name."""


def compiles_for(feature: str) -> bool:
    """Whether kernels are compiled for processors that have it ("avx512f"): as Numba's own settings tell, else as this
    one is, less what Numba does not use of it: of virtual machines that name no processor, for example, no AVX."""
    asked: str | None = numba.config.CPU_FEATURES  # type: ignore[attr-defined]
    used = get_host_cpu_features() if asked is None else asked
    return f"+{feature}" in used.split(",")


class Vectors:
    """Small helpers to write vector arithmetic on one IR builder."""

    def __init__(self, builder: Any, lanes: int) -> None:
        self.b = builder
        self.lanes = lanes
        self.f32 = ir.VectorType(F32, lanes)
        self.f64 = ir.VectorType(F64, lanes)
        self.i32 = ir.VectorType(I32, lanes)

    def const(self, value: float, kind: ir.VectorType | None = None) -> Any:
        kind = kind or self.f32
        return ir.Constant(kind, [value] * self.lanes)

    def iota(self, kind: ir.VectorType) -> Any:
        return ir.Constant(kind, list(range(self.lanes)))

    def splat(self, scalar: Any) -> Any:
        kind = ir.VectorType(scalar.type, self.lanes)
        one = self.b.insert_element(ir.Constant(kind, ir.Undefined), scalar, ir.Constant(I32, 0))
        zeros = ir.Constant(ir.VectorType(I32, self.lanes), [0] * self.lanes)
        return self.b.shuffle_vector(one, ir.Constant(kind, ir.Undefined), zeros)

    def call(self, name: str, *args: Any) -> Any:
        kind = args[0].type
        element = kind.element
        suffix = f"v{self.lanes}" + {F32: "f32", F64: "f64", I32: "i32"}[element]
        fnty = ir.FunctionType(kind, [kind] * len(args))
        fn = cgutils.get_or_insert_function(self.b.module, fnty, f"llvm.{name}.{suffix}")
        return self.b.call(fn, args)

    def fma(self, x: Any, y: Any, z: Any) -> Any:
        return self.call("fma", x, y, z)

    def steps(self, step: int) -> Any:
        """0, step, 2 step ... as int32."""
        return ir.Constant(self.i32, [step * k for k in range(self.lanes)])

    def reduce(self, name: str, x: Any) -> Any:
        """The "smin" or "smax" of an int32 vector."""
        fnty = ir.FunctionType(I32, [x.type])
        full = f"llvm.vector.reduce.{name}.v{self.lanes}i32"
        return self.b.call(cgutils.get_or_insert_function(self.b.module, fnty, full), [x])

    # Comparison and choice are one instruction; minnum and maxnum, which have to mind NaN, are three.

    def larger(self, x: Any, y: Any) -> Any:
        return self.b.select(self.b.fcmp_ordered(">", x, y), x, y)

    def smaller(self, x: Any, y: Any) -> Any:
        return self.b.select(self.b.fcmp_ordered("<", x, y), x, y)

    def clamp(self, x: Any, low: float, high: float) -> Any:
        kind = x.type
        return self.smaller(self.larger(x, self.const(low, kind)), self.const(high, kind))

    def difference_of_products(self, a: Any, b: Any, c: Any, d: Any) -> Any:
        """a b - c d to the last bits, where plain arithmetic would cancel."""
        product = self.b.fmul(c, d)
        error = self.fma(self.b.fneg(c), d, product)
        return self.b.fadd(self.fma(a, b, self.b.fneg(product)), error)

    def exp2(self, x: Any) -> Any:
        """2**x for float32 x, clamped to the range of normal numbers."""
        return self.exp2_of_moderate(self.clamp(x, -LARGEST_EXPONENT, LARGEST_EXPONENT))

    def exp2_of_moderate(self, x: Any) -> Any:
        """2**x for float32 x within the range of normal numbers."""
        b = self.b
        whole = self.call("rint", x)
        f = b.fsub(x, whole)
        y = self.const(EXP2_COEFFICIENTS[-1])
        for c in EXP2_COEFFICIENTS[-2::-1]:
            y = self.fma(y, f, self.const(c))
        shift = b.shl(b.fptosi(whole, self.i32), self.const(23, self.i32))
        return b.bitcast(b.add(b.bitcast(y, self.i32), shift), self.f32)

    def permuted(self, address: Any, numbers: Any) -> Any:
        """Those of the LANES float32 at the address that the numbers, each below LANES, are of."""
        name = next(
            (
                f"llvm.x86.{intrinsic}"
                for lanes, feature, intrinsic in PERMUTATIONS
                if lanes == self.lanes and compiles_for(feature)
            ),
            None,
        )
        if name is not None:
            fnty = ir.FunctionType(self.f32, [self.f32, self.i32])
            fn = cgutils.get_or_insert_function(self.b.module, fnty, name)
            return self.b.call(fn, [self.load(address, self.f32), numbers])
        out = ir.Constant(self.f32, ir.Undefined)
        for lane in range(self.lanes):
            number = self.b.extract_element(numbers, ir.Constant(I32, lane))
            place = self.b.add(address, self.b.mul(self.b.sext(number, I64), ir.Constant(I64, 4)))
            value = _load_scalar(self.b, place, F32)
            out = self.b.insert_element(out, value, ir.Constant(I32, lane))
        return out

    def load(self, address: Any, kind: ir.VectorType, align: int = 4) -> Any:
        pointer = self.b.inttoptr(address, ir.PointerType(kind))
        return self.b.load(pointer, align=align)

    def store(self, value: Any, address: Any, align: int = 4) -> None:
        pointer = self.b.inttoptr(address, ir.PointerType(value.type))
        self.b.store(value, pointer, align=align)


def _load_scalar(builder: Any, address: Any, kind: Any) -> Any:
    return builder.load(builder.inttoptr(address, ir.PointerType(kind)), align=4)


def _offset(builder: Any, address: Any, number: Any, bytes_each: int) -> Any:
    return builder.add(address, builder.mul(number, ir.Constant(I64, bytes_each)))


@intrinsic
def f32_at(typingctx: Any, address: Any, index: Any) -> Any:
    """float32 number `index` of the array at `address`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _load_scalar(builder, _offset(builder, args[0], args[1], 4), F32)

    return types.float32(types.int64, types.int64), codegen


@intrinsic
def i32_at(typingctx: Any, address: Any, index: Any) -> Any:
    """int32 number `index` of the array at `address`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _load_scalar(builder, _offset(builder, args[0], args[1], 4), I32)

    return types.int32(types.int64, types.int64), codegen


@intrinsic
def f32_pointer(typingctx: Any, address: Any) -> Any:
    """An address as a pointer to float32, for numba.carray."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.inttoptr(args[0], ir.PointerType(F32))

    return types.CPointer(types.float32)(types.int64), codegen


BATCH = ROW_PADDING  # Gaussians prepared at once: one vector.
# Rows of the scratch block that `prepare` writes, each of BATCH four-byte values.
(
    CENTRE_X, CENTRE_Y, FIRST_X, LAST_X, FIRST_Y, LAST_Y,
    FRACTION_X, FRACTION_Y, QUAD_XX, QUAD_XY, QUAD_YY, RATIO_YY, NORM,
    SLOPE, HALF_HEIGHT, INVERSE_REACH_SQ, WORST,
) = range(17)  # fmt: skip
SPANS = 17  # two more rows: what `column_spans` writes
SCRATCH_ROWS = 19

LOG2_E = 1.4426950408889634


@intrinsic
def prepare(
    typingctx: Any,
    field: Any,
    row_bytes: Any,
    first: Any,
    scale_x: Any,
    scale_y: Any,
    phase_x: Any,
    phase_y: Any,
    footprint: Any,
    reach: Any,
    scratch: Any,
) -> Any:
    """Project BATCH Gaussians, from number `first` on, to device pixels; results go to the scratch block.

    field: address of the float32 rows x, y, sxx, sxy, syy (each `row_bytes` long). footprint: variance of the pixel
    in device pixels squared. reach: the cut, in standard deviations. The centre pixel is on the absolute device
    lattice, everything else is relative to it.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        b = builder
        field_, row_bytes_, first_, sx, sy, px, py, foot, reach_, scratch_ = args
        v = Vectors(b, BATCH)
        base = _offset(b, field_, first_, 4)

        def row(k: int) -> Any:
            address = b.add(base, b.mul(row_bytes_, ir.Constant(I64, k)))
            return v.load(address, v.f32)

        def put(k: int, value: Any) -> None:
            address = b.add(scratch_, ir.Constant(I64, k * BATCH * 4))
            v.store(value, address)

        x, y, sxx, sxy, syy = (row(k) for k in range(5))
        vsx, vsy, vreach = v.splat(sx), v.splat(sy), v.splat(reach_)
        half = v.const(0.5, v.f64)
        # Positions: far outside any viewport they are pinned, so that the conversion to int32 is defined.
        centres, fractions = [], []
        for pos, scale, phase, k in ((x, vsx, px, CENTRE_X), (y, vsy, py, CENTRE_Y)):
            u = b.fsub(b.fmul(b.fpext(pos, v.f64), scale), v.splat(phase))
            u = v.clamp(u, -1e9, 1e9)
            whole = v.call("floor", u)
            centre = b.fptosi(whole, v.i32)
            put(k, centre)
            centres.append(centre)
            fractions.append(b.fsub(b.fsub(u, whole), half))
        # Covariance in device pixels, with the pixel's own footprint added. The determinants cancel, and their size
        # is the fourth power of a length: double precision, in which products of single ones are exact. The footprint
        # adds positive terms only.
        one, single = v.const(1.0, v.f64), v.f32
        areas = (b.fmul(sx, sx), b.fmul(sx, sy), b.fmul(sy, sy))
        area_xx, area_xy, area_yy = (v.splat(b.fptrunc(area, F32)) for area in areas)
        scaled_xx, xy, scaled_yy = (
            b.fmul(sxx, area_xx), b.fmul(sxy, area_xy), b.fmul(syy, area_yy),
        )  # fmt: skip
        single_foot = v.splat(b.fptrunc(foot, F32))
        xx, yy = b.fadd(scaled_xx, single_foot), b.fadd(scaled_yy, single_foot)
        wide_xx, wide_xy, wide_yy = (b.fpext(value, v.f64) for value in (sxx, sxy, syy))
        own = v.fma(wide_xx, wide_yy, b.fneg(b.fmul(wide_xy, wide_xy)))
        det0 = b.fmul(own, v.splat(b.fmul(areas[0], areas[2])))
        spread = b.fpext(b.fadd(scaled_xx, yy), v.f64)
        wide_det = v.fma(v.splat(foot), spread, det0)
        wide_inverse = b.fdiv(one, wide_det)
        det = b.fptrunc(wide_det, single)
        factor = b.fmul(wide_inverse, v.const(-0.5 * LOG2_E, v.f64))
        twice = b.fmul(wide_inverse, v.const(LOG2_E, v.f64))
        quad_xx, quad_xy, quad_yy = (
            b.fptrunc(b.fmul(b.fpext(value, v.f64), by), single)
            for value, by in ((yy, factor), (xy, twice), (xx, factor))
        )
        ratio = v.larger(b.fptrunc(b.fmul(det0, wide_inverse), single), v.const(0.0))
        fraction_x, fraction_y = (b.fptrunc(fraction, v.f32) for fraction in fractions)
        single_reach = b.fptrunc(vreach, v.f32)
        # Box of the pixels whose centre lies within `reach` standard deviations along each axis.
        radii = []
        for variance, fraction, k0, k1 in (
            (xx, fraction_x, FIRST_X, LAST_X),
            (yy, fraction_y, FIRST_Y, LAST_Y),
        ):
            radius = b.fmul(single_reach, v.call("sqrt", variance))
            radius = v.smaller(radius, v.const(1e8))
            low = v.call("ceil", b.fsub(fraction, radius))
            high = v.call("floor", b.fadd(fraction, radius))
            put(k0, b.fptosi(low, v.i32))
            put(k1, b.fptosi(high, v.i32))
            radii.append(b.fadd(radius, v.const(1.0)))
        put(FRACTION_X, fraction_x)
        put(FRACTION_Y, fraction_y)
        put(QUAD_XX, quad_xx)
        put(QUAD_XY, quad_xy)
        put(QUAD_YY, quad_yy)
        put(RATIO_YY, v.exp2(b.fadd(quad_yy, quad_yy)))
        put(NORM, v.call("sqrt", ratio))
        inverse_xx = b.fdiv(v.const(1.0), xx)
        put(SLOPE, b.fmul(xy, inverse_xx))
        conditional = b.fmul(det, inverse_xx)  # variance of y at a fixed x
        put(HALF_HEIGHT, b.fmul(single_reach, v.call("sqrt", conditional)))
        put(INVERSE_REACH_SQ, b.fdiv(inverse_xx, b.fmul(single_reach, single_reach)))
        # Exponent in the worst corner of the box: the recurrences below must not underflow there.
        wx, wy = radii
        cross = v.call("fabs", b.fmul(b.fmul(quad_xy, wx), wy))
        worst = b.fadd(b.fmul(b.fmul(quad_xx, wx), wx), b.fmul(b.fmul(quad_yy, wy), wy))
        put(WORST, b.fsub(worst, cross))
        return context.get_dummy_value()

    i, d = types.int64, types.float64
    return types.none(i, i, i, d, d, d, d, d, d, i), codegen


def _column(lanes: int, recurrent: bool) -> Any:
    """Make the intrinsic that adds one Gaussian to a column of `lanes` pixels, `rows` rows high.

    recurrent: two exponentials for the whole column; the rows follow from g(y+1) = g(y) r(y), r(y+1) = r(y) q, which
    is exact for a quadratic exponent quad_xx dx^2 + quad_xy dx dy + quad_yy dy^2. It needs exponents that do not
    underflow where the column starts, and terms that are not much larger than their sum. Otherwise one exponential a
    row, of quad_xx dx^2 + quad_yy (dy - quad_xy dx)^2: neither term is ever above 0, nor do they cancel, however thin
    the Gaussian.
    """

    @intrinsic
    def column(
        typingctx: Any,
        pixels: Any,
        row_bytes: Any,
        channel_bytes: Any,
        skip: Any,
        rows: Any,
        lane: Any,
        count: Any,
        dx: Any,
        dy: Any,
        quad_xx: Any,
        quad_xy: Any,
        quad_yy: Any,
        ratio_yy: Any,
        amplitudes: Any,
    ) -> Any:
        channels = len(amplitudes)

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            b = builder
            (
                pixels_,
                row_b,
                chan_b,
                skip_,
                rows_,
                lane_,
                count_,
                dx_,
                dy_,
                xx,
                xy,
                yy,
                ratio,
                amps,
            ) = args
            v = Vectors(b, lanes)
            vdx = b.fadd(v.splat(dx_), v.iota(v.f32))
            # Lanes before `lane` wrap to huge unsigned numbers: one comparison masks both ends.
            mask = b.icmp_unsigned("<", b.sub(v.iota(v.i32), v.splat(lane_)), v.splat(count_))
            vxy, vxx = v.splat(xy), v.splat(xx)
            amp = [v.splat(b.extract_value(amps, c)) for c in range(channels)]
            zero = v.const(0.0)

            def accumulate(address: Any, g: Any) -> None:
                for c in range(channels):
                    here = b.add(address, b.mul(chan_b, ir.Constant(I64, c)))
                    v.store(v.fma(g, amp[c], v.load(here, v.f32)), here)

            one = ir.Constant(I64, 1)
            if recurrent:
                slope = v.splat(b.fmul(xy, dy_))
                rest = v.splat(b.fmul(b.fmul(yy, dy_), dy_))
                g0 = b.select(mask, v.exp2(v.fma(vdx, v.fma(vxx, vdx, slope), rest)), zero)
                two_dy = b.fadd(b.fadd(dy_, dy_), ir.Constant(F32, 1.0))
                r0 = v.exp2(v.fma(vxy, vdx, v.splat(b.fmul(yy, two_dy))))
                q = v.splat(ratio)
                entry = b.block
                head = b.append_basic_block("skip.head")
                body = b.append_basic_block("skip.body")
                ready = b.append_basic_block("skip.done")
                b.branch(head)
                b.position_at_end(head)
                k = b.phi(I64)
                g, r = b.phi(v.f32), b.phi(v.f32)
                k.add_incoming(skip_, entry)
                g.add_incoming(g0, entry)
                r.add_incoming(r0, entry)
                b.cbranch(b.icmp_signed(">", k, ir.Constant(I64, 0)), body, ready)
                b.position_at_end(body)
                g.add_incoming(b.fmul(g, r), body)
                r.add_incoming(b.fmul(r, q), body)
                k.add_incoming(b.sub(k, one), body)
                b.branch(head)
                b.position_at_end(ready)
                g_start, r_start = g, r
            else:
                vyy, midline = v.splat(yy), b.fmul(vxy, vdx)
                along_x = b.fmul(b.fmul(vxx, vdx), vdx)
            entry = b.block
            loop = b.append_basic_block("rows")
            done = b.append_basic_block("rows.done")
            b.branch(loop)
            b.position_at_end(loop)
            left = b.phi(I64)
            address = b.phi(I64)
            left.add_incoming(rows_, entry)
            address.add_incoming(pixels_, entry)
            if recurrent:
                g, r = b.phi(v.f32), b.phi(v.f32)
                g.add_incoming(g_start, entry)
                r.add_incoming(r_start, entry)
                accumulate(address, g)
                g.add_incoming(b.fmul(g, r), loop)
                r.add_incoming(b.fmul(r, q), loop)
            else:
                # The row's dy is counted from the column's start, so that it is the same in every tile.
                number = b.phi(I64)
                number.add_incoming(skip_, entry)
                away = b.fsub(v.splat(b.fadd(dy_, b.sitofp(number, F32))), midline)
                exponent = v.fma(b.fmul(vyy, away), away, along_x)
                accumulate(address, b.select(mask, v.exp2(exponent), zero))
                number.add_incoming(b.add(number, one), loop)
            left_next = b.sub(left, one)
            left.add_incoming(left_next, loop)
            address.add_incoming(b.add(address, row_b), loop)
            b.cbranch(b.icmp_signed(">", left_next, ir.Constant(I64, 0)), loop, done)
            b.position_at_end(done)
            return context.get_dummy_value()

        i, f = types.int64, types.float32
        signature = types.none(
            i, i, i, i, i, types.int32, types.int32, f, f, f, f, f, f, amplitudes
        )
        return signature, codegen

    return column


column_wide = _column(16, recurrent=True)
column_narrow = _column(8, recurrent=True)
column_direct = _column(16, recurrent=False)


@intrinsic
def column_spans(
    typingctx: Any,
    start: Any,
    x0: Any,
    x1: Any,
    y0: Any,
    y1: Any,
    fx: Any,
    fy: Any,
    slope: Any,
    half_height: Any,
    inverse_reach_sq: Any,
    target: Any,
) -> Any:
    """First and last row that an ellipse touches in each of BATCH columns, 16 pixels wide, from pixel `start` on.

    Everything is relative to the centre pixel: the box x0 .. x1, y0 .. y1, the centre's fraction (fx, fy). slope: of
    the line of the ellipse's vertical midpoints. Writes BATCH first rows, then BATCH last rows, as int32.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        b = builder
        start_, x0_, x1_, y0_, y1_, fx_, fy_, slope_, half_, inverse_, target_ = args
        v = Vectors(b, BATCH)
        steps = ir.Constant(v.i32, [16 * k for k in range(BATCH)])
        left = b.add(v.splat(start_), steps)
        right = b.add(left, v.const(15, v.i32))
        vx0, vx1 = v.splat(x0_), v.splat(x1_)
        low = b.select(b.icmp_signed(">", left, vx0), left, vx0)
        high = b.select(b.icmp_signed("<", right, vx1), right, vx1)
        da = b.fsub(b.sitofp(low, v.f32), v.splat(fx_))
        db = b.fsub(b.sitofp(high, v.f32), v.splat(fx_))
        zero = v.const(0.0)
        nearest = v.larger(v.larger(da, b.fneg(db)), zero)
        # 1 - (x / reach)^2, the squared half height in units of the largest.
        inside = b.fsub(v.const(1.0), b.fmul(b.fmul(nearest, nearest), v.splat(inverse_)))
        rise = b.fmul(v.splat(half_), v.call("sqrt", v.larger(inside, zero)))
        ma, mb = b.fmul(v.splat(slope_), da), b.fmul(v.splat(slope_), db)
        top = v.call("floor", b.fadd(b.fsub(v.smaller(ma, mb), rise), v.splat(fy_)))
        end = v.call("ceil", b.fadd(b.fadd(v.larger(ma, mb), rise), v.splat(fy_)))
        first = b.fptosi(v.clamp(top, -1e9, 1e9), v.i32)
        last = b.fptosi(v.clamp(end, -1e9, 1e9), v.i32)
        vy0, vy1 = v.splat(y0_), v.splat(y1_)
        first = b.select(b.icmp_signed(">", first, vy0), first, vy0)
        last = b.select(b.icmp_signed("<", last, vy1), last, vy1)
        v.store(first, target_)
        v.store(last, b.add(target_, ir.Constant(I64, 4 * BATCH)))
        return context.get_dummy_value()

    n, i, f = types.int64, types.int32, types.float32
    return types.none(i, i, i, i, i, f, f, f, f, f, n), codegen


@intrinsic
def pack_bgrx(typingctx: Any, red: Any, green: Any, blue: Any, target: Any) -> Any:
    """Write 16 display-ready pixels to `target` from the float32 planes at the three addresses, rounded and clipped."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        b = builder
        v = Vectors(b, 16)
        value = v.const(0xFF000000 - (1 << 32), v.i32)
        for address, shift in zip(args[:3], (16, 8, 0), strict=True):
            level = v.clamp(v.load(address, v.f32), 0.0, 1.0)
            level = v.fma(level, v.const(255.0), v.const(0.5))
            whole = b.shl(b.fptosi(level, v.i32), v.const(shift, v.i32))
            value = b.or_(value, whole)
        v.store(value, args[3])
        return context.get_dummy_value()

    i = types.int64
    return types.none(i, i, i, i), codegen
