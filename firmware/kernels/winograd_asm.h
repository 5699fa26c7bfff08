/* What the assembly of Winograd's convolutions shares; why it is exact: harness/kernels/winograd.py. */
#ifndef HIL_KERNELS_WINOGRAD_ASM_H
#define HIL_KERNELS_WINOGRAD_ASM_H

#include "winograd_end.h"

/* The inverse of 9 modulo 2^32. */
#define HIL_WINOGRAD_INVERSE 0x38e38e39

    /* Has no effect. What lowers the stack pointer is summed for a function's stack (harness/build/stack.py), each instruction
     * once: here so many bytes by which those in loops lower it again. */
    .macro hil_stack_beyond bytes
    subw    sp, sp, #\bytes
    addw    sp, sp, #\bytes
    .endm

    .macro hil_winograd_mac sum, a, b, first
    .if \first
    smuad   \sum, \a, \b
    .else
    smlad   \sum, \a, \b, \sum
    .endif
    .endm

    /* m0..m5 -> A^T m: c - 4 a + 2 m0 in m0, d - 2 b in m2, c - a in m3, 2 (m5 + d) - b in m5, where a = m1 + m2, b = m1 - m2,
     * c = m3 + m4, d = m3 - m4 */
    .macro hil_winograd_out m0, m1, m2, m3, m4, m5
    add.w   \m1, \m1, \m2
    add.w   \m3, \m3, \m4
    sub.w   \m2, \m1, \m2, lsl #1
    sub.w   \m4, \m3, \m4, lsl #1
    add.w   \m0, \m3, \m0, lsl #1
    sub.w   \m3, \m3, \m1
    add.w   \m5, \m5, \m4
    sub.w   \m0, \m0, \m1, lsl #2
    rsb.w   \m5, \m2, \m5, lsl #1
    sub.w   \m2, \m4, \m2, lsl #1
    .endm

#endif
