"""The virtual board's core: what it counts, its faults, its debug registers, its reset, its serial line."""

import os

import pytest

from harness.errors import BoardError, EmulatorMissingError, OptionError
from harness.virtual import debug
from harness.virtual.access import BusError
from harness.virtual.chip import Wiring
from harness.virtual.cpu import MSP, PC, PSP, XPSR, Stop
from harness.virtual.faults import Faults
from harness.virtual.machine import Machine
from harness.virtual.terminal import Terminal
from tests.support.machines import machines, read, write
from tests.support.thumb import program

termios = pytest.importorskip("termios", reason="needs pseudo-terminals")

SRAM = 0x2400_0000
CYCCNT = 0xE000_1004

# Cycle counter on; the M7's is locked at first
COUNTER = """
ldr r0, =0xE000EDFC
ldr r1, =0x01000000
str r1, [r0]
ldr r0, =0xE0001000
ldr r1, =0xC5ACCE55
ldr r2, =0xE0001FB0
str r1, [r2]
movs r1, #1
str r1, [r0]
"""
# SHCSR: memory, bus and usage faults have handlers of their own
FAULTS_ON = "ldr r0, =0xE000ED24\nldr r1, =0x70000\nstr r1, [r0]\n"


@pytest.fixture
def make(tmp_path):
    """A machine with a program, reset; closed at the end."""
    with machines(tmp_path) as maker:
        yield lambda body, *, chip="stm32h743", **parts: maker(chip, body, **parts)


# --- counting ---------------------------------------------------------------------------------------------------------

LOOP = """
ldr r0, =25000
isb
ldr r2, =CYCCNT
ldr r3, [r2]
1: adds r1, #1
nop.w
subs r0, #1
bne 1b
isb
ldr r4, [r2]
wfi
""".replace("CYCCNT", hex(CYCCNT))


@pytest.mark.parametrize("native", ["1", "0"])
@pytest.mark.parametrize("size", [1024, 7000, 1_000_000])
def test_the_cycle_counter_counts_instructions_exactly(make, monkeypatch, native, size):
    monkeypatch.setenv("TINYHIL_VIRTUAL_NATIVE", native)
    machine = make(COUNTER + LOOP)
    assert (machine.cpu.native is not None) == (native == "1")
    stops = []
    while not stops or stops[-1] is Stop.LIMIT:
        stops.append(machine.step_slice(size))
    assert stops[-1] is Stop.SLEEP
    registers = machine.cpu.registers
    # 11 up to the first barrier; a read counts its whole block, the first with the loop's first round
    first, rounds, last = 11 + 6, 4 * 24_999, 1 + 2
    assert machine.instructions == first + rounds + last
    assert (registers[3], registers[4]) == (first - 11, first - 11 + rounds + last)
    assert read(machine, CYCCNT) == machine.instructions - 11


def test_slices_do_not_change_what_is_counted(make):
    counts = set()
    for size in (1024, 5000, 500_000):
        machine = make(COUNTER + LOOP)
        while machine.step_slice(size) is Stop.LIMIT:
            pass
        counts.add(machine.instructions)
    assert len(counts) == 1


def test_the_counter_of_the_m7_is_locked_and_that_of_the_m4_is_not(make):
    unlocked = COUNTER.replace("str r1, [r2]\n", "")
    assert read_after(make(unlocked), CYCCNT) == 0
    assert read_after(make(unlocked, chip="stm32l476"), CYCCNT) > 0


def read_after(machine, address):
    machine.step_slice(5000)
    return read(machine, address)


# --- faults -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "number", "cfsr"),
    [
        ("udf #1\n", 6, 1 << 16),
        ("ldr r0, =0x60000000\nldr r1, [r0]\n", 5, 1 << 15 | 1 << 9),
        ("ldr r0, =0xF0000000\nstr r1, [r0]\n", 5, 1 << 15 | 1 << 9),
        ("ldr r0, =0x70000001\nbx r0\n", 5, 1 << 8),
    ],
    ids=["undefined", "load", "store", "fetch"],
)
def test_a_fault_ends_in_the_images_own_handler(make, body, number, cfsr):
    machine = make(FAULTS_ON + body)
    assert machine.step_slice(5000) is Stop.SLEEP
    registers = machine.cpu.registers
    assert (registers[4], registers[5], registers[7]) == (number, 0xFFFF_FFF9, cfsr)
    frame = [read(machine, 0x2000_2000 - 32 + 4 * i) for i in range(8)]
    assert frame[7] & 1 << 24 and registers[MSP] == 0x2000_2000 - 32
    if number == 5 and cfsr & 1 << 15:
        assert read(machine, 0xE000_ED38) == int(body.split("=")[1].split("\n")[0], 0)
    if cfsr != 1 << 8:
        assert 0x0800_0040 < frame[6] < 0x0800_0100


