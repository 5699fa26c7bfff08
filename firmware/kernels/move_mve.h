/* Copies `bytes` bytes between places that may overlap, MVE: variables, whose old value may lie beside the new one. */
#ifndef HIL_KERNELS_MOVE_MVE_H
#define HIL_KERNELS_MOVE_MVE_H

#include "kernel.h"

typedef struct {
    int32_t bytes;
} move_mve_shape;

void move_mve(const uint8_t *input, uint8_t *output, const move_mve_shape *s);

#endif
