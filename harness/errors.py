"""Every failure tinyhil reports, one class each.

An error tells what failed (message), where in the way of the data (stage), a stable code for machines, and what to
try next (hint). The category decides the exit code of the command and whether pytest reports a failure or an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar

_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but for tab and newline, DEL, C1
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # directions: Unicode Annex 9, table of explicit and implicit marks
    "\u2028\u2029\ufeff\ud800-\udfff]"  # separators that some take for newlines, byte order mark, lone surrogates
)


def plain(text: str) -> str:
    r"""Text of one or more lines with each character that a terminal would obey as `\x1b` or `\u202e`.

    A name in a model or a byte on the line may hold sequences that a terminal obeys: colours, a title, moves of the
    cursor, text that reads from right to left. Shown are their numbers instead.
    """
    return _OBEYED.sub(_number, text)


def one_line(text: str) -> str:
    r"""The same for text that belongs in one line: a newline becomes `\n`, which cannot pass for a line of ours."""
    return plain(text).replace("\n", "\\n")


def _number(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class Category(Enum):
    """What kind of failure it is; the value is the exit code of `tinyhil`."""

    CHECK = 1
    INPUT = 2
    TOOL = 3
    INFRASTRUCTURE = 4


class TinyhilError(Exception):
    """Base of all errors that a person is meant to read.

    Attributes:
        message: one sentence naming the file or thing and the place in it.
        hint: the next thing to try.
        details: further lines, such as a compiler's output or a register dump; may be empty.
        transcript: the last bytes on the line to a board; whoever owns the session sets it.
    """

    code: ClassVar[str] = "error"
    stage: ClassVar[str] = "unknown"
    category: ClassVar[Category] = Category.INFRASTRUCTURE
    of_line: ClassVar[bool] = False
    """Whether the last bytes on the line help to understand it."""

    def __init__(self, message: str, *, hint: str, details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details
        self.transcript = ""

    def __str__(self) -> str:
        return one_line(f"{self.stage}: {self.message} [{self.code}]")

    @property
    def facts(self) -> dict[str, Any]:
        """What the error's attributes say besides its texts, as JSON-ready data; empty for most."""
        return {}

    def as_dict(self) -> dict[str, Any]:
        """The error as JSON-ready data; with "facts" where it has any."""
        told: dict[str, Any] = {
            "code": self.code,
            "stage": self.stage,
            "exit_code": self.category.value,
            "message": self.message,
            "hint": self.hint,
            "details": self.details,
        }
        return {**told, "facts": self.facts} if self.facts else told


# --- bad input -------------------------------------------------------------------------------------------------------


class InputError(TinyhilError):
    """Something the user gave cannot be used."""

    code = "bad-input"
    stage = "input"
    category = Category.INPUT


class OptionError(InputError):
    """An option of the command or of pytest has a value that it cannot have."""

    code = "option"


class ModelFileError(InputError):
    """The model file cannot be read: not a .tflite, cut short, inconsistent."""

    code = "model-file"
    stage = "import"


class UnsupportedModelError(InputError):
    """The model is sound but uses something tinyhil does not compile; lists everything at once."""

    code = "unsupported-model"
    stage = "import"


class GraphError(InputError):
    """A Graph breaks a rule of its verifier."""

    code = "graph"
    stage = "verify"


class CardError(InputError):
    """A model card cannot be used."""

    code = "card"
    stage = "card"


class VectorsError(InputError):
    """Test vectors do not fit the model."""

    code = "vectors"
    stage = "vectors"


class BoardConfigError(InputError):
    """boards.yaml, or a board named by the user, is wrong."""

    code = "board-config"
    stage = "boards"


class FarmFileError(InputError):
    """A farm's file, or the farm that an option names, is wrong."""

    code = "farm-file"
    stage = "farm"


class PartsError(InputError):
    """A file of microcontrollers, or of their prices, is wrong."""

    code = "parts"
    stage = "parts"


class RecipeError(InputError):
    """A recipe cannot be read, breaks its schema, or cannot be carried out as it is."""

    code = "recipe"
    stage = "recipe"


class SearchError(InputError):
    """A search has nothing to search in, or its limits cannot be kept."""

    code = "search"
    stage = "search"


class PlacementError(InputError):
    """A part of an image cannot be in the memory region that is named for it."""

    code = "placement"
    stage = "boards"


class CompileError(InputError):
    """The compiler cannot translate a verified Graph."""

    code = "compile"
    stage = "compile"


class BudgetError(CompileError):
    """No compilation keeps a budget."""

    code = "budget"


