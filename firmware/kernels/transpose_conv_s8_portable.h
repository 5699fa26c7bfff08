/* TRANSPOSE_CONV, int8, any shape. */
#ifndef HIL_KERNELS_TRANSPOSE_CONV_S8_PORTABLE_H
#define HIL_KERNELS_TRANSPOSE_CONV_S8_PORTABLE_H

#include "transpose_conv_portable.h"

typedef transpose_conv_portable_shape transpose_conv_s8_portable_shape;

/* weights: OHWI; records: bias, multiplier and shift of each output channel */
void transpose_conv_s8_portable(const int8_t *input, const int8_t *weights, const int32_t *records, int8_t *output,
                                const transpose_conv_s8_portable_shape *s);

#endif
