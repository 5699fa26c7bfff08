/* Two operands of numbers that have no scale, with broadcasting: floats, 32- and 64-bit integers, booleans, and 8- and
 * 16-bit ones that are compared as they are. Type and operation are literals, of which the compiler keeps one. */
#ifndef HIL_KERNELS_PLAIN_BINARY_PORTABLE_H
#define HIL_KERNELS_PLAIN_BINARY_PORTABLE_H

#include <string.h>

#include "float_division.h"
#include "floats.h"
#include "nest.h"

#define HIL_NUMBER_S8 0
#define HIL_NUMBER_S16 1
#define HIL_NUMBER_S32 2
#define HIL_NUMBER_S64 3
#define HIL_NUMBER_BOOL 4
#define HIL_NUMBER_F32 5

#define HIL_PLAIN_ADD 0
#define HIL_PLAIN_SUB 1
#define HIL_PLAIN_MUL 2
#define HIL_PLAIN_DIV 3
#define HIL_PLAIN_MAXIMUM 4
#define HIL_PLAIN_MINIMUM 5
#define HIL_PLAIN_SQUARED_DIFFERENCE 6
#define HIL_PLAIN_FLOOR_DIV 7
#define HIL_PLAIN_FLOOR_MOD 8
#define HIL_PLAIN_EQUAL 9
#define HIL_PLAIN_NOT_EQUAL 10
#define HIL_PLAIN_GREATER 11
#define HIL_PLAIN_GREATER_EQUAL 12
#define HIL_PLAIN_LESS 13
#define HIL_PLAIN_LESS_EQUAL 14
#define HIL_PLAIN_LOGICAL_AND 15
#define HIL_PLAIN_LOGICAL_OR 16

typedef struct {
    hil_nest nest;
    int32_t type, operation;
    int32_t clamp_min, clamp_max; /* of 32-bit integers */
    int32_t clamps;               /* whether floats are clamped: by operators that may fuse an activation */
} plain_binary_portable_shape;

HIL_INLINE int32_t hil_plain_size(int32_t type)
{
    return type == HIL_NUMBER_S64 ? 8 : type == HIL_NUMBER_S32 || type == HIL_NUMBER_F32 ? 4 : type == HIL_NUMBER_S16 ? 2 : 1;
}

/* Whether `operation` makes booleans of its operands. */
HIL_INLINE int hil_plain_asks(int32_t operation)
{
    return operation >= HIL_PLAIN_EQUAL;
}

HIL_INLINE float hil_plain_float(float a, float b, int32_t operation)
{
    const float difference = a - b;
    switch (operation) {
    case HIL_PLAIN_ADD:
        return a + b;
    case HIL_PLAIN_SUB:
        return difference;
    case HIL_PLAIN_MUL:
        return a * b;
    case HIL_PLAIN_DIV:
        return a / b;
    case HIL_PLAIN_MAXIMUM:
        return a > b ? a : b;
    case HIL_PLAIN_MINIMUM:
        return a < b ? a : b;
    case HIL_PLAIN_SQUARED_DIFFERENCE:
        return difference * difference;
    case HIL_PLAIN_FLOOR_DIV:
        return (float)hil_floor_double((double)a / (double)b);
    default: {
        const float rest = hil_float_remainder(a, b);
        return rest != 0.0f && (b < 0.0f) != (rest < 0.0f) ? rest + b : rest;
    }
    }
}

HIL_INLINE int64_t hil_plain_integer(int64_t a, int64_t b, int32_t operation)
{
    switch (operation) {
    case HIL_PLAIN_ADD:
        return a + b;
    case HIL_PLAIN_SUB:
        return a - b;
    case HIL_PLAIN_MUL:
        return a * b;
    case HIL_PLAIN_DIV:
        /* of int32: the core's own division, and none that overflows */
        return b == 0 ? 0 : b == -1 ? -a : (int32_t)a / (int32_t)b;
    case HIL_PLAIN_MAXIMUM:
        return a > b ? a : b;
    case HIL_PLAIN_MINIMUM:
        return a < b ? a : b;
    default: {
        const int64_t difference = (int32_t)(uint32_t)((uint64_t)(a - b) & 0xffffffffU);
        return difference * difference;
    }
    }
}

