"""The decoder: what is read and written, and for what; MVE; and that a whole image holds nothing it does not know."""

import re
import subprocess

import pytest

from harness.build import toolchain
from harness.cycles.assembly import assemble
from harness.cycles.decoder import InstructionDecoder
from harness.cycles.instruction import Class, Index, Role

R, S, A, C, D, F = Role.OPERAND, Role.SHIFTED, Role.ADDRESS, Role.ACCUMULATE, Role.STORED, Role.FLAGS


def one(text, core="cortex-m7"):
    instructions = assemble(text, core)
    assert len(instructions) == 1
    return instructions[0]


SCALAR = [
    ("add r0, r1, r2", Class.ALU, [("r1", R), ("r2", R)], ["r0"]),
    ("adds r0, #1", Class.ALU, [("r0", R)], ["r0", "flags"]),
    ("adc r0, r1, r2", Class.ALU, [("r1", R), ("r2", R), ("flags", F)], ["r0"]),
    ("add r0, r1, r2, lsl #3", Class.ALU_SHIFTED, [("r1", R), ("r2", S)], ["r0"]),
    ("eor r0, r1, #0x1fc0", Class.ALU_SHIFTED, [("r1", R)], ["r0"]),
    ("eor r0, r1, #0x1b1b1b1b", Class.ALU, [("r1", R)], ["r0"]),
    ("cmp r0, r1", Class.ALU, [("r0", R), ("r1", R)], ["flags"]),
    ("lsls r0, r1, #3", Class.SHIFT, [("r1", R)], ["r0", "flags"]),
    ("movt r0, #1", Class.ALU, [("r0", R)], ["r0"]),
    ("mvn r0, r1", Class.ALU, [("r1", R)], ["r0"]),
    ("sxtb16 r0, r1, ror #8", Class.EXTEND, [("r1", S)], ["r0"]),
    ("pkhbt r0, r1, r2, lsl #16", Class.PACK, [("r1", R), ("r2", S)], ["r0"]),
    ("ubfx r0, r1, #3, #4", Class.BITFIELD, [("r1", S)], ["r0"]),
    ("bfi r0, r1, #3, #4", Class.BITFIELD, [("r1", S), ("r0", R)], ["r0"]),
    ("ssat r0, #8, r1", Class.SATURATE, [("r1", S)], ["r0"]),
    ("smlad r0, r1, r2, r3", Class.MAC, [("r1", R), ("r2", R), ("r3", C)], ["r0"]),
    ("smmulr r0, r1, r2", Class.MULTIPLY, [("r1", R), ("r2", R)], ["r0"]),
    ("smlal r0, r1, r2, r3", Class.MAC_LONG, [("r2", R), ("r3", R), ("r0", C), ("r1", C)], ["r0", "r1"]),
    ("smull r0, r1, r2, r3", Class.MULTIPLY_LONG, [("r2", R), ("r3", R)], ["r0", "r1"]),
    ("ldr r0, [r1, r2, lsl #2]", Class.LOAD, [("r1", A), ("r2", A)], ["r0"]),
    ("ldrsb r0, [r1], #1", Class.LOAD_NARROW, [("r1", A)], ["r0"]),
    ("ldrd r0, r1, [r2], #8", Class.LOAD_PAIR, [("r2", A)], ["r0", "r1"]),
    ("str r0, [r1, #4]!", Class.STORE, [("r1", A), ("r0", D)], []),
    ("push {r4, lr}", Class.STORE_MULTIPLE, [("sp", A), ("r4", D), ("lr", D)], []),
    ("pop {r4, pc}", Class.LOAD_MULTIPLE, [("sp", A)], ["r4", "pc"]),
    ("stmia r0!, {r1, r2}", Class.STORE_MULTIPLE, [("r0", A), ("r1", D), ("r2", D)], []),
    ("bl .", Class.CALL, [], ["lr"]),
    ("bx lr", Class.BRANCH_INDIRECT, [("lr", R)], []),
    ("tbb [pc, r0]", Class.TABLE_BRANCH, [("pc", A), ("r0", A)], []),
    ("vldr d1, [r0]", Class.FP_LOAD, [("r0", A)], ["s2", "s3"]),
    ("vfma.f32 s0, s1, s2", Class.FP_MAC, [("s1", R), ("s2", R), ("s0", C)], ["s0"]),
    ("vmov r0, s3", Class.FP_TRANSFER, [("s3", R)], ["r0"]),
    ("vmov r0, r1, d2", Class.FP_TRANSFER_PAIR, [("s4", R), ("s5", R)], ["r0", "r1"]),
    ("vcmp.f32 s0, s1", Class.FP_COMPARE, [("s0", R), ("s1", R)], ["flags"]),
    ("vmrs apsr_nzcv, fpscr", Class.FP_TRANSFER, [("flags", F)], ["flags"]),
]


