/* Four output channels of float32 at a time in vectors of Armv8.1-M MVE, each summed in its own order, for four pixels or one.
 *
 * Vectors of floats take subnormal numbers for zeros and make every NaN the same, which scalars do not, but they say so: FPSCR
 * collects what inputs and results were taken for zeros (IDC, UFC) and what was invalid (IOC), comparisons of NaN included. Sums
 * of four channels are stored only where nothing of that came up; then every product, sum and clamp is that of the scalars. */
#ifndef HIL_KERNELS_QUAD_F32_MVE_H
#define HIL_KERNELS_QUAD_F32_MVE_H

#include "kernel.h"

/* Windows of pixels side by side, of which the same taps lie in the image: `rows` times `runs` times `taps` that lie behind each
 * other. Distances in bytes. */
typedef struct {
    const float *x, *w; /* first tap, of the first pixel */
    const float *bias;
    float *output;
    float low, high;
    int32_t rows, runs, taps;
    int32_t x_step, output_step; /* from pixel to pixel */
    int32_t x_run, w_run;        /* from the end of a run to the next */
    int32_t x_row, w_row;        /* from the end of a row to the next */
    int32_t w_quad;              /* from four channels' weights to the next four's */
    int32_t left;                /* output channels still to do */
} quad_f32_mve_tile;

/* Output channels still to do: none, or those from the first four on that scalars must compute; x, w, bias and output are
 * theirs. */
int32_t quad_f32_mve_4(quad_f32_mve_tile *tile);
int32_t quad_f32_mve_1(quad_f32_mve_tile *tile);

/* The same where each of the channels has an input of its own: x is that of the first four, and goes along with them. Taps of a
 * row are one run, x_run from tap to tap; x_row is the distance from behind the last one to the next row. `left` is a multiple of
 * four. */
int32_t depthwise_f32_mve_4(quad_f32_mve_tile *tile);
int32_t depthwise_f32_mve_1(quad_f32_mve_tile *tile);

#endif
