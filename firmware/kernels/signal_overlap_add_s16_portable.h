/* SignalOverlapAdd, int16: frames summed where they overlap; the state are the sums that more frames are added to. */
#ifndef HIL_KERNELS_SIGNAL_OVERLAP_ADD_S16_PORTABLE_H
#define HIL_KERNELS_SIGNAL_OVERLAP_ADD_S16_PORTABLE_H

#include "requantize.h"

typedef struct {
    int32_t rows, frames, size, step;
} signal_overlap_add_s16_portable_shape;

HIL_INLINE void signal_overlap_add_s16_portable(const int16_t *input, int16_t *sums, int16_t *output,
                                               const signal_overlap_add_s16_portable_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        for (int32_t frame = 0; frame < s->frames; ++frame) {
            for (int32_t i = 0; i < s->size; ++i) {
                const int16_t sum = (int16_t)hil_clamp(input[i] + sums[i], INT16_MIN, INT16_MAX);
                if (i < s->step) {
                    output[i] = sum;
                } else {
                    sums[i - s->step] = sum;
                }
            }
            for (int32_t i = s->size - s->step; i < s->size; ++i) {
                sums[i] = 0;
            }
            input += s->size;
            output += s->step;
        }
        sums += s->size;
    }
}

#endif
