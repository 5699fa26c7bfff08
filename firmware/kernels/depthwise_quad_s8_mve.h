/* Depthwise convolution with stride 1 of a 3x3 window or of up to 13 taps in a line, int8, MVE: the shared core.
 *
 * A strip holds words of four bytes a channel: four neighbours along the outer dimension at one position along the inner
 * one (3x3), or four neighbours along the inner dimension (a line). VST4 weaves them for 16 channels at once. Four words of a
 * channel, fetched by one gather, are 16 bytes in which four outputs have all of their taps: 2x2 outputs of a 3x3 window, or
 * four in a line. Four VMLADAV with the taps at four places of otherwise zero vectors give the four outputs. */
#ifndef HIL_KERNELS_DEPTHWISE_QUAD_S8_MVE_H
#define HIL_KERNELS_DEPTHWISE_QUAD_S8_MVE_H

#include "kernel.h"

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
    const int32_t *scale;    /* bias and multiplier of each channel */
    const int8_t *taps;      /* per channel: taps, shift, 0 */
    int32_t channels, record; /* bytes per channel of `taps` */
    int32_t rounds;          /* whole ones */
    int32_t lanes;           /* predicate of whole rounds, 16-bit lanes */
    int32_t rest;            /* predicate of one more round, or 0 */
    int32_t advance;         /* output bytes from round to round */
    int32_t back;            /* 1 - rounds * advance */
    int32_t step;            /* strip bytes from one gather to the next */
    int32_t out_zero, clamp_min, clamp_max, unused;
    uint8_t pattern[16];     /* tap of each of 16 lanes for the first output */
    uint16_t offsets[8];     /* of outputs 0, 4, 1, 5, ... of a round */
    uint32_t gather[4];      /* offsets of the words of a gather */
} depthwise_quad_s8_mve_work;

typedef void depthwise_quad_s8_mve_function(const depthwise_quad_s8_mve_work *work);

/* 3x3 with step 128 (16 channels a column), 3x3 with any step, and a line with step 64 */
depthwise_quad_s8_mve_function depthwise_quad_s8_mve_relu, depthwise_quad_s8_mve_relu_any,
    depthwise_quad_s8_mve_relu_line;
depthwise_quad_s8_mve_function depthwise_quad_s8_mve_signed, depthwise_quad_s8_mve_signed_any,
    depthwise_quad_s8_mve_signed_line;
depthwise_quad_s8_mve_function depthwise_quad_s8_mve_general, depthwise_quad_s8_mve_general_any,
    depthwise_quad_s8_mve_general_line;

#endif
