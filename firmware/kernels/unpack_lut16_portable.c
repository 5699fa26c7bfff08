#include "unpack_lut16_portable.h"

HIL_SHARED void unpack_lut16_portable(const uint8_t *indices, const int8_t *values, int8_t *weights,
                                      const unpack_lut16_portable_shape *s)
{
    const uint8_t *const end = indices + s->pairs;
    while (indices < end) {
        const uint32_t pair = *indices++;
        weights[0] = values[pair & 15];
        weights[1] = values[pair >> 4];
        weights += 2;
    }
}
