@ One loop a rule of the Cortex-M7's table. Each body is followed by itself; `cycles` is what it takes by hand, `why` how.
@ r0, r1: buffers; r0 points at its own address, the words from r0+16 on are 0. r2-r9: 1. r10, r11: 0. s0-s15: 1.0.
@ r12 counts. Flags: not equal. docs/cycles.md.

@ loop alu
@ rows: classes.alu
@ cycles: 2
@ why: four independent, two a cycle
    add.w r2, r3, r4
    orr.w r5, r6, r7
    sub.w r8, r3, r4
    eor.w r9, r6, r7

@ loop early
@ rows: results.early
@ cycles: 2
@ why: ADD executes early in the older slot; ORR beside it has its result; LDRD alone
    add.w r2, r3, r4
    orr.w r5, r2, r6
    ldrd r8, r9, [r0]

@ loop late
@ rows: results.late
@ cycles: 2
@ why: a chain of late operations, one a cycle
    orr.w r2, r2, r3
    orr.w r2, r2, r4

@ loop alu-shifted
@ rows: classes.alu-shifted
@ cycles: 2
@ why: one shifted operand a cycle
    add.w r2, r3, r10, lsl #2
    orr.w r4, r5, r10, lsl #2

@ loop alu-shifted-operand
@ rows: classes.alu-shifted results.late
@ cycles: 2
@ why: the shifted operand is wanted a stage early: two cycles after ORR, which issues beside the ADD before
    orr.w r2, r3, r4
    add.w r5, r6, r2, lsl #2

@ loop shift
@ rows: classes.shift
@ cycles: 1
@ why: two a cycle
    lsl.w r2, r3, #1
    lsr.w r4, r5, #1

@ loop bitfield
@ rows: classes.bitfield
@ cycles: 2
@ why: one a cycle, older slot
    ubfx r2, r3, #1, #8
    bfi r4, r5, #1, #8

@ loop bitfield-beside-shifted
@ rows: classes.bitfield classes.alu-shifted
@ cycles: 2
@ why: extraction and shifted operand share a shifter
    ubfx r2, r3, #1, #8
    add.w r4, r5, r10, lsl #2

@ loop reverse
@ rows: classes.reverse results.reverse
@ cycles: 2
@ why: the result goes to the ALU beside it; LDRD alone
    rev.w r2, r3
    orr.w r4, r2, r5
    ldrd r8, r9, [r0]

@ loop reverse-address
@ rows: results.reverse
@ cycles: 4
@ why: the address wants it two cycles later; the load's result two cycles after that
    rbit r2, r10
    ldr.w r10, [r1, r2]

@ loop extend
@ rows: classes.extend
@ cycles: 2
@ why: one a cycle, older slot
    sxtb16 r2, r3
    uxtb16 r4, r5, ror #8

@ loop pack
@ rows: classes.pack
@ cycles: 2
@ why: one a cycle, older slot
    pkhbt r2, r3, r4, lsl #16
    sxtab r5, r6, r7

@ loop dsp
@ rows: classes.dsp
@ cycles: 2
@ why: one a cycle, older slot
    uadd8 r2, r3, r4
    clz r5, r6

@ loop dsp-saturating
@ rows: classes.dsp-saturating results.saturated
@ cycles: 4
@ why: a chain, two cycles each
    qadd8 r2, r2, r3
    qadd8 r2, r2, r4

@ loop saturate
@ rows: classes.saturate results.saturated
@ cycles: 3
@ why: SSAT; ORR two cycles later in the older slot; the next SSAT cannot go beside it
    ssat r2, #8, r3
    orr.w r4, r2, r5

@ loop multiply
@ rows: classes.multiply
@ cycles: 2
@ why: one a cycle
    mul r2, r3, r4
    smmulr r5, r6, r7

@ loop product
@ rows: results.product
@ cycles: 4
@ why: a chain of products, two cycles each
    mul r2, r2, r3
    mul r2, r2, r4

