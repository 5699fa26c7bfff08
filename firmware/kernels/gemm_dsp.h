/* Inner kernels of convolutions and fully connected layers on cores with the DSP extension: what they share.
 *
 * All compute `channels` outputs of one or two pixels from int16 columns (im2col_pair_dsp, im2col_single_dsp) and packed
 * weights, four channels at a time. harness/kernels/gemm.py packs, and proves what is exact. */
#ifndef HIL_KERNELS_GEMM_DSP_H
#define HIL_KERNELS_GEMM_DSP_H

#include "kernel.h"

/* The assembly reads it in this order.
 *
 * groups: taps in fours. channels: outputs a pixel. The rest is for layers that have no form of their own: offset is
 * 2 * zero point of the output + 1, clamped tells whether low and high (in all four bytes) are narrower than int8. */
typedef struct {
    int32_t groups, channels, offset, clamped, low, high;
} gemm_dsp_shape;

/* two pixels; their outputs go to out0 and out1 */
typedef void gemm_4x2(const int32_t *weights, const int16_t *columns, int8_t *out0, int8_t *out1,
                      const gemm_dsp_shape *shape);

/* one pixel */
typedef void gemm_4x1(const int32_t *weights, const int16_t *column, int8_t *out, const gemm_dsp_shape *shape);

#endif
