/* ADD of two int8 tensors of one shape, on cores with the DSP extension; harness/kernels/add_line.py proves its numbers.
 *
 *     void add_s8_dsp(const int8_t *a, const int8_t *b, int8_t *output, const add_s8_dsp_shape *shape)
 *
 *     sum = a * multiplier_a + b * multiplier_b + offset
 *     output = saturated sum >> 21 (add_line.h), or (sum - (sum < 0) + rounding) >> 21 where the shape says `away`
 *
 * Four elements are read before they are written: the output may be either operand. */
#include "add_line.h"
#include "kernel_asm.h"

    .macro saturated register, away
    .if \away
    add \register, \register, \register, asr #31
    add \register, \register, lr
    .endif
    ssat \register, #8, \register, asr #HIL_ADD_FRACTION_BITS
    .endm

/* r0 a, r1 b, r2 output, r3 count / 4, r10, r11 multipliers, r12 offset, lr rounding */
    .macro add_elements away
    cbz r3, 2f
    .balign 4
1:
    ldrsb r4, [r0]
    ldrsb r8, [r1]
    ldrsb r5, [r0, #1]
    ldrsb r9, [r1, #1]
    ldrsb r6, [r0, #2]
    ldrsb r7, [r0, #3]
    mla r4, r4, r10, r12
    adds r0, #4
    mla r5, r5, r10, r12
    mla r4, r8, r11, r4
    ldrsb r8, [r1, #2]
    mla r5, r9, r11, r5
    ldrsb r9, [r1, #3]
    mla r6, r6, r10, r12
    saturated r4, \away
    mla r7, r7, r10, r12
    saturated r5, \away
    strb r4, [r2]
    mla r6, r8, r11, r6
    strb r5, [r2, #1]
    mla r7, r9, r11, r7
    adds r1, #4
    saturated r6, \away
    subs r3, #1
    saturated r7, \away
    strb r6, [r2, #2]
    strb r7, [r2, #3]
    add r2, r2, #4
    bne 1b
2:
    ldr r3, [sp]
    ands r3, r3, #3
    beq 4f
3:
    ldrsb r4, [r0], #1
    ldrsb r8, [r1], #1
    mla r4, r4, r10, r12
    mla r4, r8, r11, r4
    saturated r4, \away
    strb r4, [r2], #1
    subs r3, #1
    bne 3b
4:
    pop {r3-r11, pc}
    .endm

hil_function add_s8_dsp
    push {r3-r11, lr}
    ldm r3, {r3, r4, r10, r11, r12, lr}
    str r3, [sp]
    lsrs r3, r3, #2
    cmp r4, #0
    bne 5f
    add_elements 0
5:
    add_elements 1
hil_end add_s8_dsp
