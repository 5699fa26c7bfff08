/* All pixels of some output channels, for convolutions by im2col and inner kernels of two pixels (gemm_dsp.h). */
#ifndef HIL_KERNELS_CONV_CHUNK_DSP_H
#define HIL_KERNELS_CONV_CHUNK_DSP_H

#include "conv_run_dsp.h"
#include "gemm_dsp.h"
#include "im2col_9_dsp.h"
#include "im2col_overlap_dsp.h"
#include "im2col_pair_dsp.h"
#include "im2col_single_dsp.h"

/* inner_first..inner_end: output columns whose windows lie inside the image's width.
 * chunk: output channels computed for all pixels before the next ones: all, or a multiple of four.
 * block_words: of four channels' packed weights.
 * column_bytes: two columns and 12 bytes; then, in scratch, stage_words of a chunk's weights (0: used where they are),
 * then two windows. */
typedef struct {
    int32_t batches, in_h, in_w, in_c, out_h, out_w, out_c;
    int32_t kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left;
    int32_t inner_first, inner_end, in_zero;
    int32_t chunk, block_words, stage_words, column_bytes;
    gemm_dsp_shape gemm; /* of all channels */
} conv_dsp_shape;

/* as many channels as `shape` says */
void conv_chunk_dsp(const int8_t *input, const int32_t *weights, int8_t *output, int16_t *columns, int8_t *windows,
                    const conv_dsp_shape *s, const gemm_dsp_shape *shape, gemm_4x2 *pair, gemm_4x1 *single,
                    im2col_pair *inner);

/* what widens pixels inside the image best; a literal, so that only that is linked */
HIL_INLINE im2col_pair *conv_dsp_inner(const conv_dsp_shape *s)
{
    const int32_t run = s->kernel_w * s->in_c;
    const int32_t step = s->stride_w * s->in_c;
    if (run == 9 && s->kernel_h <= 4) {
        return im2col_9_dsp;
    }
    return run % 16 == 0 && step % 16 == 0 && step < run ? im2col_overlap_dsp : im2col_pair_dsp;
}

#endif
