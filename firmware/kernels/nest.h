/* A nest of HIL_NEST_DEPTH loops over two operands, each with its own steps: broadcasting, and copies of blocks.
 *
 * A kernel has a hil_nest in its shape (nest_fields in harness/kernels/loops.py fills it) and holds the innermost loop, its
 * row; the four around it are here. Macros, since places are of the kernel's own types:
 *
 *     HIL_NEST_FOR(s->nest) {
 *         const int8_t *x = HIL_NEST_A(a, s->nest);
 *         ...
 *     } */
#ifndef HIL_KERNELS_NEST_H
#define HIL_KERNELS_NEST_H

#include "kernel.h"

#define HIL_NEST_DEPTH 5

typedef struct {
    int32_t n0, n1, n2, n3, n4; /* iterations of each loop, the outermost first */
    int32_t a0, a1, a2, a3, a4; /* steps of one operand per iteration; 0: it is broadcast */
    int32_t b0, b1, b2, b3, b4; /* steps of the other */
} hil_nest;

_Static_assert(sizeof(hil_nest) == 3 * HIL_NEST_DEPTH * sizeof(int32_t), "three numbers a loop");

/* Runs what follows once for every row. */
#define HIL_NEST_FOR(n)                                                 \
    for (int32_t hil_i0 = 0; hil_i0 < (n).n0; ++hil_i0)                 \
        for (int32_t hil_i1 = 0; hil_i1 < (n).n1; ++hil_i1)             \
            for (int32_t hil_i2 = 0; hil_i2 < (n).n2; ++hil_i2)         \
                for (int32_t hil_i3 = 0; hil_i3 < (n).n3; ++hil_i3)

/* Where the row begins in an operand. */
#define HIL_NEST_A(a, n) ((a) + hil_i0 * (n).a0 + hil_i1 * (n).a1 + hil_i2 * (n).a2 + hil_i3 * (n).a3)
#define HIL_NEST_B(b, n) ((b) + hil_i0 * (n).b0 + hil_i1 * (n).b1 + hil_i2 * (n).b2 + hil_i3 * (n).b3)

#endif
