#include "conv_lut16_dsp.h"

#include "columns_end.h"

/* what every byte of two indices stands for */
static HIL_NOINLINE void conv_lut16_dsp_lanes(int16_t *lanes, const int8_t *even, const int8_t *odd,
                                                           int32_t low_mask)
{
    for (int32_t o = 0; o < 16; ++o) {
        const int32_t high = odd[o] * 256;
        for (int32_t e = 0; e < 16; e += 2) {
            lanes[0] = (int16_t)(high + (even[e] & low_mask));
            lanes[1] = (int16_t)(high + (even[e + 1] & low_mask));
            lanes += 2;
        }
    }
}

HIL_LOCAL const int32_t *conv_lut16_dsp_copy(int32_t **to, const int32_t *from, int32_t words)
{
    for (; words > 0; --words) {
        *(*to)++ = *from++;
    }
    return from;
}

HIL_SHARED void conv_lut16_dsp(const int8_t *input, const int32_t *packed, const int8_t *table, int8_t *output,
                               int32_t *scratch, const conv_lut16_dsp_shape *s, gemm_4x2 *pair, gemm_4x1 *single,
                               im2col_pair *inner)
{
    const conv_dsp_shape *const conv = &s->conv;
    int32_t *const stage = scratch + conv->column_bytes / 4;
    for (int32_t i = -HIL_COLUMNS_END_WORDS; i < 0; ++i) {
        stage[i] = HIL_COLUMNS_END;
    }
    /* loads that run ahead touch these: nothing is read that was never written */
    stage[-2] = 0;
    stage[-1] = 0;
    int16_t *const lanes = (int16_t *)(stage + conv->stage_words);
    const uint16_t *const first = (const uint16_t *)lanes;
    const uint16_t *const second = s->table_step == 0 ? first : first + 256;
    int8_t *const windows = (int8_t *)(second + 256);
    conv_lut16_dsp_lanes(lanes, table, table + s->table_step, s->low_mask);
    gemm_dsp_shape shape = conv->gemm;
    shape.channels = conv->chunk;
    for (int32_t channel = 0; channel < conv->out_c; channel += conv->chunk) {
        const int32_t left = conv->out_c - channel;
        if (left < shape.channels) {
            shape.channels = left;
        }
        int32_t *to = stage;
        for (int32_t block = (shape.channels + 3) / 4; block > 0; --block) {
            if (s->table_step != 0) {
                conv_lut16_dsp_lanes(lanes, table, table + 16, s->low_mask);
                conv_lut16_dsp_lanes(lanes + 256, table + 32, table + 48, s->low_mask);
                table += 64;
            }
            packed = conv_lut16_dsp_copy(&to, packed, s->head);
            for (int32_t i = 2 * shape.groups; i > 0; --i) {
                const uint32_t q = (uint32_t)*packed++;
                to[0] = (int32_t)(first[q & 255] | (uint32_t)first[(q >> 8) & 255] << 16);
                to[1] = (int32_t)(second[(q >> 16) & 255] | (uint32_t)second[q >> 24] << 16);
                to += 2;
            }
            packed = conv_lut16_dsp_copy(&to, packed, s->tail);
        }
        conv_chunk_dsp(input, stage, output + channel, (int16_t *)scratch, windows, conv, &shape, pair, single, inner);
    }
}
