"""The virtual Cortex-M0+ and M33: what they refuse, faults, breakpoints, and the timers that count for the M0+."""

import pytest

from harness.errors import BoardError
from harness.virtual import debug
from harness.virtual.coremodels import find_model
from harness.virtual.cpu import MSP, PC, PSP, XPSR, Stop
from tests.support.machines import machines, read, write
from tests.support.scale import scaled

pytest.importorskip("termios", reason="needs pseudo-terminals")

M0, M33 = "stm32g0b1", "stm32u575"
NATIVE = ["1", "0"]


@pytest.fixture
def make(tmp_path):
    """A machine with a program, reset; closed at the end."""
    with machines(tmp_path) as maker:
        yield maker


def frame_of(machine, stack=MSP):
    return [read(machine, machine.cpu.registers[stack] + 4 * i) for i in range(8)]


# --- Armv6-M ----------------------------------------------------------------------------------------------------------

REFUSED = {
    "unaligned load": "ldr r0, =0x20000102\nmovs r3, #5\nhere: ldr r1, [r0]\nmovs r3, #6\n",
    "unaligned halfword": "ldr r0, =0x20000101\nmovs r3, #5\nhere: ldrh r1, [r0]\nmovs r3, #6\n",
    "unaligned store": "ldr r0, =0x20000102\nmovs r3, #5\nhere: str r1, [r0]\nmovs r3, #6\n",
    "unaligned multiple": "ldr r0, =0x20000102\nmovs r3, #5\nhere: stm r0!, {r1, r2}\nmovs r3, #6\n",
    "movw": "movs r3, #5\nhere: .inst.w 0xf2412034\nmovs r3, #6\n",
    "udiv": "movs r3, #5\nhere: .inst.w 0xfbb0f0f1\nmovs r3, #6\n",
    "smlad": "movs r3, #5\nhere: .inst.w 0xfb210302\nmovs r3, #6\n",
    "cbz": "movs r3, #5\nhere: .inst.n 0xb100\nmovs r3, #6\n",
    "it": "movs r3, #5\nhere: .inst.n 0xbf08\nmovs r3, #6\n",
    "basepri": "movs r3, #5\nhere: .inst.w 0xf3808811\nmovs r3, #6\n",
    "first of its block": "movs r3, #5\nb here\n.balign 4\nhere: .inst.w 0xf2412034\nmovs r3, #6\n",
    "undefined": "movs r3, #5\nhere: udf #1\nmovs r3, #6\n",
    "nothing there": "ldr r0, =0x60000000\nmovs r3, #5\nhere: ldr r1, [r0]\nmovs r3, #6\n",
}
SAMPLE = [*REFUSED][: scaled(3, len(REFUSED))]


@pytest.mark.parametrize("native", NATIVE)
@pytest.mark.parametrize("name", dict.fromkeys([*SAMPLE, "movw", "first of its block"]))
def test_what_armv6m_has_not_is_a_hard_fault_at_its_instruction(make, monkeypatch, name, native):
    monkeypatch.setenv("TINYHIL_VIRTUAL_NATIVE", native)
    machine = make(M0, "ldr r7, =here\n" + REFUSED[name] + "wfi\n", fault="mov r6, r8\n")
    machine.step_slice(5000)
    registers = machine.cpu.registers
    assert (registers[4], registers[5], registers[3]) == (3, 0xFFFF_FFF9, 5)
    frame = frame_of(machine)
    assert frame[7] & 1 << 24 and frame[3] == 5 and frame[6] == _here(machine)
    assert (read(machine, 0xE000_ED28), read(machine, 0xE000_ED2C)) == (0, 0), "nothing tells the cause"


def _here(machine):
    """The first instruction of the program loads its address, from the pool after the code."""
    first = int.from_bytes(machine.read_memory(0x0800_0040, 2), "little")
    assert first >> 8 == 0x4F
    return read(machine, 0x0800_0044 + 4 * (first & 0xFF))


@pytest.mark.parametrize("native", NATIVE)
def test_what_armv6m_has_runs_and_is_counted(make, monkeypatch, native):
    monkeypatch.setenv("TINYHIL_VIRTUAL_NATIVE", native)
    body = "ldr r0, =0x20000100\nmovs r1, #7\nstr r1, [r0]\nldrh r2, [r0]\nldrb r3, [r0, #1]\nstm r0!, {r1, r2}\n"
    machine = make(M0, body + "dmb\nisb\nmrs r6, ipsr\nmsr primask, r6\nbl far\nwfi\nfar: bx lr\n")
    assert machine.step_slice(5000) is Stop.SLEEP
    assert [machine.cpu.registers[i] for i in range(4)] == [0x2000_0108, 7, 7, 0]
    assert machine.instructions == 13


def test_a_step_of_the_debugger_refuses_the_same(make):
    machine = make(M0, "movs r3, #5\n.inst.w 0xf2412034\nmovs r3, #6\n")
    write(machine, 0xE000_EDF0, 0xA05F_0003)
    for expected in (5, 5):
        write(machine, 0xE000_EDF0, 0xA05F_0005)
        assert machine.cpu.registers[3] == expected
    assert machine.cpu.registers[XPSR] & 0x1FF == 3, "the second step took the fault"


