/* SignalOverlapAdd, float32: frames summed where they overlap; the state are the sums that more frames are added to. */
#ifndef HIL_KERNELS_SIGNAL_OVERLAP_ADD_F32_PORTABLE_H
#define HIL_KERNELS_SIGNAL_OVERLAP_ADD_F32_PORTABLE_H

#include "kernel.h"

typedef struct {
    int32_t rows, frames, size, step;
} signal_overlap_add_f32_portable_shape;

HIL_INLINE void signal_overlap_add_f32_portable(const float *input, float *sums, float *output,
                                               const signal_overlap_add_f32_portable_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        for (int32_t frame = 0; frame < s->frames; ++frame) {
            for (int32_t i = 0; i < s->size; ++i) {
                const float sum = input[i] + sums[i];
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
