/* Assembly that widens two pixels' bytes. */
#include "kernel_asm.h"

    /* four bytes of each pixel, r4 and r5 -> the columns at r0 */
    .macro hil_widen_pair
    sxtb16  r6, r5
    sxtb16  r7, r5, ror #8
    sxtb16  r5, r4, ror #8
    sxtb16  r4, r4
    stm     r0!, {r4-r7}
    .endm
