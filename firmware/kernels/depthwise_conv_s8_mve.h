/* DEPTHWISE_CONV_2D, int8, MVE: any window, strides, dilations, padding and channel multiplier.
 *
 * Scratch: a pointer a tap, and a pixel of padding. */
#ifndef HIL_KERNELS_DEPTHWISE_CONV_S8_MVE_H
#define HIL_KERNELS_DEPTHWISE_CONV_S8_MVE_H

#include "depthwise_taps_s8_mve.h"

typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w, out_c;
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int32_t in_zero, out_zero, clamp_min, clamp_max;
    int32_t last, spread, floats; /* first channel of the last block; which form (depthwise_taps_s8_mve.h) */
} depthwise_conv_s8_mve_shape;

/* together: taps that `pixel` takes at a time, 4 if it weaves them to a strip, else 1 */
void depthwise_conv_s8_mve_run(const int8_t *input, const int32_t *packed, int8_t *output, const int8_t **scratch,
                               const depthwise_conv_s8_mve_shape *s, int32_t together,
                               depthwise_taps_s8_mve_function *pixel);

HIL_INLINE void depthwise_conv_s8_mve(const int8_t *input, const int32_t *packed, int8_t *output, void *scratch,
                                      const depthwise_conv_s8_mve_shape *s)
{
    if (s->floats) {
        depthwise_conv_s8_mve_run(input, packed, output, (const int8_t **)scratch, s, 1,
                                  s->spread ? depthwise_taps_s8_mve_float_spread : depthwise_taps_s8_mve_float);
        return;
    }
    depthwise_conv_s8_mve_run(input, packed, output, (const int8_t **)scratch, s, 1,
                              s->spread ? depthwise_taps_s8_mve_spread : depthwise_taps_s8_mve);
}

#endif
