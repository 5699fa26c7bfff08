/* Blocks of packed weights of 16 values -> as gemm_s8_mve.h or fully_connected_s8_mve.h have them, on MVE.
 *
 * A block's words before the weights (head) and after them (end) are as they will be. Between them are indices of four bits:
 * of every 32 weights the first 16 in the lower halves of 16 bytes. */
#ifndef HIL_KERNELS_UNPACK_LUT16_MVE_H
#define HIL_KERNELS_UNPACK_LUT16_MVE_H

#include "kernel.h"

/* size: channels of a block. steps: of 16 weights a channel; tail: 8 weights a channel after them, or 0. table_step: from
 * one channel's 16 values to the next one's; 0 where all share them. */
typedef struct {
    int32_t blocks, size, steps, tail, head, end, table_step;
} unpack_lut16_mve_shape;

void unpack_lut16_mve(const int32_t *packed, const int8_t *table, int32_t *unpacked, const unpack_lut16_mve_shape *s);

#endif
