// A rasterizer by hand, for AVX-512: what `bench --only cpp` measures ours against. It draws what ours draws, in the way
// that such a kernel is usually written: the Gaussians lie in the order of their cells, tiles gather those that reach
// them, sixteen at a time are prepared, and each is added row by row, sixteen pixels at a time under a mask.
// Compiled where it is run, for that machine; no part of the product uses it.

#include <immintrin.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

namespace {

constexpr int TILE_WIDTH = 256, TILE_HEIGHT = 32, LANES = 16;
constexpr int LINE = TILE_WIDTH + LANES;  // a row of sixteen may end beyond the tile
constexpr float LOG2_E = 1.4426950408889634f;

struct Field {
    const float* rows[8];  // x, y, xx, xy, yy, red, green, blue
    const int32_t* starts;
    int64_t first_column, first_line, columns, lines;
    double cell;
};

struct View {
    double x, y, scale;
    int64_t width, height;
    float footprint;  // device pixels squared
    float reach;      // standard deviations
};

// 2^x for x <= 0: scalef has the whole part, a polynomial of degree 4 the rest.
inline __m512 exp2(__m512 x) {
    const __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const __m512 f = _mm512_sub_ps(x, whole);
    __m512 p = _mm512_set1_ps(9.6181291e-3f);
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(5.5504109e-2f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(2.4022651e-1f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(6.9314718e-1f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0f));
    return _mm512_scalef_ps(p, whole);
}

struct alignas(64) Prepared {
    float x[LANES], y[LANES], xx[LANES], xy[LANES], yy[LANES], norm[LANES];
    float half_width[LANES], half_height[LANES], skew[LANES], across[LANES];
};

// Sixteen Gaussians in device pixels relative to the tile's corner, seen through the footprint.
inline void prepare(const Field& field, int64_t first, const View& view, float left, float top, Prepared& p) {
    const auto load = [&](int row) { return _mm512_loadu_ps(field.rows[row] + first); };
    const __m512 scale = _mm512_set1_ps(static_cast<float>(view.scale));
    const __m512 square = _mm512_mul_ps(scale, scale);
    const __m512 foot = _mm512_set1_ps(view.footprint), reach = _mm512_set1_ps(view.reach);
    const __m512 a = _mm512_mul_ps(load(2), square), b = _mm512_mul_ps(load(3), square);
    const __m512 c = _mm512_mul_ps(load(4), square);
    const __m512 wa = _mm512_add_ps(a, foot), wc = _mm512_add_ps(c, foot);
    const __m512 before = _mm512_fmsub_ps(a, c, _mm512_mul_ps(b, b));
    const __m512 after = _mm512_fmsub_ps(wa, wc, _mm512_mul_ps(b, b));
    const __m512 inverse = _mm512_div_ps(_mm512_set1_ps(1.0f), after);
    const __m512 k = _mm512_mul_ps(inverse, _mm512_set1_ps(-0.5f * LOG2_E));
    _mm512_store_ps(p.x, _mm512_fmsub_ps(load(0), scale, _mm512_set1_ps(left)));
    _mm512_store_ps(p.y, _mm512_fmsub_ps(load(1), scale, _mm512_set1_ps(top)));
    _mm512_store_ps(p.xx, _mm512_mul_ps(k, wc));
    _mm512_store_ps(p.xy, _mm512_mul_ps(_mm512_mul_ps(k, b), _mm512_set1_ps(-2.0f)));
    _mm512_store_ps(p.yy, _mm512_mul_ps(k, wa));
    _mm512_store_ps(p.norm, _mm512_sqrt_ps(_mm512_mul_ps(before, inverse)));
    _mm512_store_ps(p.half_width, _mm512_mul_ps(reach, _mm512_sqrt_ps(wa)));
    _mm512_store_ps(p.half_height, _mm512_mul_ps(reach, _mm512_sqrt_ps(wc)));
    // Of the ellipse's chord in a row dy away: its middle is skew dy, its half sqrt(across (1 - (dy / half_height)^2)).
    _mm512_store_ps(p.skew, _mm512_div_ps(b, wc));
    _mm512_store_ps(p.across, _mm512_mul_ps(_mm512_mul_ps(reach, reach), _mm512_div_ps(after, wc)));
}

struct Tile {
    alignas(64) float planes[3][TILE_HEIGHT][LINE];
};

inline void add(Tile& tile, const Prepared& p, int i, const float colour[3], int width, int height) {
    const int y0 = std::max(0, static_cast<int>(std::ceil(p.y[i] - p.half_height[i] - 0.5f)));
    const int y1 = std::min(height - 1, static_cast<int>(std::floor(p.y[i] + p.half_height[i] - 0.5f)));
    if (y0 > y1 || p.x[i] + p.half_width[i] < 0.0f || p.x[i] - p.half_width[i] > width) return;
    const __m512 lanes = _mm512_set_ps(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const __m512 xx = _mm512_set1_ps(p.xx[i]);
    const __m512 r = _mm512_set1_ps(colour[0] * p.norm[i]), g = _mm512_set1_ps(colour[1] * p.norm[i]);
    const __m512 b = _mm512_set1_ps(colour[2] * p.norm[i]);
    const float inverse_height = 1.0f / p.half_height[i];
    const bool narrow = p.half_width[i] < 7.5f;  // a row of it is one vector: no chord is worth its root
    const int box0 = std::max(0, static_cast<int>(std::ceil(p.x[i] - p.half_width[i] - 0.5f)));
    const int box1 = std::min(width - 1, static_cast<int>(std::floor(p.x[i] + p.half_width[i] - 0.5f)));
    for (int y = y0; y <= y1; ++y) {
        const float dy = y + 0.5f - p.y[i];
        int x0 = box0, x1 = box1;
        if (!narrow) {
            const float t = dy * inverse_height;
            const float half = std::sqrt(std::max(0.0f, p.across[i] * (1.0f - t * t)));
            const float middle = p.x[i] + p.skew[i] * dy;
            x0 = std::max(0, static_cast<int>(std::ceil(middle - half - 0.5f)));
            x1 = std::min(width - 1, static_cast<int>(std::floor(middle + half - 0.5f)));
        }
        const __m512 linear = _mm512_set1_ps(p.xy[i] * dy), constant = _mm512_set1_ps(p.yy[i] * dy * dy);
        float* red = tile.planes[0][y];
        float* green = tile.planes[1][y];
        float* blue = tile.planes[2][y];
        for (int x = x0; x <= x1; x += LANES) {
            const int count = std::min(LANES, x1 - x + 1);
            const __mmask16 mask = static_cast<__mmask16>((1u << count) - 1u);
            const __m512 dx = _mm512_add_ps(lanes, _mm512_set1_ps(x + 0.5f - p.x[i]));
            const __m512 e = _mm512_fmadd_ps(_mm512_fmadd_ps(xx, dx, linear), dx, constant);
            const __m512 w = _mm512_maskz_mov_ps(mask, exp2(e));
            _mm512_storeu_ps(red + x, _mm512_fmadd_ps(w, r, _mm512_loadu_ps(red + x)));
            _mm512_storeu_ps(green + x, _mm512_fmadd_ps(w, g, _mm512_loadu_ps(green + x)));
            _mm512_storeu_ps(blue + x, _mm512_fmadd_ps(w, b, _mm512_loadu_ps(blue + x)));
        }
    }
}

inline __m512i level(const float* from) {
    const __m512 v = _mm512_fmadd_ps(_mm512_loadu_ps(from), _mm512_set1_ps(255.0f), _mm512_set1_ps(0.5f));
    const __m512 kept = _mm512_min_ps(_mm512_max_ps(v, _mm512_setzero_ps()), _mm512_set1_ps(255.0f));
    return _mm512_cvttps_epi32(kept);
}

void draw(const Field& field, const View& view, double margin, int left, int top, Tile& tile, uint32_t* out) {
    const int width = static_cast<int>(std::min<int64_t>(TILE_WIDTH, view.width - left));
    const int height = static_cast<int>(std::min<int64_t>(TILE_HEIGHT, view.height - top));
    std::memset(tile.planes, 0, sizeof tile.planes);
    const auto number = [&](double device, double origin, int64_t first, int64_t count) {
        const double cell = std::floor((origin + device / view.scale) / field.cell) - first;
        return static_cast<int64_t>(std::min(std::max(cell, 0.0), count - 1.0));
    };
    const int64_t c0 = number(left - margin, view.x, field.first_column, field.columns);
    const int64_t c1 = number(left + width + margin, view.x, field.first_column, field.columns);
    const int64_t r0 = number(top - margin, view.y, field.first_line, field.lines);
    const int64_t r1 = number(top + height + margin, view.y, field.first_line, field.lines);
    const float x = static_cast<float>(view.x * view.scale + left), y = static_cast<float>(view.y * view.scale + top);
    Prepared p;
    for (int64_t r = r0; r <= r1; ++r) {
        const int64_t first = field.starts[r * field.columns + c0], end = field.starts[r * field.columns + c1 + 1];
        for (int64_t k = first; k < end; k += LANES) {
            prepare(field, k, view, x, y, p);
            const int count = static_cast<int>(std::min<int64_t>(LANES, end - k));
            for (int i = 0; i < count; ++i) {
                const float colour[3] = {field.rows[5][k + i], field.rows[6][k + i], field.rows[7][k + i]};
                add(tile, p, i, colour, width, height);
            }
        }
    }
    for (int row = 0; row < height; ++row) {
        uint32_t* line = out + (top + row) * view.width + left;
        for (int x = 0; x < width; x += LANES) {
            const __m512i red = level(tile.planes[0][row] + x), green = level(tile.planes[1][row] + x);
            const __m512i blue = level(tile.planes[2][row] + x);
            const __m512i pixels = _mm512_or_si512(
                _mm512_or_si512(blue, _mm512_slli_epi32(green, 8)),
                _mm512_or_si512(_mm512_slli_epi32(red, 16), _mm512_set1_epi32(static_cast<int>(0xff000000u))));
            const int count = std::min(LANES, width - x);
            _mm512_mask_storeu_epi32(line + x, static_cast<__mmask16>((1u << count) - 1u), pixels);
        }
    }
}

}  // namespace

// rows: 8 of `stride` floats, padded by sixteen beyond the last Gaussian. widest: largest standard deviation, source
// pixels. out: height x width pixels of 4 bytes, BGRX.
extern "C" void draw_frame(const float* rows, int64_t stride, const int32_t* starts, int64_t first_column,
                           int64_t first_line, int64_t columns, int64_t lines, double cell, double widest, double x,
                           double y, double scale, int64_t width, int64_t height, double pixel_sigma, double reach,
                           int64_t threads, uint8_t* out) {
    Field field{};
    for (int i = 0; i < 8; ++i) field.rows[i] = rows + i * stride;
    field.starts = starts;
    field.first_column = first_column;
    field.first_line = first_line;
    field.columns = columns;
    field.lines = lines;
    field.cell = cell;
    const View view{x, y, scale, width, height, static_cast<float>(pixel_sigma * pixel_sigma), static_cast<float>(reach)};
    const double margin = reach * std::hypot(widest * scale, pixel_sigma) + 1.0;
    const int64_t across = (width + TILE_WIDTH - 1) / TILE_WIDTH, down = (height + TILE_HEIGHT - 1) / TILE_HEIGHT;
    std::atomic<int64_t> next{0};
    const auto work = [&] {
        std::vector<Tile> tile(1);
        for (int64_t n = next++; n < across * down; n = next++)
            draw(field, view, margin, static_cast<int>(n % across) * TILE_WIDTH,
                 static_cast<int>(n / across) * TILE_HEIGHT, tile[0], reinterpret_cast<uint32_t*>(out));
    };
    std::vector<std::thread> others;
    for (int64_t i = 1; i < threads; ++i) others.emplace_back(work);
    work();
    for (auto& thread : others) thread.join();
}
