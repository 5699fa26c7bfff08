/* Sums over a window of an image, int8, for up to 16 neighbouring channels, MVE: pools and means. */
#ifndef HIL_KERNELS_WINDOW_SUMS_S8_MVE_H
#define HIL_KERNELS_WINDOW_SUMS_S8_MVE_H

#include "kernel.h"

typedef struct {
    int32_t rows, columns; /* 1 and more; at most 256 columns, whose sums fit 16 bits */
    int32_t column, row;   /* bytes from one to the next */
} window_sums_s8_mve_window;

/* writes 16 sums; those of channels beyond `channels` mean nothing */
void window_sums_s8_mve(const int8_t *x, int32_t *sums, int32_t channels, const window_sums_s8_mve_window *window);

#endif
