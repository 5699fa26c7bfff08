#include "conv_f32_mve.h"

#include "tile_f32_mve.h"

/* Taps in the image of the window at ix. */
HIL_INLINE conv_f32_taps conv_f32_mve_taps(int32_t ix, const conv_f32_mve_shape *s)
{
    const int32_t whole = ix >= 0 && ix + (s->kernel_w - 1) * s->dilation_w < s->in_w;
    const conv_f32_taps all = {0, s->kernel_w, s->dilation_w == 1 && s->groups == 1 ? s->kernel_w : 1};
    return whole ? all : conv_f32_taps_at(ix, s);
}

/* The steps of windows that have these taps of a row in the image. */
HIL_INLINE void conv_f32_mve_steps(quad_f32_mve_tile *tile, conv_f32_taps taps, int32_t depth, const conv_f32_mve_shape *s)
{
    const int32_t inside = taps.end - taps.first, far = s->dilation_w * s->in_c;
    tile->runs = inside > taps.step ? inside : 1;
    tile->taps = taps.step * depth;
    tile->x_run = 4 * (far - depth);
    tile->x_row = 4 * (s->dilation_h * s->in_w * s->in_c - (tile->runs - 1) * far - tile->taps);
    tile->w_row = 16 * (s->kernel_w - inside) * depth;
}

/* `pixels` from x on, of all groups. */
HIL_INLINE void conv_f32_mve_groups(quad_f32_mve_tile *tile, const float *x, const float *w, const float *bias, float *output,
                                    int32_t pixels, int32_t depth, const conv_f32_mve_shape *s)
{
    const int32_t quads = (s->per_group + 3) / 4;
    for (int32_t g = 0; g < s->groups; ++g) {
        tile->x = x;
        tile->w = w;
        tile->bias = bias;
        tile->output = output;
        tile->left = s->per_group;
        tile_f32_mve(tile, pixels);
        x += depth;
        w += quads * (tile->w_quad / 4);
        bias += 4 * quads;
        output += s->per_group;
    }
}

HIL_SHARED void conv_f32_mve(const float *input, const float *weights, const float *bias, float *output, float low, float high,
                             const conv_f32_mve_shape *s)
{
    const int32_t depth = s->in_c / s->groups, channels = s->groups * s->per_group;
    quad_f32_mve_tile tile = {0};
    tile.low = low;
    tile.high = high;
    tile.x_step = 4 * s->stride_w * s->in_c;
    tile.output_step = 4 * channels;
    tile.w_quad = 16 * s->kernel_h * s->kernel_w * depth;
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            const int32_t iy = oy * s->stride_h - s->pad_top;
            const int32_t first = hil_first_tap(iy, s->dilation_h);
            const int32_t rows = hil_end_tap(iy, s->dilation_h, s->kernel_h, s->in_h) - first;
            const float *row = input + (iy + first * s->dilation_h) * s->in_w * s->in_c;
            int32_t pixels;
            for (int32_t ox = 0; ox < s->out_w; ox += pixels) {
                const int32_t ix = ox * s->stride_w - s->pad_left;
                const conv_f32_taps here = conv_f32_mve_taps(ix, s);
                pixels = 1;
                if (ox + 3 < s->out_w) {
                    const conv_f32_taps last = conv_f32_mve_taps(ix + 3 * s->stride_w, s);
                    pixels = here.first == last.first && here.end == last.end ? 4 : 1;
                }
                conv_f32_mve_steps(&tile, here, depth, s);
                tile.rows = rows > 0 && here.end > here.first ? rows : 0;
                const float *x = row + (ix + here.first * s->dilation_w) * s->in_c;
                const float *w = weights + (first * s->kernel_w + here.first) * depth * 4;
                conv_f32_mve_groups(&tile, x, w, bias, output, pixels, depth, s);
                output += pixels * channels;
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
