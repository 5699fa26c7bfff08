/* DEPTHWISE_CONV_2D 3x3 with stride 1, int8, channel multiplier 1, MVE. May overwrite its input from the first byte
 * on.
 *
 * Two outputs side by side along the outer dimension are computed along the whole inner one, 16 channels at a time.
 * The compiler says which of rows and columns is which. A strip (depthwise_quad_s8_mve.h) holds what they need: four
 * lines of the input. The next strip takes two of them from the one before: they may have been overwritten meanwhile.
 * Where an odd line is last and longer than four, its outputs are computed eight at a time.
 *
 * Scratch: (4 * ceil(out_inner / 4) + 2) words of 4 bytes for each channel, at most 16 of them, and 64 bytes; with such a
 * last line 8 * ceil(out_inner / 8) + 2. */
#ifndef HIL_KERNELS_DEPTHWISE_CONV_3X3_S8_MVE_H
#define HIL_KERNELS_DEPTHWISE_CONV_3X3_S8_MVE_H

#include "depthwise_quad_s8_mve.h"

typedef struct {
    int32_t batches, channels;
    int32_t in_inner, in_outer, out_inner, out_outer;                          /* sizes */
    int32_t in_inner_step, in_outer_step, out_inner_step, out_outer_step;      /* bytes */
    int32_t pad_inner, pad_outer;                                              /* before the first */
    int32_t in_zero, out_zero, clamp_min, clamp_max, general;
} depthwise_conv_3x3_s8_mve_shape;

void depthwise_conv_3x3_s8_mve_run(const int8_t *input, const int32_t *scale, const int8_t *taps, int8_t *output,
                                   int8_t *strip, const depthwise_conv_3x3_s8_mve_shape *s,
                                   depthwise_quad_s8_mve_function *quads, depthwise_quad_s8_mve_function *last);

HIL_INLINE void depthwise_conv_3x3_s8_mve(const int8_t *input, const int32_t *scale, const int8_t *taps,
                                          int8_t *output, int8_t *strip, const depthwise_conv_3x3_s8_mve_shape *s)
{
    depthwise_quad_s8_mve_function *const quads = depthwise_quad_s8_mve_choose(s->general, s->channels < 16 ? 0 : 128);
    const int by_row = s->out_outer % 2 != 0 && s->out_inner > 4;
    depthwise_conv_3x3_s8_mve_run(input, scale, taps, output, strip, s, quads,
                                  by_row ? depthwise_quad_s8_mve_choose_row(s->general, s->channels < 16 ? 0 : 128) : quads);
}

#endif
