/* FULLY_CONNECTED of int16 activations and int8 weights with the DSP extension: four outputs at a time.
 *
 * For sums, biases included, of 32 bits, and factors below a half (scale_s16.h). */
#ifndef HIL_KERNELS_FULLY_CONNECTED_S16_DSP_H
#define HIL_KERNELS_FULLY_CONNECTED_S16_DSP_H

#include "kernel.h"

typedef struct {
    int32_t rows, depth, outputs;
    int32_t stride; /* bytes of four rows of weights, a multiple of four */
    int32_t clamp_min, clamp_max;
} fully_connected_s16_dsp_shape;

/* weights: [outputs / 4] as quad_s16_dsp.h wants them; records: [outputs / 4] of four biases, four factors */
void fully_connected_s16_dsp(const int16_t *input, const int32_t *weights, const int32_t *records, int16_t *output,
                             const fully_connected_s16_dsp_shape *s);

#endif
