/* Copies `bytes` bytes between places that may overlap: variables, whose old value may lie beside the new one. */
#ifndef HIL_KERNELS_MOVE_PORTABLE_H
#define HIL_KERNELS_MOVE_PORTABLE_H

#include "kernel.h"

typedef struct {
    int32_t bytes;
} move_portable_shape;

void move_portable(const uint8_t *input, uint8_t *output, const move_portable_shape *s);

#endif
