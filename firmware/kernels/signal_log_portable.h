/* SignalFilterBankLog: scaled natural logarithms, at most 32767; 0 of 0 and 1. */
#ifndef HIL_KERNELS_SIGNAL_LOG_PORTABLE_H
#define HIL_KERNELS_SIGNAL_LOG_PORTABLE_H

#include "signal_bits.h"

typedef struct {
    int32_t count, scale, correction;
} signal_log_portable_shape;

/* table: log2(1 + x) - x at every 1/128, with 16 fraction bits */
HIL_INLINE uint32_t hil_signal_log(uint32_t x, uint32_t scale, const uint16_t *table)
{
    const int32_t whole = hil_bits(x) - 1;
    const uint32_t rest = x - (UINT32_C(1) << whole);
    const uint32_t part = whole < 16 ? rest << (16 - whole) : rest >> (whole - 16);
    const uint32_t segment = part >> 9;
    const int32_t low = table[segment], high = table[segment + 1];
    const int32_t between = ((high - low) * (int32_t)(part & 511)) >> 16;
    const uint32_t log2 = ((uint32_t)whole << 16) + part + (uint32_t)(low + between);
    const uint32_t natural = (uint32_t)((UINT64_C(45426) * log2 + 32768) >> 16);
    return (scale * natural + 32768) >> 16;
}

HIL_INLINE void signal_log_portable(const uint32_t *input, const uint16_t *table, int16_t *output,
                                    const signal_log_portable_shape *s)
{
    for (int32_t i = 0; i < s->count; ++i) {
        const uint32_t scaled = input[i] << s->correction;
        const uint32_t log = scaled > 1 ? hil_signal_log(scaled, (uint32_t)s->scale, table) : 0;
        output[i] = (int16_t)(log < INT16_MAX ? log : INT16_MAX);
    }
}

#endif
