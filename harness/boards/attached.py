"""Attached probes: each with its serial ports, its chip, and a proposed entry for boards.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness.boards.backends.pyocd.debugger import Debugger
from harness.boards.backends.pyocd.probes import attached_probes, is_installed, missing
from harness.boards.lease import Lease
from harness.boards.ports import serial_ports
from harness.boards.registry import load_boards
from harness.errors import TinyhilError
from harness.hardware.board import Board, Idcode, Probe
from harness.hardware.families import DEVICE_MASK, FAMILIES, ChipFamily

# pyOCD's name of the target for any Cortex-M
_GENERIC = "cortex_m"
_TOLD = [family.name for family in FAMILIES if family.identity is not None]


@dataclass(frozen=True)
class Attached:
    """A debug probe with its serial ports and its chip.

    Attributes:
        ports: serial ports of the same USB device.
        device: the chip's device number; None where it could not be read.
        boards: names of the boards in boards.yaml with that chip.
        problem: why the chip could not be read; "" if it could.
        proposal: an entry for boards.yaml with the board and this probe, as YAML text.
    """

    unique_id: str
    description: str
    virtual: bool
    ports: tuple[str, ...]
    device: int | None
    boards: tuple[str, ...]
    problem: str
    proposal: str


@dataclass(frozen=True)
class _ChipIdentity:
    """The identity read from a chip: its family, its `idcode` for boards.yaml, and the whole word."""

    family: ChipFamily
    idcode: Idcode
    word: int

    def is_of(self, board: Board) -> bool:
        """Whether the board has this chip."""
        named = board.idcode
        return named is not None and named.address == self.idcode.address and self.word & named.mask == named.device


def look_around(boards: Mapping[str, Board] | None = None) -> tuple[Attached, ...]:
    """All attached probes; connects to each chip briefly without stopping it.

    Raises:
        PackageMissingError: pyOCD is not installed.
    """
    if not is_installed():
        raise missing()
    boards = load_boards() if boards is None else boards
    return tuple(_look_at(probe, boards) for probe in attached_probes())


def _look_at(probe: Probe, boards: Mapping[str, Board]) -> Attached:
    ports = [port.device for port in serial_ports() if port.serial_number.lower() == probe.unique_id.lower()]
    found: _ChipIdentity | None = None
    problem = ""
    try:
        with Lease("probe", probe.unique_id):
            debugger = Debugger(probe, _GENERIC)
            try:
                debugger.connect()
                own = getattr(debugger.device, "serial_port", None)
                ports += [str(own)] if own else []
                found = _identity(debugger)
            finally:
                debugger.close()
    except TinyhilError as error:
        problem = f"{error.message}; {error.hint}"
    if found is None and not problem:
        problem = f"the chip has no identity register where these have it: {', '.join(_TOLD)}"
    matching = [board for board in boards.values() if found is not None and found.is_of(board)]
    return Attached(
        unique_id=probe.unique_id,
        description=probe.description,
        virtual=probe.virtual,
        ports=tuple(ports),
        device=None if found is None else found.idcode.device,
        boards=tuple(board.name for board in matching),
        problem=problem,
        proposal=_proposal(probe, matching[0] if matching else None, found),
    )


def _identity(debugger: Debugger) -> _ChipIdentity | None:
    """The first identity word that is valid for a family; None if there is none."""
    for family, word in ((family, family.identity) for family in FAMILIES if family.identity is not None):
        for address in word.addresses:
            try:
                value = debugger.read_word(address)
            except TinyhilError:
                continue
            device = word.device(value)
            if device is not None:
                return _ChipIdentity(family, Idcode(address, device, word.mask), value)
    return None


def _proposal(probe: Probe, board: Board | None, found: _ChipIdentity | None) -> str:
    """The known board's entry with the probe's id, or an entry to be completed."""
    if board is not None:
        return _entry(board, probe)
    if found is None:
        return ""
    return "\n".join(
        (
            "my-board:",
            "  title: ",
            "  core: cortex-m4  # or cortex-m7, ...",
            "  port: my-board  # a folder under firmware/ports; tinyhil docs new-board",
            "  backend: pyocd",
            "  target:   # pyOCD's name: `pyocd list --targets`",
            "  verified: never",
            f"  probe: {probe.unique_id}",
            "  clock_hz: ",
            "  tick: {source: DWT CYCCNT, hz: }",
            _idcode(found.idcode),
            f"  uart: {{name: , tx: , rx: }}  # pins are named like {found.family.pin_form}",
            "  memory:",
            "    - {name: flash, origin: , size: , kind: flash}",
            "    - {name: sram, origin: , size: , kind: ram}",
            "  placement: {arena: sram, stack: sram, data: sram, weights: flash, code: flash}",
            "  stack_size: 8192",
        )
    )


def _entry(board: Board, probe: Probe) -> str:
    """A board's entry with a probe, its keys in the order of tinyhil's boards.yaml."""
    lines = [f"{board.name}:", f"  title: {board.title}"]
    for key in ("core", "port", "backend", "target", "chip", "verified"):
        value = getattr(board, key)
        lines += [f"  {key}: {value}"] if value is not None else []
    lines += [f"  probe: {probe.unique_id}", f"  clock_hz: {board.clock_hz}"]
    lines.append(f"  tick: {{source: {board.tick.source}, hz: {board.tick.hz}}}")
    if board.idcode is not None:
        lines.append(_idcode(board.idcode))
    uart = board.uart
    if uart is not None:
        fast = "" if uart.fast_baud is None else f", fast_baud: {uart.fast_baud}"
        serial = "" if uart.serial == "probe" else f", serial: {uart.serial}"
        lines.append(f"  uart: {{name: {uart.name}, tx: {uart.tx}, rx: {uart.rx}, baud: {uart.baud}{fast}{serial}}}")
    lines.append("  memory:")
    for region in board.memory:
        execute = "" if region.execute else ", execute: false"
        lines.append(
            f"    - {{name: {region.name}, origin: 0x{region.origin:08X}, size: 0x{region.size:08X}, "
            f"kind: {region.kind}{execute}}}"
        )
    if board.placement is not None:
        parts = ", ".join(f"{part}: {name}" for part, name in vars(board.placement).items() if name)
        lines.append(f"  placement: {{{parts}}}")
    lines.append(f"  stack_size: {board.stack_size}")
    if board.stand_ins:
        lines.append(f"  stand_ins: [{', '.join(board.stand_ins)}]")
    return "\n".join(lines)


def _idcode(idcode: Idcode) -> str:
    mask = "" if idcode.mask == DEVICE_MASK else f", mask: 0x{idcode.mask:08X}"
    return f"  idcode: {{address: 0x{idcode.address:08X}, device: 0x{idcode.device:03X}{mask}}}"
