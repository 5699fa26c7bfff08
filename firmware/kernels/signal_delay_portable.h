/* SignalDelay: rows that go on from one inference to the next, some samples late. */
#ifndef HIL_KERNELS_SIGNAL_DELAY_PORTABLE_H
#define HIL_KERNELS_SIGNAL_DELAY_PORTABLE_H

#include "kernel.h"

typedef struct {
    int32_t rows, size, delay;
} signal_delay_portable_shape;

HIL_INLINE void signal_delay_portable(const int16_t *input, int16_t *held, int16_t *output,
                                      const signal_delay_portable_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        for (int32_t i = 0; i < s->size; ++i) {
            output[i] = i < s->delay ? held[i] : input[i - s->delay];
        }
        for (int32_t i = 0; i < s->delay; ++i) {
            held[i] = i + s->size < s->delay ? held[i + s->size] : input[i + s->size - s->delay];
        }
        held += s->delay;
        input += s->size;
        output += s->size;
    }
}

#endif
