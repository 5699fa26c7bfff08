"""The registers that commands set, and the records that operations read from them."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.ethosu.commands import PAYLOAD
from harness.ethosu.disassembly import NpuCommand
from harness.ethosu.fault import FaultError

KINDS = {
    (0, 0): "u1",
    (1, 0): "i1",
    (0, 1): "<u2",
    (1, 1): "<i2",
    (0, 2): "<u4",
    (1, 2): "<i4",
}
"""(signed, precision) -> numpy type of an element."""


@dataclass(frozen=True)
class FeatureMap:
    """Where and how the elements of an operand lie.

    Attributes:
        region: number of its region.
        kind: numpy type of an element.
        bricks: NHCWB16 (16 channels side by side), not NHWC.
        bases: bytes of the region at which the four tiles begin: upper left, upper right, lower left, lower right.
        width0, height0, height1: columns of the left tiles, rows of the upper left and of the upper right tile.
        strides: bytes from row to row, column to column, and from 16 channels to the next.
        zero_point: what stands for zero.
    """

    region: int
    kind: str
    bricks: bool
    bases: tuple[int, int, int, int]
    width0: int
    height0: int
    height1: int
    strides: tuple[int, int, int]
    zero_point: int

    @property
    def bits(self) -> int:
        """Bits of an element."""
        return 8 * int(self.kind[-1])

    @property
    def signed(self) -> bool:
        """Whether elements are signed."""
        return "i" in self.kind


@dataclass(frozen=True)
class NpuKernel:
    """The window of an operation, and how its weights are ordered.

    Attributes:
        height, width: elements, holes of a dilation not counted.
        stride: rows and columns from one window to the next.
        dilation: rows and columns between two elements.
        part_first: order of weights: elements of the window before depth.
        decomposition: rows and columns of the largest part of a window computed at once, holes counted.
    """

    height: int
    width: int
    stride: tuple[int, int]
    dilation: tuple[int, int]
    part_first: bool
    decomposition: int

    @property
    def reach(self) -> tuple[int, int]:
        """Rows and columns of inputs under one window."""
        return (self.height - 1) * self.dilation[0] + 1, (self.width - 1) * self.dilation[1] + 1


@dataclass
class NpuRegisters:
    """Values as commands set them; what no command has set reads as 0."""

    bits: dict[str, int] = field(default_factory=dict)

    def set(self, command: NpuCommand) -> None:
        """Carries out an NPU_SET command."""
        self.bits[command.form.register] = command.bits

    def of(self, name: str) -> int:
        """A register of one word."""
        return self.bits.get(name, 0) & 0xFFFF

    def signed(self, name: str) -> int:
        """The same, as a signed number of 16 bits."""
        return signed_16(self.of(name))

    def address(self, name: str) -> int:
        """A register of two words that holds an address."""
        bits = self.bits.get(name, 0)
        return bits >> PAYLOAD | (bits & 0xFF) << 32

    def distance(self, name: str) -> int:
        """The same, which may be negative."""
        value = self.bits.get(name, 0) >> PAYLOAD
        return value - (1 << 32) if value >> 31 else value

    def length(self, name: str) -> int:
        """The payload of a register of two words."""
        return self.bits.get(name, 0) >> PAYLOAD

    def scale(self, name: str) -> tuple[int, int]:
        """(multiplier, shift) of a scale register."""
        bits = self.bits.get(name, 0)
        return bits >> PAYLOAD, bits & 0x3F

    def operand(self, name: str) -> FeatureMap:
        """IFM, IFM2 or OFM.

        Raises:
            FaultError: elements or a format that there are not.
        """
        precision = self.of(f"{name}_PRECISION")
        sign, size, layout = precision & 1, precision >> (1 if name == "OFM" else 2) & 3, precision >> 6 & 3
        kind = KINDS.get((sign, size))
        if kind is None or layout > 1:
            raise FaultError(f"{name}_PRECISION 0x{precision:04x} has a type or a format that there is not")
        b0, b1, b2, b3 = (self.address(f"{name}_BASE{i}") for i in range(4))
        sy, sx, sc = (self.distance(f"{name}_STRIDE_{axis}") for axis in "YXC")
        point = self.signed(f"{name}_ZERO_POINT") if sign else self.of(f"{name}_ZERO_POINT")
        return FeatureMap(
            self.of(f"{name}_REGION") & 7,
            kind,
            layout == 1,
            (b0, b1, b2, b3),
            self.of(f"{name}_WIDTH0_M1") + 1,
            self.of(f"{name}_HEIGHT0_M1") + 1,
            self.of(f"{name}_HEIGHT1_M1") + 1,
            (sy, sx, sc),
            point,
        )

    @property
    def ofm_shape(self) -> tuple[int, int, int]:
        """Height, width and depth of what an operation writes."""
        return self.of("OFM_HEIGHT_M1") + 1, self.of("OFM_WIDTH_M1") + 1, self.of("OFM_DEPTH_M1") + 1

    @property
    def ofm_block(self) -> tuple[int, int, int]:
        """Height, width and depth of the blocks that it is written in."""
        return self.of("OFM_BLK_HEIGHT_M1") + 1, self.of("OFM_BLK_WIDTH_M1") + 1, self.of("OFM_BLK_DEPTH_M1") + 1

    @property
    def ifm_depth(self) -> int:
        """Channels of the first input."""
        return self.of("IFM_DEPTH_M1") + 1

    @property
    def padding(self) -> tuple[int, int, int, int]:
        """Rows above and below, columns left and right."""
        top, bottom, left, right = (self.of(f"IFM_PAD_{side}") for side in ("TOP", "BOTTOM", "LEFT", "RIGHT"))
        return top & 0x7F, bottom & 0xFF, left & 0x7F, right & 0xFF

    @property
    def kernel(self) -> NpuKernel:
        """The window; the registers have its extent with the holes of a dilation."""
        bits = self.of("KERNEL_STRIDE")
        stride = 1 + (bits >> 1 & 1) + 2 * (bits >> 9 & 7), 1 + (bits & 1) + 2 * (bits >> 6 & 7)
        dilation = 1 + (bits >> 4 & 1), 1 + (bits >> 3 & 1)
        return NpuKernel(
            self.of("KERNEL_HEIGHT_M1") // dilation[0] + 1,
            self.of("KERNEL_WIDTH_M1") // dilation[1] + 1,
            stride,
            dilation,
            bool(bits >> 2 & 1),
            4 if bits >> 5 & 1 else 8,
        )

    @property
    def rounding(self) -> int:
        """How the output is rounded: rounding.DOUBLE, TRUNCATE or NATURAL."""
        return self.of("OFM_PRECISION") >> 14 & 3

    @property
    def ifm_rounding(self) -> int:
        """The same of the operand that is scaled before an addition."""
        return self.of("IFM_PRECISION") >> 14 & 3

    @property
    def global_scale(self) -> bool:
        """One scale for all, in OFM_SCALE; else one a channel, in memory."""
        return bool(self.of("OFM_PRECISION") >> 8 & 1)


def signed_16(value: int) -> int:
    """The lower 16 bits as a signed number."""
    return (value & 0x7FFF) - (value & 0x8000)
