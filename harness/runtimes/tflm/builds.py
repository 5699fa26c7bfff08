"""Arm's inference runners that are known: their addresses, and what starts them without an NPU.

Their programs expect an Ethos-U beside the core, which QEMU's mps3-an547 has not. Functions that start, count and
reserve the NPU are therefore replaced, in a copy; `ethosu_invoke_v3`, which hands it a command stream, is where the
gdb stub takes over (harness/runtimes/tflm/npu.py).
"""

from __future__ import annotations

from dataclasses import dataclass

PACKAGE = "mlia-ethos-u"

# Thumb code
_RETURN = bytes.fromhex("7047")  # bx lr
_RETURN_ZERO = bytes.fromhex("0020 7047")  # movs r0, #0; bx lr
_RETURN_SOME = bytes.fromhex("0120 7047")  # movs r0, #1; bx lr
_RETURN_NO_COUNTERS = bytes.fromhex("0022 c0f8c020 0122 80f8c420 7047")  # r0->count = 0, r0->initialised = 1


@dataclass(frozen=True)
class Patch:
    """Code that takes the place of a function's beginning."""

    function: str
    address: int
    code: bytes


@dataclass(frozen=True)
class GraphLoop:
    """Places in MicroInterpreterGraph::InvokeSubgraph by which instructions are counted.

    Attributes:
        begin, ends: its first and last instructions.
        node: the head of its loop over the operators.
    """

    begin: int
    ends: tuple[int, ...]
    node: int


@dataclass(frozen=True)
class Build:
    """A runner that is known by the hash of its file: addresses hold for no other.

    Attributes:
        title: what reports call it.
        product: the NPU that it drives, as Accelerator.product.
        patches: what starts it without an NPU.
        handler_call, handler_return: where main calls the function that copies inputs, runs one inference and copies
            outputs; its argument is in r0.
        invoke_call, invoke_return: where that calls MicroInterpreter::Invoke, the status is in r0 afterwards.
        npu_invoke: the first instruction of the driver's ethosu_invoke_v3.
        fast_memory: (address, bytes) of the NPU's own memory, which the driver gives it as region 2; None where it
            gives none.
        loop: where instructions are counted; None where they mean nothing, as the compiler did not optimize.
        abort: the function that failed checks of TFLM's own call.
        given_up: other functions that are reached when the runner gives up.
        stack_limit, stack_size: lowest address of the stack, and its bytes.
        arena_size: bytes of the arena that it gives TFLM.
        network: sections that are the runner's own code and constants.
    """

    sha256: str
    title: str
    product: int
    patches: tuple[Patch, ...]
    handler_call: int
    handler_return: int
    invoke_call: int
    invoke_return: int
    npu_invoke: int
    fast_memory: tuple[int, int] | None
    loop: GraphLoop | None
    abort: int
    given_up: tuple[int, ...]
    stack_limit: int
    stack_size: int
    arena_size: int
    network: tuple[str, ...]


_SECTIONS = (".text.at_itcm", ".ARM.exidx.at_itcm", ".text.at_ddr", ".bram.at_ddr", ".data.at_ddr")

U65 = Build(
    sha256="dd4ea227343fb3efe15ae1e99bb4e0a5207a22a550cd4072771fb40ed955cd11",
    title=f"Arm's runner of {PACKAGE} 0.1.0 (MLEK 25.12.0, GCC 13.2.1, CMSIS-NN, 98 operators)",
    product=1,
    patches=(
        Patch("arm_ethosu_npu_init", 0x289C, _RETURN_ZERO),
        Patch("ethosu_pmu_init", 0x29BC, _RETURN_ZERO),
        Patch("ethosu_get_pmu_counters", 0x2A8C, _RETURN_ZERO),
        Patch("platform_get_counters", 0x2204, _RETURN_NO_COUNTERS),
        Patch("platform_reset_counters", 0x2140, _RETURN),  # it would start SysTick, whose interrupts would be counted
        Patch("ethosu_reserve_driver", 0x59F7C, _RETURN_SOME),
        Patch("ethosu_release_driver", 0x59FF0, _RETURN),
    ),
    handler_call=0x190E,
    handler_return=0x1912,
    invoke_call=0x320E,
    invoke_return=0x3212,
    npu_invoke=0x59E0C,
    fast_memory=(0x3100_0000, 0x6_0000),
    loop=GraphLoop(begin=0x158C8, ends=(0x159C4, 0x159D8), node=0x15938),
    abort=0x65820,
    given_up=(0x0B0C, 0x09EC, 0x0A10, 0x0A34, 0x0A58, 0x0A7C),  # _exit and the handlers of faults
    stack_limit=0x20078000,
    stack_size=0x8000,
    arena_size=0x200000,
    network=_SECTIONS,
)

U55 = Build(
    sha256="a72f0f3515cf2a756f614a5c047d0a688b53f904b58e85024245778999fe77c5",
    title=f"Arm's runner for the Ethos-U55 of {PACKAGE} 0.1.0 (MLEK 25.12.0, GCC 13.2.1 -O0, 98 operators)",
    product=0,
    patches=(
        Patch("arm_ethosu_npu_init", 0x51A0, _RETURN_ZERO),
        Patch("ethosu_pmu_init", 0x535C, _RETURN_ZERO),
        Patch("ethosu_get_pmu_counters", 0x54B0, _RETURN_ZERO),
        Patch("platform_get_counters", 0x4708, _RETURN_NO_COUNTERS),
        Patch("platform_reset_counters", 0x46C8, _RETURN),
        Patch("ethosu_reserve_driver", 0x5B0E0, _RETURN_SOME),
        Patch("ethosu_release_driver", 0x5B178, _RETURN),
    ),
    handler_call=0x149A,
    handler_return=0x149E,
    invoke_call=0x7318,
    invoke_return=0x731C,
    npu_invoke=0x5B09C,
    fast_memory=None,
    loop=None,
    abort=0x67320,
    given_up=(0x0B8C, 0x0A4C, 0x0A70, 0x0A94, 0x0AB8, 0x0ADC),
    stack_limit=0x20078000,
    stack_size=0x8000,
    arena_size=0x200000,
    network=_SECTIONS,
)
