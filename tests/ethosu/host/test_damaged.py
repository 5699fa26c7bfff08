"""Damaged streams, payloads and weights: an error that names word and command, and nothing is written outside."""

from __future__ import annotations

import re

import numpy as np
import pytest

from harness.errors import CommandStreamError, TinyhilError
from harness.ethosu.accelerators import ACCELERATORS
from harness.ethosu.commands import COMMANDS
from harness.ethosu.fault import FaultError
from harness.ethosu.payload import read_payload
from harness.ethosu.simulator import Simulator
from harness.ethosu.weights import decode
from harness.frontends.tflite.vela_file import NpuOperator, read_vela
from tests.support.builders import BUILDERS
from tests.support.draft import Draft
from tests.support.scale import scaled
from tests.support.vela import compile_model

OPERATORS = (
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "ADD",
    "SOFTMAX",
    "AVERAGE_POOL_2D",
    "TRANSPOSE",
    "LOGISTIC",
    "TRANSPOSE_CONV",
)
PLACE = re.compile(r"word \d+(, NPU_\w+)?: ")
GUARD = 4096
WORK = 1 << 26
"""What a damaged stream may ask for here: little, so that thousands are tried."""


def _operators() -> list[NpuOperator]:
    found = []
    for number, name in enumerate(OPERATORS):
        for seed in range(20):
            draft = Draft(np.random.default_rng([number, seed]))
            graph = draft.finish("one", (BUILDERS[name](draft, None),))
            compiled = compile_model(graph.model, ("ethos-u55-128", "ethos-u65-512")[number % 2])
            if compiled.inference() is not None:
                found.append(compiled.model.operators[0][1])
                break
    return found


@pytest.fixture(scope="module")
def operators() -> list[NpuOperator]:
    return _operators()