def test_reads_and_writes():
    found = assemble("\n".join(text for text, *_ in SCALAR), "cortex-m7")
    for instruction, (text, kind, reads, writes) in zip(found, SCALAR, strict=True):
        actual = (instruction.kind, list(instruction.reads), list(instruction.writes))
        assert actual == (kind, reads, writes), text


def test_addresses():
    memory = one("ldr r0, [r1], #-8").memory
    assert (memory.base, memory.offset, memory.update, memory.first_byte) == ("r1", -8, Index.POST, 0)
    memory = one("ldr r0, [r1, #8]!").memory
    assert (memory.offset, memory.update, memory.first_byte) == (8, Index.PRE, 8)
    assert one("ldm r0, {r1-r4}").memory.update is Index.NONE and one("ldm r0, {r1-r4}").count == 4
    assert one("ldr r0, [r1, #8]!").updated_base == "r1" and one("ldr r0, [r1, #8]").updated_base is None


def test_branches():
    loop = assemble("1: nop\n cbz r0, 2f\n bne 1b\n 2: b 1b", "cortex-m4")
    assert [i.target for i in loop] == [None, loop[3].address, 0, 0]
    assert [i.conditional for i in loop] == [False, True, True, False]
    assert loop[3].always_leaves and not loop[2].always_leaves
    assert one("ldr pc, [r0]").is_branch


def test_it_blocks_set_no_flags():
    block = assemble("ite eq\n addeq r0, r1, r2\n addne r0, r1, r3\n adds r0, r1, r2", "cortex-m4")
    assert block[0].kind is Class.IT
    assert [i.in_it for i in block] == [False, True, True, False]
    assert [("flags", F) in i.reads for i in block[1:]] == [True, True, False]
    assert ["flags" in i.writes for i in block[1:]] == [False, False, True]


def test_low_overhead_loops():
    loop = assemble(
        "dls lr, r0\n 1: nop\n le lr, 1b\n wls lr, r1, 2f\n letp lr, 1b\n 2: csel r0, r1, r2, eq", "cortex-m55"
    )
    assert [i.kind for i in loop] == [
        Class.NOP, Class.NOP, Class.LOOP_END, Class.LOOP_START, Class.LOOP_END, Class.CONDITIONAL_SELECT]  # fmt: skip
    assert (loop[2].target, loop[3].target, loop[4].target) == (4, loop[5].address, 4)
    assert one("lsll r0, r1, #3", "cortex-m55").writes == ("r0", "r1")


