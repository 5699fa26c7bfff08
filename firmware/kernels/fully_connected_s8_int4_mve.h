/* FULLY_CONNECTED, int8, MVE, weights of four bits: as fully_connected_s8_mve.h, two outputs' weights a byte as in
 * gemm_int4_mve.h. */
#ifndef HIL_KERNELS_FULLY_CONNECTED_S8_INT4_MVE_H
#define HIL_KERNELS_FULLY_CONNECTED_S8_INT4_MVE_H

#include "fully_connected_s8_mve.h"

typedef fully_connected_s8_mve_shape fully_connected_s8_int4_mve_shape;

fully_connected_s8_mve_function fully_connected_s8_int4_mve_relu, fully_connected_s8_int4_mve_relu_tail;
fully_connected_s8_mve_function fully_connected_s8_int4_mve_signed, fully_connected_s8_int4_mve_signed_tail;
fully_connected_s8_mve_function fully_connected_s8_int4_mve_general, fully_connected_s8_int4_mve_general_tail;

/* folds to one function where the arguments are literals */
HIL_INLINE fully_connected_s8_mve_function *fully_connected_s8_int4_mve_choose(int32_t form, int32_t tail)
{
    if (form == HIL_MVE_RELU) {
        return tail == 0 ? fully_connected_s8_int4_mve_relu : fully_connected_s8_int4_mve_relu_tail;
    }
    if (form == HIL_MVE_SIGNED) {
        return tail == 0 ? fully_connected_s8_int4_mve_signed : fully_connected_s8_int4_mve_signed_tail;
    }
    return tail == 0 ? fully_connected_s8_int4_mve_general : fully_connected_s8_int4_mve_general_tail;
}

HIL_INLINE void fully_connected_s8_int4_mve(const int8_t *input, const int32_t *packed, int8_t *output, int8_t *whole,
                                         const fully_connected_s8_int4_mve_shape *s)
{
    fully_connected_s8_mve_rows(input, packed, output, whole, s, fully_connected_s8_int4_mve_choose(s->form, s->tail));
}

#endif
