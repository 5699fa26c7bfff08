"""How far the start of the firmware has come: the word that it leaves for debuggers, and what it means.

firmware/ports/cortexm/boot_stage.h holds the numbers, names and meanings of the stages, and is read for them here.
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

# Stage -> what to try where it is not got past. The names in capitals are those of the port's port_config.h.
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
    """What the firmware's word says.

    Attributes:
        name: the stage, as boot_stage.h has it without HIL_BOOT_.
        awaited: what the stage waits for: "the PLL to lock".
        stopped: whether the wait reached its limit, and the firmware stopped there.
    """

    name: str
    awaited: str
    stopped: bool

    @property
    def is_over(self) -> bool:
        """Whether the start is over and nothing has stopped the firmware since."""
        return self.name == _DONE

    def text(self) -> str:
        """One line for an error's details."""
        if self.stopped:
            return f"stopped in stage {self.name}: waited in vain for {self.awaited}"
        return f"start at stage {self.name}: waits for {self.awaited}"

    def error(self, board: str, details: str) -> DeviceStoppedError:
        """The error of a board that did not get past the stage."""
        what = "stopped, having waited in vain" if self.stopped else "does not get past its start: it waits"
        return DeviceStoppedError(
            f"{board} {what} for {self.awaited} (stage {self.name}, found through the debug probe)",
            hint=HINTS.get(self.name, "the details show where the core stands"),
            details=details,
        )


@dataclass(frozen=True)
class BootWord:
    """How boot_stage.h lays the word out.

    Attributes:
        mark: the upper half of a word that the firmware has written.
        stopped: the flag of a wait that reached its limit.
        stages: number -> name, and what it waits for.
    """

    mark: int
    stopped: int
    stages: Mapping[int, tuple[str, str]]

    def stage(self, word: int) -> BootStage | None:
        """What a word says; None for one that the firmware has not written."""
        known = self.stages.get(word & _STAGE_BITS)
        if word & ~(_STAGE_BITS | self.stopped) != self.mark or known is None:
            return None
        return BootStage(*known, bool(word & self.stopped))


@cache
def read_header(firmware: Path) -> BootWord:
    """boot_stage.h of a firmware folder.

    Raises:
        ToolError: it is not there, or not as it should be.
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
    """The stage that an image's start has come to; None where the port has no stages or none is reached yet.

    Raises:
        ProbeError, ProbeLostError: the word cannot be read.
        ToolError: the installation is incomplete.
    """
    from harness.resources import firmware

    address = symbol_address(elf, SYMBOL)
    return None if address is None else read_header(firmware()).stage(debugger.read_word(address))
