/* How a layer is requantized (requant_mve.h): the compiler chooses the cheapest form that is exact. */
#ifndef HIL_KERNELS_MVE_H
#define HIL_KERNELS_MVE_H

#include "kernel.h"

#define HIL_MVE_RELU 0    /* clamp -128..127, out_zero -128, right shifts: ties of negative values do not matter */
#define HIL_MVE_SIGNED 1  /* clamp -128..127, right shifts of 1 and more, by factors */
#define HIL_MVE_GENERAL 2 /* any */
#define HIL_MVE_FLOAT 3   /* ONNX Runtime's rounding, by factors of float32; needs vectors of floats */
#define HIL_MVE_PAIRS_RELU 4   /* as RELU, eight channels at a time: gemm_pairs_s8_mve.h */
#define HIL_MVE_PAIRS_SIGNED 5 /* as SIGNED */

#endif
