"""The NPU as a device: registers, rights, sleep, counters, and what a driver can do wrong."""

from __future__ import annotations

import re

import numpy as np
import pytest
from ethosu.vela.ethos_u55_regs import ethos_u55_regs
from hypothesis import given
from hypothesis import strategies as st

from harness.ethosu import interface as at
from harness.ethosu.accelerators import ACCELERATORS
from harness.ethosu.device import Misuse, NpuDevice, NpuRun
from harness.ethosu.interface import Cmd, Rights, StatusBit
from harness.ethosu.reach import NoMemoryError, Reach
from tests.support.ethosu_driver import Memory
from tests.support.paths import FIRMWARE

U55, U65 = ACCELERATORS[2], ACCELERATORS[4]
FLASH, RAM = 0x0100_0000, 0x2100_0000
RUN, SLEEP = int(Cmd.RUN), int(Cmd.CLOCK_MAY_STOP | Cmd.POWER_MAY_GO)
STOP = 0x0000
# a copy of 32 bytes from the beginning of region 1 to byte 64 of it, its wait, and the end
COPY = [0x0001_0130, 0x0001_0131, 0x4030, 0, 0x4031, 64, 0x4032, 32, 0x0010, 0x0011, STOP]


def _device(words: list[int] = [STOP], accelerator=U55, **more) -> tuple[NpuDevice, Memory, list[NpuRun]]:  # noqa: B006
    content = np.array(words, "<u4").tobytes()
    memory = Memory({FLASH: content, RAM: bytearray(range(256))})
    runs: list[NpuRun] = []
    device = NpuDevice(accelerator, memory, on_run=runs.append, **more)
    device.begin([0, 256])
    return device, memory, runs


def _set_up(device: NpuDevice, words: int = 1) -> None:
    device.put(at.RESET, int(Rights.PRIVILEGED))
    for offset, value in {at.QBASE0: FLASH, at.QSIZE: 4 * words, at.BASEP0 + 8: RAM}.items():
        device.put(offset, value)


def _whats(device: NpuDevice) -> list[Misuse]:
    return [note.what for note in device.misuse]


# --- what the registers are ---


def test_offsets_and_events_are_those_of_velas_tables() -> None:
    theirs = {}
    for table in ("BASE", "BASE_POINTERS", "PMU", "ID"):
        theirs |= {entry.name: entry.value for entry in getattr(ethos_u55_regs, table)}
    for offset, name in at.NAMES.items():
        assert offset == (0 if name == "ID" else theirs[name])
    events = {entry.value: entry.name for entry in ethos_u55_regs.pmu_event_type}
    for event, (port, direction) in at.EVENT_BEATS.items():
        beats = f"AXI{port}_{'RD' if direction == 'read' else 'WR'}_DATA_BEAT_(RECEIVED|WRITTEN)"
        assert re.fullmatch(beats, events[event])
    named = {at.EVENT_CYCLE: "CYCLE", at.EVENT_IDLE: "NPU_IDLE", at.EVENT_ACTIVE: "NPU_ACTIVE"}
    assert {event: events[event] for event in named} == named


def test_bits_are_those_of_velas_tables() -> None:
    status = ethos_u55_regs.status_r()
    fields = {
        StatusBit.RUNNING: "state",
        StatusBit.IRQ: "irq_raised",
        StatusBit.BUS_ERROR: "bus_status",
        StatusBit.RESETTING: "reset_status",
        StatusBit.PARSE_ERROR: "cmd_parse_error",
        StatusBit.END_REACHED: "cmd_end_reached",
        StatusBit.PMU_IRQ: "pmu_irq_raised",
        StatusBit.WEIGHT_FAULT: "wd_fault",
        StatusBit.ECC_FAULT: "ecc_fault",
    }
    for bit, field in fields.items():
        status.word = int(bit)
        assert getattr(status.bits, field) == 1
    command = ethos_u55_regs.cmd_r()
    for bit, field in {
        Cmd.RUN: "transition_to_running_state",
        Cmd.CLEAR_IRQ: "clear_irq",
        Cmd.CLOCK_MAY_STOP: "clock_q_enable",
        Cmd.POWER_MAY_GO: "power_q_enable",
        Cmd.STOP: "stop_request",
    }.items():
        command.word = int(bit)
        assert getattr(command.bits, field) == 1


