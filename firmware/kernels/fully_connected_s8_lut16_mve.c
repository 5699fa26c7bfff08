#include "fully_connected_s8_lut16_mve.h"

#define WORDS(bytes) ((bytes) / 4)

HIL_SHARED void fully_connected_s8_lut16_mve_rows(const int8_t *input, const int32_t *packed, const int8_t *table,
                                                  int8_t *output, int32_t *scratch,
                                                  const fully_connected_s8_lut16_mve_shape *s,
                                                  fully_connected_s8_mve_function *function)
{
    const fully_connected_s8_mve_shape *const whole = &s->whole;
    const int32_t depth = 16 * whole->steps + (whole->tail != 0 ? 8 : 0);
    int8_t *const row = (int8_t *)scratch + s->unpacked_bytes;
    for (int32_t n = 0; n < whole->rows; ++n) {
        const int8_t *x = input;
        if (16 * whole->steps > whole->depth) {
            /* meets weights of zero; nothing is read that was never written */
            for (int32_t i = whole->depth; i < 16 * whole->steps; ++i) {
                row[i] = 0;
            }
            copy_mve(row, input, whole->depth);
            x = row;
        }
        const int32_t *from = packed;
        const int8_t *values = table;
        for (int32_t left = whole->eights + whole->fours; left > 0;) {
            fully_connected_s8_mve_shape part = *whole;
            part.rows = 1;
            part.eights = left <= s->together ? whole->fours == 0 ? left : left - whole->fours : s->together;
            part.fours = left <= s->together ? whole->fours : 0;
            unpack_lut16_mve_shape unpacking = {(part.eights + 7) / 8, 8, whole->steps, whole->tail, 8,
                                                WORDS(40 + s->more), s->table_step};
            unpack_lut16_mve(from, values, scratch, &unpacking);
            const int32_t fixed = 72 + s->more;
            from += unpacking.blocks * WORDS(fixed + 4 * depth);
            values += unpacking.blocks * 8 * s->table_step;
            if (part.fours != 0) {
                int32_t *const to = scratch + unpacking.blocks * WORDS(fixed + 8 * depth);
                unpacking = (unpack_lut16_mve_shape){1, 4, whole->steps, whole->tail, 4, WORDS(20 + s->more / 2),
                                                     s->table_step};
                unpack_lut16_mve(from, values, to, &unpacking);
            }
            function(x, scratch, output, &part);
            output += part.eights + part.fours;
            left -= part.eights + part.fours;
        }
        input += whole->depth;
    }
}
