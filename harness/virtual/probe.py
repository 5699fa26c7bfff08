"""A virtual board as a debug probe of pyOCD, whose own code does flashing, breakpoints, memory and reset."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pyocd.board.board_ids import BoardInfo
from pyocd.core import exceptions
from pyocd.probe.debug_probe import DebugProbe

from harness.build.cache import default_root
from harness.errors import BoardError, BoardLostError, TinyhilError
from harness.hardware.boards_file import known_board
from harness.virtual.accessport import DebugPort, TransferFaultError
from harness.virtual.remote import RemoteMachine
from harness.virtual.variables import STATE_VARIABLE, VARIABLE

PREFIX = "virtual-"

_Result = TypeVar("_Result")


def state_folder() -> Path:
    """The folder with the flash of virtual boards: $TINYHIL_VIRTUAL_STATE, else a folder of the cache."""
    named = os.environ.get(STATE_VARIABLE)
    return Path(named).expanduser() if named else default_root() / "virtual"


class VirtualProbe(DebugProbe):  # type: ignore[misc, unused-ignore]
    """The probe of a virtual board. Opening it powers the board on, closing it powers it off; the flash is kept.

    Attributes:
        is_virtual: marks probes of emulated boards.
    """

    is_virtual = True

    @classmethod
    def get_all_connected_probes(cls, unique_id: str | None = None, is_explicit: bool = False) -> list[VirtualProbe]:
        """A probe for each board in $TINYHIL_VIRTUAL_PROBE."""
        del unique_id, is_explicit
        names = [name.strip() for name in os.environ.get(VARIABLE, "").split(",") if name.strip()]
        probes = []
        for index, name in enumerate(names):
            number = names[: index + 1].count(name)
            probes.append(cls(name, PREFIX + name + (f"-{number}" if number > 1 else "")))
        return probes

    @classmethod
    def get_probe_with_id(cls, unique_id: str, is_explicit: bool = False) -> VirtualProbe | None:
        """The probe with this id; None if there is none."""
        del is_explicit
        return next((probe for probe in cls.get_all_connected_probes() if probe.unique_id == unique_id), None)

    def __init__(self, board: str, unique_id: str) -> None:
        super().__init__()
        self._board = board
        self._unique_id = unique_id
        self._machine: RemoteMachine | None = None
        self._port: DebugPort | None = None
        self._held = False
        self._protocol: DebugProbe.Protocol | None = None

    # --- identity ---------------------------------------------------------------------------------------------------

    @property
    def vendor_name(self) -> str:
        """The maker's name."""
        return "tinyhil"

    @property
    def product_name(self) -> str:
        """The product's name."""
        return f"virtual {self._board}"

    @property
    def unique_id(self) -> str:
        """The id that it is chosen by."""
        return self._unique_id

    @property
    def supported_wire_protocols(self) -> list[DebugProbe.Protocol]:
        """Serial wire."""
        return [DebugProbe.Protocol.DEFAULT, DebugProbe.Protocol.SWD]

    @property
    def wire_protocol(self) -> DebugProbe.Protocol | None:
        """The protocol while connected; else None."""
        return self._protocol

    @property
    def is_open(self) -> bool:
        """Whether the board is powered on."""
        return self._machine is not None

    @property
    def capabilities(self) -> set[DebugProbe.Capability]:
        """No capabilities: pyOCD does everything by reading and writing registers."""
        return set()

    @property
    def associated_board_info(self) -> BoardInfo | None:
        """The board's name, with its target if that is built into pyOCD."""
        board = known_board(self._board)
        if board is None:
            return None
        from pyocd.target import TARGET

        return BoardInfo(self._board, board.target if board.target in TARGET else None, None, "tinyhil")

    @property
    def serial_port(self) -> str | None:
        """Path of the board's serial port while it is on."""
        return None if self._machine is None else self._machine.port

    @property
    def board_notes(self) -> tuple[str, ...]:
        """Notes for the report while the board is on, see RemoteMachine.notes."""
        return () if self._machine is None else self._machine.notes()

    @property
    def machine(self) -> RemoteMachine:
        """The board's process.

        Raises:
            exceptions.ProbeError: the board is off.
        """
        if self._machine is None:
            raise exceptions.ProbeError(f"{self._unique_id} is not open")
        return self._machine

    # --- opening ----------------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Powers the board on."""
        if self._machine is not None:
            return
        try:
            self._machine = RemoteMachine(self._board, flash_file=state_folder() / f"{self._unique_id}.flash")
        except TinyhilError as error:
            raise exceptions.ProbeError(f"{error.message}; {error.hint}") from error
        self._port = DebugPort(self._machine)

    def close(self) -> None:
        """Powers the board off."""
        machine, self._machine, self._port, self._protocol = self._machine, None, None, None
        if machine is not None:
            machine.close()

    def connect(self, protocol: DebugProbe.Protocol | None = None) -> None:
        """Records the connection; there is no wire."""
        del protocol
        self._protocol = DebugProbe.Protocol.SWD

    def disconnect(self) -> None:
        """Records the disconnection."""
        self._protocol = None

    def set_clock(self, frequency: float) -> None:
        """Does nothing: there is no clock."""

    # --- reset ------------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Pulses the reset pin."""
        self._do(lambda: self.machine.reset())

    def assert_reset(self, asserted: bool) -> None:
        """Asserts or releases the reset pin."""
        self._do(lambda: self.machine.hold(asserted))
        self._held = asserted

    def is_reset_asserted(self) -> bool:
        """Whether the reset pin is asserted."""
        return self._held

    # --- registers --------------------------------------------------------------------------------------------------

    def read_dp(self, addr: int, now: bool = True) -> Any:
        """Reads a register of the debug port."""
        return _now_or_later(self._do(lambda: self._open_port.read_dp(addr)), now)

    def write_dp(self, addr: int, data: int) -> None:
        """Writes a register of the debug port."""
        self._do(lambda: self._open_port.write_dp(addr, data))

    def read_ap(self, addr: int, now: bool = True) -> Any:
        """Reads a register of an access port."""
        return _now_or_later(self._do(lambda: self._open_port.read_ap(addr, 1))[0], now)

    def write_ap(self, addr: int, data: int) -> None:
        """Writes a register of an access port."""
        self._do(lambda: self._open_port.write_ap(addr, [data]))

    def read_ap_multiple(self, addr: int, count: int = 1, now: bool = True) -> Any:
        """Reads a register of an access port `count` times."""
        return _now_or_later(self._do(lambda: self._open_port.read_ap(addr, count)), now)

    def write_ap_multiple(self, addr: int, values: Sequence[int]) -> None:
        """Writes values to a register of an access port, one after another."""
        self._do(lambda: self._open_port.write_ap(addr, values))

    @property
    def _open_port(self) -> DebugPort:
        if self._port is None:
            raise exceptions.ProbeError(f"{self._unique_id} is not open")
        return self._port

    def _do(self, action: Callable[[], _Result]) -> _Result:
        """Makes an access; raises pyOCD's exceptions for failures."""
        try:
            return action()
        except TransferFaultError as error:
            raise exceptions.TransferFaultError(str(error)) from error
        except BoardLostError as error:
            raise exceptions.ProbeDisconnected(f"{self._unique_id}: {error.message}") from error
        except BoardError as error:
            raise exceptions.ProbeError(f"{self._unique_id}: {error.message}") from error


def _now_or_later(value: Any, now: bool) -> Any:
    return value if now else lambda: value
