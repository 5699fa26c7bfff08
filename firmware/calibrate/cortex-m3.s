@ One loop a rule of the Cortex-M3's table. Each body is followed by itself; `cycles` is what it takes by hand, `why` how.
@ r0, r1: buffers; r0 points at its own address, the words from r0+16 on are 0. r2-r9: 1. r10, r11: 0. r12 counts.
@ Flags: not equal. A body keeps alignment: it is a multiple of four bytes. There is no FPU, and no board with a table, so
@ that rules of floats and stalls have no loop. docs/cycles.md.

@ loop alu
@ rows: classes.alu
@ cycles: 4
@ why: one each
    add.w r2, r2, r3
    add.w r3, r3, r4
    mvn.w r4, r5
    cmp.w r5, r6

@ loop alu-shifted
@ rows: classes.alu-shifted
@ cycles: 2
@ why: one each
    add.w r2, r2, r10, lsl #2
    orr.w r3, r3, r10, ror #8

@ loop shift
@ rows: classes.shift
@ cycles: 2
@ why: one each
    lsl.w r2, r3, #1
    lsr.w r4, r5, r6

@ loop bitfield
@ rows: classes.bitfield
@ cycles: 2
@ why: one each
    ubfx r2, r3, #1, #8
    bfi r4, r5, #1, #8

@ loop reverse
@ rows: classes.reverse
@ cycles: 2
@ why: one each
    rev.w r2, r3
    rbit r4, r5

@ loop extend
@ rows: classes.extend
@ cycles: 2
@ why: one each
    sxtb.w r2, r3
    uxtb.w r4, r5, ror #8

@ loop dsp
@ rows: classes.dsp
@ cycles: 2
@ why: CLZ, one each
    clz r2, r3
    clz r5, r6

@ loop saturate
@ rows: classes.saturate
@ cycles: 2
@ why: one each
    ssat r2, #8, r3
    usat r4, #8, r5, asr #1

@ loop multiply
@ rows: classes.multiply
@ cycles: 2
@ why: one each, dependent or not
    mul r2, r2, r3
    mul r2, r2, r4

@ loop mac
@ rows: classes.mac
@ cycles: 4
@ why: two each
    mla r2, r3, r4, r2
    mls r5, r6, r7, r5

@ loop multiply-long
@ rows: classes.multiply-long
@ cycles: 8
@ why: 3 to 5 each, 4 where nothing is known of the operands
    smull r2, r3, r4, r5
    umull r6, r7, r8, r9

@ loop mac-long
@ rows: classes.mac-long
@ cycles: 12
@ why: 4 to 7 each, 6 where nothing is known of the operands
    smlal r2, r3, r4, r5
    umlal r6, r7, r8, r9

@ loop divide
@ rows: classes.divide
@ cycles: 6
@ why: 2 to 12, 6 where nothing is known of the operands
    udiv r2, r3, r4

@ loop load
@ rows: classes.load
@ cycles: 3
@ why: LDR 2, for nothing follows that overlaps it; NOP 1
    ldr.w r2, [r0]
    nop.w

@ loop load-narrow
@ rows: classes.load-narrow
@ cycles: 3
@ why: LDRB 2, NOP 1
    ldrb.w r2, [r0]
    nop.w

