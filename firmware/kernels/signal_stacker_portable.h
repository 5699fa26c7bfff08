/* SignalStacker: the last frames in a row, where it is time for a stack, else zeros. */
#ifndef HIL_KERNELS_SIGNAL_STACKER_PORTABLE_H
#define HIL_KERNELS_SIGNAL_STACKER_PORTABLE_H

#include "kernel.h"

typedef struct {
    int32_t channels, frames, left, step;
} signal_stacker_portable_shape;

/* count: frames since the last stack and what of it is taken again; below 0 before the first frame */
HIL_INLINE void signal_stacker_portable(const int16_t *input, int16_t *held, int32_t *count, int16_t *output,
                                        uint8_t *valid, const signal_stacker_portable_shape *s)
{
    const int32_t total = s->frames * s->channels;
    const int32_t added = count[0] < 0 ? s->left + 1 : 1; /* the first frame stands for those before it, too */
    const int32_t seen = (count[0] < 0 ? 0 : count[0]) + added;
    const int32_t moved = total - added * s->channels;
    for (int32_t i = 0; i < moved; ++i) {
        held[i] = held[i + added * s->channels];
    }
    for (int32_t i = 0; i < added; ++i) {
        for (int32_t j = 0; j < s->channels; ++j) {
            held[moved + i * s->channels + j] = input[j];
        }
    }
    const int whole = seen >= s->frames;
    for (int32_t i = 0; i < total; ++i) {
        output[i] = whole ? held[i] : 0;
    }
    valid[0] = whole ? 1 : 0;
    count[0] = whole ? seen - s->step : seen;
}

#endif
