/* Sets bytes, MVE: three instructions for sixteen. */
#ifndef HIL_KERNELS_FILL_MVE_H
#define HIL_KERNELS_FILL_MVE_H

#include "kernel.h"

void fill_mve(int8_t *bytes, int32_t value, int32_t count);

#endif