@ loop load-chain
@ rows: classes.load rules.load-chain
@ cycles: 6
@ why: four loads n + 1 = 5, NOP 1
    ldr.w r2, [r0]
    ldr.w r3, [r0, #4]
    ldrh.w r4, [r1]
    ldr.w r5, [r1, #4]
    nop.w

@ loop load-chain-broken-by-address
@ rows: rules.load-chain
@ cycles: 5
@ why: the second address is loaded by the first: 2 + 2, NOP 1
    ldr.w r0, [r0]
    ldr.w r2, [r0]
    nop.w

@ loop chain-indexed
@ rows: rules.chain-indexed
@ cycles: 9
@ why: indexed loads do not chain: two each, NOP 1
    ldr r2, [r0], #4
    ldr r3, [r1], #4
    ldr r2, [r0], #-4
    ldr r3, [r1], #-4
    nop.w

@ loop chain-indexed-one-base
@ rows: rules.chain-same-base
@ cycles: 5
@ why: nor on one base: 2 + 2, NOP 1
    ldr r2, [r0], #4
    ldr r3, [r0], #-4
    nop.w

@ loop chain-unaligned
@ rows: rules.chain-unaligned
@ cycles: 5
@ why: the second's 32-bit opcode stands at a halfword: 2 + 2, NOP 1
    ldr.n r2, [r0]
    ldr.w r3, [r0, #4]
    nop.n

@ loop chain-other-memory
@ rows: rules.chain-other-memory
@ cycles: 5
@ why: one from SRAM, one from flash (which its cache holds): 2 + 2, NOP 1
@ r1: rodata
    ldr.w r2, [r0]
    ldr.w r3, [r1]
    nop.w

@ loop load-store
@ rows: rules.load-store
@ cycles: 3
@ why: the store overlaps the load: 1 + 1, NOP 1
    ldr.w r2, [r0, #16]
    str.w r10, [r0, #20]
    nop.w

@ loop store-load
@ rows: rules.store-load
@ cycles: 5
@ why: STR 1, the load waits 1 and takes 2, NOP 1
    str.w r10, [r0, #20]
    ldr.w r2, [r0, #16]
    nop.w

@ loop store
@ rows: classes.store
@ cycles: 2
@ why: STR 1, NOP 1
    str.w r10, [r0, #16]
    nop.w

@ loop store-narrow
@ rows: classes.store-narrow
@ cycles: 2
@ why: STRB 1, NOP 1
    strb.w r10, [r0, #16]
    nop.w

@ loop store-register-offset
@ rows: rules.store-register-offset
@ cycles: 3
@ why: STR 2, NOP 1
    str.w r10, [r1, r11]
    nop.w

@ loop address-after-alu
@ rows: rules.address-after-alu
@ cycles: 5
@ why: ADD 1, the load waits 1 and takes 2, NOP 1
    add.w r4, r0, #4
    ldr.w r2, [r4]
    nop.w

@ loop load-pair
@ rows: classes.load-pair
@ cycles: 3
@ why: 1 + 2
    ldrd r2, r3, [r0]

@ loop store-pair
@ rows: classes.store-pair
@ cycles: 3
@ why: 1 + 2
    strd r10, r11, [r0, #16]

@ loop load-multiple
@ rows: classes.load-multiple
@ cycles: 5
@ why: 1 + 4
    ldm.w r0, {r2, r3, r4, r5}

@ loop store-multiple
@ rows: classes.store-multiple
@ cycles: 5
@ why: 1 + 4
    stm.w r1, {r6, r7, r8, r9}

@ loop exclusive
@ rows: classes.exclusive
@ cycles: 2
@ why: as the manual gives it
    ldrex r2, [r0]

@ loop preload
@ rows: classes.preload
@ cycles: 1
@ why: a hint
    pld [r0]

@ loop branch
@ rows: classes.branch
@ cycles: 2
@ why: not taken 1, NOP 1
    beq.n 2f
    nop.n
2:

@ loop branch-taken
@ rows: classes.branch rules.branch-taken
@ cycles: 2
@ why: 1 + P, P = 1
    b.w 2f
2:

@ loop branch-unaligned-target
@ rows: rules.branch-unaligned-target
@ cycles: 5
@ why: 1 + P + 1, two NOP
    b.n 2f
2:  nop.w
    nop.n

@ loop branch-wide-load
@ rows: rules.branch-wide-load
@ cycles: 8
@ why: 1 + P + 3, the load 2, NOP 1
    b.w 2f
2:  ldr.w r2, [r0]
    nop.w

@ loop call
@ rows: classes.call
@ cycles: 2
@ why: 1 + P
    bl 2f
2:

@ loop branch-indirect
@ rows: classes.branch-indirect rules.branch-indirect
@ cycles: 7
@ why: BL 2, BX 1 + 2, B 2
    bl 2f
    b.w 3f
2:  bx lr
    nop.n
3:

@ loop load-pc
@ rows: rules.load-pc
@ cycles: 10
@ why: BL 2, PUSH 1 + 1, POP 1 + 1 + 2, B 2
    bl 2f
    b.w 3f
2:  push {lr}
    pop {pc}
3:

@ loop compare-branch
@ rows: classes.compare-branch
@ cycles: 2
@ why: not taken 1, NOP 1
    cbz r3, 2f
    nop.n
2:

@ loop table-branch
@ rows: classes.table-branch
@ cycles: 4
@ why: 2 + P, NOP 1
    tbb [pc, r10]
    .byte 1, 0
    nop.n

@ loop it
@ rows: classes.it
@ cycles: 3
@ why: one each, after a 32-bit opcode
    add.w r2, r2, #1
    it ne
    addne r2, #1

@ loop it-folded
@ rows: rules.it-folded
@ cycles: 3
@ why: IT takes nothing after a 16-bit opcode; three others
    mov r2, r3
    it ne
    movne r4, r5
    nop.n

@ loop nop
@ rows: classes.nop
@ cycles: 2
@ why: one each
    nop.w
    nop.w

@ loop barrier
@ rows: classes.barrier
@ cycles: 2
@ why: 1 + B, B by what is under way
    dsb

@ loop system
@ rows: classes.system
@ cycles: 2
@ why: 1 or 2 and more
    mrs r2, primask
