/* DEPTHWISE_CONV_2D, int8, through a plane of one input channel with its padding; four outputs of a line at a time.
 *
 * Lines are the image's rows or columns, whichever are longer. With multiplier 1 the output may start at the input's first
 * byte: a channel's results land on bytes of the same channel only (byte address modulo in_c is the channel), and never
 * past the input, so no other channel's input is lost before it has been copied. The zero point is folded into the bias. */
#ifndef HIL_KERNELS_DEPTHWISE_CONV_S8_PLANE_H
#define HIL_KERNELS_DEPTHWISE_CONV_S8_PLANE_H

#include "scale_s8.h"

typedef struct {
    scale_s8_shape scale;
    int32_t batches, channels, multiplier, in_bytes, out_bytes;
    int32_t lines, line_step, elements, element_step;                 /* of the image, as far as windows reach */
    int32_t out_lines, out_line_step, out_elements, out_element_step; /* of the output */
    int32_t taps_v, taps_u, tap_step_v, tap_step_u;                   /* of the weights, in bytes */
    int32_t stride_v, stride_u, dilation_v, dilation_u;
    int32_t plane_bytes, plane_line, plane_first; /* all, from line to line, and from the start to the image's corner */
    int32_t in_zero;
} depthwise_conv_s8_plane_shape;

/* scratch: the plane, then a channel's weights */
void depthwise_conv_s8_plane(const int8_t *input, const int8_t *weights, const int32_t *records, int8_t *output,
                             int8_t *scratch, const depthwise_conv_s8_plane_shape *s);

#endif
