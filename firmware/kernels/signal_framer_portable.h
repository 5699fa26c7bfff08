/* SignalFramer: frames of the last samples by steps; frames are zeros until enough steps came in. */
#ifndef HIL_KERNELS_SIGNAL_FRAMER_PORTABLE_H
#define HIL_KERNELS_SIGNAL_FRAMER_PORTABLE_H

#include "kernel.h"

typedef struct {
    int32_t rows, frames, size, step;
    int32_t kept;   /* samples held from one inference to the next */
    int32_t before; /* steps before the first frame */
} signal_framer_portable_shape;

HIL_INLINE void signal_framer_portable(const int16_t *input, int16_t *held, int32_t *steps, int16_t *output,
                                       uint8_t *valid, const signal_framer_portable_shape *s)
{
    const int32_t seen = steps[0];
    for (int32_t row = 0; row < s->rows; ++row) {
        for (int32_t frame = 0; frame < s->frames; ++frame) {
            for (int32_t i = 0; i < s->size; ++i) {
                const int32_t from = frame * s->step + i;
                const int16_t value = from < s->kept ? held[from] : input[from - s->kept];
                output[i] = seen + frame >= s->before ? value : 0;
            }
            output += s->size;
        }
        const int32_t count = s->frames * s->step;
        for (int32_t i = 0; i < s->kept; ++i) {
            held[i] = i + count < s->kept ? held[i + count] : input[i + count - s->kept];
        }
        held += s->kept;
        input += count;
    }
    valid[0] = seen >= s->before ? 1 : 0;
    steps[0] = seen + s->frames < s->before ? seen + s->frames : s->before;
}

#endif
