/* What Winograd's convolutions F(4x4, 3x3) share: the record of two tiles' outputs and the inner kernel. */
#ifndef HIL_KERNELS_WINOGRAD_H
#define HIL_KERNELS_WINOGRAD_H

#include "kernel.h"
#include "winograd_end.h"

/* Words of an output channel's constants: twice its bias, multiplier, addend, and shift less one (harness/kernels/requant.py), or 256
 * times its bias with the offset, multiplier and two that are not read (requant_linear.py). */
#define HIL_WINOGRAD_CHANNEL_WORDS 4

/* The assembly reads it in this order. Where the outputs of two tiles begin; `pixel`: bytes from one output to the next, `next`: from
 * the second of a row to the first of the next row. */
typedef struct {
    int8_t *first, *second;
    int32_t pixel, next;
    const int32_t *channels;
} winograd_outputs;

/* four output channels of two tiles, from transformed weights and inputs */
typedef void winograd_block(const int32_t *weights, const int32_t *tiles, const winograd_outputs *outputs);

#endif
