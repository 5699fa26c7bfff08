/* What every kernel in assembly starts with (GNU as and clang, unified syntax):
 *
 *     #include "kernel_asm.h"
 *     hil_function NAME
 *         ...
 *     hil_end NAME
 *
 * Functions follow the AAPCS and are weak, each in a section of its own, or in the section of layers that run from RAM. */
    .syntax unified
    .thumb

    .macro hil_function name, align=4
#ifdef TINYHIL_CODE_SECTION
    .section TINYHIL_CODE_SECTION, "ax", %progbits
#else
    .section .text.\name, "ax", %progbits
#endif
    .balign \align
    .weak \name
    .type \name, %function
    .thumb_func
\name:
    .endm

    .macro hil_end name
    .size \name, . - \name
    .endm
