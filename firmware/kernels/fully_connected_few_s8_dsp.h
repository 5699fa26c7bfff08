/* FULLY_CONNECTED of few outputs, and CONV_2D 1x1 of few channels, int8, for cores with the DSP extension: two rows and two
 * outputs at a time.
 *
 * Weights: of two outputs, and then of the last of an odd number, four taps after four: int16 of taps 0 and 2, 1 and 3, of
 * one output, then of the other. The last four are those of a row's last four taps, and 0 for taps that the ones before have;
 * of rows of less than four taps, 0 behind them. The zero point is folded into the bias. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_FEW_S8_DSP_H
#define HIL_KERNELS_FULLY_CONNECTED_FEW_S8_DSP_H

#include "scale_s8.h"

#define HIL_FEW_DSP_OUTPUTS 6

typedef struct {
    scale_s8_shape scale;
    int32_t lines, columns, line_step, column_step; /* of rows; steps in bytes of the input */
    int32_t in_n, out_n;                            /* of a row; 1..HIL_FEW_DSP_OUTPUTS outputs */
} fully_connected_few_s8_dsp_shape;

void fully_connected_few_s8_dsp(const int8_t *input, const int32_t *weights, const int32_t *records, int8_t *output,
                                const fully_connected_few_s8_dsp_shape *s);

#endif
