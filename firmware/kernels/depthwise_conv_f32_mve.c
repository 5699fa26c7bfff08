#include "depthwise_conv_f32_mve.h"

#include "quad_f32_mve.h"

/* Four channels of all pixels, and on to the next four. */
static HIL_NOINLINE void depthwise_f32_scalars(quad_f32_mve_tile *t, int32_t pixels)
{
    const depthwise_f32_taps taps = {t->rows, t->taps, t->x_run, 16, t->x_row, t->w_row};
    for (int32_t pixel = 0; pixel < pixels; ++pixel) {
        float sums[4];
        quad_f32_clear(sums, 4);
        if (t->rows > 0) {
            depthwise_f32_quad(sums, t->x + pixel * (t->x_step / 4), t->w, &taps, QUAD_F32_CHAINED);
        }
        quad_f32_store(t->output + pixel * (t->output_step / 4), sums, t->bias, 4, t->low, t->high);
    }
    t->x += 4;
    t->w += t->w_quad / 4;
    t->bias += 4;
    t->output += 4;
    t->left -= 4;
}

static HIL_NOINLINE void depthwise_f32_tile(quad_f32_mve_tile *t, int32_t pixels)
{
    while (t->left > 0 && (pixels == 4 ? depthwise_f32_mve_4(t) : depthwise_f32_mve_1(t)) > 0) {
        depthwise_f32_scalars(t, pixels);
    }
}

typedef struct {
    int32_t first, end;
} depthwise_f32_span;

/* Taps in the image of the window at ix. */
HIL_INLINE depthwise_f32_span depthwise_f32_span_at(int32_t ix, const depthwise_conv_f32_mve_shape *s)
{
    depthwise_f32_span span = {0, s->kernel_w};
    if (ix < 0 || ix + (s->kernel_w - 1) * s->dilation_w >= s->in_w) {
        span.first = hil_first_tap(ix, s->dilation_w);
        span.end = hil_end_tap(ix, s->dilation_w, s->kernel_w, s->in_w);
    }
    return span;
}

/* All channels of `pixels`, those left over after fours with some before them. */
HIL_INLINE void depthwise_f32_channels(quad_f32_mve_tile *t, const float *x, const float *w, const float *bias, float *output,
                                       int32_t pixels, const depthwise_conv_f32_mve_shape *s)
{
    t->x = x;
    t->w = w;
    t->bias = bias;
    t->output = output;
    t->left = s->in_c & ~3;
    depthwise_f32_tile(t, pixels);
    if ((s->in_c & 3) != 0) {
        t->x = x + s->in_c - 4;
        t->w = w + s->in_c / 4 * (t->w_quad / 4);
        t->bias = bias + s->in_c - 4;
        t->output = output + s->in_c - 4;
        t->left = 4;
        depthwise_f32_tile(t, pixels);
    }
}

HIL_SHARED void depthwise_conv_f32_mve(const float *input, const float *weights, const float *bias, float *output, float low,
                                       float high, const depthwise_conv_f32_mve_shape *s)
{
    quad_f32_mve_tile tile = {0};
    tile.low = low;
    tile.high = high;
    tile.x_step = 4 * s->stride_w * s->in_c;
    tile.output_step = 4 * s->in_c;
    tile.x_run = 4 * s->dilation_w * s->in_c;
    tile.w_quad = 16 * s->kernel_h * s->kernel_w;
    for (int32_t n = 0; n < s->batches; ++n) {
        for (int32_t oy = 0; oy < s->out_h; ++oy) {
            const int32_t iy = oy * s->stride_h - s->pad_top;
            const int32_t first = hil_first_tap(iy, s->dilation_h);
            const int32_t rows = hil_end_tap(iy, s->dilation_h, s->kernel_h, s->in_h) - first;
            const float *row = input + (iy + first * s->dilation_h) * s->in_w * s->in_c;
            int32_t pixels;
            for (int32_t ox = 0; ox < s->out_w; ox += pixels) {
                const int32_t ix = ox * s->stride_w - s->pad_left;
                const depthwise_f32_span here = depthwise_f32_span_at(ix, s);
                pixels = 1;
                if (ox + 3 < s->out_w) {
                    const depthwise_f32_span last = depthwise_f32_span_at(ix + 3 * s->stride_w, s);
                    pixels = here.first == last.first && here.end == last.end ? 4 : 1;
                }
                tile.taps = here.end - here.first;
                tile.rows = rows > 0 && tile.taps > 0 ? rows : 0;
                tile.x_row = 4 * s->dilation_h * s->in_w * s->in_c - tile.taps * tile.x_run;
                tile.w_row = 16 * (s->kernel_w - tile.taps);
                const float *x = row + (ix + here.first * s->dilation_w) * s->in_c;
                const float *w = weights + (first * s->kernel_w + here.first) * 4;
                depthwise_f32_channels(&tile, x, w, bias, output, pixels, s);
                output += pixels * s->in_c;
            }
        }
        input += s->in_h * s->in_w * s->in_c;
    }
}
