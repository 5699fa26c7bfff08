/* Rows of an image, woven into a strip in which every window of a convolution is one run of bytes, int8, MVE.
 *
 * The strip of one output row has, column by column, the `in_c` channels of each of the kernel_h input rows:
 * strip[column][ky][channel]. A window of kernel_w columns is then kernel_w * kernel_h * in_c bytes in a row, and the
 * window stride_w columns further starts stride_w * kernel_h * in_c bytes later. */
#ifndef HIL_KERNELS_CONV_STRIP_S8_MVE_H
#define HIL_KERNELS_CONV_STRIP_S8_MVE_H

#include "kernel.h"

typedef struct {
    int32_t depth;       /* channels */
    int32_t input_step;  /* bytes from one column of the input to the next; 0 to repeat 64 bytes (see below) */
    int32_t column;      /* bytes from one column of the strip to the next */
    int32_t group;       /* columns that are woven at once, with `offsets`; 0 for one at a time */
    uint8_t offsets[16]; /* of 16 neighbouring bytes of the input in the strip */
} conv_strip_s8_mve_shape;

/* Weaves `columns` (1 or more) of one row into the strip. With input_step 0, input is 64 bytes of padding. */
void conv_strip_s8_mve(int8_t *strip, const int8_t *input, int32_t columns, const conv_strip_s8_mve_shape *s);

/* few channels are woven several columns at once, where the offsets fit */
HIL_INLINE void conv_strip_s8_mve_prepare(conv_strip_s8_mve_shape *s, int32_t in_c, int32_t kernel_h)
{
    s->depth = in_c;
    s->column = in_c * kernel_h;
    s->group = in_c <= 8 && 15 / in_c * s->column + in_c <= 256 ? 16 / in_c : 0;
    if (s->group != 0) {
        uint8_t *offset = s->offsets;
        for (int32_t start = 0; offset < s->offsets + 16; start += s->column) {
            for (int32_t c = 0; c < in_c && offset < s->offsets + 16; ++c) {
                *offset++ = (uint8_t)(start + c);
            }
        }
    }
}

#endif
