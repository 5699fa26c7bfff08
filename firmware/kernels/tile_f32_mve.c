#include "tile_f32_mve.h"

#include "quad_f32.h"

/* Sums of four channels of one pixel. */
HIL_INLINE void tile_f32_sums(float *sums, const quad_f32_mve_tile *t, int32_t pixel)
{
    const float *x = t->x + pixel * (t->x_step / 4), *w = t->w;
    for (int32_t row = 0; row < t->rows; ++row) {
        for (int32_t run = 0; run < t->runs; ++run) {
            if (run > 0) {
                x += t->x_run / 4;
                w += t->w_run / 4;
            }
            quad_f32_dot(sums, x, w, t->taps, QUAD_F32_CHAINED);
            x += t->taps;
            w += 4 * t->taps;
        }
        x += t->x_row / 4;
        w += t->w_row / 4;
    }
}

/* Four channels of all pixels; the output may lie over the input, so all of them are read before one is written. */
static HIL_NOINLINE void tile_f32_scalars(quad_f32_mve_tile *t, int32_t pixels)
{
    float sums[16];
    quad_f32_clear(sums, 16);
    for (int32_t pixel = 0; pixel < pixels; ++pixel) {
        tile_f32_sums(sums + 4 * pixel, t, pixel);
    }
    for (int32_t pixel = 0; pixel < pixels; ++pixel) {
        float *output = t->output + pixel * (t->output_step / 4);
        quad_f32_store(output, sums + 4 * pixel, t->bias, t->left < 4 ? t->left : 4, t->low, t->high);
    }
    t->w += t->w_quad / 4;
    t->bias += 4;
    t->output += 4;
    t->left -= 4;
}

HIL_SHARED void tile_f32_mve(quad_f32_mve_tile *t, int32_t pixels)
{
    while ((pixels == 4 ? quad_f32_mve_4(t) : quad_f32_mve_1(t)) > 0) {
        tile_f32_scalars(t, pixels);
        if (t->left <= 0) {
            return;
        }
    }
}
