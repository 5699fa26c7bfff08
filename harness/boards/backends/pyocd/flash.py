"""Programs an image into a chip's flash, unless it is there already, and verifies it by reading back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.boards.backends.pyocd.chips import WRITE_PROTECTED, Family, family_of
from harness.boards.backends.pyocd.debugger import Debugger
from harness.boards.backends.pyocd.log import unprinted
from harness.elf.segments import Segment, loadable_segments
from harness.elf.symbols import symbol_address
from harness.errors import (
    BoardError,
    FlashError,
    FlashProtectedError,
    FlashTimeoutError,
    FlashVerifyError,
    ImageFileError,
    ProbeError,
    ProbeLostError,
    TinyhilError,
)

BUILD_ID_SYMBOL = "hil_build_id"
_READ_SIZE = 4096


@dataclass(frozen=True)
class Loaded:
    """Result of loading an image into flash.

    Attributes:
        programmed: False if it was there already.
        bytes: size of the image.
        seconds: time for erasing and programming; 0.0 if nothing was programmed.
        verify_seconds: time for reading back and comparing.
    """

    programmed: bool
    bytes: int
    seconds: float
    verify_seconds: float

    @property
    def bytes_per_second(self) -> float | None:
        """Rate in bytes per second with erasing; None if nothing was programmed."""
        return self.bytes / self.seconds if self.programmed and self.seconds > 0 else None


def load_image(
    debugger: Debugger, elf: Path, build_id: str, progress: Callable[[float], None] | None = None
) -> Loaded:
    """Programs an image into the chip's flash if it is not there; the core is left halted if it was programmed.

    The build id, read from its address in this image, shows whether programming is needed; all bytes are compared in
    any case, since an interrupted earlier run may have written the id but not the rest.

    Args:
        debugger: connected.
        elf: the image.
        build_id: contents of its symbol `hil_build_id`.
        progress: called with the fraction done, 0 to 1.

    Raises:
        FlashProtectedError, FlashTimeoutError, FlashVerifyError, FlashError: see these classes.
        ProbeLostError, ProbeError: the probe or the chip does not answer.
        BoardError: the file is no image.
    """
    try:
        segments = loadable_segments(elf)
    except ImageFileError as error:
        raise BoardError(error.message, hint=error.hint) from error
    size = sum(len(segment.data) for segment in segments)
    start = time.monotonic()
    if _has_build(debugger, elf, build_id) and _first_difference(debugger, segments) is None:
        return Loaded(False, size, 0.0, time.monotonic() - start)
    debugger.reset_and_halt()
    start = time.monotonic()
    _program(debugger, segments, progress)
    programmed = time.monotonic()
    _verify(debugger, segments)
    return Loaded(True, size, programmed - start, time.monotonic() - programmed)


def _has_build(debugger: Debugger, elf: Path, build_id: str) -> bool:
    address = symbol_address(elf, BUILD_ID_SYMBOL)
    return address is not None and debugger.read(address, len(build_id)) == build_id.encode()


def _program(debugger: Debugger, segments: Sequence[Segment], progress: Callable[[float], None] | None) -> None:
    from pyocd.core import exceptions
    from pyocd.flash.loader import FlashLoader

    try:
        with unprinted():
            loader = FlashLoader(debugger.pyocd, progress=progress)
            for segment in segments:
                loader.add_data(segment.load_address, segment.data)
            loader.commit()
    except ValueError as error:  # pyOCD's memory map has no flash there
        raise FlashError(
            f"pyOCD's target {debugger.target} cannot hold the image: {error}",
            hint="correct `target` and `memory` of the board in boards.yaml",
        ) from error
    except (exceptions.FlashFailure, exceptions.CoreRegisterAccessError) as error:
        raise _flash_error(debugger, error) from error  # the latter if the algorithm crashed
    except Exception as error:  # other exceptions of pyOCD and its USB libraries
        raise debugger.translate(error, "programming the flash") from error


def _flash_error(debugger: Debugger, error: Exception) -> TinyhilError:
    """The error for a failure of pyOCD to program flash, by the flash controller's flags."""
    details = "\n".join(filter(None, (f"{type(error).__name__}: {error}", debugger.log.text())))
    flags: tuple[str, ...] = ()
    try:
        flags = _flags(debugger)
    except ProbeLostError as lost:
        return lost
    except ProbeError:
        pass  # without flags
    address: int | None = getattr(error, "address", None)
    if WRITE_PROTECTED in flags:
        return _protected(flags, details, address)
    if ended_late(error):
        return FlashTimeoutError(
            f"the flash algorithm did not end in time: {error}",
            hint="power-cycle the board; is `target` in boards.yaml this chip, and its supply within limits?",
            details=details,
            address=address,
            flags=flags,
        )
    told = f" ({', '.join(flags)})" if flags else ""
    return FlashError(
        f"programming the flash failed{told}: {error}",
        hint="run again; then power-cycle the board",
        details=details,
        address=address,
        flags=flags,
    )


def ended_late(error: Exception) -> bool:
    """Whether a failure of pyOCD to program flash is a time-out of the algorithm.

    Where pages are written from two buffers, pyOCD gives the result code of a time-out. Elsewhere it gives none, and
    only the message distinguishes it from other failures (pyocd/flash/flash.py, version 0.46).
    """
    from pyocd.flash.flash import Flash

    code = getattr(error, "result_code", None)
    return bool(code == Flash.TIMEOUT_ERROR) if code is not None else "timed out" in str(error)


def _verify(debugger: Debugger, segments: Sequence[Segment]) -> None:
    difference = _first_difference(debugger, segments)
    flags = _flags(debugger)
    if WRITE_PROTECTED in flags:
        details = "" if difference is None else f"the first byte that differs is at 0x{difference:08x}"
        raise _protected(flags, details, difference)
    if difference is not None:
        told = f"; its status register has {', '.join(flags)}" if flags else ""
        raise FlashVerifyError(
            f"the flash does not hold what was written: the first byte that differs is at 0x{difference:08x}{told}",
            hint="run again; if it stays, is `target` in boards.yaml this chip? The flash may be worn out",
            address=difference,
            flags=flags,
        )


def _first_difference(debugger: Debugger, segments: Sequence[Segment]) -> int | None:
    """The lowest address whose byte differs from the image; None if none does."""
    for segment in segments:
        for at in range(0, len(segment.data), _READ_SIZE):
            wanted = segment.data[at : at + _READ_SIZE]
            found = debugger.read(segment.load_address + at, len(wanted))
            if found != wanted:
                pairs = enumerate(zip(wanted, found, strict=True))
                return segment.load_address + at + next(i for i, (one, other) in pairs if one != other)
    return None


def _flags(debugger: Debugger) -> tuple[str, ...]:
    """Error flags of the flash controller, which stay set until they are cleared."""
    family: Family | None = family_of(debugger.target)
    if family is None:
        return ()
    found = [flag for address in family.flash_status for flag in family.flags(debugger.read_word(address))]
    return tuple(dict.fromkeys(found))


def _protected(flags: tuple[str, ...], details: str, address: int | None) -> FlashProtectedError:
    return FlashProtectedError(
        f"the flash controller refused to write ({', '.join(flags)}): sectors are write-protected",
        hint="clear the write protection in the option bytes (STM32CubeProgrammer), then run again",
        details=details,
        address=address,
        flags=flags,
    )
