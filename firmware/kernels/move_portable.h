/* Copies `bytes` bytes between places that may overlap: variables, whose old value may lie beside the new one. */
#ifndef HIL_KERNELS_MOVE_PORTABLE_H
#define HIL_KERNELS_MOVE_PORTABLE_H

#include <string.h>

#include "kernel.h"

typedef struct {
    int32_t bytes;
} move_portable_shape;

/* From the end that lies over the other first: what is written has been read. Places need not begin at words. */
HIL_INLINE void move_portable(const uint8_t *input, uint8_t *output, const move_portable_shape *s)
{
    const int32_t words = s->bytes / 4;
    if ((uintptr_t)output <= (uintptr_t)input) {
        for (int32_t i = 0; i < words; ++i) {
            uint32_t word;
            memcpy(&word, input + 4 * i, 4);
            memcpy(output + 4 * i, &word, 4);
        }
        for (int32_t i = 4 * words; i < s->bytes; ++i) {
            output[i] = input[i];
        }
    } else {
        for (int32_t i = s->bytes - 1; i >= 4 * words; --i) {
            output[i] = input[i];
        }
        for (int32_t i = words - 1; i >= 0; --i) {
            uint32_t word;
            memcpy(&word, input + 4 * i, 4);
            memcpy(output + 4 * i, &word, 4);
        }
    }
}

#endif
