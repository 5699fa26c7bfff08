"""The driver in C against the device: the sequence of its register accesses, results, and every way to fail."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.ethosu.accelerators import ACCELERATORS, Accelerator
from harness.ethosu.device import Misuse, NpuDevice, NpuRun
from harness.ethosu.interface import StatusBit
from harness.ethosu.pmu import READ, WRITE
from harness.frontends.tflite.vela_file import NpuOperator
from harness.npu.inference import ARENA, NpuInference, regions_of
from tests.support import ethosu_driver as codes
from tests.support.ethosu_driver import POLLS, Driver, Memory, build_driver
from tests.support.models import real_model
from tests.support.paths import FIRMWARE
from tests.support.vela import compile_model, random_inputs

FLASH, RAM, FAST = 0x0100_0000, 0x2100_0000, 0x3000_0000
U55_128, U65_256 = ACCELERATORS[2], ACCELERATORS[4]
STREAM = np.array([0x0000], np.uint32)
"""NPU_OP_STOP."""


@pytest.fixture(scope="module", params=["gcc", "clang"])
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_driver(tmp_path_factory.mktemp("driver"), request.param)


class Bench:
    """A driver, its device, and a memory with commands and constants in flash and an arena in RAM."""

    def __init__(
        self, library: Path, accelerator: Accelerator, words: np.ndarray, constants: bytes, arena: bytes, ram: int = RAM
    ) -> None:
        self.commands, self.constants, self.ram = FLASH, FLASH + (4 * len(words) + 15 & ~15), ram
        flash = words.astype("<u4").tobytes().ljust(self.constants - FLASH, b"\0") + constants
        self.memory = Memory({FLASH: flash, ram: bytearray(arena)})
        self.runs: list[NpuRun] = []
        self.device = NpuDevice(accelerator, self.memory, on_run=self.runs.append)
        self.driver = Driver(library, self.device.get, self.device.put)
        self.driver.on_begin = lambda config, sizes: self.device.begin(sizes)
        self.words, self.config = len(words), accelerator.config
        self.places = ((self.constants, len(constants)), (ram, len(arena)), (ram, len(arena)))

    def run(self) -> int:
        return self.driver.run(self.commands, self.words, self.config, self.places)


def _simple(library: Path, accelerator: Accelerator = U55_128, words: np.ndarray = STREAM, ram: int = RAM) -> Bench:
    return Bench(library, accelerator, words, bytes(64), bytes(256), ram)


def _of(library: Path, operator: NpuOperator) -> Bench:
    """With fast memory of its own, where the stream asks for it."""
    bench = Bench(library, operator.accelerator, operator.words, operator.constants, bytes(operator.scratch))
    if operator.fast:
        bench.memory.pieces[FAST] = bytearray(operator.fast)
        bench.places = (*bench.places[:2], (FAST, operator.fast))
    return bench


def _operator(model: str, accelerator: str) -> tuple[NpuInference, NpuOperator]:
    inference = compile_model(real_model(model).read_bytes(), accelerator).inference()
    assert inference is not None
    return inference, inference.model.operators[0][1]


# The sequence: docs/ethos-u.md explains it.
SEQUENCE_U55 = """\
get CONFIG, get STATUS, put RESET 0x1, get STATUS, get PROT, put CMD 0x0, put QCONFIG 0x2, put REGIONCFG 0x3,
put AXI_LIMIT0 0xf1f0000, put AXI_LIMIT1 0xf1f0000, put AXI_LIMIT2 0xf1f0000, put AXI_LIMIT3 0xf1f0000,
put BASEP0 0x1000010, put BASEP1 0x0, put BASEP2 0x21000000, put BASEP3 0x0, put BASEP4 0x21000000, put BASEP5 0x0,
put QBASE0 0x1000000, put QBASE1 0x0, put QSIZE 0x4,
put PMCR 0x7, put PMCCNTR_CFG 0x11,
put PMEVTYPER0 0x82, put PMEVTYPER1 0x87, put PMEVTYPER2 0x182, put PMEVTYPER3 0x23, put PMCNTENSET 0x8000000f,
put CMD 0x1, get STATUS, get QREAD,
put PMCR 0x0, get PMCCNTR_LO, get PMCCNTR_HI, get PMEVCNTR0, get PMEVCNTR1, get PMEVCNTR2, get PMEVCNTR3, put CMD 0xe"""


def _listed(text: str) -> list[str]:
    return [access.strip() for access in text.split(",")]


def test_the_sequence_of_registers(library: Path) -> None:
    bench = _simple(library)
    assert bench.run() == codes.OK
    assert bench.driver.accesses == _listed(SEQUENCE_U55)
    assert bench.device.misuse == []
    assert bench.driver.begun == [(U55_128.config, (64, 256, 256))]


def test_a_u65_has_longer_addresses_other_ports_and_other_counters(library: Path) -> None:
    bench = _simple(library, U65_256, ram=0xAB_2100_0000)
    assert bench.run() == codes.OK
    other = {
        "put REGIONCFG 0x3": "put REGIONCFG 0xb",
        "put BASEP3 0x0": "put BASEP3 0xab",
        "put BASEP5 0x0": "put BASEP5 0xab",
        "put PMCCNTR_CFG 0x11": "put PMCCNTR_CFG 0x200023",
        "put PMEVTYPER3 0x23": "put PMEVTYPER3 0x187",
    }
    assert bench.driver.accesses == [other.get(access, access) for access in _listed(SEQUENCE_U55)]
    assert bench.device.misuse == []


@pytest.mark.parametrize("accelerator", ["ethos-u55-128", "ethos-u65-512"])
def test_a_model_runs_and_runs_again(library: Path, accelerator: str) -> None:
    inference, operator = _operator("mlperftiny_kws_int8", accelerator)
    rng = np.random.default_rng(3)
    vectors = [random_inputs(inference.model, rng) for _ in range(2)]
    wanted = [inference.run(vector) for vector in vectors]
    bench = _of(library, operator)
    subgraph = inference.model.subgraph
    start, end = (inference.model.offsets[tensors[0]] for tensors in (subgraph.inputs, subgraph.outputs))
    before = bench.driver.last.runs
    for number, (vector, outputs) in enumerate(zip(vectors, wanted, strict=True)):
        arena = bench.memory.pieces[RAM]
        assert isinstance(arena, bytearray)
        arena[start : start + vector[0].nbytes] = vector[0].tobytes()
        assert bench.run() == codes.OK
        assert bytes(arena[end : end + outputs[0].nbytes]) == outputs[0].tobytes()
        counters, last = bench.runs[number].counters, bench.driver.last
        assert last.cycles_active == counters.active > 0
        assert last.cycles_idle == 0
        assert (last.axi0_read, last.axi0_write) == (counters.beats(0, READ), counters.beats(0, WRITE))
        assert (last.axi1_read, last.axi1_write) == (counters.beats(1, READ), counters.beats(1, WRITE))
        assert last.axi1_read > 0
        assert (last.runs, last.result, last.at) == (before + number + 1, codes.OK, 4 * len(operator.words))
        assert last.status == StatusBit.IRQ | StatusBit.END_REACHED
    assert bench.device.misuse == []


def test_what_does_not_change_is_not_written(library: Path) -> None:
    _, operator = _operator("mlperftiny_kws_int8", "ethos-u55-128")
    bench = _of(library, operator)
    bench.run()
    bench.memory.written.clear()
    bench.run()  # on what the first left: most of it is computed again as it is
    assert sum(size for _, size in bench.memory.written) < operator.scratch
    assert all(RAM <= address < RAM + operator.scratch for address, _ in bench.memory.written)


def test_a_firmware_in_cpp_takes_the_header(tmp_path: Path) -> None:
    """Its handler of the interrupt may be C++."""
    source = tmp_path / "handler.cpp"
    source.write_text('#include "hil_ethosu.h"\nextern "C" void handler() { hil_ethosu_irq(); }\n', encoding="utf-8")
    command = ["g++", "-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
    subprocess.run([*command, f"-I{FIRMWARE / 'kernels'}", str(source)], check=True, timeout=60)


def test_a_region_of_size_0_is_not_there(library: Path) -> None:
    bench = _simple(library)
    bench.places = ((0, 0), (RAM, 256), (0x7, 0))
    assert bench.run() == codes.OK
    assert not [access for access in bench.driver.accesses if access.startswith(("put BASEP0 ", "put BASEP4 "))]
    bench.places = ()
    assert bench.run() == codes.OK


def test_the_data_cache_is_cleaned_before_the_start_and_after_the_end(library: Path) -> None:
    bench = _simple(library)
    bench.places = ((bench.constants, 64), (RAM + 16, 80), (0, 0), (RAM + 224, 1))
    bench.driver.with_cache(32)
    assert bench.run() == codes.OK
    regions = [0x100_0000, 0x100_0020, 0x100_0040, RAM, RAM + 32, RAM + 64, RAM + 224]
    lines = [f"clean 0x{line:x}" for line in regions] + ["cleaned"]
    accesses = bench.driver.accesses
    start = accesses.index("put CMD 0x1")
    assert accesses[start - 10 : start] == ["clean 0x1000000", "cleaned", *lines]
    assert accesses[-6:] == ["put CMD 0xe", *lines[3:]], "the constants are as they were"


def test_the_data_cache_is_cleaned_after_a_failure_too(library: Path) -> None:
    bench = _simple(library, words=np.array([0x3FFF], np.uint32))
    bench.driver.with_cache(32)
    assert bench.run() == codes.COMMAND
    assert bench.driver.accesses[-1] == "cleaned"


# --- arguments, and an NPU that is not what it should be ---


@pytest.mark.parametrize(
    "change",
    [
        {"commands": FLASH + 4},
        {"commands": 0x1_0000_0000},
        {"words": 0},
        {"words": 1 << 30},
        {"config": 0x2000_0000 | U55_128.config},  # U85
        {"regions": 9},
        {"places": ((FLASH + 8, 16),)},
        {"places": ((0x1_0000_0000, 16),)},
        {"places": ((0xFFFF_FFF0, 17),)},
    ],
)
def test_arguments_that_the_npu_cannot_take(library: Path, change: dict[str, object]) -> None:
    bench = _simple(library)
    arguments = {"commands": bench.commands, "words": 1, "config": bench.config, "places": bench.places} | change
    assert bench.driver.run(**arguments) == codes.ARGUMENT  # type: ignore[arg-type]
    assert bench.driver.accesses == [], "no register is touched"
    assert bench.driver.last.result == codes.ARGUMENT
    assert bench.run() == codes.OK


def test_another_build_and_no_npu(library: Path) -> None:
    bench = _simple(library)
    for accelerator in ACCELERATORS:
        expected = codes.OK if accelerator == U55_128 else codes.OTHER
        assert bench.driver.run(bench.commands, 1, accelerator.config, bench.places) == expected
    for value in (0, 0xFFFF_FFFF):
        nothing = Driver(library, lambda offset, value=value: value, lambda offset, value: None)
        assert nothing.run(FLASH, 1, U55_128.config, bench.places) == codes.ABSENT
        assert nothing.accesses == ["get CONFIG"]


def test_an_npu_that_runs_for_someone_else_is_left_alone(library: Path) -> None:
    bench = _simple(library)
    bench.device.delay = None
    bench.device.put(0x8, 1)
    assert bench.run() == codes.BUSY
    assert bench.driver.accesses == ["get CONFIG", "get STATUS"]


def test_software_without_the_rights_it_asks_for(library: Path) -> None:
    bench = _simple(library)
    bench.device.secure = False
    assert bench.run() == codes.RESET
    assert [note.what for note in bench.device.misuse] == [Misuse.RIGHTS]


def test_a_reset_that_does_not_end(library: Path) -> None:
    bench = _simple(library)
    stuck = Driver(
        library,
        lambda offset: StatusBit.RESETTING if offset == 4 else bench.device.get(offset),
        lambda offset, value: None,
    )
    assert stuck.run(FLASH, 1, U55_128.config, ()) == codes.RESET
    assert "put CMD 0x1" not in stuck.accesses


# --- what happens while it runs ---


def test_it_is_asked_until_it_has_ended(library: Path) -> None:
    bench = _simple(library)
    bench.device.delay = 5
    assert bench.run() == codes.OK
    assert bench.driver.waited == 5


def test_an_interrupt_between_two_looks(library: Path) -> None:
    bench = _simple(library)
    bench.device.delay = 3

    def interrupt() -> None:
        bench.device.delay = 0
        bench.device.get(4)  # time passes, it ends and raises its interrupt
        bench.driver.irq()

    bench.driver.on_wait = interrupt
    assert bench.run() == codes.OK
    assert bench.driver.last.status & StatusBit.IRQ == 0, "the handler has cleared it"
    assert bench.device.misuse == []


def test_an_npu_that_never_ends_is_given_up_and_works_again(library: Path) -> None:
    bench = _simple(library)
    bench.device.delay = None
    assert bench.run() == codes.TIMEOUT
    assert bench.driver.accesses.count("get STATUS") == 2 + POLLS + 1
    assert bench.driver.accesses[-3:] == ["put RESET 0x1", "get STATUS", "get PROT"], "nothing of it may go on"
    assert [note.what for note in bench.device.misuse] == [Misuse.ABORTED]
    assert bench.driver.last.status & StatusBit.RUNNING
    bench.device.delay = 0
    assert bench.run() == codes.OK


CONV = 0x0002
DMA = 0x0010


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ([0x3FFF, 0x0000], codes.COMMAND, "word 0: 0x00003fff is no command"),
        ([0x0000_0105, 0x4030], codes.COMMAND, "word 1"),
        ([0x0000_0105], codes.UNENDED, "the stream of 1 words ends without NPU_OP_STOP"),
        ([0x0000_0130, 0x0001_0131, 0x4032, 1 << 20, 0x4030, 0, 0x4031, 0, DMA, 0], codes.BUS, "NPU_OP_DMA_START"),
    ],
)
def test_streams_that_fail(library: Path, words: list[int], code: int, told: str) -> None:
    bench = _simple(library, words=np.array(words, np.uint32))
    assert bench.run() == code
    error = bench.runs[0].error
    assert error is not None
    assert told in str(error)
    assert bench.driver.last.result == code
    assert bench.driver.accesses[-3:] == ["put RESET 0x1", "get STATUS", "get PROT"]
    bench.memory.pieces[FLASH] = STREAM.tobytes().ljust(4 * len(words), b"\0") + bytes(128)
    assert bench.run() == codes.OK, "the next run works again"


def test_the_byte_at_which_it_stopped_is_kept(library: Path) -> None:
    bench = _simple(library, words=np.array([0x0105, 0x0105, 0x3FFF, 0], np.uint32))
    assert bench.run() == codes.COMMAND
    assert bench.driver.last.at == 8
    assert bench.driver.last.status == StatusBit.PARSE_ERROR | StatusBit.IRQ


def test_constants_are_not_written(library: Path) -> None:
    # a copy of 16 bytes from the arena into the constants
    words = [0x0001_0130, 0x0000_0131, 0x4030, 0, 0x4031, 0, 0x4032, 16, DMA, 0]
    bench = _simple(library, words=np.array(words, np.uint32))
    assert bench.run() == codes.BUS
    assert "constant" in str(bench.runs[0].error)
    assert bench.memory.written == []


def test_memory_that_is_not_there(library: Path) -> None:
    bench = _simple(library)
    assert bench.driver.run(0x7000_0000, 4, bench.config, bench.places) == codes.BUS
    assert "0x70000000" in str(bench.runs[0].error)
    assert bench.driver.run(bench.commands, 1, bench.config, ((RAM, 1 << 20),)) == codes.BUS


def test_weights_and_memory_that_fail(library: Path) -> None:
    for bits, code in ((StatusBit.WEIGHT_FAULT, codes.WEIGHTS), (StatusBit.ECC_FAULT, codes.ECC)):
        bench = _simple(library)

        def get(offset: int, bench: Bench = bench, bits: StatusBit = bits) -> int:
            value = bench.device.get(offset)
            return value | bits if offset == 4 and value & StatusBit.END_REACHED else value

        driver = Driver(library, get, bench.device.put)
        driver.on_begin = lambda config, sizes, bench=bench: bench.device.begin(sizes)
        assert driver.run(bench.commands, 1, bench.config, bench.places) == code


def test_damaged_weights_are_told_as_such(library: Path) -> None:
    _, operator = _operator("mlperftiny_kws_int8", "ethos-u55-128")
    bench = _of(library, replace(operator, constants=bytes(len(operator.constants))))
    assert bench.run() == codes.WEIGHTS
    assert bench.driver.last.status == StatusBit.WEIGHT_FAULT | StatusBit.IRQ
    assert "word 82, NPU_OP_CONV: compressed weights" in str(bench.runs[0].error)


def test_regions_reach_to_the_end_of_their_memory_where_nobody_tells_how_far(library: Path) -> None:
    inference, operator = _operator("mlperftiny_kws_int8", "ethos-u55-128")
    bench = _of(library, operator)
    bench.driver.on_begin = lambda config, sizes: None
    assert bench.run() == codes.OK
    arena = np.zeros(operator.scratch, np.uint8)
    inference.simulator.run(operator.words, regions_of(operator, arena), "here")
    assert bytes(bench.memory.pieces[RAM]) == regions_of(operator, arena)[ARENA].tobytes()
