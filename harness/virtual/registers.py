"""Register blocks whose accesses have effects."""

from __future__ import annotations

from collections.abc import Callable

from harness.virtual.bus import RegisterBlock
from harness.virtual.chip import RegisterMap


class ClockRegisters(RegisterBlock):
    """The RCC: calls `changed` after a write, as rates may have changed."""

    def __init__(self, facts: RegisterMap, changed: Callable[[], None]) -> None:
        super().__init__(facts)
        self._changed = changed

    def write(self, offset: int, value: int, debugger: bool) -> None:
        """Writes a register."""
        super().write(offset, value, debugger)
        self._changed()


class IdentityRegisters(RegisterBlock):
    """DBGMCU: IDCODE, and memory cells.

    Attributes:
        idcode: the value of IDCODE.
    """

    def __init__(self, base: int, idcode: int) -> None:
        super().__init__(RegisterMap("dbgmcu", base))
        self.idcode = idcode

    def read(self, offset: int, debugger: bool) -> int:
        """Reads a register."""
        return self.idcode if offset == 0 else super().read(offset, debugger)
