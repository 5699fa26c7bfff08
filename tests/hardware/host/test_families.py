"""Boards whose chips are not STM32: pins and identity words by family."""

from __future__ import annotations

import re

import pytest

from harness.boards import attached, load_boards, resolve
from harness.boards.backends.pyocd import probes
from harness.boards.backends.pyocd.session import PyocdSession
from harness.build.image import Image
from harness.elf.sizes import Sizes
from harness.errors import BoardConfigError, BoardError, ProbeError, WrongChipError
from harness.hardware.board import Resolved
from harness.hardware.families import FAMILIES, find_family, wrong_pin

BOARDS = """
my-nrf52840:
  title: An nRF52840 DK
  core: cortex-m4
  port: my-nrf52840
  backend: pyocd
  target: nrf52840
  verified: never
  clock_hz: 64_000_000
  tick: {source: DWT CYCCNT, hz: 64_000_000}
  idcode: {address: 0x1000_0100, device: 0x0005_2840, mask: 0xFFFF_FFFF}
  uart: {name: UARTE0, tx: P0.06, rx: P0.08, baud: 115_200, fast_baud: 1_000_000}
  memory:
    - {name: flash, origin: 0x0000_0000, size: 0x0010_0000, kind: flash}
    - {name: ram, origin: 0x2000_0000, size: 0x0004_0000, kind: ram}
  placement: {arena: ram, stack: ram, data: ram, weights: flash, code: flash}
  stack_size: 8_192
  stand_ins: [mps2-an386]

my-pico:
  title: A Raspberry Pi Pico
  core: cortex-m0plus
  port: my-pico
  backend: pyocd
  target: rp2040
  verified: never
  clock_hz: 125_000_000
  tick: {source: SysTick, hz: 125_000_000}
  idcode: {address: 0x4000_0000, device: 0x0000_2927, mask: 0x0FFF_FFFF}
  uart: {name: UART0, tx: GP0, rx: GP1}
  memory:
    - {name: flash, origin: 0x1000_0000, size: 0x0020_0000, kind: flash}
    - {name: sram, origin: 0x2000_0000, size: 0x0004_2000, kind: ram}
  placement: {arena: sram, stack: sram, data: sram, weights: flash, code: flash}
  stack_size: 8_192
"""


def _file(tmp_path, text=BOARDS):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    return path


def test_chips_that_are_not_stm32_are_boards_like_others(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(probes, "attached_probes", lambda: ())
    boards = load_boards(_file(tmp_path))
    nrf, pico = boards["my-nrf52840"], boards["my-pico"]
    assert (nrf.uart.tx, pico.uart.rx) == ("P0.06", "GP1")
    assert (nrf.idcode.device, nrf.idcode.mask) == (0x52840, 0xFFFF_FFFF)
    assert boards["nucleo-h743"].idcode.mask == 0xFFF
    assert resolve("my-nrf52840", boards).runs_on.name == "mps2-an386"
    with pytest.raises(BoardError, match="my-pico is not attached"):
        resolve("my-pico", boards)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("tx: P0.06", "tx: PA9", "uart.tx: 'PA9' is no pin of the nRF52 family, whose pins are named like P0.06"),
        ("rx: P0.08", "rx: P0.32", "my-nrf52840.uart.rx: 'P0.32' is no pin of the nRF52 family"),
        ("tx: GP0", "tx: P0.06", "uart.tx: 'P0.06' is no pin of the RP2040 family, whose pins are named like GP0"),
        ("rx: GP1", "rx: GP30", "my-pico.uart.rx: 'GP30' is no pin of the RP2040 family"),
        ("target: nrf52840", "target: stm32l475xg", "no pin of the STM32 family, whose pins are named like PA9"),
        ("target: rp2040", "target: rp2040\n  chip: stm32l476rg", "'GP0' is no pin of the STM32 family"),
        (", mask: 0xFFFF_FFFF", "", "my-nrf52840.idcode: device 0x52840 has bits outside of mask 0xfff"),
        ("mask: 0x0FFF_FFFF", "mask: 0xFFF", "my-pico.idcode: device 0x2927 has bits outside of mask 0xfff"),
        ("mask: 0x0FFF_FFFF", "mask: 0x1_0000_0000", "my-pico.idcode.mask"),
    ],
)  # fmt: skip
def test_a_mistake_names_family_and_form(tmp_path, old, new, said) -> None:
    assert old in BOARDS
    with pytest.raises(BoardConfigError) as caught:
        load_boards(_file(tmp_path, BOARDS.replace(old, new)))
    assert said in caught.value.message + caught.value.details


def test_pins_of_an_unknown_family_are_taken_as_they_are(tmp_path) -> None:
    text = BOARDS.replace("target: rp2040", "target: lpc55s69").replace("tx: GP0", "tx: PIO0_30")
    assert load_boards(_file(tmp_path, text))["my-pico"].uart.tx == "PIO0_30"