def test_a_fault_without_a_handler_of_its_own_is_a_hard_fault(make):
    machine = make("udf #1\n")
    assert machine.step_slice(5000) is Stop.SLEEP
    assert machine.cpu.registers[4] == 3
    assert read(machine, 0xE000_ED2C) == 1 << 30


def test_a_fault_in_the_fault_handler_locks_the_core_up(make):
    machine = make("udf #1\n", fault="udf #2\n")
    assert machine.step_slice(5000) is Stop.BREAK
    assert machine.locked_up and read(machine, 0xE000_EDF0) & debug.S_LOCKUP
    assert any("locked up" in note for note in machine.notes)


def test_thread_mode_on_the_process_stack_faults_to_the_main_stack(make):
    machine = make("ldr r0, =0x20004000\nmsr psp, r0\nmovs r0, #2\nmsr control, r0\nisb\nvmov.f32 s0, #1.0\nudf #1\n")
    machine.step_slice(5000)
    registers = machine.cpu.registers
    assert registers[5] == 0xFFFF_FFED, "process stack, and the registers of the FPU are stacked"
    assert registers[PSP] == 0x2000_4000 - 104 and registers[MSP] == 0x2000_2000
    assert read(machine, 0x2000_4000 - 104 + 32) == 0x3F80_0000


def test_the_mpu_forbids_what_the_image_says(make):
    # region 0: 4 KiB at SRAM + 0x1000, no access
    guard = "ldr r0, =0xE000ED98\nmovs r1, #0\nstr r1, [r0]\nldr r1, =0x24001000\nstr r1, [r0, #4]\n"
    guard += "ldr r1, =0x10000017\nstr r1, [r0, #8]\nmovs r1, #5\nldr r2, =0xE000ED94\nstr r1, [r2]\ndsb\nisb\n"
    near = "ldr r0, =0x24000FFC\nstr r1, [r0]\nldr r0, =0x24002000\nstr r1, [r0]\nmovs r3, #77\n"
    machine = make(FAULTS_ON + guard + near + "ldr r0, =0x24001004\nstr r1, [r0]\n")
    assert machine.step_slice(5000) is Stop.SLEEP
    assert machine.cpu.registers[4] == 4 and machine.cpu.registers[7] == 1 << 7 | 1 << 1
    assert read(machine, 0xE000_ED34) == 0x2400_1004 and machine.cpu.registers[3] == 77
    machine.reset()
    assert machine.cpu.forbidden == []


def test_a_call_of_the_supervisor_returns(make):
    machine = make("movs r0, #1\nsvc #0\nmovs r2, #3\nwfi\n", svc="movs r0, #9\nmrs r1, ipsr\n")
    assert machine.step_slice(5000) is Stop.SLEEP
    registers = machine.cpu.registers
    assert [registers[i] for i in range(3)] == [1, 0, 3], "r0 and r1 come back from the stack"
    assert registers[XPSR] & 0x1FF == 0 and registers[MSP] == 0x2000_2000


# --- debugger ---------------------------------------------------------------------------------------------------------


def halt(machine):
    write(machine, 0xE000_EDF0, 0xA05F_0003)


def go(machine, bits=1):
    write(machine, 0xE000_EDF0, 0xA05F_0000 | bits)


def register(machine, number):
    write(machine, 0xE000_EDF4, number)
    return read(machine, 0xE000_EDF8)


