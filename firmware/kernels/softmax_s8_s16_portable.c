#include "softmax_s8_s16_portable.h"

#include "softmax_rows.h"

HIL_SHARED void softmax_s8_s16_portable(const int8_t *input, const int32_t *exp_table, int16_t *output,
                                        const softmax_s8_s16_portable_shape *s)
{
    softmax_rows(input, exp_table, output, s->rows, s->depth, s->table_size, 1);
}
