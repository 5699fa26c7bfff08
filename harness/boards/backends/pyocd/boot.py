"""Boot stage: how far the start of the firmware has come, from a word that it keeps for debuggers.

Numbers, names and meanings of the stages are read from firmware/ports/cortexm/boot_stage.h.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.boards.backends.pyocd.debugger import Debugger
from harness.elf.symbols import symbol_address
from harness.errors import DeviceStoppedError, ToolError

SYMBOL = "hil_boot_stage"
HEADER = Path("ports", "cortexm", "boot_stage.h")
_STAGE = re.compile(r"^ *HIL_BOOT_(\w+) = (\d+),? +/\* (.+?) \*/$", re.MULTILINE)
_NUMBER = re.compile(r"^#define HIL_BOOT_(MARK|STOPPED) (0x[0-9A-F]{8})U$", re.MULTILINE)
_STAGE_BITS = 0xFF
_DONE = "DONE"

# Stage -> what to try when the start stops there. Names in capitals are those of the port's port_config.h.
HINTS: Mapping[str, str] = {
    "SUPPLY": "is PORT_PWR_CR3_SUPPLY the regulator that the board is wired for? It can be chosen once after power-on: "
    "power-cycle the board",
    "VOLTAGE": "is the chip's supply within its limits, and are its VCAP pins connected?",
    "OSCILLATOR": "power-cycle the board; is `chip` in boards.yaml the chip that is on it?",
    "PLL": "is PORT_HSE_MHZ the clock at the HSE pin, and PORT_CLOCK_HZ a rate that the PLL can make?",
    "OVERDRIVE": "is the chip's supply within its limits?",
    "FLASH_LATENCY": "has the chip the wait states of PORT_FLASH_ACR or PORT_FLASH_LATENCY?",
    "CLOCK_SWITCH": "can the chip run at PORT_CLOCK_HZ with these wait states?",
    "CACHES": "is the core a Cortex-M7 (PORT_HAS_CACHES)?",
    "TICKS": "do the port's ticks.c and PORT_TIMER_HZ fit the chip's TIM2?",
    "UART": "is PORT_UART_BASE the UART, and is its clock turned on (PORT_RCC_...)?",
    "UART_SEND": "is the UART's clock PORT_UART_CLOCK_HZ? Reset the board and run again",
    "UART_DRAIN": "is the UART's clock PORT_UART_CLOCK_HZ? Reset the board and run again",
}


@dataclass(frozen=True)
class BootStage:
    """A stage of the firmware's start.

    Attributes:
        name: the stage's name in boot_stage.h without HIL_BOOT_.
        awaited: what the stage waits for: "the PLL to lock".
        stopped: whether the wait reached its limit, and the firmware stopped there.
    """

    name: str
    awaited: str
    stopped: bool

    @property
    def is_over(self) -> bool:
        """Whether the start is complete and no later wait reached its limit."""
        return self.name == _DONE

    def text(self) -> str:
        """One line for an error's details."""
        if self.stopped:
            return f"stopped in stage {self.name}: waited in vain for {self.awaited}"
        return f"start at stage {self.name}: waits for {self.awaited}"

    def error(self, board: str, details: str) -> DeviceStoppedError:
        """The error for a board whose start stopped at this stage."""
        what = "stopped, having waited in vain" if self.stopped else "does not get past its start: it waits"
        return DeviceStoppedError(
            f"{board} {what} for {self.awaited} (stage {self.name}, found through the debug probe)",
            hint=HINTS.get(self.name, "the details show where the core stands"),
            details=details,
        )


@dataclass(frozen=True)
class BootWord:
    """The layout of the word, from boot_stage.h.

    Attributes:
        mark: value of the upper half in a word that the firmware has written.
        stopped: flag for a wait that reached its limit.
        stages: number -> (name, what it waits for).
    """

    mark: int
    stopped: int
    stages: Mapping[int, tuple[str, str]]

    def stage(self, word: int) -> BootStage | None:
        """The stage in a word; None if the firmware has not written it."""
        known = self.stages.get(word & _STAGE_BITS)
        if word & ~(_STAGE_BITS | self.stopped) != self.mark or known is None:
            return None
        return BootStage(*known, bool(word & self.stopped))


@cache
def read_header(firmware: Path) -> BootWord:
    """The layout from boot_stage.h of a firmware folder.

    Raises:
        ToolError: the file does not exist, or has another form.
    """
    path = firmware / HEADER
    try:
        text = path.read_text(encoding="utf-8")
        numbers = {name: int(value, 16) for name, value in _NUMBER.findall(text)}
        stages = {int(number): (name, awaited) for name, number, awaited in _STAGE.findall(text)}
        return BootWord(numbers["MARK"], numbers["STOPPED"], stages)
    except (OSError, KeyError) as error:
        raise ToolError(f"{path} does not tell the stages of a start: {error}", hint="reinstall tinyhil") from error


def boot_stage(debugger: Debugger, elf: Path) -> BootStage | None:
    """The stage of an image's start, read from the device; None where the port has no stages or none is reached yet.

    Raises:
        ProbeError, ProbeLostError: the word cannot be read.
        ToolError: the installation is incomplete.
    """
    from harness.resources import firmware

    address = symbol_address(elf, SYMBOL)
    return None if address is None else read_header(firmware()).stage(debugger.read_word(address))
