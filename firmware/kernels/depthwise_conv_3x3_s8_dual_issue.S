/* DEPTHWISE_CONV_2D 3x3, stride 1, int8, on the Cortex-M7. */
#define HIL_STRIDE 1
#define HIL_DUAL_ISSUE
#include "depthwise_3x3_asm.h"

    depthwise_3x3 depthwise_conv_3x3_s8_dual_issue
