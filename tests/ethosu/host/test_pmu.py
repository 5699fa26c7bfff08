"""Counters: beats and cycles that can be told by hand, and what must hold of every stream."""

from __future__ import annotations

import numpy as np
import pytest

from harness.ethosu.accelerators import ACCELERATORS
from harness.ethosu.commands import COMMANDS, PAYLOAD
from harness.ethosu.disassembly import NpuCommand, commands
from harness.ethosu.pmu import NO_WAITS, READ, SHARED_SRAM, WRITE, Counters, default_timing
from harness.ethosu.registers import NpuRegisters
from tests.support.kws import micronet_graph
from tests.support.models import real_model
from tests.support.vela import compile_model, random_inputs

U55_128 = ACCELERATORS[2]
BY_NAME = {form.name: form for form in COMMANDS.values()}


def _command(name: str, parameter: int = 0, payload: int = 0, word: int = 0) -> NpuCommand:
    return NpuCommand(word, BY_NAME[name], parameter | payload << PAYLOAD)


def _registers(**values: int) -> NpuRegisters:
    registers = NpuRegisters()
    for name, value in values.items():
        wide = BY_NAME[f"NPU_SET_{name}"].kind == 1
        registers.set(_command(f"NPU_SET_{name}", 0 if wide else value, value if wide else 0))
    return registers


def _convolution(**more: int) -> NpuRegisters:
    """3 x 3 over 16 x 16 x 16, NHCWB16, padded by one all around, to 32 channels in four blocks of 8 x 16 x 16."""
    found = {
        **{"IFM_PRECISION": 0x41, "OFM_PRECISION": 0x41, "IFM_DEPTH_M1": 15, "IFM_REGION": 1, "OFM_REGION": 1},
        **{"OFM_HEIGHT_M1": 15, "OFM_WIDTH_M1": 15, "OFM_DEPTH_M1": 31},
        **{"OFM_BLK_HEIGHT_M1": 7, "OFM_BLK_WIDTH_M1": 15, "OFM_BLK_DEPTH_M1": 15},
        **{"KERNEL_HEIGHT_M1": 2, "KERNEL_WIDTH_M1": 2},
        **{"IFM_PAD_TOP": 1, "IFM_PAD_BOTTOM": 1, "IFM_PAD_LEFT": 1, "IFM_PAD_RIGHT": 1},
        **{"WEIGHT_REGION": 0, "WEIGHT_LENGTH": 4800, "SCALE_REGION": 0, "SCALE_LENGTH": 320},
        **{"ACTIVATION_MIN": 0xFF80, "ACTIVATION_MAX": 0x7F},
    }
    return _registers(**(found | more))


def test_a_convolution_reads_inputs_for_every_block_of_channels_and_weights_for_every_block_of_rows() -> None:
    counters = Counters(U55_128, NO_WAITS)
    counters.observe(_command("NPU_OP_CONV"), _convolution())
    # Rows 0 to 8 under the upper blocks, 7 to 15 under the lower ones.
    assert counters.by_kind() == {
        (0, READ, "ifm"): (9 + 9) * 16 * 16 * 2 // 8,
        (0, WRITE, "ofm"): 16 * 16 * 32 // 8,
        (1, READ, "weights"): 2 * 4800 // 8,
        (1, READ, "scales"): 2 * 320 // 8,
    }


def test_cycles_of_a_convolution() -> None:
    counters = Counters(U55_128, NO_WAITS)
    counters.observe(_command("NPU_OP_CONV"), _convolution())
    # A block has 8 x 8 x 2 smallest ones of 1 x 2 x 8 on the U55-128: 4 cycles, 9 elements, 1 block of inputs.
    block = 4 * 64 * 9 * 2
    output = 8 * 16 * 16 // 2
    assert [o.computing for o in counters.operations] == [4 * block + output]
    counters.observe(_command("NPU_OP_CONV"), _convolution())
    assert counters.active == 2 * (4 * block + output)


def test_copies_run_beside_computing_until_the_stream_waits() -> None:
    copy = _registers(DMA0_SRC_REGION=0, DMA0_DST_REGION=1, DMA0_LEN=100_000)
    for waits, active in ((False, 100_064), (True, 100_064 + 19_456)):
        counters = Counters(U55_128, SHARED_SRAM)
        counters.observe(_command("NPU_OP_DMA_START"), copy)
        if waits:
            counters.observe(_command("NPU_OP_DMA_WAIT"), copy)
        counters.observe(_command("NPU_OP_CONV"), _convolution(WEIGHT_REGION=1, SCALE_REGION=1))
        assert counters.active == active
    assert counters.beats(1, READ) == 12_500 == counters.by_kind()[0, WRITE, "dma write"]


def test_what_is_not_active_is_the_hosts() -> None:
    counters = Counters(U55_128, NO_WAITS)
    counters.observe(_command("NPU_OP_CONV"), _convolution())
    assert counters.total(358) == counters.active + 358 > 358


def test_a_slow_memory_holds_an_operation_up() -> None:
    slow = Counters(U55_128, SHARED_SRAM)
    slow.observe(_command("NPU_OP_CONV"), _convolution(WEIGHT_LENGTH=50_000))
    assert slow.active == 2 * (50_000 + 320) > slow.operations[0].computing


def test_counters_that_arm_published() -> None:
    """Of kws_micronet_m on Arm's model of the U55-128; here with drawn weights, by a Vela that makes other streams."""
    operator = compile_model(micronet_graph().model, "ethos-u55-128").model.operators[0][1]
    counters, registers = Counters(operator.accelerator, NO_WAITS), NpuRegisters()
    for command in commands(operator.words.tolist()):
        if command.form.starts:
            counters.observe(command, registers)
        else:
            registers.set(command)
    found = counters.active, counters.beats(0, READ), counters.beats(0, WRITE), counters.beats(1, READ)
    assert found == pytest.approx((413_814, 132_130, 48_252, 17_544), rel=0.06)
    assert found[0] == pytest.approx(413_814, rel=0.02)


@pytest.mark.parametrize("accelerator", ["ethos-u55-32", "ethos-u55-256", "ethos-u65-512"])
def test_counts_of_a_real_model(accelerator: str) -> None:
    inference = compile_model(real_model("mlperftiny_kws_int8").read_bytes(), accelerator).inference()
    operator = inference.model.operators[0][1]
    counters = Counters(operator.accelerator, default_timing(operator.accelerator))
    inference.run(random_inputs(inference.model, np.random.default_rng(1)), counters.observe)
    assert sum(o.computing for o in counters.operations) <= counters.active * 1.001
    assert counters.by_kind()[1, READ, "commands"] == -(-len(operator.words) * 4 // (16 if "u65" in accelerator else 8))
    macs = 2_657_536
    # No accelerator is faster than its multipliers, nor ten times as slow.
    fastest = macs / (operator.accelerator.macs * operator.accelerator.cores)
    assert fastest < counters.active < 10 * fastest
