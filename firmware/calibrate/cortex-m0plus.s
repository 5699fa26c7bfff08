@ One loop a rule of the Cortex-M0+'s table. Each body is followed by itself; `cycles` is what it takes by hand, `why` how.
@ r0, r1: buffers; r0 points at its own address, the words from r0+16 on are 0. r2-r5: 1. r6: 0. r7 counts.
@ Flags: not equal. Nothing overlaps, so that rules of chains are 0; those that no instruction of Armv6-M is about have no
@ loop: indexed and 32-bit loads, IT, floats. docs/cycles.md.

@ loop alu
@ rows: classes.alu
@ cycles: 4
@ why: one each
    adds r2, r2, r3
    adds r3, r3, r4
    mvns r4, r5
    cmp r5, r2

@ loop shift
@ rows: classes.shift
@ cycles: 2
@ why: one each
    lsls r2, r3, #1
    lsrs r4, r4, r5

@ loop reverse
@ rows: classes.reverse
@ cycles: 2
@ why: one each
    rev r2, r3
    rev16 r4, r5

@ loop extend
@ rows: classes.extend
@ cycles: 2
@ why: one each
    sxtb r2, r3
    uxth r4, r5

@ loop multiply
@ rows: classes.multiply
@ cycles: 2
@ why: one each with the fast multiplier, 32 with the small one
    muls r2, r3, r2
    muls r4, r5, r4

@ loop load
@ rows: classes.load
@ cycles: 3
@ why: LDR 2, NOP 1
    ldr r2, [r0]
    nop

@ loop load-narrow
@ rows: classes.load-narrow
@ cycles: 3
@ why: LDRB 2, NOP 1
    ldrb r2, [r0]
    nop

@ loop load-chain
@ rows: classes.load rules.load-chain
@ cycles: 7
@ why: three loads, two each: nothing overlaps; NOP 1
    ldr r2, [r0]
    ldr r3, [r0, #4]
    ldrh r4, [r1]
    nop

@ loop chain-other-memory
@ rows: rules.chain-other-memory
@ cycles: 4
@ why: one from SRAM, one from flash (which its buffer holds), two each
@ r1: rodata
    ldr r2, [r0]
    ldr r3, [r1]

@ loop store
@ rows: classes.store
@ cycles: 3
@ why: STR 2, NOP 1
    str r6, [r0, #16]
    nop

@ loop store-narrow
@ rows: classes.store-narrow
@ cycles: 3
@ why: STRB 2, NOP 1
    strb r6, [r0, #16]
    nop

@ loop load-store
@ rows: rules.load-store
@ cycles: 4
@ why: two each: the store does not overlap the load
    ldr r2, [r0, #16]
    str r6, [r0, #20]

@ loop store-load
@ rows: rules.store-load
@ cycles: 4
@ why: two each: the load does not wait for the store
    str r6, [r0, #20]
    ldr r2, [r0, #16]

@ loop store-register-offset
@ rows: rules.store-register-offset
@ cycles: 3
@ why: STR 2 with a register as well, NOP 1
    str r6, [r1, r6]
    nop

@ loop address-after-alu
@ rows: rules.address-after-alu
@ cycles: 5
@ why: ADD 1, the load 2 at once, two NOP
    adds r4, r0, #4
    ldr r2, [r4]
    nop
    nop

@ loop load-multiple
@ rows: classes.load-multiple
@ cycles: 6
@ why: 1 + 4; the first word is the address itself; NOP 1
    ldm r0, {r0, r2, r3, r4}
    nop

@ loop store-multiple
@ rows: classes.store-multiple
@ cycles: 4
@ why: 1 + 2, SUBS 1
    stm r1!, {r2, r3}
    subs r1, #8

@ loop branch
@ rows: classes.branch
@ cycles: 2
@ why: not taken 1, NOP 1
    beq 2f
    nop
2:

@ loop branch-taken
@ rows: classes.branch rules.branch-taken
@ cycles: 2
@ why: 1 + 1
    b 2f
    nop
2:

@ loop branch-unaligned-target
@ rows: rules.branch-unaligned-target
@ cycles: 6
@ why: B 2 also where the target is a 32-bit opcode off a word boundary; DMB 3, NOP 1
    b 2f
2:  dmb
    nop

@ loop call
@ rows: classes.call
@ cycles: 3
@ why: 2 + 1
    bl 2f
2:

@ loop branch-indirect
@ rows: classes.branch-indirect rules.branch-indirect
@ cycles: 7
@ why: BL 3, BX 1 + 1, B 2
    bl 2f
    b 3f
    nop
2:  bx lr
    nop
3:

@ loop load-pc
@ rows: rules.load-pc
@ cycles: 11
@ why: BL 3, PUSH 1 + 1, POP 1 + 1 + 2, B 2
    bl 2f
    b 3f
    nop
2:  push {lr}
    pop {pc}
3:

@ loop nop
@ rows: classes.nop
@ cycles: 2
@ why: one each; the assembler writes MOV for nop here
    .inst.n 0xbf00
    .inst.n 0xbf00

@ loop barrier
@ rows: classes.barrier
@ cycles: 3
@ why: as the manual gives it
    dsb

@ loop system
@ rows: classes.system
@ cycles: 3
@ why: 1 to 3
    mrs r2, primask

@ loop flash-fetch
@ rows: stalls.sequential
@ cycles: 128
@ why: a NOP each, and every line of 256 bytes is fetched anew, one after the other
@ copies: 1
@ misses: sequential flash
    .rept 128
    nop
    .endr

@ loop flash-fetch-far
@ rows: stalls.fetch
@ cycles: 64
@ why: 1 + 1 each, over 512 bytes, and every line it goes to is fetched anew
@ copies: 1
@ misses: fetch flash 32
    .rept 32
    b 2f
    .space 14
2:
    .endr

@ loop flash-load
@ rows: stalls.load
@ cycles: 5
@ why: the load 2, ADD 1, two shifts that keep r6 below 32 KiB
@ r1: rodata
@ misses: load flash 1
    ldr r2, [r1, r6]
    adds r6, #32
    lsls r6, r6, #17
    lsrs r6, r6, #17
