/* SignalWindow: rows times a window, shifted right and saturated. */
#ifndef HIL_KERNELS_SIGNAL_WINDOW_PORTABLE_H
#define HIL_KERNELS_SIGNAL_WINDOW_PORTABLE_H

#include "requantize.h"

typedef struct {
    int32_t rows, size, shift;
} signal_window_portable_shape;

HIL_INLINE void signal_window_portable(const int16_t *input, const int16_t *window, int16_t *output,
                                       const signal_window_portable_shape *s)
{
    for (int32_t row = 0; row < s->rows; ++row) {
        for (int32_t i = 0; i < s->size; ++i) {
            output[i] = (int16_t)hil_clamp((input[i] * window[i]) >> s->shift, INT16_MIN, INT16_MAX);
        }
        input += s->size;
        output += s->size;
    }
}

#endif
