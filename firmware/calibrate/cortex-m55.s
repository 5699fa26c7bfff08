@ One loop a rule of the Cortex-M55's table. Each body is followed by itself; `cycles` is what it takes by hand, `why` how.
@ r0, r1: buffers; r0 points at its own address, the words from r0+16 on are 0. r2-r9: 1. r10, r11: 0. s0-s15: 1.0.
@ r12 counts. Flags: not equal. One instruction issues a cycle, so that rules of pairs (load-banks, results.early) have no
@ loop. docs/cycles.md.

@ loop alu
@ rows: classes.alu
@ cycles: 4
@ why: one each
    add.w r2, r3, r4
    orr.w r5, r6, r7
    sub.w r8, r3, r4
    eor.w r9, r6, r7

@ loop plain
@ rows: results.plain
@ cycles: 2
@ why: a chain, one a cycle
    add.w r2, r2, r3
    add.w r2, r2, r4

@ loop alu-shifted
@ rows: classes.alu-shifted
@ cycles: 2
@ why: one each
    add.w r2, r3, r10, lsl #2
    orr.w r4, r5, r10, lsl #2

@ loop late
@ rows: results.late
@ cycles: 3
@ why: ADD with a shifted operand; ORR, which wants its result, two later
    add.w r2, r3, r10, lsl #2
    orr.w r4, r2, r5

@ loop late-accumulated
@ rows: results.late classes.mac
@ cycles: 4
@ why: a chain of accumulations, one a cycle
    smlad r2, r3, r4, r2
    smlad r2, r5, r6, r2
    mla r2, r3, r4, r2
    smlabt r2, r3, r4, r2

@ loop shift
@ rows: classes.shift
@ cycles: 2
@ why: one each
    lsl.w r2, r3, #1
    lsr.w r4, r5, #1

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
@ why: one each
    mul r2, r3, r4
    smmulr r5, r6, r7

@ loop product
@ rows: results.late classes.multiply
@ cycles: 4
@ why: a chain of products, two each
    mul r2, r2, r3
    mul r2, r2, r4

@ loop mac
@ rows: classes.mac
@ cycles: 2
@ why: one each
    smlad r2, r3, r4, r2
    mla r5, r6, r7, r5

@ loop multiply-long
@ rows: classes.multiply-long
@ cycles: 2
@ why: one each
    smull r2, r3, r4, r5
    umull r6, r7, r8, r9

@ loop mac-long
@ rows: classes.mac-long
@ cycles: 2
@ why: a chain of accumulations, one a cycle
    smlal r2, r3, r4, r5
    smlal r2, r3, r6, r7

@ loop divide
@ rows: classes.divide
@ cycles: 6
@ why: 2 to 11, 6 where nothing is known of the operands
    udiv r2, r3, r4

