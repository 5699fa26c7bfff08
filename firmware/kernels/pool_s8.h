/* Shape of the pooling kernels. */
#ifndef HIL_KERNELS_POOL_S8_H
#define HIL_KERNELS_POOL_S8_H

#include "requantize.h"
#include "window.h"

typedef struct {
    int32_t batches, in_h, in_w, channels, out_h, out_w;
    int32_t kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
    int32_t clamp_min, clamp_max;
} pool_s8_shape;

typedef struct {
    int32_t ky_first, ky_end, kx_first, kx_end;
    const int8_t *first; /* first element inside the image, channel 0 */
} pool_s8_window;

/* the part of output pixel (oy, ox)'s window that lies inside the image */
HIL_INLINE pool_s8_window pool_s8_window_at(const pool_s8_shape *s, const int8_t *image, int32_t oy, int32_t ox)
{
    const int32_t iy = oy * s->stride_h - s->pad_top;
    const int32_t ix = ox * s->stride_w - s->pad_left;
    pool_s8_window w;
    w.ky_first = hil_first_tap(iy, 1);
    w.ky_end = hil_end_tap(iy, 1, s->kernel_h, s->in_h);
    w.kx_first = hil_first_tap(ix, 1);
    w.kx_end = hil_end_tap(ix, 1, s->kernel_w, s->in_w);
    w.first = image + ((iy + w.ky_first) * s->in_w + ix + w.kx_first) * s->channels;
    return w;
}

#endif