def _mutated(words: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A few bits turned, words exchanged, left out or put in, or the end cut off."""
    out = words.copy()
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(len(out)))
        match int(rng.integers(6)):
            case 0:
                out[at] ^= np.uint32(1 << int(rng.integers(32)))
            case 1:
                out[at] = rng.integers(1 << 32, dtype=np.uint32)
            case 2:
                out = np.delete(out, at)
            case 3:
                out = np.insert(out, at, out[int(rng.integers(len(out)))])
            case 4:
                # A register of one word gets another value.
                out[at] = out[at] & 0xFFFF | np.uint32(int(rng.integers(1 << 16)) << 16)
            case _:
                out = out[: max(at, 1)] if rng.random() < 0.2 else out
    return out


def _guarded(size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    whole = rng.integers(256, size=size + 2 * GUARD, dtype=np.uint8)
    return whole, whole[GUARD : GUARD + size]


@pytest.mark.parametrize("part", range(scaled(1, 10)))
def test_mutated_streams_give_results_or_errors_that_name_the_command(operators: list[NpuOperator], part: int) -> None:
    rng = np.random.default_rng([7, part])
    errors = 0
    for turn in range(500):
        operator = operators[turn % len(operators)]
        whole, arena = _guarded(operator.scratch, rng)
        fast_whole, fast = _guarded(max(operator.fast, 16), rng)
        before = whole.copy(), fast_whole.copy()
        constants = np.frombuffer(operator.constants, np.uint8)
        try:
            simulator = Simulator(operator.accelerator, WORK)
            simulator.run(_mutated(operator.words, rng), {0: constants, 1: arena, 2: fast}, "stream")
        except CommandStreamError as error:
            errors += 1
            assert PLACE.search(error.message), error.message
        for now, then in zip((whole, fast_whole), before, strict=True):
            np.testing.assert_array_equal(now[:GUARD], then[:GUARD])
            np.testing.assert_array_equal(now[-GUARD:], then[-GUARD:])
    assert 100 < errors < 450, "some are harmless, most are not"


def test_a_stream_that_asks_for_too_much_is_stopped(operators: list[NpuOperator]) -> None:
    operator = operators[0]
    regions = {0: np.frombuffer(operator.constants, np.uint8), 1: np.zeros(operator.scratch, np.uint8)}
    regions[2] = np.zeros(operator.fast, np.uint8)
    with pytest.raises(CommandStreamError, match=r"word \d+, NPU_OP_\w+: the stream asks for more work"):
        Simulator(operator.accelerator, 100).run(operator.words, regions, "stream")


@pytest.mark.parametrize(
    "registers",
    [
        {"NPU_SET_OFM_HEIGHT_M1": 0xFFFF, "NPU_SET_OFM_WIDTH_M1": 0xFFFF, "NPU_SET_OFM_DEPTH_M1": 0xFFFF},
        # One row and column of 65,536 channels, but in a border of 255.
        {"NPU_SET_IFM_DEPTH_M1": 0xFFFF, "NPU_SET_IFM_PAD_BOTTOM": 0xFF, "NPU_SET_IFM_PAD_RIGHT": 0xFF}
        | {"NPU_SET_OFM_HEIGHT_M1": 0xFF, "NPU_SET_OFM_WIDTH_M1": 0xFF, "NPU_SET_OFM_DEPTH_M1": 0xFF},
    ],
)
def test_huge_feature_maps_take_no_memory(registers: dict[str, int]) -> None:
    forms = {form.name: form for form in COMMANDS.values()}
    words = [forms[name].code | value << 16 for name, value in registers.items()]
    words += [forms["NPU_OP_CONV"].code, forms["NPU_OP_STOP"].code]
    regions = {0: np.zeros(1 << 17, np.uint8)}
    with pytest.raises(
        CommandStreamError, match=r"word \d, NPU_OP_CONV: (a feature map of|the stream asks for more work)"
    ):
        Simulator(ACCELERATORS[2]).run(np.array(words, np.uint32), regions, "stream")


def test_constants_are_never_written(operators: list[NpuOperator]) -> None:
    operator = operators[2]
    arena = np.zeros(operator.scratch, np.uint8)
    arena.setflags(write=False)
    with pytest.raises(CommandStreamError, match=r"NPU_OP_\w+: writes into region \d, which is constant"):
        Simulator(operator.accelerator).run(operator.words, {0: arena, 1: arena, 2: arena}, "stream")


def test_damaged_weights_are_errors_or_other_weights(operators: list[NpuOperator]) -> None:
    rng = np.random.default_rng(11)
    content = operators[0].constants
    refused = 0
    for _ in range(scaled(200, 5000)):
        start, length = (int(n) for n in rng.integers((len(content), 400)))
        damaged = bytearray(content[start : start + length])
        if damaged:
            damaged[int(rng.integers(len(damaged)))] ^= 1 << int(rng.integers(8))
        try:
            assert abs(decode(bytes(damaged))).max(initial=0) < 256
        except FaultError as error:
            refused += 1
            assert "compressed weights" in error.message
    assert refused


@pytest.mark.parametrize("part", range(scaled(1, 4)))
def test_damaged_files_are_errors_of_ours(part: int) -> None:
    rng = np.random.default_rng([23, part])
    draft = Draft(rng)
    file = compile_model(draft.finish("one", (BUILDERS["RELU"](draft, None),)).model, "ethos-u55-128").file
    for _ in range(300):
        damaged = bytearray(file)
        for _ in range(int(rng.integers(1, 6))):
            damaged[int(rng.integers(len(damaged)))] = int(rng.integers(256))
        cut = len(file) if rng.random() < 0.8 else int(rng.integers(len(file)))
        try:
            read_vela(bytes(damaged[:cut]), "damaged")
        except TinyhilError as error:
            assert "damaged" in error.message


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"COP1",
        b"COP3" + bytes(60),
        b"COP1" + bytes(5),
        b"COP2" + bytes(80),
        b"COP1\x02\x00\x05\x00",
        b"COP1\x09\0\0\0",
    ],
)
def test_payloads_that_are_none_are_named(content: bytes) -> None:
    with pytest.raises(TinyhilError, match="tensor"):
        read_payload(content, "tensor 3")
