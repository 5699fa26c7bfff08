#include "fully_connected_s8_lut16_dsp.h"

_Static_assert(HIL_LUT16_PAIRS == 16 * 16, "words of the table before the column");

HIL_SHARED void fully_connected_s8_lut16_dsp(const int8_t *input, const int32_t *weights, const int8_t *table,
                                             int8_t *output, int32_t *scratch,
                                             const fully_connected_s8_lut16_dsp_shape *s)
{
    for (int32_t high = 0; high < 16; ++high) {
        const uint32_t upper = (uint32_t)(int32_t)table[high] << 16;
        for (int32_t low = 0; low < 16; ++low) {
            *scratch++ = (int32_t)(upper | (uint16_t)table[low]);
        }
    }
    fully_connected_dsp(input, weights, output, scratch, s, gemm_4x1_lut16_dsp);
}
