/* Copies bytes, MVE: three instructions for sixteen. */
#ifndef HIL_KERNELS_COPY_MVE_H
#define HIL_KERNELS_COPY_MVE_H

#include "kernel.h"

void copy_mve(void *to, const void *from, int32_t count);

#endif
