/* FULLY_CONNECTED, int8, MVE, weights of 16 values: some outputs' weights at a time are unpacked to scratch (unpack_lut16_mve.h)
 * and used by the kernels of fully_connected_s8_mve.h.
 *
 * Scratch: the unpacked blocks; then, for rows that end within a step, 16 * steps bytes for the row. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_S8_LUT16_MVE_H
#define HIL_KERNELS_FULLY_CONNECTED_S8_LUT16_MVE_H

#include "fully_connected_s8_mve.h"
#include "unpack_lut16_mve.h"

/* together: outputs whose weights are unpacked at a time, a multiple of eight; unpacked_bytes: of them. */
typedef struct {
    fully_connected_s8_mve_shape whole;
    int32_t together, unpacked_bytes, more, table_step;
} fully_connected_s8_lut16_mve_shape;

void fully_connected_s8_lut16_mve_rows(const int8_t *input, const int32_t *packed, const int8_t *table, int8_t *output,
                                       int32_t *scratch, const fully_connected_s8_lut16_mve_shape *s,
                                       fully_connected_s8_mve_function *function);

HIL_INLINE void fully_connected_s8_lut16_mve(const int8_t *input, const int32_t *packed, const int8_t *table,
                                             int8_t *output, int32_t *scratch,
                                             const fully_connected_s8_lut16_mve_shape *s)
{
    fully_connected_s8_lut16_mve_rows(input, packed, table, output, scratch, s,
                                      fully_connected_s8_mve_choose(s->whole.form, s->whole.tail));
}

#endif