def test_the_drivers_offsets_are_the_same() -> None:
    text = (FIRMWARE / "kernels" / "hil_ethosu.c").read_text(encoding="utf-8")
    ours = {name: offset for offset, name in at.NAMES.items()}
    ours |= {"QBASE": at.QBASE0, "AXI_LIMIT": at.AXI_LIMIT0, "BASEP": at.BASEP0}
    ours |= {"PMEVCNTR": at.PMEVCNTR0, "PMEVTYPER": at.PMEVTYPER0}
    found = re.findall(r"^#define ([A-Z_]+) (0x[0-9A-F]{3})U$", text, re.MULTILINE)
    registers = {name: int(value, 16) for name, value in found if not name.startswith(("STATUS_", "EVENT_"))}
    assert len(registers) > 15
    assert registers == {name: ours[name] for name in registers}


@pytest.mark.parametrize("accelerator", ACCELERATORS, ids=lambda accelerator: accelerator.name)
def test_it_says_what_it_is(accelerator) -> None:
    device, _, _ = _device(accelerator=accelerator)
    config = ethos_u55_regs.config_r()
    config.word = device.get(at.CONFIG)
    assert 1 << config.bits.macs_per_cc == accelerator.macs * accelerator.cores
    assert config.bits.product == accelerator.product
    assert device.get(at.PMCR) >> 11 & 31 == 4


# --- what a driver does ---


def test_a_stream_runs_when_it_is_told_to() -> None:
    device, memory, runs = _device(COPY)
    _set_up(device, len(COPY))
    assert device.get(at.STATUS) == 0
    device.put(at.CMD, RUN)
    assert device.get(at.STATUS) == StatusBit.IRQ | StatusBit.END_REACHED
    assert device.get(at.QREAD) == 4 * len(COPY)
    assert memory.pieces[RAM][64:96] == bytes(range(32))
    assert (runs[0].words, runs[0].changed, runs[0].error) == (len(COPY), 32, None)
    device.put(at.CMD, int(Cmd.CLEAR_IRQ))
    assert device.get(at.STATUS) == StatusBit.END_REACHED
    assert device.misuse == []


def test_it_runs_on_while_status_is_asked() -> None:
    device, memory, _ = _device(COPY, delay=2)
    _set_up(device, len(COPY))
    device.put(at.CMD, RUN)
    assert [device.get(at.STATUS) & StatusBit.RUNNING for _ in range(3)] == [1, 1, 0]
    assert memory.pieces[RAM][64:96] == bytes(range(32))


def test_a_reset_forgets_everything_and_ends_a_run() -> None:
    device, memory, runs = _device(COPY, delay=None)
    _set_up(device, len(COPY))
    device.put(at.CMD, RUN)
    device.put(at.RESET, int(Rights.PRIVILEGED))
    assert device.get(at.STATUS) == 0
    assert device.get(at.QSIZE) == device.get(at.BASEP0 + 8) == 0
    assert runs == [] and memory.written == []
    assert _whats(device) == [Misuse.ABORTED]


def test_a_stop_request_ends_a_run() -> None:
    device, _, runs = _device(COPY, delay=None)
    _set_up(device, len(COPY))
    device.put(at.CMD, RUN)
    device.put(at.CMD, int(Cmd.STOP))
    assert device.get(at.STATUS) == StatusBit.IRQ
    assert runs == []


# --- misuse ---


def test_registers_that_are_not_there() -> None:
    device, _, _ = _device()
    assert device.get(0x30) == 0
    device.put(0x2, 1)
    device.put(at.CONFIG, 1)
    device.put(at.STATUS, 0)
    assert [(note.what, note.register) for note in device.misuse] == [
        (Misuse.NO_REGISTER, "0x030"),
        (Misuse.NO_REGISTER, "0x002"),
        (Misuse.READ_ONLY, "CONFIG"),
        (Misuse.READ_ONLY, "STATUS"),
    ]


