#include "conv_dsp.h"

#include "columns_end.h"

HIL_SHARED void conv_dsp(const int8_t *input, const int32_t *weights, int8_t *output, int32_t *scratch,
                         const conv_dsp_shape *s, gemm_4x2 *pair, gemm_4x1 *single, im2col_pair *inner)
{
    int32_t *stage = scratch + s->column_bytes / 4;
    for (int32_t i = -HIL_COLUMNS_END_WORDS; i < 0; ++i) {
        stage[i] = HIL_COLUMNS_END;
    }
    /* loads that run ahead touch these: nothing is read that was never written */
    stage[-2] = 0;
    stage[-1] = 0;
    gemm_dsp_shape shape = s->gemm;
    shape.channels = s->chunk;
    for (int32_t channel = 0; channel < s->out_c; channel += s->chunk) {
        const int32_t left = s->out_c - channel;
        if (left < shape.channels) {
            shape.channels = left;
        }
        const int32_t *here = weights;
        if (s->stage_words != 0) {
            copy_words_dsp(stage, weights, (shape.channels + 3) / 4 * s->block_words);
            here = stage;
        }
        conv_chunk_dsp(input, here, output + channel, (int16_t *)scratch, (int8_t *)(stage + s->stage_words), s, &shape,
                       pair, single, inner);
        weights += s->chunk / 4 * s->block_words;
    }
}