class RelocatableError(InputError):
    """A relocatable model is none, is damaged, or does not belong to what it is used with."""

    code = "relocatable"
    stage = "relocatable"


class UnitError(InputError):
    """Numbers of different units were about to be compared, summed or gated."""

    code = "unit"
    stage = "compare"


class PolicyError(InputError):
    """A policy of comparisons cannot be read, or breaks its schema."""

    code = "policy"
    stage = "compare"


class SelectionError(InputError):
    """What was named for a comparison is not in the history, or is no results bundle."""

    code = "selection"
    stage = "compare"


class CycleTableError(InputError):
    """A table of the cycle model is missing or breaks its schema."""

    code = "cycle-table"
    stage = "cycles"


class CostTableError(InputError):
    """A table of kernels' cost coefficients breaks its schema."""

    code = "cost-table"
    stage = "compile"


class CycleModelError(InputError):
    """The cycle model was given code that it cannot cost."""

    code = "cycle-model"
    stage = "cycles"


class CommandStreamError(InputError):
    """A command stream for an NPU that it cannot carry out: damaged, or beyond what tinyhil simulates."""

    code = "command-stream"
    stage = "npu"


# --- missing tools ---------------------------------------------------------------------------------------------------


class ToolError(TinyhilError):
    """A program or package that is needed is not there, or too old."""

    code = "tool"
    stage = "tools"
    category = Category.TOOL


class ToolchainMissingError(ToolError):
    """No usable cross compiler."""

    code = "toolchain-missing"
    stage = "build"


class EmulatorMissingError(ToolError):
    """No usable emulator."""

    code = "emulator-missing"
    stage = "board"


class EmulatorLicenseError(ToolError):
    """The emulator is there, but has no license."""

    code = "emulator-license"
    stage = "board"


class PackageMissingError(ToolError):
    """A Python package that only some uses need is not installed."""

    code = "package-missing"

    @classmethod
    def of(cls, package: str, purpose: str, extra: str) -> PackageMissingError:
        """The error for a package that is in one of tinyhil's extras."""
        said = f"{purpose} needs the package {package}, which is not installed"
        return cls(said, hint=f"pip install 'tinyhil[{extra}]'")


class LabgridMissingError(ToolError):
    """There is no environment with labgrid."""

    code = "labgrid-missing"
    stage = "farm"


class OracleMissingError(ToolError):
    """The package of an oracle is not installed."""

    code = "oracle-missing"
    stage = "oracle"


class PluginError(ToolError):
    """An installed package registers something with tinyhil that cannot be loaded."""

    code = "plugin"


# --- infrastructure --------------------------------------------------------------------------------------------------


class OracleError(TinyhilError):
    """A reference interpreter refused or crashed on the model."""

    code = "oracle"
    stage = "oracle"


class BuildError(TinyhilError):
    """The compiler or linker failed; details carry its output."""

    code = "build"
    stage = "build"


class ImageFileError(TinyhilError):
    """An image cannot be read: not an ELF file, cut short, or gone."""

    code = "image-file"
    stage = "image"


class DoesNotFitError(BuildError):
    """The image does not fit the board's memory.

    Attributes:
        excess: memory region of the board -> bytes that it lacks.
    """

    code = "does-not-fit"

    def __init__(self, message: str, *, hint: str, details: str = "", excess: Mapping[str, int] | None = None) -> None:
        super().__init__(message, hint=hint, details=details)
        self.excess = dict(excess or {})

    @property
    def facts(self) -> dict[str, Any]:
        """The bytes that lack, by region."""
        return {"excess": self.excess} if self.excess else {}


class BoardError(TinyhilError):
    """A board or emulator could not be started, loaded or kept."""

    code = "board"
    stage = "board"


class PortMissingError(BoardError):
    """The board's serial port is not there."""

    code = "port-missing"
    stage = "port"


class PortBusyError(BoardError):
    """A serial port or socket is in use by another process."""

    code = "port-busy"
    stage = "port"


class LeasedError(BoardError):
    """Another process of tinyhil holds the board."""

    code = "leased"
    stage = "lease"


class FarmError(BoardError):
    """A farm's coordinator, or an agent beside its boards, does not do what it is told."""

    code = "farm"
    stage = "farm"


class FarmLostError(FarmError):
    """A farm's coordinator or agent is not reached, or went away."""

    code = "farm-lost"


class FarmFullError(FarmError):
    """No board of a farm became free in time, or it has none that is asked for."""

    code = "farm-full"


