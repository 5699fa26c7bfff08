#include "fully_connected_dsp.h"

#include "columns_end.h"

_Static_assert(HIL_COLUMN_END_WORDS == 2, "words that are written after the column");

HIL_SHARED void fully_connected_dsp(const int8_t *input, const int32_t *weights, int8_t *output, int32_t *scratch,
                                    const fully_connected_dsp_shape *s, gemm_4x1 *single)
{
    /* loads run ahead, up to here */
    int32_t *const end = scratch + 2 * s->gemm.groups;
    end[0] = 0;
    end[1] = 0;
    const im2col_dsp_runs runs = {1, s->in_n / 4, s->in_n % 4, 0, 0, 0};
    for (int32_t n = 0; n < s->batches; ++n) {
        im2col_single_dsp((int16_t *)scratch, input, &runs);
        single(weights, (const int16_t *)scratch, output, &s->gemm);
        input += s->in_n;
        output += s->gemm.channels;
    }
}