MVE = {
    Class.MVE_ALU: """
        vadd.i8 q0,q1,q2
        vadd.i32 q7,q6,q5
        vadd.i32 q0,q1,r3
        vsub.i16 q0,q1,q2
        vsub.i16 q0,q1,r2
        vmax.s8 q0,q1,q2
        vmin.s32 q0,q1,q2
        vabd.s8 q0,q1,q2
        vhadd.s8 q0,q1,q2
        vhadd.s8 q0,q1,r2
        vqadd.s8 q0,q1,q2
        vqadd.s8 q0,q1,r2
        vqsub.s8 q0,q1,q2
        vrhadd.s8 q0,q1,q2
        vand q0,q1,q2
        vorr q0,q1,q2
        veor q0,q1,q2
        vbic q0,q1,q2
        vmov q0,q1
        vmvn q0,q1
        vneg.s8 q0,q1
        vabs.s8 q0,q1
        vqabs.s8 q0,q1
        vcls.s8 q0,q1
        vclz.i8 q0,q1
        vrev16.8 q0,q1
        vrev32.8 q0,q1
        vrev64.8 q0,q1
        vmov.i32 q0,#0
        vmov.i8 q0,#5
        vmvn.i32 q0,#1
        vshl.i32 q0,q1,#3
        vshr.s32 q0,q1,#3
        vrshr.s32 q0,q1,#3
        vsli.32 q0,q1,#3
        vsri.32 q0,q1,#3
        vshl.s32 q0,q1,q2
        vshl.s32 q0,r2
        vrshl.s32 q0,q1,q2
        vrshl.s32 q0,r2
        vqshl.s32 q0,q1,q2
        vqrshl.s32 q0,q1,q2
        vqshl.s32 q0,q1,#3
        vqrshl.s32 q0,r1
        vshlc q0,r2,#4
        vshllb.s8 q0,q1,#3
        vmovlb.s8 q0,q1
        vmovlt.u8 q0,q1
        vmovnb.i32 q0,q1
        vmovnt.i16 q0,q1
        vqmovnb.s32 q0,q1
        vqmovunb.s32 q0,q1
        vshrnb.i32 q0,q1,#4
        vrshrnt.i16 q0,q1,#4
        vqshrnb.s32 q0,q1,#4
        vqrshrnb.s32 q0,q1,#4
        vdup.32 q0,r1
        vdup.8 q0,r1
        vidup.u32 q0,r2,#4
        vddup.u8 q0,r2,#1
        viwdup.u32 q0,r2,r3,#4
        vpsel q0,q1,q2
        vadc.i32 q0,q1,q2
        vsbc.i32 q0,q1,q2
        vbrsr.32 q0,q1,r2
        vmaxnm.f32 q0,q1,q2
        vabs.f32 q0,q1
        vneg.f32 q0,q1
        vcvt.f32.s32 q0,q1
        vcvt.s32.f32 q0,q1
        vrintz.f32 q0,q1
        vcvtb.f16.f32 q0,q1
        vcadd.i32 q0,q1,q2,#90
        vhcadd.s32 q0,q1,q2,#90""",
    Class.MVE_MULTIPLY: """
        vmul.i32 q0,q1,q2
        vmul.i32 q0,q1,r2
        vmulh.s32 q0,q1,q2
        vrmulh.s8 q0,q1,q2
        vqdmulh.s32 q0,q1,q2
        vqrdmulh.s32 q0,q1,q2
        vqdmulh.s32 q0,q1,r2
        vqrdmulh.s32 q0,q1,r2
        vmullb.s8 q0,q1,q2
        vmullt.s16 q0,q1,q2
        vqdmullb.s16 q0,q1,q2
        vadd.f32 q0,q1,q2
        vsub.f32 q0,q1,q2
        vadd.f32 q0,q1,r2
        vmul.f32 q0,q1,q2
        vmul.f32 q0,q1,r2
        vcmul.f32 q0,q1,q2,#0""",
    Class.MVE_MAC: """
        vmla.s32 q0,q1,r2
        vmlas.s32 q0,q1,r2
        vqdmlah.s32 q0,q1,r2
        vqrdmlah.s32 q0,q1,r2
        vqdmlash.s32 q0,q1,r2
        vqrdmlash.s32 q0,q1,r2
        vqdmladh.s16 q0,q1,q2
        vfma.f32 q0,q1,q2
        vfma.f32 q0,q1,r2
        vfms.f32 q0,q1,q2
        vfmas.f32 q0,q1,r2
        vcmla.f32 q0,q1,q2,#0
        vcadd.f32 q0,q1,q2,#90""",
    Class.MVE_REDUCE: """
        vmladav.s8 r2,q0,q1
        vmladava.s8 r2,q0,q1
        vmladava.u8 r2,q0,q1
        vmladavax.s8 r2,q0,q1
        vmladava.s16 r4,q0,q1
        vmladava.s32 lr,q0,q1
        vmlsdava.s16 r4,q0,q1
        vmlaldava.s16 r4,r5,q0,q1
        vmlaldav.s32 r4,r5,q0,q1
        vrmlaldavha.s32 r4,r5,q0,q1
        vaddv.s8 r2,q1
        vaddva.s8 r2,q1
        vaddva.u16 r2,q1
        vaddlva.s32 r2,r3,q1
        vmaxv.s8 r2,q1
        vminv.s8 r2,q1
        vabav.s8 r2,q1,q2""",
    Class.MVE_TRANSFER: """
        vmov q0[2],q0[0],r1,r2
        vmov r1,r2,q0[2],q0[0]
        vmsr p0,r0
        vmrs r0,p0""",
    Class.MVE_PREDICATE: """
        vcmp.s32 ge,q0,q1
        vcmp.i32 eq,q0,r1
        vcmp.f32 ge,q0,q1
        vpnot
        vctp.8 r1
        vctp.32 r1""",
    Class.MVE_LOAD: """
        vldrb.u8 q0,[r0]
        vldrb.u8 q0,[r0],#16
        vldrb.u8 q0,[r0,#16]!
        vldrb.s16 q0,[r0,#8]
        vldrb.s32 q1,[r0],#4
        vldrh.u16 q0,[r0]
        vldrh.s32 q0,[r7]
        vldrw.u32 q0,[r0]
        vldrw.u32 q7,[r12,#-16]!
        vld20.8 {q0,q1},[r0]
        vld40.8 {q0,q1,q2,q3},[r0]
        vld43.8 {q0,q1,q2,q3},[r0]!
        vld41.32 {q0,q1,q2,q3},[r0]""",
    Class.MVE_GATHER: """
        vldrb.u8 q0,[r0,q1]
        vldrb.s32 q0,[r0,q1]
        vldrw.u32 q0,[r0,q1,uxtw #2]
        vldrw.u32 q0,[q1,#4]
        vldrw.u32 q0,[q1,#4]!""",
    Class.MVE_STORE: """
        vstrb.8 q0,[r0]
        vstrb.8 q0,[r0],#16
        vstrb.32 q0,[r0],#4
        vstrb.16 q0,[r0]
        vstrw.32 q0,[r0,#16]
        vst20.8 {q0,q1},[r0]
        vst40.8 {q0,q1,q2,q3},[r0]""",
    Class.MVE_SCATTER: """
        vstrb.8 q0,[r0,q1]
        vstrw.32 q0,[q1]""",
}


