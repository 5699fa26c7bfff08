#include "depthwise_conv_s8_plane.h"

#include <string.h>

/* four windows, `stride` apart; a literal 1 where it is 1 */
HIL_INLINE void plane_quad(const depthwise_conv_s8_plane_shape *s, uint32_t *sums, const int8_t *x, const int8_t *w,
                           int32_t stride)
{
    uint32_t a = 0, b = 0, c = 0, d = 0;
    for (int32_t v = s->taps_v; v > 0; --v) {
        const int8_t *p = x;
        for (int32_t u = s->taps_u; u > 0; --u) {
            const int32_t tap = *w++;
            a += (uint32_t)(tap * p[0]);
            b += (uint32_t)(tap * p[stride]);
            c += (uint32_t)(tap * p[2 * stride]);
            d += (uint32_t)(tap * p[3 * stride]);
            p += s->dilation_u;
        }
        x += s->dilation_v * s->plane_line;
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

/* the same for three neighbouring taps a line and windows 1 apart, which share their inputs */
HIL_INLINE void plane_quad_of_three(const depthwise_conv_s8_plane_shape *s, uint32_t *sums, const int8_t *x,
                                    const int8_t *w)
{
    uint32_t a = 0, b = 0, c = 0, d = 0;
    for (int32_t v = s->taps_v; v > 0; --v) {
        const int32_t k0 = w[0];
        const int32_t k1 = w[1];
        const int32_t k2 = w[2];
        const int32_t x0 = x[0];
        const int32_t x1 = x[1];
        const int32_t x2 = x[2];
        const int32_t x3 = x[3];
        const int32_t x4 = x[4];
        const int32_t x5 = x[5];
        a += (uint32_t)(k0 * x0) + (uint32_t)(k1 * x1) + (uint32_t)(k2 * x2);
        b += (uint32_t)(k0 * x1) + (uint32_t)(k1 * x2) + (uint32_t)(k2 * x3);
        c += (uint32_t)(k0 * x2) + (uint32_t)(k1 * x3) + (uint32_t)(k2 * x4);
        d += (uint32_t)(k0 * x3) + (uint32_t)(k1 * x4) + (uint32_t)(k2 * x5);
        w += 3;
        x += s->dilation_v * s->plane_line;
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
}

HIL_INLINE uint32_t plane_single(const depthwise_conv_s8_plane_shape *s, const int8_t *x, const int8_t *w)
{
    uint32_t sum = 0;
    for (int32_t v = s->taps_v; v > 0; --v) {
        const int8_t *p = x;
        for (int32_t u = s->taps_u; u > 0; --u) {
            sum += (uint32_t)(*w++ * *p);
            p += s->dilation_u;
        }
        x += s->dilation_v * s->plane_line;
    }
    return sum;
}

/* one output line of one channel */
HIL_INLINE void plane_line(const depthwise_conv_s8_plane_shape *s, const int8_t *x, const int8_t *w,
                           const int32_t *record, int8_t *output)
{
    const int32_t step = s->out_element_step;
    uint32_t sums[4];
    int32_t left = s->out_elements;
    while (left >= 4) {
        if (s->taps_u == 3 && s->stride_u == 1 && s->dilation_u == 1) {
            plane_quad_of_three(s, sums, x, w);
        } else if (s->stride_u == 1) {
            plane_quad(s, sums, x, w, 1);
        } else {
            plane_quad(s, sums, x, w, s->stride_u);
        }
        scale_s8(sums, record, 0, output, step, 4, &s->scale);
        /* the last four may overlap the four before */
        const int32_t next = left >= 8 ? 4 : left - 4;
        left -= next == 0 ? 4 : next;
        x += next * s->stride_u;
        output += next * step;
    }
    if (s->out_elements < 4) {
        for (; left > 0; --left) {
            sums[0] = plane_single(s, x, w);
            scale_s8(sums, record, 0, output, step, 1, &s->scale);
            x += s->stride_u;
            output += step;
        }
    }
}

/* a channel of an image into the plane; around it the plane keeps the zero point */
HIL_INLINE void plane_fill(const depthwise_conv_s8_plane_shape *s, const int8_t *input, int8_t *plane)
{
    int8_t *line = plane + s->plane_first;
    for (int32_t v = s->lines; v > 0; --v) {
        const int8_t *x = input;
        int8_t *to = line;
        for (int32_t u = s->elements; u > 0; --u) {
            *to++ = *x;
            x += s->element_step;
        }
        input += s->line_step;
        line += s->plane_line;
    }
}

HIL_INLINE void plane_weights(const depthwise_conv_s8_plane_shape *s, const int8_t *weights, int8_t *own)
{
    for (int32_t v = 0; v < s->taps_v; ++v) {
        const int8_t *w = weights + v * s->tap_step_v;
        for (int32_t u = s->taps_u; u > 0; --u) {
            *own++ = *w;
            w += s->tap_step_u;
        }
    }
}

HIL_SHARED void depthwise_conv_s8_plane(const int8_t *input, const int8_t *weights, const int32_t *records,
                                        int8_t *output, int8_t *scratch, const depthwise_conv_s8_plane_shape *s)
{
    int8_t *const own = scratch + s->plane_bytes;
    memset(scratch, s->in_zero, (size_t)s->plane_bytes);
    for (int32_t n = 0; n < s->batches; ++n) {
        int32_t oc = 0;
        for (int32_t c = 0; c < s->channels; ++c) {
            plane_fill(s, input + c, scratch);
            for (int32_t m = s->multiplier; m > 0; --m) {
                plane_weights(s, weights + oc, own);
                const int8_t *x = scratch;
                int8_t *line = output + oc;
                for (int32_t v = s->out_lines; v > 0; --v) {
                    plane_line(s, x, own, records + oc * s->scale.words, line);
                    x += s->stride_v * s->plane_line;
                    line += s->out_line_step;
                }
                ++oc;
            }
        }
        input += s->in_bytes;
        output += s->out_bytes;
    }
}
