"""The commands of an Ethos-U55 or U65: codes, names and fields.

A command is one word (kind 0) or two (kind 1): bits 0 to 9 are its code, 14 and 15 its kind, 16 to 31 a parameter; the
second word is the payload. Source: Vela 5.2, ethosu/vela/ethos_u55_regs/ethos_u55_regs.py, and the field names of
architecture/ethosu65/ethos_u65_interface.hpp.
"""

from __future__ import annotations

from dataclasses import dataclass

PAYLOAD = 16
"""First bit of the second word, where the parameter is bits 0 to 15."""


@dataclass(frozen=True)
class Field:
    """Bits `low` to `low + width - 1` of parameter and payload; `values` names what they stand for."""

    name: str
    low: int
    width: int
    values: tuple[tuple[int, str], ...] = ()

    def of(self, bits: int) -> int:
        """Its value in the bits of a command."""
        return bits >> self.low & (1 << self.width) - 1

    def text(self, bits: int) -> str:
        """Its value as it is printed."""
        value = self.of(bits)
        return dict(self.values).get(value, str(value))


@dataclass(frozen=True)
class CommandForm:
    """What a code stands for."""

    kind: int
    code: int
    name: str
    fields: tuple[Field, ...]

    @property
    def starts(self) -> bool:
        """Whether it makes the NPU do something; the others set a register."""
        return self.name.startswith("NPU_OP")

    @property
    def register(self) -> str:
        """The register that it sets."""
        return self.name.removeprefix("NPU_SET_")


def _named(text: str, first: int = 0) -> tuple[tuple[int, str], ...]:
    return tuple(enumerate(text.split(), first))


TYPES = _named("UNSIGNED SIGNED")
PRECISIONS = _named("B8 B16 B32 B64")
FORMATS = _named("NHWC NHCWB16")
ROUNDINGS = _named("DBL TRUNCATE NATURAL")
ELEMENTWISE = _named("MUL ADD SUB MIN MAX LRELU ABS CLZ SHR SHL")
POOLINGS = _named("MAX AVERAGE REDUCE_SUM")
FUNCTIONS = (
    (0, "RELU"),
    (3, "TANH"),
    (4, "SIGMOID"),
    *_named("TABLE_0 TABLE_1 TABLE_2 TABLE_3 TABLE_4 TABLE_5 TABLE_6 TABLE_7", 16),
)

_PLAIN = {
    0x100: ("IFM_PAD_TOP", "pad", 7),
    0x101: ("IFM_PAD_LEFT", "pad", 7),
    0x102: ("IFM_PAD_RIGHT", "pad", 8),
    0x103: ("IFM_PAD_BOTTOM", "pad", 8),
    0x104: ("IFM_DEPTH_M1", "depth_m1", 16),
    0x109: ("IFM_ZERO_POINT", "zero_point", 16),
    0x10A: ("IFM_WIDTH0_M1", "width_m1", 16),
    0x10B: ("IFM_HEIGHT0_M1", "height_m1", 16),
    0x10C: ("IFM_HEIGHT1_M1", "height_m1", 16),
    0x10D: ("IFM_IB_END", "ib_end", 6),
    0x10F: ("IFM_REGION", "region", 3),
    0x111: ("OFM_WIDTH_M1", "width_m1", 16),
    0x112: ("OFM_HEIGHT_M1", "height_m1", 16),
    0x113: ("OFM_DEPTH_M1", "depth_m1", 16),
    0x115: ("OFM_BLK_WIDTH_M1", "width_m1", 6),
    0x116: ("OFM_BLK_HEIGHT_M1", "height_m1", 5),
    0x117: ("OFM_BLK_DEPTH_M1", "depth_m1", 7),
    0x118: ("OFM_ZERO_POINT", "zero_point", 16),
    0x11A: ("OFM_WIDTH0_M1", "width_m1", 16),
    0x11B: ("OFM_HEIGHT0_M1", "height_m1", 16),
    0x11C: ("OFM_HEIGHT1_M1", "height_m1", 16),
    0x11F: ("OFM_REGION", "region", 3),
    0x120: ("KERNEL_WIDTH_M1", "width_m1", 16),
    0x121: ("KERNEL_HEIGHT_M1", "height_m1", 16),
    0x126: ("ACTIVATION_MIN", "clip_boundary", 16),
    0x127: ("ACTIVATION_MAX", "clip_boundary", 16),
    0x128: ("WEIGHT_REGION", "region", 3),
    0x129: ("SCALE_REGION", "region", 3),
    0x12D: ("AB_START", "ab_start", 6),
    0x12F: ("BLOCKDEP", "blockdep", 2),
    0x132: ("DMA0_SIZE0", "size", 16),
    0x133: ("DMA0_SIZE1", "size", 16),
    0x181: ("IFM2_SCALAR", "scalar", 16),
    0x189: ("IFM2_ZERO_POINT", "zero_point", 16),
    0x18A: ("IFM2_WIDTH0_M1", "width_m1", 16),
    0x18B: ("IFM2_HEIGHT0_M1", "height_m1", 16),
    0x18C: ("IFM2_HEIGHT1_M1", "height_m1", 16),
    0x18D: ("IFM2_IB_START", "ib_start", 6),
    0x18F: ("IFM2_REGION", "region", 3),
}
"""Registers of one word and one field: code -> name, the field's name and width."""

