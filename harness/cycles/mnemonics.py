"""Mnemonics of Armv6-M to Armv8-M: the class of each, and the sets of those whose operands or flags are special.

Capstone's own lists of read and written registers have gaps (SSAT, SMLAL, ADC), so they are not used.
"""

from __future__ import annotations

from harness.cycles.instruction import Class

_ALU = "adc add and bic cmn cmp eor mov movt movw mvn neg orn orr rsb sbc sub teq tst addw subw adr cpy"
_DSP = (
    " ".join(f"{p}{o}" for p in ("s", "u", "sh", "uh") for o in ("add16", "sub16", "add8", "sub8", "asx", "sax"))
    + " sel clz"
)
_DSP_SATURATING = (
    " ".join(f"{p}{o}" for p in ("q", "uq") for o in ("add16", "sub16", "add8", "sub8", "asx", "sax"))
    + " qadd qsub qdadd qdsub usad8 usada8"
)
_CLASSES: dict[str, Class] = {
    name: kind
    for kind, names in {
        Class.ALU: _ALU,
        Class.SHIFT: "lsl lsr asr ror rrx",
        Class.BITFIELD: "ubfx sbfx bfi bfc",
        Class.REVERSE: "rev rev16 revsh rbit",
        Class.EXTEND: "sxtb uxtb sxth uxth sxtb16 uxtb16",
        Class.PACK: "pkhbt pkhtb sxtab uxtab sxtah uxtah sxtab16 uxtab16",
        Class.DSP: _DSP,
        Class.DSP_SATURATING: _DSP_SATURATING,
        Class.SATURATE: "ssat usat ssat16 usat16",
        Class.MULTIPLY: "mul smulbb smulbt smultb smultt smulwb smulwt smuad smuadx smusd smusdx smmul smmulr",
        Class.MAC: "mla mls smlabb smlabt smlatb smlatt smlawb smlawt smlad smladx smlsd smlsdx smmla smmlar "
        "smmls smmlsr",
        Class.MULTIPLY_LONG: "smull umull",
        Class.MAC_LONG: "smlal umlal umaal smlalbb smlalbt smlaltb smlaltt smlald smlaldx smlsld smlsldx",
        Class.DIVIDE: "udiv sdiv",
        Class.LOAD: "ldr ldrt",
        Class.LOAD_NARROW: "ldrb ldrh ldrsb ldrsh ldrbt ldrht ldrsbt ldrsht",
        Class.STORE: "str strt",
        Class.STORE_NARROW: "strb strh strbt strht",
        Class.LOAD_PAIR: "ldrd",
        Class.STORE_PAIR: "strd",
        Class.LOAD_MULTIPLE: "ldm ldmia ldmdb pop",
        Class.STORE_MULTIPLE: "stm stmia stmdb push",
        Class.EXCLUSIVE: "ldrex ldrexb ldrexh strex strexb strexh clrex lda ldab ldah stl stlb stlh ldaex stlex",
        Class.PRELOAD: "pld pldw pli",
        Class.BRANCH: "b",
        Class.CALL: "bl",
        Class.BRANCH_INDIRECT: "bx blx bxns blxns",
        Class.COMPARE_BRANCH: "cbz cbnz",
        Class.TABLE_BRANCH: "tbb tbh",
        Class.NOP: "nop yield sev sevl dbg csdb",
        Class.BARRIER: "dsb dmb isb",
        Class.SYSTEM: "mrs msr cpsie cpsid svc bkpt wfi wfe sg tt ttt tta ttat vmrs vmsr",
        Class.FP_ADD: "vadd vsub vabs vneg vmaxnm vminnm vsel",
        Class.FP_MULTIPLY: "vmul vnmul",
        Class.FP_MAC: "vfma vfms vfnma vfnms vmla vmls vnmla vnmls",
        Class.FP_DIVIDE: "vdiv vsqrt",
        Class.FP_CONVERT: "vcvt vcvtr vcvtb vcvtt vcvta vcvtn vcvtp vcvtm vrinta vrintn vrintp vrintm vrintz "
        "vrintr vrintx",
        Class.FP_COMPARE: "vcmp vcmpe",
        Class.FP_MOVE: "vmov",
        Class.FP_LOAD: "vldr",
        Class.FP_STORE: "vstr",
        Class.FP_LOAD_MULTIPLE: "vldm vldmia vldmdb vpop",
        Class.FP_STORE_MULTIPLE: "vstm vstmia vstmdb vpush",
    }.items()
    for name in names.split()
}
COMPARES = frozenset({"cmp", "cmn", "tst", "teq"})
NO_DESTINATION = COMPARES | {"vcmp", "vcmpe"}
READS_FLAGS = frozenset({"adc", "sbc", "rrx", "sel", "vsel"})
WRITES_GE = frozenset(f"{p}{o}" for p in "su" for o in ("add16", "sub16", "add8", "sub8", "asx", "sax"))
"""Set the GE bits, which SEL reads."""
READS_DESTINATION = frozenset({"bfi", "bfc", "movt"})
"""Read their destination, although it is only one operand."""
UNARY = frozenset({"mov", "movw", "mvn", "neg", "cpy", "adr", "clz", "rrx", "vabs", "vneg"})
"""With two operands read only the second; others with two operands (ADDS r0, r1) read both."""
TWO_OPERAND = frozenset(
    {
        Class.ALU, Class.SHIFT, Class.DSP, Class.DSP_SATURATING, Class.MULTIPLY, Class.FP_ADD, Class.FP_MULTIPLY,
    }
)  # fmt: skip
"""With two operands read the first as well."""

_SET_FLAGS = "adc add and bic eor mov mvn neg orn orr rsb sbc sub lsl lsr asr ror rrx mul"
_SETTERS = frozenset(f"{name}s" for name in _SET_FLAGS.split())
_CODES = "eq ne hs cs lo cc mi pl vs vc hi ls ge lt gt le"
_CONDITIONS = frozenset(_CODES.split())


def parse_mnemonic(text: str) -> tuple[str, bool]:
    """A mnemonic as a disassembler prints it -> without width, data type and condition, and whether it sets flags."""
    name = text.lower().split(".")[0]
    if name in _SETTERS:
        return name[:-1], True
    if name in _CLASSES:
        return name, name in COMPARES
    if name[-2:] in _CONDITIONS and name[:-2] in _CLASSES:
        return name[:-2], name[:-2] in COMPARES
    return name, False


def class_of(name: str) -> Class:
    """The class of a mnemonic from parse_mnemonic; UNKNOWN if there is none."""
    if name.startswith("it") and set(name[2:]) <= set("te"):
        return Class.IT
    return _CLASSES.get(name, Class.UNKNOWN)
