/* 3x3 windows of stride 1, int8, MVE: one channel in two output rows by four columns, eight accumulators.
 *
 * Each of the 24 vectors of 16 channels that their windows have is loaded once and meets up to six of the nine vectors
 * of weights, which are loaded once, too: 33 loads for 72 products, where two pixels by four channels (gemm_s8_mve.h)
 * take 54. They are read from a strip, strip[group of 16 channels][column][row][16].
 *
 * Packed weights, per output channel: bias (int32, the input's zero point folded in), eight times; per group of 16 input
 * channels, zeros beyond the last, nine vectors of weights, row by row; multiplier, factor (requant_mve.h) and the output's
 * zero point (int32); in the general form, with any clamp, a negated right shift in place of the factor, and after the zero
 * point a left shift and 1 where the right one is not 0. */
#ifndef HIL_KERNELS_CONV_TILES_3X3_S8_MVE_H
#define HIL_KERNELS_CONV_TILES_3X3_S8_MVE_H

#include "mve.h"

/* tiles of four columns beside each other */
typedef struct {
    int32_t tiles, groups, group_step; /* strip bytes from group to group */
    int32_t channels;
    int32_t pixel, line; /* output bytes from pixel to pixel and from row to row: 3 * pixel + line < 2^16 */
    int32_t clamp_min, clamp_max;
    const int32_t *edge; /* for each channel, biases of the upper and of the lower row where one has a row of padding */
} conv_tiles_3x3_s8_mve_work;

typedef void conv_tiles_3x3_s8_mve_function(const int8_t *strip, const int32_t *packed, int8_t *output,
                                            const conv_tiles_3x3_s8_mve_work *tiles);

/* of tiles inside, and of those at an edge: there the products of a first row that is padding, or of a last one, are left
 * out */
typedef struct {
    conv_tiles_3x3_s8_mve_function *inside, *upper, *lower;
} conv_tiles_3x3_s8_mve_functions;

conv_tiles_3x3_s8_mve_function conv_tiles_3x3_s8_mve_saturating, conv_tiles_3x3_s8_mve_saturating_upper,
    conv_tiles_3x3_s8_mve_saturating_lower;
conv_tiles_3x3_s8_mve_function conv_tiles_3x3_s8_mve_general, conv_tiles_3x3_s8_mve_general_upper,
    conv_tiles_3x3_s8_mve_general_lower;
/* of a single group */
conv_tiles_3x3_s8_mve_function conv_tiles_3x3_s8_mve_saturating_one, conv_tiles_3x3_s8_mve_saturating_one_upper,
    conv_tiles_3x3_s8_mve_saturating_one_lower;
conv_tiles_3x3_s8_mve_function conv_tiles_3x3_s8_mve_general_one, conv_tiles_3x3_s8_mve_general_one_upper,
    conv_tiles_3x3_s8_mve_general_one_lower;

/* folds where the arguments are literals, and only the functions that are needed are linked */
HIL_INLINE conv_tiles_3x3_s8_mve_functions conv_tiles_3x3_s8_mve_choose(int32_t general, int32_t in_c)
{
    const conv_tiles_3x3_s8_mve_functions of_general = {
        conv_tiles_3x3_s8_mve_general, conv_tiles_3x3_s8_mve_general_upper, conv_tiles_3x3_s8_mve_general_lower};
    const conv_tiles_3x3_s8_mve_functions of_general_one = {conv_tiles_3x3_s8_mve_general_one,
                                                            conv_tiles_3x3_s8_mve_general_one_upper,
                                                            conv_tiles_3x3_s8_mve_general_one_lower};
    const conv_tiles_3x3_s8_mve_functions saturating = {conv_tiles_3x3_s8_mve_saturating,
                                                        conv_tiles_3x3_s8_mve_saturating_upper,
                                                        conv_tiles_3x3_s8_mve_saturating_lower};
    const conv_tiles_3x3_s8_mve_functions saturating_one = {conv_tiles_3x3_s8_mve_saturating_one,
                                                            conv_tiles_3x3_s8_mve_saturating_one_upper,
                                                            conv_tiles_3x3_s8_mve_saturating_one_lower};
    if (general != 0) {
        return in_c <= 16 ? of_general_one : of_general;
    }
    return in_c <= 16 ? saturating_one : saturating;
}

/* weaves `count` columns, the same 16 channels or fewer of four rows */
typedef struct {
    const int8_t *from[4];
    int32_t step[4]; /* bytes from one column to the next */
    int32_t bytes;   /* to read of a vector, the rest is zero */
} conv_tiles_3x3_s8_mve_rows;

void conv_tiles_3x3_s8_mve_weave(int8_t *strip, const conv_tiles_3x3_s8_mve_rows *rows, int32_t count);

/* the same of columns of 16 channels that follow one another */
void conv_tiles_3x3_s8_mve_weave_16(int8_t *strip, const conv_tiles_3x3_s8_mve_rows *rows, int32_t count);

#endif