@ loop mac
@ rows: classes.mac results.product
@ cycles: 4
@ why: a chain of accumulations, one a cycle
    smlad r2, r3, r4, r2
    smlad r2, r5, r6, r2
    mla r2, r3, r4, r2
    smlabt r2, r3, r4, r2

@ loop multiply-long
@ rows: classes.multiply-long
@ cycles: 2
@ why: one a cycle
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
@ cycles: 7
@ why: alone; 3 to 12, 7 where nothing is known of the operands
    udiv r2, r3, r4

@ loop load
@ rows: classes.load
@ cycles: 1
@ why: an even and an odd word in one cycle
    ldr.w r2, [r0]
    ldr.w r3, [r0, #4]

@ loop load-banks
@ rows: rules.load-banks
@ cycles: 2
@ why: two even words: one a cycle
    ldr.w r2, [r0]
    ldr.w r3, [r0, #8]

@ loop load-banks-unknown
@ rows: rules.load-banks
@ cycles: 2
@ why: two bases (here of one parity): taken to collide
    ldr.w r2, [r0]
    ldr.w r3, [r1]

@ loop loaded-address
@ rows: results.loaded
@ cycles: 2
@ why: the next address is loaded: two cycles
    ldr.w r0, [r0]

@ loop loaded-operand
@ rows: results.loaded results.late
@ cycles: 3
@ why: LDR; ORR one later; the address two after a late operation
    ldr.w r2, [r0]
    orr.w r0, r2, r10

@ loop loaded-multiply
@ rows: results.loaded results.product
@ cycles: 5
@ why: LDR; MUL two later; the address three after a product
    ldr.w r2, [r0]
    mul r0, r2, r3

@ loop load-narrow
@ rows: classes.load-narrow results.loaded-narrow
@ cycles: 4
@ why: LDRB; ADD two later, not early; the address two after that
    ldrb.w r2, [r0, #16]
    add.w r0, r0, r2

@ loop load-beside-shifted
@ rows: rules.load-beside-shifted
@ cycles: 4
@ why: the loaded operand of an ADD that shifts the other comes one later: two; the address two after a late operation
    ldr.w r2, [r0]
    add.w r0, r2, r10, lsl #2

@ loop updated-base
@ rows: results.updated-base
@ cycles: 2
@ why: an updated base serves the next address one cycle later
    ldr r2, [r0, #4]!
    ldr r3, [r0, #-4]!

@ loop store
@ rows: classes.store
@ cycles: 2
@ why: one a cycle
    str.w r2, [r1]
    str.w r3, [r1, #4]

@ loop store-beside-load
@ rows: classes.store classes.load
@ cycles: 1
@ why: a store beside a load
    str.w r2, [r1]
    ldr.w r3, [r0, #4]

@ loop stored
@ rows: results.late
@ cycles: 1
@ why: what is stored may be made in the same cycle
    orr.w r2, r3, r4
    str.w r2, [r1]

@ loop store-narrow
@ rows: classes.store-narrow
@ cycles: 2
@ why: STRB beside an ADD, then two more: the store buffer keeps up
    strb.w r2, [r1]
    add.w r3, r4, r5
    add.w r6, r7, r8
    orr.w r9, r3, r6

@ loop mac-beside-store
@ rows: conflicts.mac-store
@ cycles: 2
@ why: no product beside a store
    mul r2, r3, r4
    str.w r5, [r1]

@ loop load-pair
@ rows: classes.load-pair
@ cycles: 2
@ why: alone; then the ADD
    ldrd r2, r3, [r0]
    add.w r4, r5, r6

@ loop store-pair
@ rows: classes.store-pair
@ cycles: 2
@ why: alone; then the ADD
    strd r2, r3, [r1]
    add.w r4, r5, r6

@ loop load-multiple
@ rows: classes.load-multiple
@ cycles: 3
@ why: five registers, two a cycle
    ldm.w r0, {r2, r3, r4, r5, r6}

@ loop store-multiple
@ rows: classes.store-multiple
@ cycles: 3
@ why: five registers, two a cycle
    stm.w r1, {r2, r3, r4, r5, r6}

@ loop exclusive
@ rows: classes.exclusive
@ cycles: 2
@ why: alone
    ldrex r2, [r0]

@ loop preload
@ rows: classes.preload
@ cycles: 1
@ why: like a load
    pld [r0]
    add.w r2, r3, r4

@ loop branch
@ rows: classes.branch
@ cycles: 1
@ why: not taken, beside what follows
    beq.w 2f
    add.w r2, r3, r4
2:

@ loop branch-taken
@ rows: rules.branch-taken
@ cycles: 2
@ why: each predicted; the target issues in the next cycle
    b.w 2f
2:  b.w 3f
3:

@ loop call
@ rows: classes.call
@ cycles: 1
@ why: predicted
    bl 2f
2:

@ loop branch-indirect
@ rows: classes.branch-indirect
@ cycles: 3
@ why: three predicted branches
    bl 2f
    b.w 3f
2:  bx lr
    nop.n
3:

@ loop compare-branch
@ rows: classes.compare-branch
@ cycles: 1
@ why: not taken, beside what follows
    cbz r3, 2f
    nop.n
2:

@ loop table-branch
@ rows: classes.table-branch
@ cycles: 3
@ why: alone, two; the target in the next
    tbb [pc, r10]
    .byte 1, 0
    nop.n

@ loop mispredict
@ rows: rules.mispredict
@ cycles: 13
@ why: NOP and the next MOV 1, four rounds of SUBS and BNE 4; the exit is mispredicted, its flags in the same cycle: 8
@ trips: 4
    movs.n r2, #4
2:  subs.n r2, r2, #1
    bne.n 2b
    nop.n

@ loop mispredict-early-flags
@ rows: rules.mispredict-early-flags rules.flags-distance
@ cycles: 24
@ why: four rounds of four cycles, flags three cycles before the branch; three NOP and the next MOV 2; the exit is mispredicted: 6
@ trips: 4
    movs.n r2, #4
2:  subs.n r2, r2, #1
    nop.n
    nop.n
    nop.n
    nop.n
    nop.n
    nop.n
    bne.n 2b
    nop.n
    nop.n
    nop.n

@ loop it
@ rows: classes.it
@ cycles: 2
@ why: IT takes a slot: four in two cycles
    add.w r2, r3, r4
    it ne
    addne r5, r6
    add.w r7, r8, r9

@ loop nop
@ rows: classes.nop
@ cycles: 1
@ why: two a cycle
    nop.w
    nop.w

@ loop barrier
@ rows: classes.barrier
@ cycles: 3
@ why: alone; 1 to 20
    dsb

@ loop system
@ rows: classes.system
@ cycles: 3
@ why: alone; 1 to 20
    mrs r2, primask

@ loop fp-add
@ rows: classes.fp-add
@ cycles: 2
@ why: one FP operation a cycle
    vadd.f32 s0, s1, s2
    vsub.f32 s3, s4, s5

@ loop fp
@ rows: results.fp
@ cycles: 6
@ why: a chain, three cycles each
    vadd.f32 s0, s0, s1
    vmul.f32 s0, s0, s2

@ loop fp-multiply
@ rows: classes.fp-multiply
@ cycles: 2
@ why: one FP operation a cycle
    vmul.f32 s0, s1, s2
    vmul.f32 s3, s4, s5

@ loop fp-mac
@ rows: classes.fp-mac results.fp-product
@ cycles: 3
@ why: accumulation after accumulation: three cycles
    vfma.f32 s0, s1, s2

@ loop fp-product
@ rows: results.fp-product results.fp
@ cycles: 8
@ why: a product five cycles later a factor, whose result three cycles later is one
    vfma.f32 s0, s1, s2
    vmul.f32 s1, s0, s3

@ loop fp-divide
@ rows: classes.fp-divide
@ cycles: 16
@ why: nothing passes it
    vdiv.f32 s0, s1, s2

@ loop fp-convert
@ rows: classes.fp-convert
@ cycles: 2
@ why: one FP operation a cycle
    vcvt.s32.f32 s0, s1
    vcvt.s32.f32 s2, s3

@ loop fp-compare
@ rows: classes.fp-compare
@ cycles: 2
@ why: one FP operation a cycle
    vcmp.f32 s0, s1
    vcmp.f32 s2, s3

@ loop fp-move
@ rows: classes.fp-move
@ cycles: 2
@ why: one a cycle
    vmov.f32 s0, s1
    vmov.f32 s2, s3

@ loop fp-transfer
@ rows: classes.fp-transfer results.transferred
@ cycles: 1
@ why: ORR one cycle after its VMOV, beside the next
    vmov r2, s0
    orr.w r3, r3, r2

@ loop fp-transfer-pair
@ rows: classes.fp-transfer-pair
@ cycles: 2
@ why: alone; then the ADD
    vmov r2, r3, d0
    add.w r4, r5, r6

@ loop fp-load
@ rows: classes.fp-load results.fp-loaded
@ cycles: 1
@ why: VLDR beside the VADD before; the VADD one cycle after its VLDR
    vldr s0, [r0, #16]
    vadd.f32 s1, s2, s0

@ loop fp-store
@ rows: classes.fp-store
@ cycles: 2
@ why: one store a cycle
    vstr s0, [r1]
    vstr s1, [r1, #4]

@ loop fp-stored
@ rows: classes.fp-store results.fp
@ cycles: 1
@ why: VSTR one cycle after its VADD, beside the next
    vadd.f32 s0, s1, s2
    vstr s0, [r1]

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

@ loop sixteen-macs
@ rows: classes.mac classes.load classes.extend
@ cycles: 8
@ why: the step of notes/kernels.md: one MAC port
    smlad r2, r7, r8, r2
    ldr.w r9, [r0, #4]
    smlad r3, r7, r6, r3
    sxtb16 r7, r7
    smlad r4, r9, r8, r4
    smlad r5, r9, r6, r5
    sxtb16 r9, r9
    smlad r2, r7, r8, r2
    smlad r4, r9, r8, r4
    ldr r8, [r1, #8]!
    smlad r3, r7, r6, r3
    ldr r7, [r0, #8]!
    smlad r5, r9, r6, r5
    ldr.w r6, [r1, #4]

@ loop flash-fetch
@ rows: stalls.sequential
@ cycles: 4096
@ why: NOPs two a cycle, and every line of 32 KiB is fetched anew, one after the other
@ copies: 1
@ misses: sequential flash
    .rept 8192
    nop.w
    .endr

@ loop flash-fetch-far
@ rows: stalls.fetch
@ cycles: 512
@ why: a predicted branch each, over 32 KiB, and every line it goes to is fetched anew
@ copies: 1
@ misses: fetch flash 512
    .rept 512
    b.w 2f
    .space 60
2:
    .endr

@ loop flash-load
@ rows: stalls.load
@ cycles: 4
@ why: LDR, ADD beside it, UBFX two later for its shifter, the address two after that; it walks through 32 KiB, a line a step
@ r1: rodata
@ misses: load flash 1
    ldr.w r2, [r1, r3]
    add.w r3, r3, #32
    ubfx r3, r3, #0, #15

@ loop sram-load
@ rows: stalls.load
@ cycles: 4
@ why: LDR, ADD beside it, UBFX two later for its shifter, the address two after that; it walks through 32 KiB, a line a step
@ r1: arena
@ misses: load arena 1
    ldr.w r2, [r1, r3]
    add.w r3, r3, #32
    ubfx r3, r3, #0, #15
