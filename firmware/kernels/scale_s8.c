#include "scale_s8.h"

#include "floats.h"
#include "requant_linear.h"
#include "requantize.h"

HIL_INLINE int32_t scale_s8_linear(uint32_t sum, const int32_t *k)
{
    const int32_t scaled = (int32_t)((sum << HIL_LINEAR_SCALE_BITS) + (uint32_t)k[0]);
    return (int32_t)(((int64_t)scaled * k[1]) >> 32) >> HIL_LINEAR_FRACTION_BITS;
}

HIL_INLINE int32_t scale_s8_rounded(uint32_t sum, const int32_t *k)
{
    const int32_t doubled = (int32_t)((sum + (uint32_t)k[0]) << 1);
    const int32_t high = (int32_t)(((int64_t)doubled * k[1] + (INT64_C(1) << 31)) >> 32);
    return (high + (high >> 31) + k[2]) >> k[3];
}

/* low and high: of the output less its zero point */
HIL_INLINE int32_t scale_s8_float(uint32_t sum, const int32_t *k, float low, float high)
{
    const float scaled = hil_rounded(hil_float_of((int32_t)(sum + (uint32_t)k[0])) * hil_bits_float(k[1]));
    return hil_nearest_even(hil_float_clamp(scaled, low, high));
}

HIL_SHARED void scale_s8(const uint32_t *sums, const int32_t *records, int32_t record_step, int8_t *output, int32_t step,
                         int32_t count, const scale_s8_shape *s)
{
    const int32_t low = s->clamp_min;
    const int32_t high = s->clamp_max;
    if (s->form == HIL_SCALE_LINEAR) {
        for (; count > 0; --count) {
            *output = (int8_t)hil_clamp(scale_s8_linear(*sums++, records), low, high);
            output += step;
            records += record_step;
        }
    } else if (s->form == HIL_SCALE_ROUNDED) {
        for (; count > 0; --count) {
            *output = (int8_t)hil_clamp(scale_s8_rounded(*sums++, records), low, high);
            output += step;
            records += record_step;
        }
    } else if (s->form == HIL_SCALE_FLOAT) {
        const float least = hil_float_of(low - s->out_zero);
        const float most = hil_float_of(high - s->out_zero);
        for (; count > 0; --count) {
            *output = (int8_t)(scale_s8_float(*sums++, records, least, most) + s->out_zero);
            output += step;
            records += record_step;
        }
    } else {
        for (; count > 0; --count) {
            const int32_t scaled = hil_requantize((int32_t)(*sums++ + (uint32_t)records[0]), records[1], records[2]);
            *output = (int8_t)hil_clamp(hil_wrap_add(scaled, s->out_zero), low, high);
            output += step;
            records += record_step;
        }
    }
}
