/* Depthwise convolution of large windows, int8, MVE: eight outputs of a line and a channel at a time.
 *
 * The strip has the rows of a line's windows: strip[row][word][16 channels], a word being four neighbours of a channel along
 * the inner dimension (depthwise_quad_s8_mve.h weaves them). A gather of four words is a row of 16 positions, or two rows of
 * eight where windows are up to five wide, and so is a vector of taps. Moved by 0 to 3 positions between zeros, it gives
 * four neighbouring outputs, and again four of the words one further. */
#ifndef HIL_KERNELS_DEPTHWISE_TILES_S8_MVE_H
#define HIL_KERNELS_DEPTHWISE_TILES_S8_MVE_H

#include "mve.h"

#define HIL_DEPTHWISE_TILES_GROUPS 13 /* at most */

typedef struct {
    const int8_t *strip;     /* first channel's first word */
    int8_t *output;          /* of the first channel */
    const int32_t *scale;    /* multiplier, factor (requant_mve.h) and bias of each channel */
    const int8_t *taps;      /* per channel: taps, shift of the general form, 0 */
    int32_t channels, record; /* bytes per channel of `taps` */
    int32_t groups;          /* rows, or pairs of them */
    int32_t group_step;      /* strip bytes from group to group */
    int32_t rounds;          /* of eight outputs, the last one included */
    uint32_t last;           /* predicate of the last one, 16-bit lanes */
    int32_t step;            /* output bytes from one output to the next */
    int32_t out_zero, clamp_min, clamp_max;
    uint32_t gather[4];      /* offsets of a group's words */
    uint8_t pattern[HIL_DEPTHWISE_TILES_GROUPS][16]; /* tap of each lane of each group */
} depthwise_tiles_s8_mve_work;

typedef void depthwise_tiles_s8_mve_function(const depthwise_tiles_s8_mve_work *work);

depthwise_tiles_s8_mve_function depthwise_tiles_s8_mve_saturating, depthwise_tiles_s8_mve_general;

#endif