def test_halt_step_registers_and_go(make):
    machine = make("movs r0, #1\nmovs r0, #2\nmovs r0, #3\n")
    halt(machine)
    assert read(machine, 0xE000_EDF0) & debug.S_HALT and machine.step_slice(5000) is Stop.BREAK
    before = register(machine, PC)
    for expected in (1, 2, 3):
        go(machine, 5)
        assert register(machine, 0) == expected
    assert register(machine, PC) == before + 6 and machine.instructions == 3
    write(machine, 0xE000_EDF8, 0x55)
    write(machine, 0xE000_EDF4, 1 << 16 | 7)
    go(machine)
    assert machine.step_slice(5000) is Stop.LIMIT and machine.cpu.registers[7] == 0x55


def test_a_step_after_a_run_executes_one_instruction(make):
    machine = make("1: adds r0, #1\nadds r0, #1\nadds r0, #1\nb 1b\n")
    machine.step_slice(5000)
    halt(machine)
    before, address = machine.instructions, register(machine, PC)
    for count in (1, 2, 3):
        go(machine, 5)
        assert machine.instructions == before + count
    assert register(machine, PC) != address


@pytest.mark.parametrize("chip", ["stm32h743", "stm32l476"])
def test_a_hardware_breakpoint_stops_before_its_instruction_and_lets_go_of_it(make, chip):
    machine = make("movs r0, #1\nmovs r0, #2\nmovs r0, #3\nwfi\n", chip=chip)
    halt(machine)
    where = register(machine, PC) + 4
    m7 = chip == "stm32h743"
    write(machine, 0xE000_2000, 3)
    comparator = where | 1 if m7 else where & ~3 | (2 if where & 2 else 1) << 30 | 1
    write(machine, 0xE000_2008, comparator)
    go(machine)
    assert machine.step_slice(5000) is Stop.BREAK
    assert (register(machine, PC), register(machine, 0), machine.instructions) == (where, 2, 2)
    assert read(machine, 0xE000_ED30) & debug.DFSR_BKPT
    go(machine)
    assert machine.step_slice(5000) is Stop.SLEEP and machine.cpu.registers[0] == 3


def test_a_breakpoint_instruction_halts_under_a_debugger_and_faults_without(make):
    machine = make("bkpt #0\nmovs r0, #7\n")
    assert machine.step_slice(5000) is Stop.SLEEP and machine.cpu.registers[4] == 3
    machine.reset()
    go(machine)
    assert machine.step_slice(5000) is Stop.BREAK and machine.halted


def test_a_debugger_catches_the_reset(make):
    machine = make("movs r0, #1\n")
    go(machine)
    write(machine, 0xE000_EDFC, debug.VC_CORERESET)
    write(machine, 0xE000_ED0C, 0x05FA_0004)
    assert machine.halted and machine.cpu.registers[0] == 0
    assert read(machine, 0xE000_EDF0) & debug.S_RESET
    assert not read(machine, 0xE000_EDF0) & debug.S_RESET


def test_nothing_answers_where_nothing_is(make):
    machine = make("nop\n")
    for address in (0x6000_0000, 0x4FFF_FFFC):
        with pytest.raises(BusError):
            machine.read_memory(address, 4)
        with pytest.raises(BusError):
            machine.write_memory(address, bytes(4))


# --- reset and power --------------------------------------------------------------------------------------------------


def test_software_reset_keeps_ram_and_tells_its_cause(make):
    body = "ldr r0, =0x24000000\nldr r1, [r0]\nadds r1, #1\nstr r1, [r0]\ncmp r1, #3\nbeq 1f\n"
    machine = make(body + "ldr r0, =0xE000ED0C\nldr r1, =0x05FA0004\nstr r1, [r0]\n2: b 2b\n1: wfi\n")
    write(machine, SRAM, 0)
    stops = [machine.step_slice(5000) for _ in range(3)]
    assert stops == [Stop.INTERRUPTED, Stop.INTERRUPTED, Stop.SLEEP]
    assert read(machine, SRAM) == 3 and read(machine, 0x5802_44D0) & 1 << 24


def test_a_brown_out_loses_ram_and_starts_anew(make):
    machine = make("movs r0, #1\n1: b 1b\n")
    write(machine, SRAM, 0x1234_5678)
    Faults(machine).add("brown-out@3000")
    stops = [machine.step_slice(2000) for _ in range(3)]
    assert Stop.INTERRUPTED in stops and read(machine, SRAM) != 0x1234_5678
    assert read(machine, 0x5802_44D0) & 1 << 21


