"""Registers of the Ethos-U55 and U65 as a driver sees them: offsets, bits, and events of the counters.

Source: Arm's Technical Reference Manuals of the Ethos-U55 (102420) and U65 (102023), and Vela 5.2, ethos_u55_regs.py.
What is behind the NPU's debug registers is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntFlag

ID, STATUS, CMD, RESET = 0x000, 0x004, 0x008, 0x00C
QBASE0, QBASE1, QREAD, QCONFIG, QSIZE = 0x010, 0x014, 0x018, 0x01C, 0x020
PROT, CONFIG, LOCK, REGIONCFG, AXI_LIMIT0, BASEP0 = 0x024, 0x028, 0x02C, 0x03C, 0x040, 0x080
PMCR, PMCNTENSET, PMCNTENCLR, PMOVSSET, PMOVSCLR, PMINTSET, PMINTCLR = range(0x180, 0x19C, 4)
PMCCNTR_LO, PMCCNTR_HI, PMCCNTR_CFG, PMCAXI_CHAN = range(0x1A0, 0x1B0, 4)
PMEVCNTR0, PMEVTYPER0 = 0x300, 0x380

POINTERS = 8
EVENT_COUNTERS = 4

NAMES: Mapping[int, str] = {
    ID: "ID", STATUS: "STATUS", CMD: "CMD", RESET: "RESET", QBASE0: "QBASE0", QBASE1: "QBASE1", QREAD: "QREAD",
    QCONFIG: "QCONFIG", QSIZE: "QSIZE", PROT: "PROT", CONFIG: "CONFIG", LOCK: "LOCK", REGIONCFG: "REGIONCFG",
    **{AXI_LIMIT0 + 4 * i: f"AXI_LIMIT{i}" for i in range(4)},
    **{BASEP0 + 4 * i: f"BASEP{i}" for i in range(2 * POINTERS)},
    PMCR: "PMCR", PMCNTENSET: "PMCNTENSET", PMCNTENCLR: "PMCNTENCLR", PMOVSSET: "PMOVSSET", PMOVSCLR: "PMOVSCLR",
    PMINTSET: "PMINTSET", PMINTCLR: "PMINTCLR", PMCCNTR_LO: "PMCCNTR_LO", PMCCNTR_HI: "PMCCNTR_HI",
    PMCCNTR_CFG: "PMCCNTR_CFG", PMCAXI_CHAN: "PMCAXI_CHAN",
    **{PMEVCNTR0 + 4 * i: f"PMEVCNTR{i}" for i in range(EVENT_COUNTERS)},
    **{PMEVTYPER0 + 4 * i: f"PMEVTYPER{i}" for i in range(EVENT_COUNTERS)},
}  # fmt: skip
"""Offset -> name of every register that the device has."""

READ_ONLY = frozenset((ID, STATUS, QREAD, PROT, CONFIG))


class StatusBit(IntFlag):
    """Bits of STATUS."""

    RUNNING = 1
    IRQ = 1 << 1
    BUS_ERROR = 1 << 2
    RESETTING = 1 << 3
    PARSE_ERROR = 1 << 4
    END_REACHED = 1 << 5
    PMU_IRQ = 1 << 6
    WEIGHT_FAULT = 1 << 7
    ECC_FAULT = 1 << 8


IRQ_HISTORY = 16
"""First bit of STATUS that NPU_OP_STOP and NPU_OP_IRQ set by their masks."""


class Cmd(IntFlag):
    """Bits of CMD."""

    RUN = 1
    CLEAR_IRQ = 1 << 1
    CLOCK_MAY_STOP = 1 << 2
    POWER_MAY_GO = 1 << 3
    STOP = 1 << 4


class Rights(IntFlag):
    """Bits of RESET and PROT."""

    PRIVILEGED = 1
    NON_SECURE = 2


class CounterControl(IntFlag):
    """Bits of PMCR; the number of event counters is behind them."""

    ENABLE = 1
    CLEAR_EVENTS = 2
    CLEAR_CYCLES = 4


NUMBER_OF_COUNTERS = EVENT_COUNTERS << 11
"""What PMCR always reads, too."""

CYCLE_COUNTER = 1 << 31
"""Its bit in PMCNTENSET and PMCNTENCLR."""

EVENT_NONE, EVENT_CYCLE, EVENT_IDLE, EVENT_ACTIVE = 0x00, 0x11, 0x20, 0x23
EVENT_BEATS: Mapping[int, tuple[int, str]] = {
    0x082: (0, "read"), 0x087: (0, "write"), 0x182: (1, "read"), 0x187: (1, "write"),
}  # fmt: skip
"""Event -> port and direction whose beats it counts."""
