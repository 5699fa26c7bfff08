/* Copies planes whose rows become columns, of elements of one byte or two: TRANSPOSE and its like. Words of four rows (or
 * two) are exchanged at a time, which little-endian cores that load words from anywhere do in a few instructions. */
#ifndef HIL_KERNELS_TRANSPOSED_COPY_H
#define HIL_KERNELS_TRANSPOSED_COPY_H

#include <string.h>

#include "nest.h"

typedef struct {
    int32_t size; /* of an element: 1 or 2 */
    int32_t in_offset, out_offset;
    int32_t rows, columns;     /* of a plane of the input */
    int32_t in_row, out_column; /* bytes from one to the next */
    hil_nest nest;             /* over planes; a: the input, b: the output, in bytes */
} transposed_copy_shape;

HIL_INLINE uint32_t hil_word_at(const uint8_t *p)
{
    uint32_t word;
    memcpy(&word, p, 4);
    return word;
}

HIL_INLINE void hil_word_to(uint8_t *p, uint32_t word)
{
    memcpy(p, &word, 4);
}

/* Four rows of four bytes. */
HIL_INLINE void transposed_copy_bytes(const uint8_t *x, uint8_t *y, const transposed_copy_shape *s)
{
    const uint32_t even = UINT32_C(0x00ff00ff), low = UINT32_C(0xffff);
    const uint32_t a = hil_word_at(x), b = hil_word_at(x + s->in_row);
    const uint32_t c = hil_word_at(x + 2 * s->in_row), d = hil_word_at(x + 3 * s->in_row);
    const uint32_t ab02 = (a & even) | ((b & even) << 8), ab13 = ((a >> 8) & even) | (b & ~even);
    const uint32_t cd02 = (c & even) | ((d & even) << 8), cd13 = ((c >> 8) & even) | (d & ~even);
    hil_word_to(y, (ab02 & low) | (cd02 << 16));
    hil_word_to(y + s->out_column, (ab13 & low) | (cd13 << 16));
    hil_word_to(y + 2 * s->out_column, (ab02 >> 16) | (cd02 & ~low));
    hil_word_to(y + 3 * s->out_column, (ab13 >> 16) | (cd13 & ~low));
}

/* Two rows of two elements of two bytes. */
HIL_INLINE void transposed_copy_halves(const uint8_t *x, uint8_t *y, const transposed_copy_shape *s)
{
    const uint32_t low = UINT32_C(0xffff);
    const uint32_t a = hil_word_at(x), b = hil_word_at(x + s->in_row);
    hil_word_to(y, (a & low) | (b << 16));
    hil_word_to(y + s->out_column, (a >> 16) | (b & ~low));
}

/* Rows [first, end) by element. */
HIL_INLINE void transposed_copy_rest(const uint8_t *x, uint8_t *y, int32_t first, int32_t end, int32_t column,
                                     const transposed_copy_shape *s)
{
    for (int32_t r = first; r < end; ++r) {
        for (int32_t c = column; c < s->columns; ++c) {
            memcpy(y + r * s->size + c * s->out_column, x + r * s->in_row + c * s->size, (size_t)s->size);
        }
    }
}

HIL_INLINE void transposed_copy_plane(const uint8_t *x, uint8_t *y, const transposed_copy_shape *s)
{
    const int32_t tile = 4 / s->size;
    const int32_t rows = s->rows - s->rows % tile, columns = s->columns - s->columns % tile;
    for (int32_t r = 0; r < rows; r += tile) {
        const uint8_t *from = x + r * s->in_row;
        uint8_t *to = y + r * s->size;
        for (int32_t c = 0; c < columns; c += tile) {
            if (s->size == 1) {
                transposed_copy_bytes(from, to, s);
            } else {
                transposed_copy_halves(from, to, s);
            }
            from += 4;
            to += tile * s->out_column;
        }
    }
    transposed_copy_rest(x, y, 0, rows, columns, s);
    transposed_copy_rest(x, y, rows, s->rows, 0, s);
}

HIL_INLINE void transposed_copy(const uint8_t *input, uint8_t *output, const transposed_copy_shape *s)
{
    HIL_NEST_FOR(s->nest) {
        for (int32_t i = 0; i < s->nest.n4; ++i) {
            transposed_copy_plane(HIL_NEST_A(input + s->in_offset, s->nest) + i * s->nest.a4,
                                  HIL_NEST_B(output + s->out_offset, s->nest) + i * s->nest.b4, s);
        }
    }
}

#endif