HIL_INLINE int64_t hil_plain_load(const uint8_t *p, int32_t type)
{
    int16_t half;
    int32_t word;
    int64_t wide;
    if (type == HIL_NUMBER_S64) {
        memcpy(&wide, p, 8);
        return wide;
    }
    if (type == HIL_NUMBER_S32) {
        memcpy(&word, p, 4);
        return word;
    }
    if (type == HIL_NUMBER_S16) {
        memcpy(&half, p, 2);
        return half;
    }
    return type == HIL_NUMBER_S8 ? (int64_t)(int8_t)p[0] : (int64_t)p[0];
}

/* Stores an integer; one of 32 bits wraps around and is clamped. */
HIL_INLINE void hil_plain_store(uint8_t *p, int64_t value, const plain_binary_portable_shape *s)
{
    if (s->type == HIL_NUMBER_S64) {
        memcpy(p, &value, 8);
    } else if (s->type == HIL_NUMBER_S32) {
        const int32_t word = (int32_t)(uint32_t)((uint64_t)value & 0xffffffffU);
        const int32_t clamped = word < s->clamp_min ? s->clamp_min : word > s->clamp_max ? s->clamp_max : word;
        memcpy(p, &clamped, 4);
    } else if (s->type == HIL_NUMBER_S16) {
        const int16_t half = (int16_t)value;
        memcpy(p, &half, 2);
    } else {
        p[0] = (uint8_t)((uint64_t)value & 0xffU);
    }
}

HIL_INLINE uint8_t hil_plain_answer(int less, int equal, int greater, int32_t operation)
{
    switch (operation) {
    case HIL_PLAIN_EQUAL:
        return equal ? 1 : 0;
    case HIL_PLAIN_NOT_EQUAL:
        return equal ? 0 : 1;
    case HIL_PLAIN_GREATER:
        return greater ? 1 : 0;
    case HIL_PLAIN_GREATER_EQUAL:
        return greater || equal ? 1 : 0;
    case HIL_PLAIN_LESS:
        return less ? 1 : 0;
    default:
        return less || equal ? 1 : 0;
    }
}

HIL_INLINE void hil_plain_one(const uint8_t *a, const uint8_t *b, uint8_t *output, float low, float high,
                              const plain_binary_portable_shape *s)
{
    if (s->operation == HIL_PLAIN_LOGICAL_AND) {
        output[0] = a[0] != 0 && b[0] != 0 ? 1 : 0;
    } else if (s->operation == HIL_PLAIN_LOGICAL_OR) {
        output[0] = a[0] != 0 || b[0] != 0 ? 1 : 0;
    } else if (s->type == HIL_NUMBER_F32) {
        const float x = hil_float_load(a), y = hil_float_load(b);
        if (hil_plain_asks(s->operation)) {
            output[0] = hil_plain_answer(x < y, x == y, x > y, s->operation);
        } else {
            const float made = hil_plain_float(x, y, s->operation);
            hil_float_store(output, s->clamps ? hil_float_clamp(made, low, high) : made);
        }
    } else {
        const int64_t x = hil_plain_load(a, s->type), y = hil_plain_load(b, s->type);
        if (hil_plain_asks(s->operation)) {
            output[0] = hil_plain_answer(x < y, x == y, x > y, s->operation);
        } else {
            hil_plain_store(output, hil_plain_integer(x, y, s->operation), s);
        }
    }
}

/* low, high: clamp of floats. Steps of the nest are in elements. */
HIL_INLINE void plain_binary_portable(const uint8_t *a, const uint8_t *b, uint8_t *output, float low, float high,
                                      const plain_binary_portable_shape *s)
{
    const int32_t size = hil_plain_size(s->type);
    const int32_t width = hil_plain_asks(s->operation) ? 1 : size;
    HIL_NEST_FOR(s->nest) {
        const int32_t x = hil_i0 * s->nest.a0 + hil_i1 * s->nest.a1 + hil_i2 * s->nest.a2 + hil_i3 * s->nest.a3;
        const int32_t y = hil_i0 * s->nest.b0 + hil_i1 * s->nest.b1 + hil_i2 * s->nest.b2 + hil_i3 * s->nest.b3;
        for (int32_t i = 0; i < s->nest.n4; ++i) {
            hil_plain_one(a + (x + i * s->nest.a4) * size, b + (y + i * s->nest.b4) * size, output, low, high, s);
            output += width;
        }
    }
}

#endif