_ADDRESSES = {
    0x000: "IFM_BASE0 IFM_BASE1 IFM_BASE2 IFM_BASE3 IFM_STRIDE_X IFM_STRIDE_Y IFM_STRIDE_C",
    0x010: "OFM_BASE0 OFM_BASE1 OFM_BASE2 OFM_BASE3 OFM_STRIDE_X OFM_STRIDE_Y OFM_STRIDE_C",
    0x020: "WEIGHT_BASE",
    0x022: "SCALE_BASE",
    0x030: "DMA0_SRC DMA0_DST DMA0_LEN DMA0_SKIP0 DMA0_SKIP1",
    0x080: "IFM2_BASE0 IFM2_BASE1 IFM2_BASE2 IFM2_BASE3 IFM2_STRIDE_X IFM2_STRIDE_Y IFM2_STRIDE_C",
    0x090: "WEIGHT1_BASE",
    0x092: "SCALE1_BASE",
}
"""Registers of addresses and distances: code of the first -> names."""


def _dma_region() -> tuple[Field, ...]:
    modes = _named("DMA_REGION_MODE_EXTERNAL DMA_REGION_MODE_INTERNAL")
    return (
        Field("region", 0, 3),
        Field("region_mode", 8, 1, modes),
        Field("stride_mode", 9, 2, _named("DMA_STRIDE_MODE_D1 DMA_STRIDE_MODE_D2 DMA_STRIDE_MODE_D3")),
    )


def _precision(low: int, *more: Field) -> tuple[Field, ...]:
    def prefixed(prefix: str, values: tuple[tuple[int, str], ...]) -> tuple[tuple[int, str], ...]:
        return tuple((value, f"{prefix}_{name}") for value, name in values)

    return (
        Field("activation_type", 0, 1, prefixed("ACTIVATION_TYPE", TYPES)),
        Field("activation_precision", low, 2, prefixed("ACTIVATION_PRECISION", PRECISIONS)),
        Field("activation_format", 6, 2, prefixed("ACTIVATION_FORMAT", FORMATS)),
        *more,
    )


_ROUND = Field("round_mode", 14, 2, _named("ROUND_MODE_DBL ROUND_MODE_TRUNCATE ROUND_MODE_NATURAL"))
_DILATION = _named("KERNEL_DILATION_NONE KERNEL_DILATION_X2")
_BROADCAST = _named("BROADCAST_MODE_DISABLE BROADCAST_MODE_ENABLE")

_OPERATIONS = {
    0x000: ("STOP", (Field("mask", 0, 16),)),
    0x001: ("IRQ", (Field("mask", 0, 16),)),
    0x002: ("CONV", ()),
    0x003: ("DEPTHWISE", ()),
    0x005: ("POOL", (Field("pooling_mode", 0, 3, tuple((v, f"POOLING_MODE_{n}") for v, n in POOLINGS)),)),
    0x006: (
        "ELEMENTWISE",
        (Field("elementwise_mode", 0, 6, tuple((v, f"ELEMENTWISE_MODE_{n}") for v, n in ELEMENTWISE)),),
    ),
    0x010: ("DMA_START", ()),
    0x011: ("DMA_WAIT", (Field("k", 0, 1),)),
    0x012: ("KERNEL_WAIT", (Field("n", 0, 2),)),
    0x013: ("PMU_MASK", (Field("enable", 0, 1),)),
}