class BoardLostError(BoardError):
    """The emulator or board went away during a run."""

    code = "board-lost"
    of_line = True


class PortLostError(BoardLostError):
    """The serial port went away during a run."""

    code = "port-lost"
    stage = "port"


class DeviceRestartedError(BoardLostError):
    """The device started anew in the middle of a session: a reset button, a watchdog, the supply."""

    code = "device-restarted"
    stage = "run"


class DeviceStoppedError(BoardError):
    """The firmware waited for its own hardware in vain and stopped, or does not get past a stage of its start."""

    code = "device-stopped"
    stage = "start"


class ProbeError(BoardError):
    """A debug probe does not do what it is told."""

    code = "probe"
    stage = "probe"


class ProbeMissingError(ProbeError):
    """The debug probe that was named is not attached."""

    code = "probe-missing"


class ProbeChoiceError(ProbeError):
    """Several debug probes are attached, and none is chosen by its unique id."""

    code = "probe-choice"


class ProbeLostError(ProbeError):
    """The debug probe went away."""

    code = "probe-lost"


class ConnectError(ProbeError):
    """The probe is there, but the chip does not answer in any connect mode."""

    code = "connect"


class WrongChipError(ProbeError):
    """The chip at the probe is not the board's."""

    code = "wrong-chip"


class FlashError(BoardError):
    """The chip's flash could not be programmed.

    Attributes:
        address: of the byte, page or sector that failed; None where it is not known.
        flags: errors that the flash controller shows, by their names in the chip's manual.
    """

    code = "flash"
    stage = "flash"

    def __init__(
        self, message: str, *, hint: str, details: str = "", address: int | None = None, flags: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, hint=hint, details=details)
        self.address = address
        self.flags = flags

    @property
    def facts(self) -> dict[str, Any]:
        """Address and flags, where they are known."""
        found: dict[str, Any] = {} if self.address is None else {"address": self.address}
        return {**found, "flags": list(self.flags)} if self.flags else found


class FlashProtectedError(FlashError):
    """The flash controller refused to erase or write: a sector is protected."""

    code = "flash-protected"


class FlashTimeoutError(FlashError):
    """The flash algorithm did not end in time."""

    code = "flash-timeout"


class FlashVerifyError(FlashError):
    """What the flash holds after programming is not what was written."""

    code = "flash-verify"


class MeterError(TinyhilError):
    """A power meter does not answer, refuses a command, or loses samples."""

    code = "meter"
    stage = "meter"


class LinkError(TinyhilError):
    """Bytes do not get through."""

    code = "link"
    stage = "link"
    of_line = True


class NoBytesError(LinkError):
    """The device never sent a byte."""

    code = "no-bytes"


class GarbageError(LinkError):
    """The device sends bytes, but never a valid frame."""

    code = "garbage"


class FloodError(LinkError):
    """The device sends frames that nobody asked for, without end."""

    code = "flood"


class DamagedLineError(LinkError):
    """The device says that bytes reach it damaged or not at all, over and over."""

    code = "line-damaged"


class OverrunError(LinkError):
    """The device's UART loses bytes because they come faster than it takes them, over and over."""

    code = "uart-overrun"


class DeviceTimeoutError(LinkError):
    """The device answered before, then stopped."""

    code = "device-timeout"


class ProtocolError(LinkError):
    """A valid frame with a content that breaks the protocol."""

    code = "protocol"


class WrongImageError(LinkError):
    """The device runs another build, board or model than the one asked for."""

    code = "wrong-image"


class DeviceRefusedError(LinkError):
    """The device answered a request with an error status."""

    code = "device-refused"


class DeviceFaultError(TinyhilError):
    """The firmware stopped in a fault handler; details carry registers and source lines."""

    code = "device-fault"
    stage = "run"


class StackOverflowError(DeviceFaultError):
    """The stack guard was hit."""

    code = "stack-overflow"


class ProfileError(TinyhilError):
    """A profile of executed code cannot be made, read or replayed."""

    code = "profile"
    stage = "profile"


class OutputError(TinyhilError):
    """Results cannot be written to where the command was told to print them."""

    code = "output"
    stage = "output"


class ResultsError(TinyhilError):
    """A result bundle cannot be written or read."""

    code = "results"
    stage = "results"


class HistoryError(TinyhilError):
    """A store of results over time cannot be opened, read or written."""

    code = "history"
    stage = "history"


class NightError(TinyhilError):
    """The journal of a night cannot be written or read, or a night cannot go on."""

    code = "night"
    stage = "nightly"
