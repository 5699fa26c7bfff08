/* DEPTHWISE_CONV_2D 3x3, stride 1, int8, in assembly. The output may start at the input's first byte. */
#ifndef HIL_KERNELS_DEPTHWISE_CONV_3X3_S8_DUAL_ISSUE_H
#define HIL_KERNELS_DEPTHWISE_CONV_3X3_S8_DUAL_ISSUE_H

#include "depthwise_3x3_s8.h"

typedef depthwise_3x3_s8_shape depthwise_conv_3x3_s8_dual_issue_shape;

void depthwise_conv_3x3_s8_dual_issue(const int8_t *input, const int32_t *weights, int8_t *output, int32_t *scratch,
                              const depthwise_conv_3x3_s8_dual_issue_shape *s);

#endif