def test_registers_written_while_it_runs_stay_as_they_are() -> None:
    device, _, runs = _device(delay=1)
    _set_up(device)
    device.put(at.CMD, RUN)
    device.put(at.QBASE0, RAM)
    device.put(at.CMD, RUN)
    assert _whats(device) == [Misuse.WHILE_RUNNING, Misuse.WHILE_RUNNING]
    assert device.get(at.QBASE0) == FLASH
    device.get(at.STATUS)
    device.get(at.STATUS)
    assert len(runs) == 1 and runs[0].error is None


def test_what_sleeps_forgets() -> None:
    device, _, runs = _device()
    _set_up(device)
    device.put(at.CMD, SLEEP)
    device.put(at.QBASE0, FLASH)
    assert _whats(device) == [Misuse.ASLEEP]
    assert device.get(at.QBASE0) == device.get(at.QSIZE) == 0
    device.put(at.CMD, RUN)
    assert _whats(device) == [Misuse.ASLEEP, Misuse.ASLEEP]
    assert runs[0].error is not None
    device.put(at.CMD, 0)
    _set_up(device)
    device.put(at.CMD, RUN)
    assert runs[1].error is None


def test_addresses_and_sizes_that_it_cannot_take() -> None:
    device, _, _ = _device()
    device.put(at.QBASE0, FLASH + 4)
    device.put(at.BASEP0, RAM + 8)
    device.put(at.BASEP0 + 4, 1)
    device.put(at.QSIZE, 6)
    device.put(at.QSIZE, 0)
    assert _whats(device) == [Misuse.UNALIGNED, Misuse.UNALIGNED, Misuse.BEYOND_REACH, Misuse.SIZE, Misuse.SIZE]
    assert [device.get(offset) for offset in (at.QBASE0, at.BASEP0, at.BASEP0 + 4)] == [FLASH, RAM, 0]
    wide, _, _ = _device(accelerator=U65)
    wide.put(at.BASEP0 + 4, 0xFF)
    assert wide.misuse == []
    wide.put(at.BASEP0 + 4, 0x100)
    assert _whats(wide) == [Misuse.BEYOND_REACH]


def test_bits_that_are_reserved() -> None:
    device, _, _ = _device()
    device.put(at.CMD, 0x20)
    device.put(at.REGIONCFG, 0x1_0003)
    assert _whats(device) == [Misuse.RESERVED_BITS] * 2
    assert device.get(at.REGIONCFG) == 3


def test_non_secure_software_stays_so() -> None:
    device, _, _ = _device(secure=False)
    assert device.get(at.PROT) == Rights.NON_SECURE
    device.put(at.RESET, int(Rights.PRIVILEGED))
    assert device.get(at.PROT) == Rights.PRIVILEGED | Rights.NON_SECURE
    assert _whats(device) == [Misuse.RIGHTS]
    device.put(at.RESET, int(Rights.PRIVILEGED | Rights.NON_SECURE))
    assert len(device.misuse) == 1


def test_a_queue_of_the_wrong_size() -> None:
    for size, shows in ((4 * len(COPY) - 4, StatusBit(0)), (4, StatusBit(0)), (4 * len(COPY) + 4, StatusBit.BUS_ERROR)):
        device, memory, runs = _device(COPY)
        _set_up(device)
        device.put(at.QSIZE, size)
        device.put(at.CMD, RUN)
        assert device.get(at.STATUS) == shows | StatusBit.IRQ
        assert runs[0].error is not None
    assert memory.written == []


def test_a_region_that_reaches_too_far() -> None:
    device, memory, runs = _device(COPY)
    _set_up(device, len(COPY))
    device.begin([0, 95])
    device.put(at.CMD, RUN)
    assert device.get(at.STATUS) == StatusBit.IRQ | StatusBit.BUS_ERROR
    assert "word 8, NPU_OP_DMA_START: writes bytes 64 to 95 of region 1, which has 95" in str(runs[0].error)
    assert device.get(at.QREAD) == 32
    assert memory.written == []


# --- counters ---


def _count_copy(setting: dict[int, int]) -> NpuDevice:
    device, _, _ = _device(COPY)
    _set_up(device, len(COPY))
    for offset, value in setting.items():
        device.put(offset, value)
    device.put(at.CMD, RUN)
    return device