_COMPOSED = {
    0x105: (
        "IFM_PRECISION",
        _precision(
            2,
            Field("scale_mode", 8, 2, _named("IFM_SCALE_MODE_OPA_OPB_16 IFM_SCALE_MODE_OPA_32 IFM_SCALE_MODE_OPB_32")),
            _ROUND,
        ),
    ),
    0x107: (
        "IFM_UPSCALE",
        (Field("mode", 0, 2, _named("IFM_UPSCALE_MODE_NONE IFM_UPSCALE_MODE_NEAREST IFM_UPSCALE_MODE_ZEROS")),),
    ),
    0x114: (
        "OFM_PRECISION",
        _precision(1, Field("scale_mode", 8, 1, _named("OFM_SCALE_MODE_PER_CHANNEL OFM_SCALE_MODE_GLOBAL")), _ROUND),
    ),
    0x122: (
        "KERNEL_STRIDE",
        (
            Field("stride_x_lsb", 0, 1),
            Field("stride_y_lsb", 1, 1),
            Field("weight_order", 2, 1, _named("WEIGHT_ORDER_DEPTH_FIRST WEIGHT_ORDER_PART_KERNEL_FIRST")),
            Field("dilation_x", 3, 1, _DILATION),
            Field("dilation_y", 4, 1, _DILATION),
            Field("decomposition", 5, 1, _named("KERNEL_DECOMPOSITION_D8X8 KERNEL_DECOMPOSITION_D4X4")),
            Field("stride_x_msb", 6, 1),
            Field("stride_y_msb", 9, 1),
        ),
    ),
    0x123: (
        "PARALLEL_MODE",
        (Field("parallel_mode", 0, 1, _named("PARALLEL_MODE_SINGLE_CORE PARALLEL_MODE_DUAL_CORE_DEPTH")),),
    ),
    0x124: ("ACC_FORMAT", (Field("acc_format", 0, 2, _named("ACC_FORMAT_I32 ACC_FORMAT_I40 ACC_FORMAT_F16")),)),
    0x125: (
        "ACTIVATION",
        (
            Field("activation_function", 0, 5, tuple((v, f"ACTIVATION_FUNCTION_{n}") for v, n in FUNCTIONS)),
            Field(
                "activation_clip_range",
                12,
                3,
                (
                    (0, "ACTIVATION_CLIP_RANGE_OFM_PRECISION"),
                    (2, "ACTIVATION_CLIP_RANGE_FORCE_UINT8"),
                    (3, "ACTIVATION_CLIP_RANGE_FORCE_INT8"),
                    (5, "ACTIVATION_CLIP_RANGE_FORCE_INT16"),
                ),
            ),
        ),
    ),
    0x130: ("DMA0_SRC_REGION", _dma_region()),
    0x131: ("DMA0_DST_REGION", _dma_region()),
    0x180: (
        "IFM2_BROADCAST",
        (
            Field("broadcast_h", 0, 1, _BROADCAST),
            Field("broadcast_w", 1, 1, _BROADCAST),
            Field("broadcast_c", 2, 1, _BROADCAST),
            Field("operand_order", 6, 1, _named("IFM2_OPERAND_ORDER_ORDER_B IFM2_OPERAND_ORDER_ORDER_A")),
            Field("broadcast_constant", 7, 1, _BROADCAST),
        ),
    ),
    0x185: ("IFM2_PRECISION", _precision(2)),
}

_VALUES = {
    0x021: ("WEIGHT_LENGTH", (Field("length", PAYLOAD, 32),)),
    0x023: ("SCALE_LENGTH", (Field("length", PAYLOAD, 20),)),
    0x024: ("OFM_SCALE", (Field("shift", 0, 6), Field("scale", PAYLOAD, 32))),
    0x025: ("OPA_SCALE", (Field("shift", 0, 6), Field("scale", PAYLOAD, 32))),
    0x026: ("OPB_SCALE", (Field("scale", PAYLOAD, 16),)),
    0x091: ("WEIGHT1_LENGTH", (Field("length", PAYLOAD, 32),)),
    0x093: ("SCALE1_LENGTH", (Field("length", PAYLOAD, 20),)),
}


def _all() -> dict[tuple[int, int], CommandForm]:
    forms = [CommandForm(0, code, f"NPU_OP_{name}", fields) for code, (name, fields) in _OPERATIONS.items()]
    forms += [
        CommandForm(0, code, f"NPU_SET_{name}", (Field(field, 0, width),))
        for code, (name, field, width) in _PLAIN.items()
    ]
    forms += [CommandForm(0, code, f"NPU_SET_{name}", fields) for code, (name, fields) in _COMPOSED.items()]
    forms += [CommandForm(1, code, f"NPU_SET_{name}", fields) for code, (name, fields) in _VALUES.items()]
    address = (Field("addr", PAYLOAD, 32), Field("addr_hi", 0, 8))
    forms += [
        CommandForm(1, first + i, f"NPU_SET_{name}", address)
        for first, names in _ADDRESSES.items()
        for i, name in enumerate(names.split())
    ]
    return {(form.kind, form.code): form for form in forms}


COMMANDS = _all()
"""(kind, code) -> what it stands for."""
