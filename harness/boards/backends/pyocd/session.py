"""Sessions with a real board: flashed and observed through a debug probe; frames over serial port or probe (RTT)."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from types import TracebackType
from typing import TYPE_CHECKING

from harness.boards.backends.pyocd.debugger import Debugger, Limits
from harness.boards.backends.pyocd.flash import Loaded, load_image
from harness.boards.backends.pyocd.probes import choose_probe
from harness.boards.backends.pyocd.state import device_state, fault_of
from harness.boards.backends.pyocd.watermarks import disagreements, read_marks
from harness.boards.lease import Lease
from harness.boards.ports import find_port
from harness.boards.session import Session
from harness.build.image import Image
from harness.elf.symbols import Symbols, symbol_address
from harness.errors import (
    BoardConfigError,
    BoardError,
    BoardLostError,
    DamagedLineError,
    DeviceTimeoutError,
    GarbageError,
    NoBytesError,
    OverrunError,
    ProbeError,
    ProbeMissingError,
    TinyhilError,
    ToolError,
    WrongChipError,
)
from harness.hardware.board import Probe, Resolved
from harness.hardware.families import find_family
from harness.link.rtt import SYMBOL, RttTransport, erase_block
from harness.units import Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.link.records import Watermarks
    from harness.link.transport import Transport

DEFAULT_BAUD = 115_200
# Errors whose cause the debugger may find
_PUZZLING = (NoBytesError, GarbageError, DeviceTimeoutError, DamagedLineError, BoardLostError)


class PyocdSession(Session):
    """An image on a board at a debug probe.

    Attributes:
        loaded: result of flashing; None before load().
        connect_mode: the connect mode that succeeded; "" before open().
    """

    def __init__(
        self,
        resolved: Resolved,
        image: Image,
        *,
        limits: Limits = Limits(),  # noqa: B008
        progress: Callable[[float], None] | None = None,
    ) -> None:
        """limits: of the flash algorithm; progress: called with the fraction flashed, 0 to 1.

        Raises:
            BoardConfigError: the board's entry has no target.
        """
        super().__init__(resolved, image)
        if self.ran_on.target is None:
            raise BoardConfigError(
                f"{self.ran_on.name} has no `target`", hint="name pyOCD's target in the board's entry in boards.yaml"
            )
        self.loaded: Loaded | None = None
        self.connect_mode = ""
        self._notes: list[str] = []
        self._probe = resolved.probe
        self._limits = limits
        self._progress = progress
        self._debugger: Debugger | None = None
        self._leases: list[Lease] = []
        self._port: str | None = None
        self._inner: Transport | None = None

    # --- verbs ---------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Leases the probe, connects to the chip, and checks that it is the board's.

        Raises:
            ProbeMissingError, ProbeChoiceError, ConnectError, WrongChipError, ProbeLostError: see these classes.
            LeasedError: another process uses the probe.
        """
        self.take_probe()
        self.connect()

    def take_probe(self) -> Debugger:
        """The first part of open(): chooses the probe and leases it."""
        probe = self._chosen()
        self._leases.append(Lease("probe", probe.unique_id))
        assert self.ran_on.target is not None
        self._debugger = Debugger(probe, self.ran_on.target, limits=self._limits)
        return self._debugger

    def connect(self) -> None:
        """The second part of open(): connects to the chip."""
        self.debugger.connect()
        self.connect_mode = self.debugger.mode
        for mode, said in self.debugger.attempts.items():
            self._note(f"the chip did not answer to connecting {mode} ({said}); {self.connect_mode} worked")
        self.check_chip()

    def check_chip(self) -> str | None:
        """Checks that the chip is the board's; returns its device number, or None if boards.yaml has no `idcode`.

        Raises:
            WrongChipError: it is another chip.
        """
        board, idcode = self.ran_on, self.ran_on.idcode
        if idcode is None:
            return None
        found = self.debugger.read_word(idcode.address) & idcode.mask
        if found != idcode.device:
            family = find_family(board.chip, board.target)
            register = family.identity.register if family and family.identity else "identity word"
            raise WrongChipError(
                f"the chip at probe {self.debugger.probe.unique_id} has device number {idcode.text(found)}, and "
                f"{board.name}'s is {idcode.text(idcode.device)} ({register} at 0x{idcode.address:08x})",
                hint="this is another board: choose its probe (--probe ID), or correct `idcode` in boards.yaml",
            )
        return idcode.text(found)

    def load(self) -> None:
        """Flashes the image unless the chip has it, opens the stream, and starts the image.

        Raises:
            FlashError: see its classes.
            PortMissingError, PortBusyError, LeasedError: the serial port cannot be used.
            DeviceStoppedError, DeviceFaultError: the image stopped before it opened the stream through the probe.
            ProbeLostError, ProbeError: the probe fails.
        """
        self.flash()
        self.reset()

    def flash(self) -> Loaded:
        """The first part of load(): programs the image into the chip's flash, unless it is there already."""
        self.loaded = load_image(self.debugger, self.image.elf, self.image.build_id, self._progress)
        return self.loaded

    def reset(self) -> None:
        """Restarts the image and discards what it sent before."""
        self._close_stream()
        if self.image.link == "rtt":
            self._stream = self._watch(self._open_rtt(), None)
            return
        self._inner = self._open_port()
        self.debugger.reset()
        self._stream = self._watch(self._inner, None)

    def read_memory(self, address: int, length: int) -> bytes:
        """Reads memory through the probe while the firmware runs."""
        self._readable(address, length)
        return self.debugger.read(address, length)

    def tick_scale(self) -> tuple[Unit, Fraction] | None:
        """Cycles on silicon; instructions on the emulated chip at a virtual probe."""
        virtual = self._probe is not None and self._probe.virtual
        return (Unit.INSTRUCTIONS if virtual else Unit.CYCLES), Fraction(1)

    def compare_marks(self, device: Watermarks, paint_seed: int) -> None:
        """See base."""
        marks = read_marks(self, self.image.elf, device.arena_size, paint_seed)
        for text in disagreements(device, marks):
            self._note(f"watermarks differ: {text}")

    def notes(self) -> tuple[str, ...]:
        """An unusual connect mode, differences between device and debugger, and the notes of a virtual board."""
        return tuple(self._notes)

    def _note(self, text: str) -> None:
        if text not in self._notes:
            self._notes.append(text)

    def close(self) -> None:
        """Lets the chip run, closes the port, and releases the leases."""
        self._close_stream()
        if self._debugger is not None:
            with contextlib.suppress(BoardError):  # not connected
                for text in getattr(self._debugger.device, "board_notes", ()):
                    self._note(text)
            self._debugger.close()
            self._debugger = None
        for lease in reversed(self._leases):
            lease.release()
        self._leases.clear()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the session; before that, looks for the cause of an error through the debugger.

        Raises:
            DeviceFaultError: the device does not answer because it is in a fault handler.
            DeviceStoppedError: it does not answer because a wait of its start, or a later one, reached its limit.
            OverrunError: it does not answer because its UART lost bytes of the request.
        """
        cause = self._explain(error) if isinstance(error, _PUZZLING) else None
        super().__exit__(kind, error, trace)
        if cause is not None:
            cause.transcript = self.transcript()
            raise cause from error

    # --- pieces --------------------------------------------------------------------------------------------------

    @property
    def debugger(self) -> Debugger:
        """The chip at the probe.

        Raises:
            BoardError: the session is not open.
        """
        if self._debugger is None:
            raise self._not_open()
        return self._debugger

    def _chosen(self) -> Probe:
        if self._probe is None:
            self._probe = choose_probe(self.ran_on)
        if self._probe is None:
            raise ProbeMissingError(
                f"no debug probe is attached for {self.ran_on.name}",
                hint="plug the board in; `tinyhil boards --probe` lists what is attached",
            )
        return self._probe

    def port_device(self) -> str:
        """The serial port's device name: found by serial number; at a virtual probe that of the emulated board.

        Raises:
            PortMissingError: there is none.
        """
        own = getattr(self.debugger.device, "serial_port", None)
        if own:
            return str(own)
        uart = self.ran_on.uart
        named = "probe" if uart is None else uart.serial
        return find_port(self._chosen().unique_id if named == "probe" else named).device

    def _open_port(self) -> Transport:
        from harness.link.serial import SerialTransport

        device = self.port_device()
        if device != self._port:
            self._leases.append(Lease("port", device))
            self._port = device
        self.baud = DEFAULT_BAUD if self.ran_on.uart is None else self.ran_on.uart.baud
        return SerialTransport(device, self.baud)

    def _open_rtt(self) -> Transport:
        address = symbol_address(self.image.elf, SYMBOL)
        if address is None:
            raise BoardError(f"the image has no {SYMBOL}", hint="build it with --link rtt")
        self.debugger.reset_and_halt()
        erase_block(self.debugger, address)
        self.debugger.resume()
        self.baud = None
        try:
            return RttTransport(self.debugger, address)
        except BoardError as error:
            cause = self._explain(error)
            if cause is None:
                raise
            raise cause from error

    def _close_stream(self) -> None:
        if self._stream is None and self._inner is not None:  # it was opened, and then the chip did not start
            with contextlib.suppress(OSError):
                self._inner.close()
        self._inner = None
        super()._close_stream()

    def _explain(self, error: TinyhilError) -> TinyhilError | None:
        """Adds the core's state to an error's details; returns another error if that shows the cause.

        Causes are a fault that was not reported, a boot stage that was not passed, and overruns.
        """
        if self._debugger is None:
            return None
        with contextlib.suppress(ProbeError, ToolError):  # the error itself says more than that this cannot be told
            symbols = Symbols(self.image.elf)
            state = device_state(self._debugger, self.image.elf, symbols)
            error.details = "\n".join(filter(None, (error.details, state.text())))
            if isinstance(error, BoardLostError):
                return None
            if isinstance(error, (DamagedLineError, DeviceTimeoutError)) and state.starves:
                return OverrunError(
                    f"{error.message}: its UART lost bytes {state.line['overruns']} times (overrun)",
                    hint="a lower rate (`uart.fast_baud` in boards.yaml), or --link rtt, which loses none",
                    details=error.details,
                )
            fault = fault_of(state, symbols)
            if fault is None and state.boot is not None and not state.boot.is_over:
                return state.boot.error(self.ran_on.name, error.details)
            return fault
        return None
