/* FULLY_CONNECTED, int8, MVE: eight outputs of one row of activations at a time.
 *
 * Packed weights, per block of eight outputs (the last may be of four): biases (int32, the input's zero point folded
 * in); per step 16 weights of each output; for a tail, 8 weights of each; in the general form left shifts (int8);
 * multipliers (int32) and right shifts (int8, negated), those of the even outputs of eight before those of the odd
 * ones; in the form float factors (float32) instead. Outputs that do not exist have zeros. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_S8_MVE_H
#define HIL_KERNELS_FULLY_CONNECTED_S8_MVE_H

#include "copy_mve.h"
#include "gemm_s8_mve.h"

typedef struct {
    int32_t rows, depth;
    int32_t steps, tail; /* of 16 activations, and up to 8 after them */
    int32_t eights;      /* outputs in blocks of eight */
    int32_t fours;       /* outputs in a last block of four, or 0 */
    int32_t out_zero, clamp_min, clamp_max, form;
} fully_connected_s8_mve_shape;

typedef void fully_connected_s8_mve_function(const int8_t *x, const int32_t *packed, int8_t *output,
                                             const fully_connected_s8_mve_shape *s);

fully_connected_s8_mve_function fully_connected_s8_mve_relu, fully_connected_s8_mve_relu_tail;
fully_connected_s8_mve_function fully_connected_s8_mve_signed, fully_connected_s8_mve_signed_tail;
fully_connected_s8_mve_function fully_connected_s8_mve_float, fully_connected_s8_mve_float_tail;
fully_connected_s8_mve_function fully_connected_s8_mve_general, fully_connected_s8_mve_general_tail;

/* folds to one function where the arguments are literals */
HIL_INLINE fully_connected_s8_mve_function *fully_connected_s8_mve_choose(int32_t form, int32_t tail)
{
    if (form == HIL_MVE_RELU) {
        return tail == 0 ? fully_connected_s8_mve_relu : fully_connected_s8_mve_relu_tail;
    }
    if (form == HIL_MVE_SIGNED) {
        return tail == 0 ? fully_connected_s8_mve_signed : fully_connected_s8_mve_signed_tail;
    }
    if (form == HIL_MVE_FLOAT) {
        return tail == 0 ? fully_connected_s8_mve_float : fully_connected_s8_mve_float_tail;
    }
    return tail == 0 ? fully_connected_s8_mve_general : fully_connected_s8_mve_general_tail;
}

/* A row that ends within a step is copied to 16 * steps bytes of scratch, `whole`, since steps read 16 activations. */
HIL_INLINE void fully_connected_s8_mve(const int8_t *input, const int32_t *packed, int8_t *output, int8_t *whole,
                                       const fully_connected_s8_mve_shape *s)
{
    if (16 * s->steps <= s->depth) {
        fully_connected_s8_mve_choose(s->form, s->tail)(input, packed, output, s);
        return;
    }
    const fully_connected_s8_mve_shape row = {1,        s->depth,    s->steps,     0,           s->eights,
                                              s->fours, s->out_zero, s->clamp_min, s->clamp_max, s->form};
    /* meets weights of zero; nothing is read that was never written */
    for (int32_t i = s->depth; i < 16 * s->steps; ++i) {
        whole[i] = 0;
    }
    for (int32_t n = 0; n < s->rows; ++n) {
        copy_mve(whole, input, s->depth);
        fully_connected_s8_mve_choose(s->form, 0)(whole, packed, output, &row);
        input += s->depth;
        output += s->eights + s->fours;
    }
}

#endif
