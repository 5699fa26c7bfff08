#include "unpack_lut16_mve.h"

#include <arm_mve.h>

HIL_SHARED void unpack_lut16_mve(const int32_t *packed, const int8_t *table, int32_t *unpacked,
                                 const unpack_lut16_mve_shape *s)
{
    const uint8_t step = (uint8_t)s->table_step;
    const int32_t size = s->size;
    const uint8x16_t half = vdupq_n_u8(15);
    /* in a tail the second 8 of 16 lanes are the next channel's */
    const uint8x16_t next = vdupq_m_n_u8(vdupq_n_u8(0), step, (mve_pred16_t)0xff00);
    for (int32_t block = 0; block < s->blocks; ++block) {
        for (int32_t i = 0; i < s->head; ++i) {
            *unpacked++ = *packed++;
        }
        const uint8_t *from = (const uint8_t *)packed;
        uint8_t *to = (uint8_t *)unpacked;
        for (int32_t i = 0; i < s->steps; ++i) {
            uint8_t first = 0;
            for (int32_t channel = 0; channel < size; channel += 2) {
                const uint8x16_t pair = vldrbq_u8(from);
                const uint8x16_t low = vaddq_n_u8(vandq_u8(pair, half), first);
                const uint8x16_t high = vaddq_n_u8(vshrq_n_u8(pair, 4), (uint8_t)(first + step));
                vstrbq_u8(to, vldrbq_gather_offset_u8((const uint8_t *)table, low));
                vstrbq_u8(to + 16, vldrbq_gather_offset_u8((const uint8_t *)table, high));
                from += 16;
                to += 32;
                first = (uint8_t)(first + 2 * step);
            }
        }
        if (s->tail != 0) {
            uint8_t first = 0;
            for (int32_t channel = 0; channel < size; channel += 4) {
                const uint8x16_t pair = vldrbq_u8(from);
                const uint8x16_t low = vaddq_n_u8(vaddq_u8(vandq_u8(pair, half), next), first);
                const uint8x16_t high = vaddq_n_u8(vaddq_u8(vshrq_n_u8(pair, 4), next), (uint8_t)(first + 2 * step));
                vstrbq_u8(to, vldrbq_gather_offset_u8((const uint8_t *)table, low));
                vstrbq_u8(to + 16, vldrbq_gather_offset_u8((const uint8_t *)table, high));
                from += 16;
                to += 32;
                first = (uint8_t)(first + 4 * step);
            }
        }
        packed = (const int32_t *)(const void *)from;
        unpacked = (int32_t *)(void *)to;
        for (int32_t i = 0; i < s->end; ++i) {
            *unpacked++ = *packed++;
        }
        table += size * s->table_step;
    }
}
