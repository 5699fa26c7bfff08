/* Reading and writing elements of any type the quantization kernels know. memcpy: bytes have no type or alignment. */
#ifndef HIL_KERNELS_CONVERT_H
#define HIL_KERNELS_CONVERT_H

#include <string.h>

#include "requantize.h"

#define HIL_S8 0
#define HIL_U8 1
#define HIL_S16 2
#define HIL_S32 3

HIL_INLINE int32_t hil_load(const uint8_t *p, int32_t i, int32_t type)
{
    if (type == HIL_S16) {
        int16_t value;
        memcpy(&value, p + 2 * i, 2);
        return value;
    }
    if (type == HIL_S32) {
        int32_t value;
        memcpy(&value, p + 4 * i, 4);
        return value;
    }
    return type == HIL_S8 ? (int32_t)(int8_t)p[i] : (int32_t)p[i];
}

HIL_INLINE void hil_store(uint8_t *p, int32_t i, int32_t type, int32_t value)
{
    if (type == HIL_S16) {
        const int16_t narrow = (int16_t)value;
        memcpy(p + 2 * i, &narrow, 2);
    } else if (type == HIL_S32) {
        memcpy(p + 4 * i, &value, 4);
    } else {
        p[i] = (uint8_t)(value & 0xff);
    }
}

#endif