ON = {at.PMCR: 7, at.PMEVTYPER0: 0x82, at.PMEVTYPER0 + 4: 0x87, at.PMCNTENSET: 0x8000_0003}


def test_counters_count_what_they_are_set_to() -> None:
    device = _count_copy(ON)
    assert device.get(at.PMEVCNTR0) == device.get(at.PMEVCNTR0 + 4) == 32 // 8
    device.put(at.CMD, RUN)
    assert device.get(at.PMEVCNTR0) == 2 * 32 // 8, "they go on"
    device.put(at.PMCR, 3)
    assert device.get(at.PMEVCNTR0) == 0


@pytest.mark.parametrize(
    "off", [{at.PMCR: 6}, {at.PMCNTENSET: 0x8000_0000}, {at.PMCNTENSET: 3, at.PMCNTENCLR: 3}, {at.PMEVTYPER0: 0x20}]
)
def test_counters_that_are_off_count_nothing(off: dict[int, int]) -> None:
    assert _count_copy(ON | off).get(at.PMEVCNTR0) == 0


def test_the_port_is_the_one_that_the_driver_chose() -> None:
    device = _count_copy(ON | {at.REGIONCFG: 2 << 2, at.PMEVTYPER0: 0x182})
    assert device.get(at.PMEVCNTR0) == -(-32 // 8) + -(-4 * len(COPY) // 8), "and the commands"
    assert device.get(at.PMEVCNTR0 + 4) == 0


def test_events_that_are_not_counted_here_are_named() -> None:
    device = _count_copy(ON | {at.PMEVTYPER0: 0x30})
    assert device.get(at.PMEVCNTR0) == 0
    assert [(note.what, note.register) for note in device.misuse] == [(Misuse.COUNTER, "PMEVTYPER0")]


# --- whatever a driver does ---


OFFSETS = st.one_of(st.sampled_from(sorted(at.NAMES)), st.integers(0, 0xFFF))
VALUES = st.one_of(st.integers(0, 0xFFFF_FFFF), st.sampled_from([0, 1, RUN, SLEEP, FLASH, RAM, 4 * len(COPY)]))


@given(st.lists(st.tuples(st.booleans(), OFFSETS, VALUES), max_size=60), st.sampled_from([0, 1, None]))
def test_no_access_breaks_it(accesses: list[tuple[bool, int, int]], delay: int | None) -> None:
    device, memory, _ = _device(COPY, delay=delay)
    for write, offset, value in accesses:
        if write:
            device.put(offset, value)
        else:
            assert 0 <= device.get(offset) <= 0xFFFF_FFFF
    assert all(RAM <= address < RAM + 256 for address, _ in memory.written)
    device.delay = 0
    _set_up(device, len(COPY))
    device.put(at.CMD, RUN)
    assert device.get(at.STATUS) & StatusBit.END_REACHED, "after a reset all is well"


# --- the memory behind it ---


def test_regions_in_one_another_are_the_same_bytes() -> None:
    memory = Memory({RAM: bytearray(256)})
    reach = Reach(memory, {1: (RAM, 256), 2: (RAM + 16, 32), 3: (RAM + 40, 16)})
    reach.regions[2][24] = 7
    assert reach.regions[1][40] == reach.regions[3][0] == 7
    assert reach.put_back() == 1
    assert memory.written == [(RAM + 40, 1)]


def test_only_what_changed_is_written_near_bytes_together() -> None:
    memory = Memory({RAM: bytearray(256)})
    reach = Reach(memory, {1: (RAM, 256)})
    for place in (0, 3, 100, 255):
        reach.regions[1][place] = 1
    assert reach.put_back() == 4 + 1 + 1
    assert memory.written == [(RAM, 4), (RAM + 100, 1), (RAM + 255, 1)]


def test_memory_that_is_constant_or_missing() -> None:
    memory = Memory({FLASH: bytes(64)})
    reach = Reach(memory, {0: (FLASH, 64)})
    assert not reach.regions[0].flags.writeable
    assert reach.put_back() == 0
    with pytest.raises(NoMemoryError):
        Reach(memory, {0: (FLASH, 65)})
