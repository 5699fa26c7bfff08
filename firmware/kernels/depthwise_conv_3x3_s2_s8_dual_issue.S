/* DEPTHWISE_CONV_2D 3x3, stride 2, int8, on the Cortex-M7. */
#define HIL_STRIDE 2
#define HIL_DUAL_ISSUE
#include "depthwise_3x3_asm.h"

    depthwise_3x3 depthwise_conv_3x3_s2_s8_dual_issue
