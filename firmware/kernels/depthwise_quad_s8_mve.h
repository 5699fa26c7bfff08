/* Depthwise convolution, int8, MVE: the core that its kernels share.
 *
 * A strip holds words of four bytes a channel: four neighbours along the outer dimension at one position along the
 * inner one, or, for a line of taps, four neighbours along the inner one. VST4 weaves them for 16 channels at once.
 * Four words of a channel, fetched by one gather, are 16 bytes in which up to four outputs have all of their taps:
 * 2x2 outputs of a 3x3 window, four of a line of up to 13 taps, one of a 4x4 window. VMLADAV with the taps at four
 * places of otherwise zero vectors gives the outputs. */
#ifndef HIL_KERNELS_DEPTHWISE_QUAD_S8_MVE_H
#define HIL_KERNELS_DEPTHWISE_QUAD_S8_MVE_H

#include "mve.h"

/* weaves `count` groups of four vectors of 16 bytes */
typedef struct {
    const int8_t *from[4];
    int32_t step[4]; /* bytes from one vector to the next */
    int32_t bytes;   /* to read of a vector, the rest is zero; at least 1 */
    int32_t less;    /* what `bytes` falls by from vector to vector */
} depthwise_quad_s8_mve_rows;

void depthwise_quad_s8_mve_weave(int8_t *strip, const depthwise_quad_s8_mve_rows *rows, int32_t count);

/* the last two of the four rows become the first two, from[2] and from[3] the last two */
void depthwise_quad_s8_mve_roll(int8_t *strip, const depthwise_quad_s8_mve_rows *rows, int32_t count);

/* all outputs of some channels that one strip gives, eight (two gathers) a round */
typedef struct {
    const int8_t *strip;     /* first channel's first word, less `step` */
    int8_t *output;          /* of the first channel */
    const int32_t *scale;    /* multiplier, factor (requant_mve.h) and bias of each channel */
    const int8_t *taps;      /* per channel: taps, shift of the general form, 0 */
    int32_t channels, record; /* bytes per channel of `taps` */
    int32_t rounds;          /* whole ones */
    int32_t rest;            /* predicate of one more round, 16-bit lanes, or 0 */
    int32_t advance;         /* output bytes from round to round */
    int32_t back;            /* 1 - rounds * advance */
    int32_t step;            /* strip bytes from one gather to the next */
    int32_t out_zero, clamp_min, clamp_max;
    uint8_t pattern[16];     /* tap of each of 16 lanes for the first output */
    uint16_t offsets[8];     /* of outputs 0, 4, 1, 5, ... of a round */
    uint32_t gather[4];      /* offsets of the words of a gather */
} depthwise_quad_s8_mve_work;

typedef void depthwise_quad_s8_mve_function(const depthwise_quad_s8_mve_work *work);

/* Outputs of a gather: 2x2 of 3x3 taps, two of them in a row, four of a line (step 64), or one. Steps between gathers:
 * 128, which is two columns of 16 channels, or any. */
depthwise_quad_s8_mve_function depthwise_quad_s8_mve_saturating, depthwise_quad_s8_mve_saturating_any, depthwise_quad_s8_mve_saturating_row,
    depthwise_quad_s8_mve_saturating_row_any, depthwise_quad_s8_mve_saturating_line, depthwise_quad_s8_mve_saturating_one,
    depthwise_quad_s8_mve_saturating_one_any;
depthwise_quad_s8_mve_function depthwise_quad_s8_mve_general, depthwise_quad_s8_mve_general_any, depthwise_quad_s8_mve_general_row,
    depthwise_quad_s8_mve_general_row_any, depthwise_quad_s8_mve_general_line, depthwise_quad_s8_mve_general_one,
    depthwise_quad_s8_mve_general_one_any;

/* these fold to one function where the arguments are literals */
HIL_INLINE depthwise_quad_s8_mve_function *depthwise_quad_s8_mve_choose(int32_t general, int32_t step)
{
    if (general != 0) {
        return step == 128 ? depthwise_quad_s8_mve_general : depthwise_quad_s8_mve_general_any;
    }
    return step == 128 ? depthwise_quad_s8_mve_saturating : depthwise_quad_s8_mve_saturating_any;
}

HIL_INLINE depthwise_quad_s8_mve_function *depthwise_quad_s8_mve_choose_row(int32_t general, int32_t step)
{
    if (general != 0) {
        return step == 128 ? depthwise_quad_s8_mve_general_row : depthwise_quad_s8_mve_general_row_any;
    }
    return step == 128 ? depthwise_quad_s8_mve_saturating_row : depthwise_quad_s8_mve_saturating_row_any;
}

HIL_INLINE depthwise_quad_s8_mve_function *depthwise_quad_s8_mve_choose_one(int32_t general, int32_t step)
{
    if (general != 0) {
        return step == 128 ? depthwise_quad_s8_mve_general_one : depthwise_quad_s8_mve_general_one_any;
    }
    return step == 128 ? depthwise_quad_s8_mve_saturating_one : depthwise_quad_s8_mve_saturating_one_any;
}

HIL_INLINE depthwise_quad_s8_mve_function *depthwise_quad_s8_mve_choose_line(int32_t general)
{
    return general != 0 ? depthwise_quad_s8_mve_general_line : depthwise_quad_s8_mve_saturating_line;
}

/* lanes of a round whose positions along the inner dimension are below `count`; lane i is at position[i] */
HIL_INLINE int32_t depthwise_quad_s8_mve_lanes(const uint8_t *position, int32_t count)
{
    int32_t lanes = 0;
    for (int32_t i = 0; i < 8; ++i) {
        lanes |= position[i] < count ? 3 << (2 * i) : 0;
    }
    return lanes;
}

#endif
