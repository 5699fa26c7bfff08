#include "clamp_s8_dsp.h"

#include <string.h>

/* the larger of each of four int8 */
HIL_INLINE uint32_t clamp_s8_dsp_max(uint32_t x, uint32_t y)
{
    uint32_t r;
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(r) : "r"(x), "r"(y));
    return r;
}

/* the smaller of each of four int8 */
HIL_INLINE uint32_t clamp_s8_dsp_min(uint32_t x, uint32_t y)
{
    uint32_t r;
    __asm__("ssub8 %0, %1, %2\n\tsel %0, %2, %1" : "=&r"(r) : "r"(x), "r"(y));
    return r;
}

HIL_SHARED void clamp_s8_dsp(int8_t *data, const clamp_s8_dsp_shape *s)
{
    const uint32_t low = (uint32_t)(s->clamp_min & 0xff) * UINT32_C(0x01010101);
    const uint32_t high = (uint32_t)(s->clamp_max & 0xff) * UINT32_C(0x01010101);
    int32_t left = s->count;
    for (; left >= 4; left -= 4) {
        uint32_t four;
        memcpy(&four, data, 4);
        four = clamp_s8_dsp_min(clamp_s8_dsp_max(four, low), high);
        memcpy(data, &four, 4);
        data += 4;
    }
    for (; left > 0; --left) {
        const int32_t x = *data;
        *data++ = (int8_t)(x < s->clamp_min ? s->clamp_min : (x > s->clamp_max ? s->clamp_max : x));
    }
}
