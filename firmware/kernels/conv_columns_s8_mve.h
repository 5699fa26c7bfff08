/* CONV_2D, int8, MVE: any kernel, strides and padding, not dilated, no groups; column after column of the output.
 *
 * The strip of an output column has, row by row of the input and its padding, the kernel_w * in_c bytes that windows of
 * that column have there: strip[row][kx][channel]. A window is kernel_h rows of it, one run of bytes, and the window below
 * starts stride_h rows later. Bytes that lie side by side in the input stay so: of few channels that is more than one
 * pixel at a time. Weights are packed as gemm_s8_mve reads them, taps in their own order. */
#ifndef HIL_KERNELS_CONV_COLUMNS_S8_MVE_H
#define HIL_KERNELS_CONV_COLUMNS_S8_MVE_H

#include "conv_strip_s8_mve.h"
#include "gemm_pairs_s8_mve.h"

typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w, kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
    int32_t in_zero, beyond;               /* bytes that steps read past the last window */
    int32_t x_step, steps, tail, out_c, out_zero, clamp_min, clamp_max, form; /* as in gemm_pairs_s8_mve.h */
} conv_columns_s8_mve_shape;

void conv_columns_s8_mve_run(const int8_t *input, const int32_t *packed, int8_t *output, int8_t *strip,
                             const conv_columns_s8_mve_shape *s, gemm_s8_mve_function *gemm);

HIL_INLINE void conv_columns_s8_mve(const int8_t *input, const int32_t *packed, int8_t *output, int8_t *strip,
                                    const conv_columns_s8_mve_shape *s)
{
    conv_columns_s8_mve_run(input, packed, output, strip, s, gemm_mve_choose(s->form, s->steps, s->tail));
}

#endif
