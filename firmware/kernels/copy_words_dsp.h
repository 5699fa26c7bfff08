/* Copies words, eight at a time: weights from slow flash to RAM. */
#ifndef HIL_KERNELS_COPY_WORDS_DSP_H
#define HIL_KERNELS_COPY_WORDS_DSP_H

#include "kernel.h"

/* both word aligned, count >= 0 */
void copy_words_dsp(int32_t *to, const int32_t *from, int32_t count);

#endif