def test_registers_of_later_architectures_read_as_zero_on_the_m0(make):
    machine = make(M0, "nop\n")
    for address in (0xE000_ED24, 0xE000_ED28, 0xE000_ED2C, 0xE000_ED88, 0xE000_1004):
        write(machine, address, 0xFFFF_FFFF)
        assert read(machine, address) == 0
    assert read(machine, 0xE000_ED00) >> 4 & 0xFFF == 0xC60


def test_tim2_counts_cycles_and_tim3_its_wraps(make):
    body = """
        ldr r0, =0x4002103C
        movs r1, #3
        str r1, [r0]
        ldr r0, =0x40000000
        ldr r1, =4095
        str r1, [r0, #0x2C]
        movs r1, #0x20
        str r1, [r0, #4]
        movs r2, #4
        lsls r2, #8
        adds r2, r0
        movs r1, #0x17
        str r1, [r2, #8]
        movs r1, #1
        str r1, [r2]
        str r1, [r0]
        ldr r3, =10000
        1: subs r3, #1
        bne 1b
        ldr r4, [r0, #0x24]
        ldr r5, [r2, #0x24]
        wfi
    """
    machine = make(M0, body)
    assert machine.step_slice(100_000) is Stop.SLEEP
    counted = machine.cpu.registers[5] * 4096 + machine.cpu.registers[4]
    assert 20_000 <= counted <= 20_010 and machine.cpu.registers[5] == 4


# --- Armv8-M ----------------------------------------------------------------------------------------------------------

FAULTS_ON = "ldr r0, =0xE000ED24\nldr r1, =0x70000\nstr r1, [r0]\n"
ON_PROCESS_STACK = "ldr r0, =0x20004000\nmsr psplim, r0\nldr r1, =0x20004010\nmsr psp, r1\n"
ON_PROCESS_STACK += "movs r0, #2\nmsr control, r0\nisb\n"


def test_a_stack_that_passes_its_limit_is_a_usage_fault_of_its_own(make):
    machine = make(M33, FAULTS_ON + ON_PROCESS_STACK + "movs r3, #5\npush {r0-r7}\nmovs r3, #6\n")
    assert machine.step_slice(5000) is Stop.SLEEP
    registers = machine.cpu.registers
    assert (registers[4], registers[7] & 1 << 20, registers[3]) == (6, 1 << 20, 5)
    assert registers[5] == 0xFFFF_FFBC, "thread mode, process stack, not secure"


def test_the_m33_faults_and_returns_with_its_own_exception_returns(make):
    machine = make(M33, FAULTS_ON + "vmov.f32 s0, #1.0\nudf #1\n")
    machine.step_slice(5000)
    assert (machine.cpu.registers[4], machine.cpu.registers[5]) == (6, 0xFFFF_FFA8), "the FPU's registers are stacked"
    machine = make(M33, "movs r0, #1\nsvc #0\nmovs r2, #3\nwfi\n", svc="movs r0, #9\nmrs r1, ipsr\n")
    assert machine.step_slice(5000) is Stop.SLEEP
    registers = machine.cpu.registers
    assert [registers[i] for i in range(3)] == [1, 0, 3] and registers[XPSR] & 0x1FF == 0
    assert registers[MSP] == 0x2000_2000 and registers[PSP] == 0


# --- debugger ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chip", [M0, M33])
def test_a_hardware_breakpoint_stops_before_its_instruction_and_lets_go_of_it(make, chip):
    """A comparator of the M0+ chooses halfwords of a word; on the M33 it has the whole address."""
    machine = make(chip, "movs r0, #1\nmovs r0, #2\nmovs r0, #3\nwfi\n")
    write(machine, 0xE000_EDF0, 0xA05F_0003)
    where = machine.cpu.registers[PC] + 4
    write(machine, 0xE000_2000, 3)
    write(machine, 0xE000_2008, where | 1 if chip == M33 else where & ~3 | (2 if where & 2 else 1) << 30 | 1)
    write(machine, 0xE000_EDF0, 0xA05F_0001)
    assert machine.step_slice(5000) is Stop.BREAK
    assert (machine.cpu.registers[PC], machine.cpu.registers[0], machine.instructions) == (where, 2, 2)
    assert read(machine, 0xE000_ED30) & debug.DFSR_BKPT
    write(machine, 0xE000_EDF0, 0xA05F_0001)
    assert machine.step_slice(5000) is Stop.SLEEP and machine.cpu.registers[0] == 3


@pytest.mark.parametrize("chip", [M0, M33])
def test_software_resets_tell_their_cause(make, chip):
    machine = make(chip, "ldr r0, =0xE000ED0C\nldr r1, =0x05FA0004\nstr r1, [r0]\n1: b 1b\n")
    assert machine.step_slice(5000) is Stop.INTERRUPTED
    block, offset, flags = machine.chip.reset_cause
    assert machine.bus.named(block).words[offset] & flags["software"]


def test_a_core_without_a_model_is_refused_by_name():
    with pytest.raises(BoardError, match="has no cortex-m55"):
        find_model("cortex-m55")
