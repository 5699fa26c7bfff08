/* From sums of products to int8 outputs, for the portable kernels: four channels, or one channel's four pixels, at a time.
 *
 * Records of a channel, in int32 words, by form:
 *   LINEAR   start, multiplier: one line, harness/kernels/requant_linear.py; a sum counts 256 times
 *   ROUNDED  start, multiplier, addend, shift: harness/kernels/requant.py
 *   GENERAL  start, multiplier, shift: TensorFlow Lite Micro's two roundings (requantize.h)
 *   FLOAT    start, factor: ONNX Runtime's rounding (harness/quantization/onnx_rounding.py), the factor a float32
 * A start is the bias, and what the form adds to it. */
#ifndef HIL_KERNELS_SCALE_S8_H
#define HIL_KERNELS_SCALE_S8_H

#include "kernel.h"

#define HIL_SCALE_LINEAR 0
#define HIL_SCALE_ROUNDED 1
#define HIL_SCALE_GENERAL 2
#define HIL_SCALE_FLOAT 3

typedef struct {
    int32_t form;
    int32_t words; /* of a record */
    int32_t out_zero, clamp_min, clamp_max;
} scale_s8_shape;

/* `count` outputs, `step` bytes apart, from as many sums; record_step: words from one sum's record to the next, or 0 */
void scale_s8(const uint32_t *sums, const int32_t *records, int32_t record_step, int8_t *output, int32_t step,
              int32_t count, const scale_s8_shape *s);

#endif
