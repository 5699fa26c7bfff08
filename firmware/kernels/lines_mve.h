/* Lines of elements that lie apart on one side, MVE: gathered from the input, or scattered over the output. */
#ifndef HIL_KERNELS_LINES_MVE_H
#define HIL_KERNELS_LINES_MVE_H

#include "kernel.h"

typedef struct {
    int32_t lines, count;      /* lines, elements of one */
    int32_t in_line, out_line; /* bytes from one to the next */
    int32_t step;              /* bytes between elements on the side where they lie apart; of bytes and halves, seven of them
                                * are below 2^16 */
} lines_mve_shape;

void gather_bytes_mve(const uint8_t *input, uint8_t *output, const lines_mve_shape *s);
void gather_halves_mve(const uint8_t *input, uint8_t *output, const lines_mve_shape *s);
void gather_words_mve(const uint8_t *input, uint8_t *output, const lines_mve_shape *s);
void scatter_bytes_mve(const uint8_t *input, uint8_t *output, const lines_mve_shape *s);
void scatter_halves_mve(const uint8_t *input, uint8_t *output, const lines_mve_shape *s);
void scatter_words_mve(const uint8_t *input, uint8_t *output, const lines_mve_shape *s);

#endif