def test_an_erased_chip_does_not_run(tmp_path):
    machine = Machine("stm32h743")
    machine.reset()
    assert machine.step_slice(5000) is Stop.BREAK and machine.locked_up and not machine.notes
    machine.close()


def test_flash_is_kept_in_a_file_that_one_process_uses(tmp_path):
    machine = Machine("stm32f746", flash_file=tmp_path / "kept")
    machine.load(program(tmp_path, "nop\n"))
    content = machine.read_memory(0x0800_0000, 64)
    with pytest.raises(BoardError, match="in use"):
        Machine("stm32f746", flash_file=tmp_path / "kept")
    machine.close()
    again = Machine("stm32f746", flash_file=tmp_path / "kept")
    assert again.read_memory(0x0800_0000, 64) == again.read_memory(0x0020_0000, 64) == content
    again.close()


# --- what real silicon would not do -----------------------------------------------------------------------------------


def test_a_peripheral_without_its_clock_does_not_answer_and_is_noted(make):
    machine = make("ldr r0, =0x40004800\nmovs r1, #13\nstr r1, [r0]\nldr r2, [r0]\nwfi\n")
    machine.step_slice(5000)
    assert machine.cpu.registers[2] == 0
    assert machine.notes == ["access to usart3 at 0x40004800 before its clock is enabled"]


def test_bytes_leave_only_through_a_pin_that_is_switched(make):
    clocks = "ldr r0, =0x58024400\nldr r1, =0x40000\nstr r1, [r0, #0xE8]\nmovs r1, #8\nstr r1, [r0, #0xE0]\n"
    port = "ldr r0, =0x40004800\nldr r1, =555\nstr r1, [r0, #0xC]\nmovs r1, #13\nstr r1, [r0]\n"
    pins = "ldr r2, =0x58020C00\nldr r1, =0xFFFAFFFF\nstr r1, [r2]\nmovs r1, #0x77\nstr r1, [r2, #0x24]\n"
    send = "movs r1, #65\nstr r1, [r0, #0x28]\nwfi\n"
    silent = make(clocks + port + send)
    silent.step_slice(5000)
    assert silent.terminal.sent == 0 and silent.notes == ["pin PD8 is not switched to USART3"]
    heard = make(clocks + port + pins + send)
    assert 115_000 < 64_000_000 / 555 < 116_000
    with open(heard.uart_pty, "rb", buffering=0) as host:
        _rate(host.fileno(), termios.B115200)
        heard.step_slice(5000)
        assert host.read(1) == b"A" and not heard.notes


def _rate(descriptor, rate):
    settings = termios.tcgetattr(descriptor)
    settings[4] = settings[5] = rate
    termios.tcsetattr(descriptor, termios.TCSANOW, settings)


def test_two_rates_that_disagree_damage_bytes_both_ways():
    terminal = Terminal()
    host = os.open(terminal.path, os.O_RDWR | os.O_NOCTTY)
    _rate(host, termios.B115200)
    sent = bytes(range(64))
    os.write(host, sent)
    assert terminal.take(117_000) == (sent, False)
    os.write(host, sent)
    data, damaged = terminal.take(9600)
    assert damaged and data != sent[: len(data)]
    terminal.give(sent, 113_000)
    assert os.read(host, 64) == sent
    terminal.give(sent, 921_600)
    assert sent not in os.read(host, 64)
    terminal.give(sent, 0)
    terminal.vanish_after = terminal.sent
    terminal.give(b"x", 115_200)
    with pytest.raises(OSError):
        os.write(host, b"y")
    os.close(host)


def test_unknown_chips_and_faults_are_refused_by_name(make, monkeypatch):
    with pytest.raises(BoardError, match="stm32u5"):
        Machine("stm32u5")
    with pytest.raises(OptionError, match="meteor"):
        Faults(make("nop\n")).add_all("brown-out@5, meteor@3")
    import builtins

    real = builtins.__import__

    def without(name, *rest, **more):
        if name == "unicorn":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(EmulatorMissingError, match="unicorn"):
        Machine("stm32h743")


def test_a_serial_port_that_the_chip_does_not_have_is_named():
    with pytest.raises(BoardError, match="the virtual stm32h743 has no serial port UART9") as caught:
        Machine("stm32h743", Wiring("uart9", "pd8", "pd9"))
    assert "USART3" in caught.value.hint
