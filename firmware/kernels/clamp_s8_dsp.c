#include "clamp_s8_dsp.h"

#include <string.h>

#include "minmax_s8_dsp.h"

HIL_SHARED void clamp_s8_dsp(int8_t *data, const clamp_s8_dsp_shape *s)
{
    const uint32_t low = (uint32_t)(s->clamp_min & 0xff) * UINT32_C(0x01010101);
    const uint32_t high = (uint32_t)(s->clamp_max & 0xff) * UINT32_C(0x01010101);
    int32_t left = s->count;
    for (; left >= 4; left -= 4) {
        uint32_t four;
        memcpy(&four, data, 4);
        four = hil_min_s8x4(hil_max_s8x4(four, low), high);
        memcpy(data, &four, 4);
        data += 4;
    }
    for (; left > 0; --left) {
        const int32_t x = *data;
        *data++ = (int8_t)(x < s->clamp_min ? s->clamp_min : (x > s->clamp_max ? s->clamp_max : x));
    }
}
