@ Three layers with known counts, alone on an emulated Cortex-M: for tests of the profiler. ROUNDS is at most 0xFFFF. With
@ TICKS an interrupt comes every few instructions; its handler calls a function that a layer calls as well.
    .syntax unified
    .thumb
    .cpu cortex-m4

    .section .vectors, "a"
    .word 0x20010000, reset
    .rept 13
    .word hang
    .endr
    .word tick

    .bss
    .balign 8
ticks:
    .space 8
words:
    .space 64

    .section .arena, "aw", %nobits
    .balign 8
arena:
    .space 64

    .text
    .thumb_func
    .type hang, %function
hang:
    b hang

    .thumb_func
    .type reset, %function
reset:
    ldr r0, =0xE000E010
    movw r1, #97
    str r1, [r0, #4]
    movs r1, #0
    str r1, [r0, #8]
    movs r1, #(TICKS * 7)
    str r1, [r0]
    adr r4, table
    movs r5, #3
1:  ldr r0, [r4], #4
    blx r0
    subs r5, #1
    bne 1b
    ldr r0, =0xE000E010
    movs r1, #0
    str r1, [r0]
    ldr r1, =ticks
    ldr r2, [r1]
    cmp r2, #100
    it hi
    movhi r2, #100
    str r2, [r1, #4]
    ldr r3, =0x20026
    str r3, [r1]
    movs r0, #0x20          @ SYS_EXIT_EXTENDED: reason and code
    bkpt 0xAB
    .balign 4
table:
    .word m_layer_00_loop, m_layer_01_memory, m_layer_02_calls
    .ltorg

@ 1 + 4 * ROUNDS + 1 instructions
    .thumb_func
    .type m_layer_00_loop, %function
m_layer_00_loop:
    movw r0, #ROUNDS
1:  subs r0, #1
    nop
    nop
    bne 1b
    bx lr
    .size m_layer_00_loop, . - m_layer_00_loop

@ A round: one word, two words, four words, a pair on the stack, and each second round one byte
    .thumb_func
    .type m_layer_01_memory, %function
m_layer_01_memory:
    push {r4-r7, lr}
    ldr r0, =words
    ldr r1, =arena
    movw r2, #ROUNDS
1:  ldr r3, [r0]
    str r3, [r1]
    ldrd r3, r4, [r0, #8]
    strd r3, r4, [r1, #8]
    ldm r0, {r4-r7}
    stm r1, {r4-r7}
    push {r3, r4}
    pop {r3, r4}
    lsls r3, r2, #31
    itt mi
    ldrbmi r3, [r0, #1]
    strbmi r3, [r1, #1]
    subs r2, #1
    bne 1b
    pop {r4-r7, pc}
    .ltorg
    .size m_layer_01_memory, . - m_layer_01_memory

    .thumb_func
    .type m_layer_02_calls, %function
m_layer_02_calls:
    push {r4, lr}
    movw r4, #ROUNDS
1:  bl twice
    subs r4, #1
    bne 1b
    pop {r4, pc}
    .size m_layer_02_calls, . - m_layer_02_calls

    .thumb_func
    .type twice, %function
twice:
    push {lr}
    bl leaf
    bl leaf
    pop {pc}
    .size twice, . - twice

    .thumb_func
    .type leaf, %function
leaf:
    adds r0, #1
    bx lr
    .size leaf, . - leaf

    .thumb_func
    .type tick, %function
tick:
    push {r4, lr}
    ldr r1, =ticks
    ldr r0, [r1]
    bl twice
    subs r0, #1
    str r0, [r1]
    pop {r4, pc}
    .ltorg
