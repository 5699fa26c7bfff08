/* FULLY_CONNECTED of int16 activations and int8 weights with the DSP extension: four outputs at a time, of any sums and
 * factors: those of HIL_S16_TAPS taps are added in 64 bits. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_S16_LONG_DSP_H
#define HIL_KERNELS_FULLY_CONNECTED_S16_LONG_DSP_H

#include "quad_s16.h"

typedef struct {
    int32_t rows, depth, outputs;
    int32_t stride; /* bytes of four rows of weights, a multiple of four */
    scale_s16_shape scale;
} fully_connected_s16_long_dsp_shape;

/* weights: [outputs / 4] as quad_s16_dsp.h wants them; biases, and multipliers and shifts in turn, filled up to four */
void fully_connected_s16_long_dsp(const int16_t *input, const int32_t *weights, const int64_t *biases,
                                  const int32_t *factors, int16_t *output, const fully_connected_s16_long_dsp_shape *s);

#endif