@ loop load
@ rows: classes.load
@ cycles: 2
@ why: one each
    ldr.w r2, [r0]
    ldr.w r3, [r0, #4]

@ loop load-narrow
@ rows: classes.load-narrow
@ cycles: 2
@ why: one each
    ldrb.w r2, [r0, #16]
    ldrb.w r3, [r1]

@ loop loaded-operand
@ rows: results.plain classes.load
@ cycles: 2
@ why: LDR; ADD in the next cycle
    ldr.w r2, [r0]
    add.w r3, r2, r4

@ loop loaded-pair
@ rows: results.loaded classes.load-pair
@ cycles: 3
@ why: LDRD; ADD two later
    ldrd r2, r3, [r0]
    add.w r4, r2, r5

@ loop load-beside-shifted
@ rows: rules.load-beside-shifted
@ cycles: 3
@ why: LDRD; ADD two later, also where it shifts its other operand
    ldrd r2, r3, [r0]
    add.w r4, r2, r10, lsl #2

@ loop updated-base
@ rows: results.updated-base
@ cycles: 2
@ why: an updated base serves the next address one cycle later
    ldr r2, [r0, #4]!
    ldr r3, [r0, #-4]!

@ loop store
@ rows: classes.store
@ cycles: 2
@ why: one each
    str.w r2, [r1]
    str.w r3, [r1, #4]

@ loop store-narrow
@ rows: classes.store-narrow
@ cycles: 2
@ why: one each
    strb.w r2, [r1]
    strb.w r3, [r1, #1]

@ loop load-pair
@ rows: classes.load-pair
@ cycles: 1
@ why: the pair in one cycle
    ldrd r2, r3, [r0]

@ loop store-pair
@ rows: classes.store-pair
@ cycles: 1
@ why: the pair in one cycle
    strd r2, r3, [r1]

@ loop load-multiple
@ rows: classes.load-multiple
@ cycles: 2
@ why: four registers, two a cycle
    ldm.w r0, {r2, r3, r4, r5}

@ loop store-multiple
@ rows: classes.store-multiple
@ cycles: 2
@ why: four registers, two a cycle
    stm.w r1, {r2, r3, r4, r5}

@ loop exclusive
@ rows: classes.exclusive
@ cycles: 2
@ why: two
    ldrex r2, [r0]

@ loop preload
@ rows: classes.preload
@ cycles: 2
@ why: a hint, one; ADD 1
    pld [r0]
    add.w r2, r3, r4

@ loop branch
@ rows: classes.branch
@ cycles: 2
@ why: not taken 1, ADD 1
    beq.w 2f
    add.w r2, r3, r4
2:

@ loop branch-taken
@ rows: classes.branch rules.branch-taken
@ cycles: 3
@ why: 1 + 2
    b.w 2f
2:

@ loop call
@ rows: classes.call
@ cycles: 3
@ why: 1 + 2
    bl 2f
2:

@ loop branch-indirect
@ rows: classes.branch-indirect
@ cycles: 9
@ why: BL, BX and B, 1 + 2 each
    bl 2f
    b.w 3f
2:  bx lr
    nop.n
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
@ cycles: 6
@ why: 3 + 2, NOP 1
    tbb [pc, r10]
    .byte 1, 0
    nop.n

@ loop loop-exit
@ rows: rules.mispredict rules.mispredict-early-flags rules.flags-distance
@ cycles: 16
@ why: MOV and NOP, four rounds of SUBS and BNE, three times 2 for the branch taken; nothing is predicted, so that the exit costs nothing
@ trips: 4
    movs.n r2, #4
2:  subs.n r2, r2, #1
    bne.n 2b
    nop.n

@ loop it
@ rows: classes.it
@ cycles: 3
@ why: IT takes no time, three others
    add.w r2, r3, r4
    it ne
    addne r5, r6
    add.w r7, r8, r9

@ loop nop
@ rows: classes.nop
@ cycles: 2
@ why: one each
    nop.w
    nop.w

@ loop barrier
@ rows: classes.barrier
@ cycles: 3
@ why: 1 to 10
    dsb

@ loop system
@ rows: classes.system
@ cycles: 2
@ why: 1 to 10
    mrs r2, primask

@ loop fp-add
@ rows: classes.fp-add
@ cycles: 2
@ why: one each
    vadd.f32 s0, s1, s2
    vsub.f32 s3, s4, s5

@ loop fp-late
@ rows: results.late classes.fp-add
@ cycles: 4
@ why: a chain, two each
    vadd.f32 s0, s0, s1
    vadd.f32 s0, s0, s2

@ loop fp-multiply
@ rows: classes.fp-multiply
@ cycles: 2
@ why: one each
    vmul.f32 s0, s1, s2
    vmul.f32 s3, s4, s5

@ loop fp-mac
@ rows: classes.fp-mac
@ cycles: 4
@ why: four independent, one each
    vfma.f32 s0, s1, s2
    vfma.f32 s3, s1, s2
    vfma.f32 s4, s1, s2
    vfma.f32 s5, s1, s2

@ loop fp-product
@ rows: results.fp-product
@ cycles: 3
@ why: accumulation after accumulation: three
    vfma.f32 s0, s1, s2

@ loop fp-divide
@ rows: classes.fp-divide
@ cycles: 14
@ why: nothing passes it
    vdiv.f32 s0, s1, s2

@ loop fp-convert
@ rows: classes.fp-convert
@ cycles: 2
@ why: one each
    vcvt.s32.f32 s0, s1
    vcvt.s32.f32 s2, s3

@ loop fp-compare
@ rows: classes.fp-compare
@ cycles: 2
@ why: one each
    vcmp.f32 s0, s1
    vcmp.f32 s2, s3

@ loop fp-move
@ rows: classes.fp-move
@ cycles: 2
@ why: one each
    vmov.f32 s0, s1
    vmov.f32 s2, s3

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

@ loop fp-load
@ rows: classes.fp-load
@ cycles: 2
@ why: one each
    vldr s0, [r0, #16]
    vldr s1, [r0, #20]

@ loop fp-store
@ rows: classes.fp-store
@ cycles: 2
@ why: one each
    vstr s0, [r1]
    vstr s1, [r1, #4]

@ loop fp-load-multiple
@ rows: classes.fp-load-multiple
@ cycles: 2
@ why: four registers, two a cycle
    vldmia r1, {s0-s3}

@ loop fp-store-multiple
@ rows: classes.fp-store-multiple
@ cycles: 2
@ why: four registers, two a cycle
    vstmia r1, {s0-s3}

@ loop low-overhead-loop
@ rows: classes.loop-start classes.loop-end
@ cycles: 6
@ why: MOV and WLS one each, four rounds of ADD; LE takes no time
@ trips: 4
    movs.w r2, #4
    wls lr, r2, 3f
2:  add.w r3, r3, #1
    le lr, 2b
3:

@ loop mve-store-beside
@ rows: classes.mve-store
@ cycles: 2
@ why: it issues in one; NOP 1 while its unit works on
    vstrw.32 q0, [r1]
    nop.w

@ loop mve-mac-beside
@ rows: classes.mve-mac
@ cycles: 2
@ why: it issues in one; NOP 1 while its unit works on
    vmla.s32 q0, q1, r2
    nop.w

@ loop mve-reduce-beside
@ rows: classes.mve-reduce
@ cycles: 2
@ why: it issues in one; NOP 1 while its unit works on
    vaddv.s32 r2, q0
    nop.w

@ loop conditional-select
@ rows: classes.conditional-select
@ cycles: 2
@ why: one each
    csel r2, r3, r4, ne
    csinc r5, r6, r7, ne

@ loop long-shift
@ rows: classes.long-shift
@ cycles: 2
@ why: two pairs in turn, each two after itself
    lsll r2, r3, #1
    lsll r4, r5, #1

@ loop mve-load
@ rows: classes.mve-load
@ cycles: 4
@ why: the memory unit works two cycles on each
    vldrw.u32 q0, [r0]
    vldrw.u32 q1, [r0, #16]

@ loop mve-store
@ rows: classes.mve-store
@ cycles: 4
@ why: the memory unit works two cycles on each
    vstrw.32 q0, [r1]
    vstrw.32 q1, [r1, #16]

@ loop mve-gather
@ rows: classes.mve-gather classes.mve-alu
@ cycles: 2
@ why: VMOV, whose unit works while the gather does
    vmov.i32 q1, #0
    vldrw.u32 q0, [r0, q1, uxtw #2]

@ loop mve-scatter
@ rows: classes.mve-scatter classes.mve-alu
@ cycles: 2
@ why: VMOV, whose unit works while the scatter does
    vmov.i32 q1, #0
    vstrw.32 q0, [r1, q1, uxtw #2]

@ loop mve-alu
@ rows: classes.mve-alu
@ cycles: 4
@ why: the vector unit works two cycles on each
    vadd.i32 q0, q1, q2
    vadd.i32 q3, q1, q2

@ loop mve-multiply
@ rows: classes.mve-multiply
@ cycles: 4
@ why: the product unit works two cycles on each
    vmul.i32 q0, q1, q2
    vmul.i32 q3, q1, q2

@ loop mve-mac
@ rows: classes.mve-mac
@ cycles: 4
@ why: the product unit works two cycles on each
    vmla.s32 q0, q1, r2
    vmla.s32 q3, q1, r2

@ loop mve-reduce
@ rows: classes.mve-reduce
@ cycles: 4
@ why: the product unit works two cycles on each
    vaddv.s32 r2, q0
    vaddv.s32 r4, q1

@ loop mve-overlap
@ rows: classes.mve-load classes.mve-alu classes.mve-multiply
@ cycles: 3
@ why: three units: an instruction a cycle
    vldrw.u32 q0, [r0]
    vadd.i32 q1, q2, q3
    vmul.i32 q2, q3, q3

@ loop vector
@ rows: results.vector
@ cycles: 2
@ why: VLDR; VADD in the next cycle
    vldrw.u32 q0, [r0]
    vadd.i32 q1, q0, q2

@ loop vector-product
@ rows: results.vector-product
@ cycles: 3
@ why: VMUL; VADD two later
    vmul.i32 q0, q1, q2
    vadd.i32 q3, q0, q1

@ loop reduced
@ rows: results.reduced
@ cycles: 4
@ why: VADDV; ADD three later
    vaddv.s32 r2, q0
    add.w r3, r2, r4

@ loop mve-transfer
@ rows: classes.mve-transfer
@ cycles: 2
@ why: one each
    vmov q0[2], q0[0], r2, r3
    vmov q1[2], q1[0], r4, r5

@ loop mve-predicate
@ rows: classes.mve-predicate
@ cycles: 2
@ why: one each
    vcmp.i32 eq, q0, q1
    vcmp.i32 eq, q2, q3
