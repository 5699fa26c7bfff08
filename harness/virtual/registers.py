"""Register blocks with something behind them."""

from __future__ import annotations

from collections.abc import Callable

from harness.virtual.bus import RegisterBlock
from harness.virtual.chip import RegisterMap


class ClockRegisters(RegisterBlock):
    """The RCC: rates are worked out again after a write."""

    def __init__(self, facts: RegisterMap, changed: Callable[[], None]) -> None:
        super().__init__(facts)
        self._changed = changed

    def write(self, offset: int, value: int, debugger: bool) -> None:
        """A register."""
        super().write(offset, value, debugger)
        self._changed()


class IdentityRegisters(RegisterBlock):
    """DBGMCU: the chip's identity, and cells.

    Attributes:
        idcode: the identity.
    """

    def __init__(self, base: int, idcode: int) -> None:
        super().__init__(RegisterMap("dbgmcu", base))
        self.idcode = idcode

    def read(self, offset: int, debugger: bool) -> int:
        """A register."""
        return self.idcode if offset == 0 else super().read(offset, debugger)
