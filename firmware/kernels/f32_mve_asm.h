/* What loops over vectors of float32 share: whether all that they computed is exact (quad_f32_mve.h), and the clamp. */
#include "kernel_asm.h"

    .equ STATUS, 0x9f   /* of FPSCR: what was collected, */
    .equ APART, 0x89    /* and what of it parts vectors from scalars: IDC, UFC, IOC */

/* between the ends of the activation, r5 and r6; NaN is less than anything, and invalid */
    .macro hil_clamp_f32 q
    vpt.f32     lt, \q, r5
    vdupt.32    \q, r5
    vpt.f32     gt, \q, r6
    vdupt.32    \q, r6
    .endm

    .macro hil_clear_status free
    vmrs        \free, fpscr
    bic         \free, \free, #STATUS
    vmsr        fpscr, \free
    .endm