@pytest.mark.parametrize(
    ("target", "family", "pins", "others"),
    [
        ("stm32h743xx", "STM32", ["PA0", "PD15", "PK7"], ["PA16", "PL0", "P0.06", "GP0", "pa0"]),
        ("nrf52833", "nRF52", ["P0.00", "P0.31", "P1.09"], ["P0.6", "P2.00", "PA9"]),
        ("nrf5340_xxaa", "nRF", ["P1.15"], ["GP1"]),
        ("rp2040_core0", "RP2040", ["GP0", "GP29"], ["GP30", "P0.00"]),
        ("rp2350", "RP2350", ["GP47"], ["GP48"]),
    ],
)
def test_pins_of_each_family(target, family, pins, others) -> None:
    found = find_family(None, target)
    assert found is not None and found.name == family
    assert [pin for pin in (*pins, *others) if wrong_pin(found, pin)] == others
    assert wrong_pin(found, found.pin_form) is None


def test_an_identity_word_is_of_one_family_only() -> None:
    """0xE004_2000 of an STM32H743 answers with any bits above DEV_ID: only the address tells its family."""
    words = {"RP2040": 0x1000_2927, "nRF52": 0x0005_2840}
    assert words.keys() <= {family.name for family in FAMILIES}
    for family in FAMILIES:
        told = {name: family.identity.device(word) for name, word in words.items()} if family.identity else {}
        if family.name in words:
            assert {name for name, device in told.items() if device is not None} == {family.name}
    stm32 = next(family for family in FAMILIES if family.name == "STM32").identity
    assert stm32.device(0x2003_6450) == 0x450
    assert stm32.device(0) is None and stm32.device(0xFFFF_FFFF) is None


class _Debugger:
    """A chip that tells an identity word."""

    def __init__(self, word: int, address: int, probe: object) -> None:
        self.word, self.address, self.probe = word, address, probe

    def read_word(self, address: int) -> int:
        assert address == self.address
        return self.word


@pytest.mark.parametrize(
    ("name", "right", "wrong", "said"),
    [
        ("my-nrf52840", 0x0005_2840, 0x0005_2833, "number 0x00052833, and my-nrf52840's is 0x00052840 (FICR INFO.PART"),
        ("my-pico", 0x2000_2927, 0x0000_4926, "number 0x0004926, and my-pico's is 0x0002927 (SYSINFO CHIP_ID"),
        ("nucleo-h743", 0x2003_6450, 0x2003_6480, "number 0x480, and nucleo-h743's is 0x450 (DBGMCU_IDCODE"),
    ],
)
def test_another_chip_is_refused_by_the_bits_of_the_mask(tmp_path, monkeypatch, name, right, wrong, said) -> None:
    board = load_boards(_file(tmp_path))[name]
    probe = probes.Probe("ID", "a probe")
    image = Image(tmp_path, "", name, board.core, "uart", "frames", (), Sizes(), "", 0, 0.0, 0, False)
    session = PyocdSession(Resolved(board, board, False, "", probe), image)
    chip = _Debugger(right, board.idcode.address, probe)
    monkeypatch.setattr(PyocdSession, "debugger", property(lambda self: chip))
    assert session.check_chip() == board.idcode.text(board.idcode.device)
    chip.word = wrong
    with pytest.raises(WrongChipError) as caught:
        session.check_chip()
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("words", "boards", "proposed"),
    [
        (
            {0x1000_0100: 0x0005_2840},
            ("nrf52840dk", "my-nrf52840"),
            "  idcode: {address: 0x10000100, device: 0x52840, mask: 0xFFFFFFFF}",
        ),
        ({0x4000_0000: 0x2000_2927}, ("my-pico",), "  idcode: {address: 0x40000000, device: 0x2927, mask: 0x0FFFFFFF}"),
        ({0x1000_0100: 0x0005_2832}, (), "  idcode: {address: 0x10000100, device: 0x52832, mask: 0xFFFFFFFF}"),
        # an STM32L4 has RAM where an nRF52 has INFO.PART, and TIM2 where an RP2040 has CHIP_ID
        (
            {0x1000_0100: 0x1234_5678, 0x4000_0000: 0, 0xE004_2000: 0x1003_6415},
            ("nucleo-l476",),
            "  idcode: {address: 0xE0042000, device: 0x415}",
        ),
        ({0xE004_2000: 0, 0x4001_5800: 0xFFFF_FFFF}, (), ""),
    ],
)  # fmt: skip
def test_what_is_attached_is_told_by_family(tmp_path, monkeypatch, words, boards, proposed) -> None:
    class Chip:
        device = None

        def __init__(self, probe, target) -> None:
            pass

        def connect(self) -> None:
            pass

        def close(self) -> None:
            pass

        def read_word(self, address: int) -> int:
            if address not in words:
                raise ProbeError("a fault", hint="nothing is there")
            return words[address]

    monkeypatch.setenv("TINYHIL_LEASES", str(tmp_path / "leases"))
    monkeypatch.setattr(attached, "attached_probes", lambda: (probes.Probe("ID", "a probe"),))
    monkeypatch.setattr(attached, "serial_ports", lambda: ())
    monkeypatch.setattr(attached, "Debugger", Chip)
    [found] = attached.look_around(load_boards(_file(tmp_path)))
    assert found.boards == boards and proposed in found.proposal.splitlines() + [""]
    assert bool(found.problem) is not bool(proposed)
    if proposed and not boards:
        assert "  uart: {name: , tx: , rx: }  # pins are named like P0.06" in found.proposal
    told = re.search(r"device: (\w+)", proposed)
    assert found.device == (int(told[1], 16) if told else None)
