/* See lines_mve.h. */
#include "kernel_asm.h"

/* r0 input, r1 output, r2 shape; r8, r9 where a line begins; width: bits of a lane, bytes: of a vector of elements, bits: log2 of a vector's lanes */
    .macro lines_begin name, width, bits
hil_function \name
    push        {r4-r9, lr}
    ldm         r2, {r3-r7}
    mov         r8, r0
    mov         r9, r1
    movs        r2, #0
    vidup.u\width q1, r2, #1
    vmul.i\width q1, q1, r7
    lsls        r7, r7, #\bits
1:
    mov         r0, r8
    mov         r1, r9
    dlstp.\width lr, r4
2:
    .endm

    .macro lines_end name
    letp        lr, 2b
    add         r8, r8, r5
    add         r9, r9, r6
    subs        r3, r3, #1
    bne         1b
    pop         {r4-r9, pc}
hil_end \name
    .endm

    .macro gather_lines name, load, store, width, bits, bytes
    lines_begin \name, \width, \bits
    \load       q0, [r0, q1]
    add         r0, r0, r7
    \store      q0, [r1], #\bytes
    lines_end   \name
    .endm

    .macro scatter_lines name, load, store, width, bits, bytes
    lines_begin \name, \width, \bits
    \load       q0, [r0], #\bytes
    \store      q0, [r1, q1]
    add         r1, r1, r7
    lines_end   \name
    .endm

    gather_lines gather_bytes_mve, vldrb.u16, vstrb.16, 16, 3, 8
    gather_lines gather_halves_mve, vldrh.u16, vstrh.16, 16, 3, 16
    gather_lines gather_words_mve, vldrw.u32, vstrw.32, 32, 2, 16
    scatter_lines scatter_bytes_mve, vldrb.u16, vstrb.16, 16, 3, 8
    scatter_lines scatter_halves_mve, vldrh.u16, vstrh.16, 16, 3, 16
    scatter_lines scatter_words_mve, vldrw.u32, vstrw.32, 32, 2, 16