def test_mve_classes():
    wanted = [(line.strip(), kind) for kind, text in MVE.items() for line in text.strip().splitlines()]
    found = assemble("\n".join(line for line, _ in wanted), "cortex-m55")
    assert [(line, i.kind) for (line, _), i in zip(wanted, found, strict=True)] == wanted


def quads(registers):
    return [*dict.fromkeys(f"q{int(r[1:]) // 4}" if re.fullmatch(r"s\d+", r) else r for r in registers)]


MVE_REGISTERS = [
    ("vmladava.s8 r2, q0, q1", ["q0", "q1", "r2"], ["r2"]),
    ("vmladav.s8 r2, q0, q1", ["q0", "q1"], ["r2"]),
    ("vmlaldava.s16 r4, r5, q0, q1", ["q0", "q1", "r4", "r5"], ["r4", "r5"]),
    ("vadd.i32 q7, q6, q5", ["q6", "q5"], ["q7"]),
    ("vadd.i32 q0, q1, r3", ["q1", "r3"], ["q0"]),
    ("vmla.s32 q0, q1, r2", ["q1", "r2", "q0"], ["q0"]),
    ("vldrb.u8 q0, [r0], #16", ["r0"], ["q0"]),
    ("vldrh.s32 q0, [r7]", ["r7"], ["q0"]),
    ("vldrw.u32 q0, [r0, q1, uxtw #2]", ["r0", "q1"], ["q0"]),
    ("vstrb.8 q0, [r0, #16]!", ["r0", "q0"], []),
    ("vld43.8 {q0, q1, q2, q3}, [r0]!", ["r0"], ["q0", "q1", "q2", "q3"]),
    ("vdup.32 q0, r1", ["r1"], ["q0"]),
    ("vctp.8 r1", ["r1"], ["vpr"]),
    ("vpsel q0, q1, q2", ["q1", "q2", "vpr"], ["q0"]),
    ("vrshl.s32 q0, r2", ["r2", "q0"], ["q0"]),
    ("vmov q0[2], q0[0], r1, r2", ["r1", "r2", "q0"], ["q0"]),
    ("vmov r1, r2, q0[2], q0[0]", ["q0"], ["r1", "r2"]),
]


