/* TRANSPOSE_CONV, int8, any shape, rounded as ONNX Runtime does: sums times a float32, to the nearest, ties to even. */
#ifndef HIL_KERNELS_TRANSPOSE_CONV_S8_ONNX_PORTABLE_H
#define HIL_KERNELS_TRANSPOSE_CONV_S8_ONNX_PORTABLE_H

#include "transpose_conv_portable.h"

typedef transpose_conv_portable_shape transpose_conv_s8_onnx_portable_shape;

/* weights: OHWI; records: bias and factor, the bits of a float32, of each output channel */
void transpose_conv_s8_onnx_portable(const int8_t *input, const int8_t *weights, const int32_t *records, int8_t *output,
                                     const transpose_conv_s8_onnx_portable_shape *s);

#endif
