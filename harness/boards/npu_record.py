"""What the NPU's driver leaves in the device's memory of its last run: figures, and how it ended.

Hardware and the FVP have it, too, for whoever can read their memory.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from harness.errors import BoardError, TinyhilError

SYMBOL = "hil_ethosu_record"
_LAYOUT = struct.Struct("<QQ7Ii")

_MEANS: dict[int, tuple[str, str]] = {
    1: ("it was given an address or a number that it cannot take", "report this; generated code should not"),
    2: ("nothing answers at the address of its registers", "check `npu.base` of the board, and the NPU's clock"),
    3: ("it is another build than the model is compiled for", "compile the model for the NPU that the board has"),
    4: ("it runs for other software", "let one driver have it"),
    5: ("it does not come out of reset with the rights asked for", "`tinyhil docs ethos-u` explains HIL_ETHOSU_PROT"),
    6: ("the bus refused an access", "place the model where it reaches: `tinyhil docs ethos-u`"),
    7: ("it met a command that it cannot carry out", "compile the model again with Vela"),
    8: ("it cannot decode weights", "check that the image was written to flash as it is"),
    9: ("its own memory failed", "run again; else the chip is damaged"),
    10: ("it did not end in time", "`tinyhil docs ethos-u` explains HIL_ETHOSU_POLLS"),
    11: ("it stopped before the end of the command stream", "compile the model again with Vela"),
}
"""Results of hil_ethosu_run other than 0: what they say, and what to try."""


class NpuFailedError(TinyhilError):
    """The device's NPU ended a run with an error."""

    code = "npu-failed"
    stage = "npu"


@dataclass(frozen=True)
class NpuRecord:
    """hil_ethosu_counters of firmware/kernels/hil_ethosu.h.

    Attributes:
        active, idle: cycles of the NPU's clock.
        axi0_read, axi0_write, axi1_read, axi1_write: beats.
        status: its register STATUS at the end.
        at: byte of the command stream that it had come to.
        runs: how many there were since the device started.
        result: 0, or how the last one failed.
    """

    active: int
    idle: int
    axi0_read: int
    axi0_write: int
    axi1_read: int
    axi1_write: int
    status: int
    at: int
    runs: int
    result: int

    def error(self) -> NpuFailedError | None:
        """How the last run failed; None if it did not."""
        if self.runs == 0 or self.result == 0:
            return None
        what, hint = _MEANS.get(self.result, (f"result {self.result}", "report this"))
        return NpuFailedError(
            f"the NPU failed: {what} (byte {self.at} of the command stream, STATUS 0x{self.status:08x})", hint=hint
        )


def read_record(read: Callable[[int, int], bytes], address: int | None) -> NpuRecord | None:
    """The record of a device, which waits for a request.

    Args:
        read: bytes of its memory, by address and length.
        address: of SYMBOL in its image.

    Returns:
        None without an address, or where memory cannot be read.
    """
    if address is None:
        return None
    try:
        content = read(address, _LAYOUT.size)
    except BoardError:
        return None
    return NpuRecord(*_LAYOUT.unpack(content))
