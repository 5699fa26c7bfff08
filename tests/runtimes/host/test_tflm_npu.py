"""The NPU behind Arm's driver without QEMU: what is refused, copies of memories, and what is written back."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.boards.backends.qemu.gdb import LR, PC, SP
from harness.errors import CommandStreamError, InputError
from harness.ethosu.counts import StreamCounts
from harness.ethosu.pmu import READ
from harness.runtimes.tflm.npu import (
    DONE,
    FAILED,
    NpuBehindDriver,
    NpuCall,
    TargetMemory,
    accelerator_in,
    as_the_driver,
)

MODEL = 0x9000_0000
STACK, BASES, SIZES = 0x100, 0x140, 0x180
STOP = struct.pack("<I", 0xFFFF_0000)
CONFIG = 24 << 8 | 7
"""Of an ethos-u55-128."""


class StoppedCore:
    """A core at the beginning of ethosu_invoke_v3, as harness.boards.backends.qemu.gdb.Gdb shows it, and its memory."""

    def __init__(self, call: NpuCall, memory: bytes = b"") -> None:
        self.memory = bytearray(max(0x200, len(memory)))
        self.memory[: len(memory)] = memory
        self.core = [0] * 16
        self.core[1], self.core[2] = call.payload
        self.core[3], self.core[SP], self.core[LR], self.core[PC] = BASES, STACK, 0x1235, 0x1000
        self.memory[STACK : STACK + 8] = struct.pack("<II", SIZES, len(call.bases))
        self.memory[BASES : BASES + 8 * len(call.bases)] = struct.pack(f"<{len(call.bases)}Q", *call.bases)
        self.memory[SIZES : SIZES + 4 * len(call.sizes)] = struct.pack(f"<{len(call.sizes)}I", *call.sizes)
        self.written: list[tuple[int, bytes]] = []

    def registers(self) -> tuple[int, ...]:
        return tuple(self.core)

    def set_register(self, number: int, value: int) -> None:
        self.core[number] = value

    def read_memory(self, address: int, length: int) -> bytes:
        return bytes(self.memory[address : address + length])

    def write_memory(self, address: int, data: bytes) -> None:
        self.memory[address : address + len(data)] = data
        self.written.append((address, data))


def payload(stream: bytes, config: int = CONFIG) -> bytes:
    """A driver's payload, with the stream at a multiple of 16."""
    words = struct.pack("<III", 1, config, 0) + bytes([5, 0, 0, 0]) * 3
    return b"COP1" + words + struct.pack("<I", 2 | len(stream) // 4 << 16) + stream


def npu(target: StoppedCore, model: bytes, fast: tuple[int, int] | None = None) -> NpuBehindDriver:
    return NpuBehindDriver(target, target.read_memory, fast, model, MODEL)


def call(model: bytes, *regions: tuple[int, int]) -> NpuCall:
    bases, sizes = tuple(base for base, _ in regions), tuple(size for _, size in regions)
    return NpuCall((MODEL, len(model)), bases, sizes)


# --- the call --------------------------------------------------------------------------------------------------------


def test_a_stream_that_ends_at_once_is_done_and_counted():
    model = payload(STOP)
    target = StoppedCore(call(model, (MODEL, 0), (0, 64)))
    answering = npu(target, model)
    answering.answer(count=True)
    assert (target.core[0], target.core[PC]) == (DONE, 0x1234) and answering.failure is None and not target.written
    (counts,) = answering.invokes
    assert counts.accelerator == "ethos-u55-128" and counts.active == 0
    assert "byte 0 of the model file" in counts.place
    assert [(b.port, b.direction, b.kind, b.beats) for b in counts.beats] == [(1, READ, "commands", 1)]


@pytest.mark.parametrize(
    ("model", "regions", "said"),
    [
        (payload(struct.pack("<I", 0x0130)), [(0, 64)], "model file: word 1: .* ends without NPU_OP_STOP"),
        (payload(STOP), [(0, 64)] * 9, "9 base addresses"),
        (payload(STOP), [(8, 64)], "region 0 begins at 0x8; Arm's driver wants multiples of 16"),
        (payload(STOP), [(0, 1 << 29)], "region 0 has 536,870,912 B"),
        (payload(STOP, config=2 << 28), [(0, 64)], "Ethos-U85"),
        (b"COP2" + payload(STOP)[4:], [(0, 64)], "takes payloads COP1"),
        (b"COP1" + bytes(8), [(0, 64)], "is no action of a driver"),
        (b"", [(0, 64)], "takes payloads COP1"),
    ],
)
def test_what_fails_is_answered_so_and_kept_as_one_error(model, regions, said):
    target = StoppedCore(call(model, *regions))
    answering = npu(target, model)
    answering.answer(count=True)
    assert (target.core[0], target.core[PC]) == (FAILED, 0x1234), "TFLM takes any answer but -1 for success"
    assert isinstance(answering.failure, InputError) and not answering.invokes and not target.written
    with pytest.raises(InputError, match=said):
        raise answering.failure


def test_a_payload_elsewhere_than_in_the_model_file_is_refused():
    target = StoppedCore(NpuCall((0x40, 64), (0,), (64,)))
    answering = npu(target, payload(STOP))
    answering.answer(count=False)
    assert target.core[0] == FAILED and "not in the model file" in answering.failure.message


# --- what the driver makes of the base addresses ---------------------------------------------------------------------


def test_fast_memory_is_the_npus_own_where_the_driver_has_some():
    given_ = call(b"", (16, 16), (32, 16), (48, 0x100), (64, 16))
    fast = (0x3100_0000, 0x100)
    assert as_the_driver(given_, None, "here").bases == (16, 32, 48, 64)
    assert as_the_driver(given_, fast, "here").bases == (16, 32, 0x3100_0000, 64)
    assert as_the_driver(call(b"", (16, 16), (32, 16)), fast, "here").bases == (16, 32)
    with pytest.raises(CommandStreamError, match=r"here: wants 256 B of fast memory; Arm's driver has 255"):
        as_the_driver(given_, (0x3100_0000, 255), "here")


# --- copies ----------------------------------------------------------------------------------------------------------


def copies(memory: bytes, model: bytes, *regions: tuple[int, int]) -> TargetMemory:
    target = StoppedCore(call(model, (0, 0)), memory)
    target.memory[: len(memory)] = memory
    return npu(target, model).memory(call(model, *regions))


def test_constants_are_the_model_files_and_cannot_be_written():
    found = copies(bytes(64), b"abcdefgh", (MODEL + 2, 4), (0, 16))
    assert found.regions[0].tobytes() == b"cdef" and not found.regions[0].flags.writeable
    assert found.regions[1].flags.writeable and len(found.spans) == 1


def test_regions_that_overlap_share_their_bytes():
    memory = bytes(range(256))
    found = copies(memory, b"", (32, 64), (64, 8), (64, 64), (160, 16), (200, 0))
    assert [(start, len(before)) for start, before, _ in found.spans] == [(32, 96), (160, 16), (200, 0)]
    assert [found.regions[n].tobytes() for n in range(4)] == [
        memory[32:96], memory[64:72], memory[64:128], memory[160:176],
    ]  # fmt: skip
    found.regions[1][0] = 255
    assert found.regions[0][32] == found.regions[2][0] == 255
    assert list(found.changes()) == [(64, b"\xff")]


@given(st.dictionaries(st.integers(0, 999), st.integers(1, 255), max_size=30))
def test_what_changed_is_written_back_and_little_else(changed: Mapping[int, int]):
    before = bytes(1000)
    now = np.zeros(1000, np.uint8)
    for place, value in changed.items():
        now[place] = value
    written = bytearray(1000)
    ranges = list(TargetMemory({}, [(0x100, before, now)]).changes())
    for address, data in ranges:
        written[address - 0x100 : address - 0x100 + len(data)] = data
    assert bytes(written) == now.tobytes()
    assert all(data[0] and data[-1] and bytes(65) not in data for _, data in ranges)


def test_what_a_stream_writes_reaches_the_target_and_nothing_else():
    """A DMA of 16 bytes from the model file to region 1."""
    regions = struct.pack("<II", 0x0130 | 0 << 16, 0x0131 | 1 << 16)
    source, destination, length = (struct.pack("<II", 0x4030 + n, value) for n, value in enumerate((4, 16, 16)))
    start = struct.pack("<I", 0x0010)
    model = payload(regions + source + destination + length + start + STOP)
    target = StoppedCore(call(model, (MODEL, len(model)), (0x20, 0x40)), bytes(range(256)) * 2)
    before = bytes(target.memory)
    answering = npu(target, model)
    answering.answer(count=False)
    assert answering.failure is None, answering.failure
    assert target.read_memory(0x30, 16) == model[4:20]
    assert target.memory[:0x30] == before[:0x30] and target.memory[0x40:] == before[0x40:]


# --- model files -----------------------------------------------------------------------------------------------------


def test_a_model_of_the_cpu_has_no_accelerator():
    assert accelerator_in(b"anything", "x") is None


def test_counts_are_the_same_after_json():
    counts = StreamCounts.from_dict(
        {"place": "p", "accelerator": "a", "memory": "m", "active": 3, "beats": [
            {"port": 0, "direction": "read", "kind": "ifm", "beats": 7}
        ]}
    )  # fmt: skip
    assert StreamCounts.from_dict(asdict(counts)) == counts and counts.beats[0].beats == 7
