"""A chip at a debug probe, through pyOCD: connect, memory, registers, reset. Translates pyOCD's exceptions."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from harness.boards.backends.pyocd.log import PyocdLog, unprinted
from harness.boards.backends.pyocd.packs import VARIABLE as PACKS_VARIABLE
from harness.boards.backends.pyocd.packs import pack_files
from harness.errors import ConnectError, ProbeError, ProbeLostError, ProbeMissingError, TinyhilError, ToolError
from harness.hardware.board import Probe

# Connect modes by tinyhil's name and pyOCD's, in the order in which they are tried. The first does not disturb a
# running chip; a chip whose firmware disables its debug pins or sleeps answers only while it is held in reset.
CONNECT_MODES: Mapping[str, str] = {"normal": "attach", "under reset": "under-reset", "halt": "halt"}
SWD_HZ = 4_000_000


@dataclass(frozen=True)
class Limits:
    """Time limits in seconds for one call of the flash algorithm, which runs on the chip.

    Attributes:
        init: to begin or to end.
        erase: to erase one sector; a 128 kB sector of an STM32H7 takes up to 4 s.
        program: to write one page.
    """

    init: float = 5.0
    erase: float = 10.0
    program: float = 5.0


class Debugger:
    """One chip at one probe.

    Attributes:
        probe: which probe.
        target: pyOCD's name of the chip.
        mode: the key of CONNECT_MODES that connecting succeeded with; "" before.
        attempts: the error of each mode that failed.
        log: pyOCD's messages.
    """

    def __init__(self, probe: Probe, target: str, *, limits: Limits = Limits()) -> None:  # noqa: B008
        self.probe = probe
        self.target = target
        self.limits = limits
        self.mode = ""
        self.attempts: dict[str, str] = {}
        self.log = PyocdLog()
        self._session: Any = None

    # --- connecting ----------------------------------------------------------------------------------------------

    def supply(self) -> float | None:
        """The target's supply in volts, measured before connecting; None where the probe cannot (an ST-LINK can).

        Raises:
            ProbeMissingError: the probe is not attached.
            ProbeError, ProbeLostError: it cannot be opened.
        """
        self.log.attach()
        try:
            self._open("normal", chip=False)
            return self._voltage()
        finally:
            self._close_session()

    def connect(self) -> None:
        """Tries the connect modes in order until one succeeds.

        Raises:
            ProbeMissingError: the probe is not attached.
            ToolError: pyOCD does not know the target.
            ConnectError: all modes fail; details have the error of each.
            ProbeLostError: the probe was unplugged meanwhile.
        """
        self.log.attach()
        self.attempts.clear()
        for mode in CONNECT_MODES:
            try:
                self._open(mode)
            except (ProbeLostError, ProbeMissingError, ToolError):
                raise
            except ProbeError as error:
                self.attempts[mode] = error.message
                continue
            self.mode = mode
            return
        said = "\n".join(f"{mode}: {what}" for mode, what in self.attempts.items())
        raise ConnectError(
            f"the chip at probe {self.probe.unique_id} does not answer, neither {', '.join(CONNECT_MODES)}",
            hint="is the board powered, and is the probe connected to it (SWDIO, SWCLK, GND, NRST)?",
            details="\n".join(filter(None, (said, self.log.text()))),
        )

    def _open(self, mode: str, *, chip: bool = True) -> None:
        """Opens the probe and, with `chip`, connects to the chip."""
        self._close_session()
        with self._translated(f"connecting ({mode})"):
            from pyocd.core.helpers import ConnectHelper
            from pyocd.core.session import Session

            found = ConnectHelper.get_all_connected_probes(
                blocking=False, unique_id=self.probe.unique_id, print_wait_message=False
            )
            ours = [probe for probe in found if str(probe.unique_id) == self.probe.unique_id]
            if not ours:
                raise ProbeMissingError(
                    f"debug probe {self.probe.unique_id} is not attached", hint="plug it in; `tinyhil boards --probe`"
                )
            session = Session(ours[0], options=self._options(mode))
            self._session = session
            try:
                session.open(init_board=chip)
            except BaseException:
                with contextlib.suppress(TinyhilError):
                    self._close_session()
                raise

    def _options(self, mode: str) -> dict[str, object]:
        return {
            "target_override": self.target,
            "connect_mode": CONNECT_MODES[mode],
            "no_config": True,  # no pyocd.yaml of the working directory,
            "user_script": os.devnull,  # and no pyocd_user.py
            "project_dir": os.getcwd(),  # pyOCD changes the working directory to any other
            "frequency": SWD_HZ,
            "auto_unlock": False,  # would erase a locked chip
            "hide_programming_progress": True,
            "cache.enable_memory": False,
            "rtos.enable": False,
            "resume_on_disconnect": True,
            "chip_erase": "sector",
            "smart_flash": False,
            "keep_unwritten": False,
            "flash.timeout.init": self.limits.init,
            "flash.timeout.erase_sector": self.limits.erase,
            "flash.timeout.program": self.limits.program,
            "pack": pack_files() or None,
        }

    @property
    def pyocd(self) -> Any:
        """pyOCD's open session.

        Raises:
            ProbeError: not connected.
        """
        if self._session is None:
            raise ProbeError("not connected to a chip", hint="call connect() first")
        return self._session

    @property
    def device(self) -> Any:
        """pyOCD's probe, open.

        Raises:
            ProbeError: not connected.
        """
        return self.pyocd.probe

    def _voltage(self) -> float | None:
        for owner in (self.device, getattr(self.device, "_link", None)):  # pyOCD has no public name for an ST-LINK's
            value = getattr(owner, "target_voltage", None)
            if isinstance(value, int | float):
                return float(value)
        return None

    def close(self) -> None:
        """Lets the chip run and closes the probe; may be called again."""
        try:
            with contextlib.suppress(TinyhilError):
                self._close_session()
        finally:
            self.log.detach()

    def _close_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with self._translated("disconnecting"):
                session.close()

    # --- the chip ------------------------------------------------------------------------------------------------

    def read(self, address: int, length: int) -> bytes:
        """Reads memory, whether the core runs or is halted. Raises ProbeError, ProbeLostError."""
        with self._translated(f"reading {length} bytes at 0x{address:08x}"):
            return bytes(self.pyocd.target.read_memory_block8(address, length)) if length else b""

    def read_word(self, address: int) -> int:
        """One 32-bit access. Raises ProbeError, ProbeLostError."""
        with self._translated(f"reading 0x{address:08x}"):
            return int(self.pyocd.target.read32(address))

    def write(self, address: int, data: bytes) -> None:
        """Writes RAM. Raises ProbeError, ProbeLostError."""
        with self._translated(f"writing {len(data)} bytes at 0x{address:08x}"):
            self.pyocd.target.write_memory_block8(address, data)

    def write_word(self, address: int, value: int) -> None:
        """One 32-bit access. Raises ProbeError, ProbeLostError."""
        with self._translated(f"writing 0x{address:08x}"):
            self.pyocd.target.write32(address, value)

    def reset(self) -> None:
        """Resets the chip and lets it run. Raises ProbeError, ProbeLostError."""
        with self._translated("resetting the chip"):
            self.pyocd.target.reset()
            if self.pyocd.target.is_halted():  # by a vector catch that another debugger left
                self.pyocd.target.resume()

    def reset_and_halt(self) -> None:
        """Reset the chip and stop before its first instruction. Raises ProbeError, ProbeLostError."""
        with self._translated("resetting and halting the chip"):
            self.pyocd.target.reset_and_halt()
            if not self.pyocd.target.is_halted():
                raise ProbeError(
                    "the core does not halt after a reset", hint="is NRST connected to the probe? Power-cycle the board"
                )

    def resume(self) -> None:
        """Let a halted core run. Raises ProbeError, ProbeLostError."""
        with self._translated("starting the core"):
            self.pyocd.target.resume()

    def registers(self) -> dict[str, int]:
        """Halts the core, reads its registers, and resumes it. Raises ProbeError, ProbeLostError."""
        names = ("r0", "r1", "r2", "r3", "r12", "sp", "psp", "lr", "pc", "xpsr")
        with self._translated("reading core registers"):
            target = self.pyocd.target
            was_halted = target.is_halted()
            target.halt()
            try:
                return {name: int(target.read_core_register_raw(name)) for name in names}
            finally:
                if not was_halted:
                    target.resume()

    # --- failures ------------------------------------------------------------------------------------------------

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        """Translates exceptions of pyOCD and its USB libraries to tinyhil's; discards what they print."""
        try:
            with unprinted():
                yield
        except (TinyhilError, KeyboardInterrupt):
            raise
        except Exception as error:
            raise self.translate(error, doing) from error

    def translate(self, error: Exception, doing: str) -> TinyhilError:
        """The error for an exception of pyOCD that occurred while `doing` something."""
        from pyocd.core import exceptions

        said = f"{type(error).__name__}: {error}".strip(": ")
        details = "\n".join(filter(None, (said, self.log.text())))
        if isinstance(error, exceptions.TargetSupportError):
            return ToolError(
                f"pyOCD cannot use target {self.target}: {error}",
                hint=f"`pyocd pack install {self.target}`, or name a .pack file that has it in ${PACKS_VARIABLE}; "
                "or correct `target` in boards.yaml (`pyocd list --targets`)",
                details=details,
            )
        if isinstance(error, exceptions.ProbeDisconnected) or not self._is_attached():
            return ProbeLostError(
                f"debug probe {self.probe.unique_id} went away while {doing}",
                hint="check its cable and run again",
                details=details,
            )
        return ProbeError(
            f"{doing} through probe {self.probe.unique_id} failed: {said}",
            hint="run again; then power-cycle the board and plug the probe in anew",
            details=details,
        )

    def _is_attached(self) -> bool:
        try:
            from pyocd.core.helpers import ConnectHelper

            found = ConnectHelper.get_all_connected_probes(blocking=False, print_wait_message=False)
            return any(str(probe.unique_id) == self.probe.unique_id for probe in found)
        except Exception:  # drivers can raise anything when the probe is gone
            return False