def test_mve_registers():
    found = assemble("\n".join(text for text, *_ in MVE_REGISTERS), "cortex-m55")
    for instruction, (text, reads, writes) in zip(found, MVE_REGISTERS, strict=True):
        assert (quads(r for r, _ in instruction.reads), quads(instruction.writes)) == (reads, writes), text


def test_what_nobody_knows_is_unknown():
    found = list(InstructionDecoder().run(bytes.fromhex("00de 90ed0016 00bf".replace(" ", "")), 0x100))
    assert [i.kind for i in found] == [Class.UNKNOWN, Class.UNKNOWN, Class.NOP]
    assert [i.address for i in found] == [0x100, 0x102, 0x106]
    assert InstructionDecoder().one(b"\x12", 0).kind is Class.UNKNOWN


@pytest.mark.parametrize("core", ["cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33"])
def test_decodes_compiled_code_like_objdump(core, tmp_path):
    """Sizes, targets and mnemonics of the compiler's own library, against binutils."""
    compiler = toolchain.find("arm")
    source = tmp_path / "a.c"
    source.write_text(
        "#include <stdint.h>\nint32_t f(const int8_t *a, int n, float x) { int32_t s = 0; float t = x;\n"
        "for (int i = 0; i < n; i++) { s += a[i] * (a[i] >> 1); t = t * x + (float)s; if (a[i] == 3) s /= n; }\n"
        "switch (n) { case 1: s++; break; case 2: s *= 3; break; case 3: s ^= 5; break; case 4: s = -s; break;\n"
        "case 5: s -= 7; break; default: break; } return s + (int32_t)t; }\n"
        "uint64_t g(uint64_t a, uint64_t b) { return a / b + a * b; }\n"
        "int main(void) { return f((int8_t *)g, 3, 2.0f); }\n"
    )
    image = tmp_path / "a.elf"
    subprocess.run(
        [compiler.cc, f"-mcpu={core}", "-mthumb", "-O2", "--specs=nosys.specs", "-nostartfiles", "-Wl,-emain",
         "-o", image, source], check=True, capture_output=True, timeout=60)  # fmt: skip
    objdump = compiler.cc.with_name(compiler.cc.name.replace("gcc", "objdump"))
    listed = subprocess.run([objdump, "-d", image], check=True, capture_output=True, text=True, timeout=60).stdout
    decoder, pending, seen = InstructionDecoder(), 0, 0
    from harness.cycles.decoder import it_length

    for line in listed.splitlines():
        match = re.match(r"\s*([0-9a-f]+):\t((?:[0-9a-f]{4} ?)+)\s*\t(\S+)(.*)", line)
        if not match or match[3].startswith("."):
            continue
        data = b"".join(int(w, 16).to_bytes(2, "little") for w in match[2].split())
        found = decoder.one(data, int(match[1], 16), in_it=pending > 0)
        pending = it_length(data) if found.kind is Class.IT else max(0, pending - 1)
        assert found.size == len(data)
        assert found.kind is not Class.UNKNOWN, line
        target = re.search(r"([0-9a-f]+) <", match[4])
        if found.kind in (Class.BRANCH, Class.CALL, Class.COMPARE_BRANCH):
            assert target and found.target == int(target[1], 16), line
        seen += 1
    assert seen > 100
