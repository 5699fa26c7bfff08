@ One loop a rule of the Cortex-M4's table. Each body is followed by itself; `cycles` is what it takes by hand, `why` how.
@ r0, r1: buffers; r0 points at its own address, the words from r0+16 on are 0. r2-r9: 1. r10, r11: 0. s0-s15: 1.0.
@ r12 counts. Flags: not equal. A body keeps alignment: it is a multiple of four bytes. docs/cycles.md.

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
    sxtb16 r2, r3
    uxtb16 r4, r5, ror #8

@ loop pack
@ rows: classes.pack
@ cycles: 2
@ why: one each
    pkhbt r2, r3, r4, lsl #16
    sxtab r5, r6, r7

@ loop dsp
@ rows: classes.dsp
@ cycles: 2
@ why: one each
    uadd8 r2, r3, r4
    clz r5, r6

@ loop dsp-saturating
@ rows: classes.dsp-saturating
@ cycles: 2
@ why: one each
    qadd8 r2, r3, r4
    qsub r5, r6, r7

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
    smmulr r2, r2, r3

@ loop mac
@ rows: classes.mac
@ cycles: 4
@ why: one each, dependent or not
    smlad r2, r3, r4, r2
    smlad r2, r3, r4, r2
    mla r2, r3, r4, r2
    smlabt r2, r3, r4, r2

@ loop multiply-long
@ rows: classes.multiply-long
@ cycles: 2
@ why: one each
    smull r2, r3, r4, r5
    umull r6, r7, r8, r9

@ loop mac-long
@ rows: classes.mac-long
@ cycles: 2
@ why: one each
    smlal r2, r3, r4, r5
    umaal r6, r7, r8, r9

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
@ cycles: 6
@ why: indexed loads on two bases in turn chain: 4 + 1, NOP 1
    ldr r2, [r0], #4
    ldr r3, [r1], #4
    ldr r2, [r0], #-4
    ldr r3, [r1], #-4
    nop.w

@ loop chain-indexed-one-base
@ rows: rules.chain-same-base
@ cycles: 4
@ why: indexed loads on one base chain as well: 2 + 1, NOP 1
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

@ loop fp-add
@ rows: classes.fp-add
@ cycles: 2
@ why: one each
    vadd.f32 s0, s1, s2
    vsub.f32 s3, s4, s5

@ loop fp-multiply
@ rows: classes.fp-multiply
@ cycles: 2
@ why: one each
    vmul.f32 s0, s1, s2
    vmul.f32 s3, s4, s5

@ loop fp-mac
@ rows: classes.fp-mac
@ cycles: 6
@ why: three each
    vfma.f32 s0, s1, s2
    vfma.f32 s3, s4, s5

@ loop fp-divide
@ rows: classes.fp-divide
@ cycles: 14
@ why: as the manual gives it
    vdiv.f32 s0, s1, s2

@ loop fp-convert
@ rows: classes.fp-convert
@ cycles: 1
@ why: one
    vcvt.s32.f32 s0, s1

@ loop fp-compare
@ rows: classes.fp-compare
@ cycles: 1
@ why: one
    vcmp.f32 s0, s1

@ loop fp-move
@ rows: classes.fp-move
@ cycles: 1
@ why: one
    vmov.f32 s0, s1

@ loop fp-transfer
@ rows: classes.fp-transfer
@ cycles: 2
@ why: one each
    vmov r2, s0
    vmov s1, r3

@ loop fp-transfer-pair
@ rows: classes.fp-transfer-pair
@ cycles: 2
@ why: a cycle a register
    vmov r2, r3, d0

@ loop fp-dependency
@ rows: rules.fp-dependency
@ cycles: 4
@ why: VADD 1, the next waits 1 and takes 1, NOP 1
    vadd.f32 s0, s1, s2
    vadd.f32 s3, s0, s1
    nop.w

@ loop fp-load
@ rows: classes.fp-load
@ cycles: 3
@ why: VLDR 2, for nothing follows that overlaps it; NOP 1
    vldr s0, [r0]
    nop.w

@ loop fp-load-chain
@ rows: rules.chain-fp
@ cycles: 5
@ why: VLDR overlaps the load after it as LDR does: three loads 4, NOP 1
    vldr s0, [r0]
    vldr s1, [r0, #4]
    ldr.w r2, [r0]
    nop.w

@ loop fp-store
@ rows: classes.fp-store
@ cycles: 2
@ why: as the manual gives it
    vstr s0, [r1]

@ loop fp-load-multiple
@ rows: classes.fp-load-multiple
@ cycles: 5
@ why: 1 + 4
    vldmia r1, {s0-s3}

@ loop fp-store-multiple
@ rows: classes.fp-store-multiple
@ cycles: 5
@ why: 1 + 4
    vstmia r1, {s0-s3}

@ loop flash-fetch
@ rows: stalls.sequential
@ cycles: 1024
@ why: a NOP each, and every line of 4 KiB is fetched anew, one after the other
@ copies: 1
@ misses: sequential flash
    .rept 1024
    nop.w
    .endr

@ loop flash-fetch-far
@ rows: stalls.fetch
@ cycles: 128
@ why: 1 + P each, over 4 KiB, and every line it goes to is fetched anew
@ copies: 1
@ misses: fetch flash 64
    .rept 64
    b.w 2f
    .space 60
2:
    .endr

@ loop flash-load
@ rows: stalls.load
@ cycles: 5
@ why: the load waits 1 for its address and takes 2, ADD 1, AND 1; it walks through 4 KiB, a line of 16 bytes a step
@ r1: rodata
@ misses: load flash 1
    ldr.w r2, [r1, r3]
    add.w r3, r3, #16
    and.w r3, r3, #0xff0
