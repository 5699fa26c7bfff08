/* Numbers of one element type as those of another: CAST. Floats beyond an integer type are its ends, NaN is 0. */
#ifndef HIL_KERNELS_CAST_PORTABLE_H
#define HIL_KERNELS_CAST_PORTABLE_H

#include <string.h>

#include "kernel.h"

#define HIL_CAST_S8 0
#define HIL_CAST_U8 1
#define HIL_CAST_S16 2
#define HIL_CAST_S32 3
#define HIL_CAST_S64 4
#define HIL_CAST_BOOL 5
#define HIL_CAST_F32 6
#define HIL_CAST_U32 7

typedef struct {
    int32_t count, in_type, out_type;
} cast_portable_shape;

HIL_INLINE int32_t hil_cast_size(int32_t type)
{
    const int is_word = type == HIL_CAST_S32 || type == HIL_CAST_U32 || type == HIL_CAST_F32;
    return type == HIL_CAST_S64 ? 8 : is_word ? 4 : type == HIL_CAST_S16 ? 2 : 1;
}

HIL_INLINE int64_t hil_cast_load(const uint8_t *p, int32_t type)
{
    int16_t half;
    int32_t word;
    int64_t wide;
    if (type == HIL_CAST_S64) {
        memcpy(&wide, p, 8);
        return wide;
    }
    if (type == HIL_CAST_S32 || type == HIL_CAST_U32) {
        memcpy(&word, p, 4);
        return type == HIL_CAST_S32 ? (int64_t)word : (int64_t)(uint32_t)word;
    }
    if (type == HIL_CAST_S16) {
        memcpy(&half, p, 2);
        return half;
    }
    return type == HIL_CAST_S8 ? (int64_t)(int8_t)p[0] : (int64_t)p[0];
}

/* The integer of a type that a float is cut to. */
HIL_INLINE int64_t hil_cast_cut(float value, int32_t type)
{
    const int64_t low = type == HIL_CAST_S64 ? INT64_MIN : type == HIL_CAST_S32 ? INT32_MIN
                        : type == HIL_CAST_S16 ? INT16_MIN : type == HIL_CAST_S8 ? INT8_MIN : 0;
    const int64_t high = type == HIL_CAST_S64 ? INT64_MAX : type == HIL_CAST_S32 ? INT32_MAX
                         : type == HIL_CAST_U32 ? (int64_t)UINT32_MAX
                         : type == HIL_CAST_S16 ? INT16_MAX : type == HIL_CAST_S8 ? INT8_MAX : UINT8_MAX;
    if (type == HIL_CAST_BOOL) {
        return value != 0.0f;
    }
    /* the float of a high end is one beyond it, or the end itself */
    if (value >= (float)high || value <= (float)low) {
        return value >= (float)high ? high : low;
    }
    if (value != value) {
        return 0;
    }
    /* 64 bits of a float are a call: only where they are needed */
    return type == HIL_CAST_S64 ? (int64_t)value : type == HIL_CAST_U32 ? (int64_t)(uint32_t)value : (int64_t)(int32_t)value;
}

HIL_INLINE void hil_cast_store(uint8_t *p, int32_t type, int64_t value)
{
    const int32_t word = (int32_t)(uint32_t)((uint64_t)value & 0xffffffffU);
    const int16_t half = (int16_t)(uint16_t)((uint64_t)value & 0xffffU);
    if (type == HIL_CAST_S64) {
        memcpy(p, &value, 8);
    } else if (type == HIL_CAST_S32 || type == HIL_CAST_U32) {
        memcpy(p, &word, 4);
    } else if (type == HIL_CAST_S16) {
        memcpy(p, &half, 2);
    } else {
        p[0] = type == HIL_CAST_BOOL ? value != 0 : (uint8_t)((uint64_t)value & 0xffU);
    }
}

HIL_INLINE void cast_portable(const uint8_t *input, uint8_t *output, const cast_portable_shape *s)
{
    for (int32_t i = 0; i < s->count; ++i) {
        const uint8_t *from = input + i * hil_cast_size(s->in_type);
        uint8_t *to = output + i * hil_cast_size(s->out_type);
        if (s->in_type == HIL_CAST_F32) {
            float value;
            memcpy(&value, from, 4);
            if (s->out_type == HIL_CAST_F32) {
                memcpy(to, &value, 4);
            } else {
                hil_cast_store(to, s->out_type, hil_cast_cut(value, s->out_type));
            }
        } else if (s->out_type == HIL_CAST_F32) {
            const float value = (float)hil_cast_load(from, s->in_type);
            memcpy(to, &value, 4);
        } else {
            hil_cast_store(to, s->out_type, hil_cast_load(from, s->in_type));
        }
    }
}

#endif
